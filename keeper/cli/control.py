"""keeper kill, revive, pause and resume: switches that hold at once, and over restarts."""

from typing import Annotated

import typer

from keeper.cli.run import Config, settings_of

Reason = Annotated[str, typer.Option("--reason", "-r", help="Why; shown in logs and refusals.")]
Vault = Annotated[
    str | None,
    typer.Argument(help="The vault's name or address (default: the only one in the settings)."),
]


def kill(reason: Reason = "ordered by a person", config: Config = None) -> None:
    """Nothing more is signed, for any vault or lane, until `keeper revive`. Also: SIGUSR1, or a file kill.json."""
    from keeper.cli.operate import switches_of
    from keeper.cli.vaults import labels

    settings = settings_of(config).settings
    switches_of(settings).kill(reason)
    which = f" for any of {labels(settings)}" if settings.vaults else ""
    typer.echo(
        f"kill switch set: the keeper signs nothing more{which}, protection included; what is sent already may still "
        "be mined (see `keeper tx list`). `keeper revive` releases it"
    )
    if settings.leadership.mode != "alone":
        typer.echo(
            f"only keepers that read {settings.ops.control} see it: unless both hosts share that directory, "
            "give the same order on the other host NOW",
            err=True,
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
    from keeper.cli.vaults import address_of

    settings = settings_of(config).settings
    address = address_of(settings, vault)
    switches_of(settings).pause(address, reason)
    typer.echo(f"vault {address} is paused: protective work goes on, routine work waits")


def resume(vault: Vault = None, config: Config = None) -> None:
    """End a pause. Exit code 1 if there was none."""
    from keeper.cli.operate import switches_of
    from keeper.cli.vaults import address_of

    settings = settings_of(config).settings
    address = address_of(settings, vault)
    if not switches_of(settings).resume(address):
        typer.echo(f"vault {address} was not paused")
        raise typer.Exit(1)
    typer.echo(f"vault {address} goes on from the next tick")
