"""keeper sweep: the same backtest at many parameters, in processes or on a cluster."""

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keeper.cli import backtest_options as options
from keeper.cli.backtest_options import File, Help

if TYPE_CHECKING:
    from keeper.sweep import Sweep
    from keeper.sweep.choose import Fold
    from keeper.sweep.points import Point

SHOWN = 5


class Kernel(StrEnum):
    """What plays a run."""

    OFF = "off"
    AUTO = "auto"
    ONLY = "only"


def sweep(  # noqa: PLR0917 - one option each
    strategy: options.Strategy,
    data: options.Data,
    vary: Annotated[
        list[str],
        Help("--vary", help="NAME=a,b,c or NAME=low:high:n[:log]; world.X for the world."),
    ],
    start: options.Start = None,
    end: options.End = None,
    settings: options.Settings = None,
    world: options.WorldParts = None,
    deposit: options.Deposit = 1_000_000,
    health: options.Health = None,
    base_share: options.BaseShare = 0.0,
    rounds: options.Rounds = None,
    funding: options.FundingRates = None,
    funding_venue: options.FundingVenue = None,
    volatility: options.Volatility = None,
    chain: options.Chain = None,
    gas: options.Gas = None,
    max_missing: options.MaxMissing = 0,
    accept_zero_volume: options.ZeroVolume = False,
    inside: options.Inside = False,
    ticks_inside: options.TicksInside = False,
    draws: Annotated[
        int | None, Help("--sample", min=1, help="So many draws in place of the whole grid.")
    ] = None,
    seed: Annotated[int, Help(help="Of the draws.")] = 0,
    folds: Annotated[
        int, Help(min=0, help="Walk forward: choose on each of so many parts, report the next.")
    ] = 0,
    by: Annotated[str, Help(help="The ratio that best and worst are of.")] = "sharpe",
    kernel: Annotated[
        Kernel, Help(help="Compiled hedging rules: where they can (auto), or else an error (only).")
    ] = Kernel.OFF,
    jobs: Annotated[int, Help(min=0, help="Processes; 0: one for each core.")] = 0,
    cluster: Annotated[
        str | None, Help(help="A Dask scheduler's address (tcp://...), or local.")
    ] = None,
    out: Annotated[File, Help(help="Folder of rows; a later sweep goes on from it.")] = None,
    json: Annotated[bool, Help("--json", help="For programs.")] = False,
) -> int:
    """Run a backtest at every combination of parameters: one row each, resumable, failures told and not fatal."""
    from keeper.backtest.files import Files
    from keeper.backtest.settings import Opening
    from keeper.cli.backtest_options import moment, pairs
    from keeper.history.table import found_data
    from keeper.sweep import Variation, run_sweep
    from keeper.sweep.work import AUTO, KERNEL, PIPELINE

    def found(file: File) -> File:
        return None if file is None else found_data(file)

    files = Files(
        price=found_data(data),
        rounds=found(rounds),
        funding=found(funding),
        funding_venue=funding_venue,
        volatility=found(volatility),
        chain=found(chain),
        gas=found(gas),
        max_missing=max_missing,
        accept_no_volume=accept_zero_volume,
        inside=inside or ticks_inside,
        ticks_inside=ticks_inside,
    )
    kept, parts = pairs("--set", settings or []), pairs("--world", world or [])
    points = _points(vary, draws, seed, kept, parts)
    common = Variation(
        strategy,
        files,
        tuple(kept.items()),
        tuple(parts.items()),
        Opening(deposit, health, base_share),
        {Kernel.OFF: PIPELINE, Kernel.AUTO: AUTO, Kernel.ONLY: KERNEL}[kernel],
    )
    if kernel is not Kernel.OFF:
        words = "the kernel is compiled at its first use, which takes a minute or more, and kept"
        typer.echo(words, err=True)
    done = run_sweep(
        common,
        points,
        span=(moment("--from", start), moment("--to", end)),
        folds=folds,
        by=by,
        jobs=jobs or os.cpu_count() or 1,
        cluster=cluster,
        out=out,
        progress=_progress(),
    )
    if json:
        import json as json_text

        typer.echo(json_text.dumps(done.summary(), indent=1))
    else:
        _print(done, out)
    return 130 if done.interrupted else 0


def _points(
    vary: list[str],
    draws: int | None,
    seed: int,
    kept: dict[str, str],
    parts: dict[str, str],
) -> "tuple[Point, ...]":
    from keeper.errors import SettingError
    from keeper.sweep.points import WORLD, Vary, check_names, grid, sample

    varied = [Vary.parsed(text) for text in vary]
    check_names(varied)
    fixed = [*kept, *(WORLD + name for name in parts)]
    for one in varied:
        if one.name in fixed:
            raise SettingError("--vary", f"{one.name} is set as well", "set it or vary it")
    return grid(varied) if draws is None else sample(varied, draws, seed)


def _progress() -> Any:
    """A bar on a terminal; elsewhere a line for each twentieth of the runs."""
    import sys

    terminal = sys.stderr.isatty()
    shown = -1

    def report(done: int, runs: int, failed: int) -> None:
        nonlocal shown
        part = 20 * done // max(1, runs)
        if part == shown and not terminal:
            return
        shown = part
        words = f"sweep {done}/{runs} runs" + (f", {failed} failed" if failed else "")
        if terminal:
            bar = "#" * part + "." * (20 - part)
            end = "\n" if done == runs else ""
            print(f"\r[{bar}] {words}", end=end, file=sys.stderr, flush=True)
        else:
            print(words, file=sys.stderr, flush=True)

    return report


def _print(done: "Sweep", out: Path | None) -> None:
    """Tables for people."""
    from rich.console import Console

    console = Console()
    rows = done.rows
    failed = [(job, figures["error"]) for job, figures in rows if figures["error"]]
    engines = ", ".join(sorted({f["engine"] for _, f in rows if f["engine"]})) or "-"
    resumed = f", {done.resumed} of them known before" if done.resumed else ""
    typer.echo(f"{len(rows)} of {len(done.jobs)} runs{resumed}; engine: {engines}")
    folds = done.folds
    if folds:
        console.print(_folds(folds, done.by))
        typer.echo("In-sample is what the choice was made on; only out-of-sample counts.")
    else:
        _print_ranked(console, done)
    for job, why in failed[:SHOWN]:
        typer.echo(f"failed: {_said(job.point)}: {why}")
    if len(failed) > SHOWN:
        typer.echo(f"failed: {len(failed) - SHOWN} more, in column error")
    if out is not None:
        typer.echo(f"rows in {out}/rows.parquet")
    if done.interrupted:
        typer.echo("interrupted; the same command goes on from here" if out else "interrupted")


def _few() -> str:
    from keeper.backtest.statistics import LEAST_DAYS

    return f"ratios need {LEAST_DAYS} days of history (in each part, with --folds) and a value that moves"


def _print_ranked(console: Any, done: "Sweep") -> None:
    from rich.table import Table

    order = done.ranked
    if not order:
        through = any(not figures["error"] for _, figures in done.rows)
        typer.echo(f"no run has a {done.by}: {_few()}" if through else "no run went through")
        return
    table = Table(title=f"Best and worst by {done.by}: all figures IN-SAMPLE", box=None)
    names = [name for name, _ in order[0][0].point]
    shown = [
        done.by,
        *(c for c in ("total_return", "max_drawdown", "gas", "swaps") if c != done.by),
    ]
    for name in (*names, *shown):
        table.add_column(name, justify="right")
    best, worst = order[:SHOWN], order[SHOWN:][-SHOWN:]
    for row in best:
        table.add_row(*_cells(row, names, shown))
    if worst:
        table.add_section()
    for row in worst:
        table.add_row(*_cells(row, names, shown))
    console.print(table)
    typer.echo("The best of many is partly luck: --folds chooses on one part and reports the next.")


def _cells(row: Any, names: list[str], shown: list[str]) -> list[str]:
    job, figures = row
    point = dict(job.point)
    return [*(point[name] for name in names), *(_number(figures.get(name)) for name in shown)]


def _folds(folds: "list[Fold]", by: str) -> Any:
    from rich.table import Table

    table = Table(title=f"Walk-forward by {by}", box=None)
    for name in ("reported from", "to", "chosen", "in-sample", "out-of-sample", "median of all"):
        table.add_column(name)
    for fold in folds:
        table.add_row(
            _day(fold.reported_on[0]),
            _day(fold.reported_on[1]),
            _said(fold.point),
            _number(fold.in_sample),
            fold.error or _number(fold.out_of_sample),
            _number(fold.median_out_of_sample),
        )
    return table


def _said(point: "Point") -> str:
    return " ".join(f"{name}={value}" for name, value in point)


def _day(time: int | None) -> str:
    from datetime import UTC, datetime

    return "-" if time is None else f"{datetime.fromtimestamp(time, UTC):%Y-%m-%d}"


def _number(value: Any) -> str:
    return "-" if value is None else f"{value:,.4f}" if isinstance(value, float) else f"{value:,}"
