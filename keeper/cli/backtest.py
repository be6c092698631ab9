"""keeper backtest: a strategy on history, through the very tick that runs live."""

from pathlib import Path
from shlex import join
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keeper.cli import backtest_options as options
from keeper.cli.backtest_options import File, Help

if TYPE_CHECKING:
    from keeper.backtest import BacktestResult
    from keeper.backtest.files import Files
    from keeper.backtest.settings import Opening


def backtest(  # noqa: PLR0917 - one option each
    strategy: options.Strategy,
    data: options.Data,
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
    out: Annotated[File, Help(help="Folder for parquet tables and summary.json.")] = None,
    html: Annotated[File, Help(help="Write a tear sheet to this file.")] = None,
    names: Annotated[str, Help(help="Of asset and base, for the tear sheet.")] = "USDC,ETH",
    json: Annotated[bool, Help("--json", help="For programs.")] = False,
) -> None:
    """A strategy on history: fees, gas, impact, latency, liquidation; exact books; the tick that runs live."""
    command = _command(locals())
    from keeper.backtest.files import Files
    from keeper.backtest.settings import Opening
    from keeper.cli.sheets import refuse_unwritable
    from keeper.history.table import found_data

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
    start_with = Opening(deposit, health, base_share)
    called = _two_names(names)
    refuse_unwritable("--out", out, folder=True)
    refuse_unwritable("--html", html)
    result = _run(strategy, settings or [], world or [], files, (start, end), start_with)
    written = []
    if out is not None:
        from keeper.backtest.store import write

        written = write(result, out)
    if json:
        import json as json_text

        typer.echo(json_text.dumps(result.summary(), indent=1))
    else:
        _print(result)
        if written:
            typer.echo(f"{len(written)} files in {out}")
    if html is not None:  # last: a run that is too short for it has been told already
        _write_page(result, html, called, command)


def _run(  # noqa: PLR0917 - the parts of one run
    name: str,
    settings: list[str],
    world: list[str],
    files: "Files",
    span: tuple[str | None, str | None],
    start_with: "Opening",
) -> "BacktestResult":
    from keeper.backtest import default_policies, run_backtest
    from keeper.backtest.asked import Asked
    from keeper.backtest.events import PriceEvent
    from keeper.backtest.files import read_events
    from keeper.backtest.settings import opened_with, with_world
    from keeper.cli.backtest_options import moment, pairs
    from keeper.config.strategy import load_strategy

    strategy = Asked(load_strategy(name, pairs("--set", settings)), name)
    start, end = (
        moment(option, text) for option, text in zip(("--from", "--to"), span, strict=True)
    )
    events = list(read_events(files, start, end))
    price = next(e.price_wad for e in events if isinstance(e, PriceEvent))
    spec = opened_with(with_world(pairs("--world", world)), start_with, price)
    policies = default_policies(spec.asset.decimals, connected=spec.venues)
    return run_backtest(spec, events, strategy, policies, name=name, progress=_bar(events))


def _bar(events: list[Any]) -> Any:
    """A progress bar on a terminal, nothing elsewhere."""
    import sys

    if not sys.stderr.isatty() or not events:
        return None
    first, whole = events[0].time, max(1, events[-1].time - events[0].time)
    shown = -1

    def report(time: int) -> None:
        nonlocal shown
        part = 100 * (time - first) // whole
        if part != shown:
            shown = part
            end = "\n" if part >= 100 else ""
            print(f"\rbacktest {part:3d} %", end=end, file=sys.stderr, flush=True)

    return report


def _two_names(text: str) -> tuple[str, str]:
    from keeper.errors import SettingError

    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 2 or not all(parts):
        raise SettingError("--names", f"{text!r} is not two names", "write USDC,ETH")
    return parts[0], parts[1]


def _write_page(result: "BacktestResult", html: Path, names: tuple[str, str], command: str) -> None:
    from keeper.backtest.sheet import sheet_of
    from keeper.cli.sheets import write_page
    from keeper.report.tearsheet import performance_of

    sheet = sheet_of(result, names=names, command=command)
    write_page(sheet, performance_of(sheet), html)


def _command(given: dict[str, Any]) -> str:
    """The command that makes the same run again: what decides it, and not where it is written."""
    called = {"start": "from", "end": "to", "settings": "set"}
    words = ["keeper", "backtest"]
    for name, value in given.items():
        if value in (None, False) or name in ("out", "html", "json", "names"):
            continue
        option = "--" + called.get(name, name).replace("_", "-")
        for one in value if isinstance(value, list) else [value]:
            words += [option] if one is True else [option, str(one)]
    return join(words)


def _print(result: "BacktestResult") -> None:
    """Tables for people."""
    from datetime import UTC, datetime

    from rich.console import Console
    from rich.table import Table

    from keeper.backtest.statistics import LEAST_DAYS

    facts = result.summary()
    unit = 10**result.asset_decimals
    a, s = result.attribution, result.statistics
    steps = result.steps["time"]
    days = [f"{datetime.fromtimestamp(int(t), UTC):%Y-%m-%d %H:%M}" for t in (steps[0], steps[-1])]
    table = Table(title=f"{result.name}, {days[0]} to {days[1]}", show_header=False, box=None)
    rows: list[tuple[str, str]] = [
        ("NAV", f"{a.opening / unit:,.2f} -> {a.closing / unit:,.2f}"),
        ("of it flows", f"{a.flows / unit:,.2f}"),
        ("gas, paid by the keeper", f"{a.gas / unit:,.2f}"),
        ("return of a share after gas", _percent(s.total_return)),
        ("  a year", _percent(s.annual_return)),
        ("volatility a year", _percent(s.volatility)),
        ("Sharpe, Sortino, Calmar", ", ".join(_number(x) for x in (s.sharpe, s.sortino, s.calmar))),
        ("largest drawdown", _percent(s.max_drawdown)),
        ("shortfall, worst 5 % of days", _percent(s.expected_shortfall)),
        ("beta to base, alpha a year", f"{_number(s.beta)}, {_percent(s.alpha)}"),
        ("turnover a year", _number(result.turnover)),
        ("lowest health", _number(facts["lowest_health"])),
        ("liquidations", f"{facts['liquidations']}, {facts['liquidation_loss']:,.2f} lost"),
        ("transactions, reverted", f"{facts['transactions']}, {facts['reverted']}"),
        ("ticks", ", ".join(f"{n} {k}" for k, n in result.statuses.items())),
        ("refused", ", ".join(f"{n} {k}" for k, n in result.refusals.items()) or "-"),
    ]
    if result.last_held:
        rows.append(("last held because", result.last_held))
    for row in rows:
        table.add_row(*row)
    console = Console()
    console.print(table)
    if s.days < LEAST_DAYS:
        console.print(f" ratios need {LEAST_DAYS} days of history, here are {s.days}", style="dim")
    parts = Table("part", "assets", title="Where it came from", box=None)
    parts.columns[1].justify = "right"
    for part, amount in a.parts.items():
        if part == "residual" or abs(amount) >= 0.5:
            parts.add_row(part, f"{amount / unit:,.2f}")
    console.print(parts)


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f} %"


def _number(value: Any) -> str:
    return "-" if value is None else f"{value:.2f}"
