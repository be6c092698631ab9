"""keeper localnet: a local mainnet for a developer, and settings that fit it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from keeper.localnet.serve import ServeOptions

_PASSWORD = "local mainnet only"  # noqa: S105 - of a development key that everybody knows
_SCRYPT_ROUNDS = 2**12
_HEALTH = 1.6
_PRICE_USD = 2_000.0
_BLOCK_S, _PATH_BLOCK_S = 4.0, 1.0


def localnet(  # noqa: PLR0917 - one argument for each option
    port: Annotated[int, typer.Option(help="Of the JSON-RPC endpoint.", min=1, max=65_535)] = 8545,
    block_time: Annotated[
        float | None,
        typer.Option(
            help="Seconds between blocks; 0 mines for transactions only "
            "(default: 4, or 1 along a path).",
            min=0,
        ),
    ] = None,
    health: Annotated[
        float | None,
        typer.Option(help="Of the vault's position (default: 1.6).", min=1.04, max=3.0),
    ] = None,
    price: Annotated[
        float | None,
        typer.Option(help="Of ETH at the start, USD (default: 2000).", min=1, max=1_000_000),
    ] = None,
    scenario: Annotated[
        str | None,
        typer.Option(help="The market follows this scenario of the demo, block by block."),
    ] = None,
    prices: Annotated[
        Path | None, typer.Option(help="The market follows this price file (CSV or CSV.gz).")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything random along the path.")] = 1,
) -> None:
    """Start real protocols on a local chain, with a vault to keep; ends with Ctrl-C."""
    from keeper.localnet.serve import localnet_file, serve

    root = Path.cwd()
    options = _options(port, block_time, health, price, scenario=scenario, prices=prices, seed=seed)

    def announce(text: str) -> None:
        if not announced:
            file = localnet_file(root, port)
            description = json.loads(file.read_text(encoding="utf-8"))
            settings = write_settings(
                description, file.parent, options.health, _longest_block(options)
            )
            text += f"\n\nIn another terminal: keeper run --config {settings.relative_to(root)}"
        announced.append(text)
        typer.echo(text)

    announced: list[str] = []
    serve(root, options=options, out=announce, progress=lambda step: typer.echo(step, err=True))


def _options(
    port: int,
    block_time: float | None,
    health: float | None,
    price: float | None,
    *,
    scenario: str | None,
    prices: Path | None,
    seed: int,
) -> "ServeOptions":
    from keeper.demo.options import DemoOptions, plan_course
    from keeper.errors import SettingError
    from keeper.localnet.serve import ServeOptions

    if scenario is None and prices is None:
        return ServeOptions(
            price_usd=price or _PRICE_USD,
            health=health or _HEALTH,
            block_time_s=(_BLOCK_S if block_time is None else block_time) or None,
            port=port,
        )
    if price is not None:
        raise SettingError("--price", "the path has its own prices", "leave it out")
    if block_time == 0:
        raise SettingError("--block-time", "a path needs time to pass", "give more than 0 seconds")
    course = plan_course(
        DemoOptions(scenario=scenario, prices=prices, seed=seed, start_health=health)
    )
    return ServeOptions(
        health=course.start.health,
        block_time_s=block_time or _PATH_BLOCK_S,
        port=port,
        path=course.path,
    )


def _longest_block(options: "ServeOptions") -> int:
    path = options.path
    return 0 if path is None else int((path.times[1:] - path.times[:-1]).max())


def write_settings(
    description: dict[str, Any], folder: Path, health: float = _HEALTH, longest_block_s: int = 0
) -> Path:
    """keeper.toml, a keystore and its password for the local mainnet; returns the settings file.

    The strategy's band is the demo's for a vault that starts at `health`.
    """
    from keeper.demo.pilot import behaviour_text
    from keeper.demo.start import band_for
    from keeper.execution.signers import encrypt_keystore

    key = description["accounts"]["keeper"]["private_key"]
    _private(folder / "keystore.json", encrypt_keystore(key, _PASSWORD, iterations=_SCRYPT_ROUNDS))
    _private(folder / "password", _PASSWORD + "\n")
    settings = folder / "keeper.toml"
    settings.write_text(
        "\n".join(
            (
                "# Written by `keeper localnet` for the local mainnet it started.",
                f"chain_id = {description['chain_id']}",
                f'rpc_url = "{description["rpc_url"]}"',
                f'ws_url = "{description["ws_url"]}"',
                f'vault = "{description["vault"]}"',
                f'lens = "{description["lens"]}"',
                "",
                behaviour_text(band_for(health), longest_block_s).rstrip(),
                "# The simulated clock runs ahead of this machine's.",
                "max_head_ahead_s = 1_000_000_000",
                "",
                "[key]",
                'keystore = "keystore.json"',
                'password_file = "password"',
                "",
                "[journal]",
                'path = "journal.sqlite"',
                "",
            )
        ),
        encoding="utf-8",
    )
    for leftover in ("", "-wal", "-shm"):  # of a chain that is gone
        (folder / f"journal.sqlite{leftover}").unlink(missing_ok=True)
    return settings


def _private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text, encoding="utf-8")
