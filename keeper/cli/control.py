"""keeper kill, revive, pause and resume: switches that hold at once, and over restarts."""

from typing import Annotated

import typer

from keeper.cli.run import Config, settings_of

Reason = Annotated[str, typer.Option("--reason", "-r", help="Why; shown in logs and refusals.")]
Vault = Annotated[
    str | None, typer.Argument(help="The vault's address [default: the one in the settings].")
]


def kill(reason: Reason = "ordered by a person", config: Config = None) -> None:
    """Nothing more is signed, on either lane, until `keeper revive`. Also: SIGUSR1, or a file kill.json."""
    from keeper.cli.operate import switches_of

    settings = settings_of(config).settings
    switches_of(settings).kill(reason)
    typer.echo(
        "kill switch set: the keeper signs nothing more, protection included; what is sent already may still "
        "be mined (see `keeper tx list`). `keeper revive` releases it"
    )


def revive(config: Config = None) -> None:
    """Release the kill switch. Exit code 1 if it was not set."""
    from keeper.cli.operate import switches_of

    settings = settings_of(config).settings
    if not switches_of(settings).revive():
        typer.echo("the kill switch was not set")
        raise typer.Exit(1)
    typer.echo("kill switch released: the keeper acts again from its next tick on")


def pause(
    vault: Vault = None, reason: Reason = "ordered by a person", config: Config = None
) -> None:
    """No rebalancing and no settlement until `keeper resume`; protection and the heart go on."""
    from keeper.cli.operate import switches_of

    settings = settings_of(config).settings
    address = _address(vault, settings.vault)
    switches_of(settings).pause(address, reason)
    typer.echo(f"vault {address} is paused: protective work goes on, routine work waits")


def resume(vault: Vault = None, config: Config = None) -> None:
    """End a pause. Exit code 1 if there was none."""
    from keeper.cli.operate import switches_of

    settings = settings_of(config).settings
    address = _address(vault, settings.vault)
    if not switches_of(settings).resume(address):
        typer.echo(f"vault {address} was not paused")
        raise typer.Exit(1)
    typer.echo(f"vault {address} goes on from the next tick")


def _address(given: str | None, default: str) -> str:
    from keeper.errors import SettingError
    from keeper.model.address import checked_address

    try:
        return checked_address(given or default)
    except ValueError as error:
        raise SettingError("VAULT", str(error), "give the vault's address", "argument") from None
