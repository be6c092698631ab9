"""keeper localnet: a local mainnet for a developer, and settings that fit it."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

_PASSWORD = "local mainnet only"  # noqa: S105 - of a development key that everybody knows
_SCRYPT_ROUNDS = 2**12


def localnet(
    port: Annotated[int, typer.Option(help="Of the JSON-RPC endpoint.")] = 8545,
    block_time: Annotated[
        float, typer.Option(help="Seconds between blocks; 0 mines for transactions only.", min=0)
    ] = 4.0,
    health: Annotated[float, typer.Option(help="Of the vault's position.", min=1.05)] = 1.6,
    price: Annotated[float, typer.Option(help="Of ETH at the start, USD.", min=1)] = 2_000.0,
) -> None:
    """Start real protocols on a local chain, with a vault to keep; ends with Ctrl-C."""
    from keeper.localnet.serve import LOCALNET_FILE, ServeOptions, serve

    root = Path.cwd()

    def announce(text: str) -> None:
        file = root / LOCALNET_FILE
        settings = write_settings(json.loads(file.read_text(encoding="utf-8")), file.parent)
        typer.echo(text)
        typer.echo(f"\nIn another terminal: keeper run --config {settings.relative_to(root)}")

    options = ServeOptions(
        price_usd=price, health=health, block_time_s=block_time or None, port=port
    )
    serve(root, options=options, out=announce, progress=lambda step: typer.echo(step, err=True))


def write_settings(description: dict[str, Any], folder: Path) -> Path:
    """keeper.toml, a keystore and its password for the local mainnet; returns the settings file."""
    from keeper.execution.signer import encrypt_keystore

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
                "[strategy]",
                'name = "collateral_guard"',
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
