"""keeper demo: two twin vaults through one crash, with and without a keeper."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

_INTERRUPTED = 130


class Interpolation(StrEnum):
    """Between the rows of a price file."""

    BRIDGE = "bridge"
    LINEAR = "linear"


def demo(  # noqa: PLR0917 - one argument for each option
    scenario: Annotated[
        str | None,
        typer.Option(
            help="crash, crash_and_rebound, grind_down, gap, oracle_stall or calm (default: crash)."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 1,
    prices: Annotated[
        Path | None, typer.Option(help="CSV or CSV.gz with prices, instead of a scenario.")
    ] = None,
    from_: Annotated[
        str | None, typer.Option("--from", help="Start within the file: date or unix seconds.")
    ] = None,
    to: Annotated[str | None, typer.Option("--to", help="End within the file.")] = None,
    block_seconds: Annotated[
        int | None, typer.Option(help="Simulated seconds a block.", min=1)
    ] = None,
    interpolation: Annotated[
        Interpolation, typer.Option(help="Between the file's rows.")
    ] = Interpolation.BRIDGE,
    start_health: Annotated[
        str | None,
        typer.Option(help="Health of both vaults at the start: a number, or auto (by the path)."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Where report and summary go.")] = Path("build/demo"),
    quiet: Annotated[bool, typer.Option("--quiet", help="No live display.")] = False,
) -> None:
    """Show it: a leveraged vault with the keeper and its twin without, on a local mainnet."""
    from keeper.demo import DemoOptions, run_demo

    options = DemoOptions(
        scenario=scenario,
        seed=seed,
        prices=prices,
        from_=from_,
        to=to,
        block_seconds=block_seconds,
        interpolation=interpolation.value,
        start_health=start_health,
        out=out,
        quiet=quiet,
    )
    try:
        summary = run_demo(options)
    except KeyboardInterrupt:
        typer.echo("keeper: stopped; no result written, an earlier one is kept", err=True)
        raise typer.Exit(_INTERRUPTED) from None
    if not summary.saved:
        raise typer.Exit(1)
