"""keeper backtest: a strategy on history, through the very tick that runs live."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from keeper.backtest import BacktestResult, BacktestSpec
    from keeper.backtest.files import Files

File = Path | None
Help = typer.Option


def backtest(  # noqa: PLR0917 - one option each
    strategy: Annotated[str, Help("--strategy", help="Name of a registered strategy.")],
    data: Annotated[
        Path, Help("--data", help="Prices: bars (t, open, high, low, close), ticks, or rounds.")
    ],
    start: Annotated[str | None, Help("--from", help="First day or time, UTC, ISO 8601.")] = None,
    end: Annotated[str | None, Help("--to", help="Where it ends, not included.")] = None,
    settings: Annotated[
        list[str] | None, Help("--set", help="A parameter of the strategy: key=value.")
    ] = None,
    world: Annotated[
        list[str] | None,
        Help(
            "--world", help="A part of the simulated world: pool.depth=..., chain.latency_blocks=4."
        ),
    ] = None,
    deposit: Annotated[float, Help(min=1, help="Assets the vault starts with.")] = 1_000_000,
    health: Annotated[
        float | None, Help(min=1.01, help="Start levered long in base, at this health.")
    ] = None,
    base_share: Annotated[
        float, Help(min=0, max=1, help="Part of the deposit that starts as idle base.")
    ] = 0.0,
    rounds: Annotated[File, Help(help="The oracle's own rounds.")] = None,
    funding: Annotated[File, Help(help="Funding rates of the perpetual.")] = None,
    funding_venue: Annotated[str | None, Help(help="Whose, in a file of several.")] = None,
    volatility: Annotated[File, Help(help="An index of implied volatility.")] = None,
    chain: Annotated[File, Help(help="A book summary of options.")] = None,
    gas: Annotated[File, Help(help="Gas prices.")] = None,
    max_missing: Annotated[int, Help(min=0, help="Largest gap accepted, in steps.")] = 0,
    accept_zero_volume: Annotated[bool, Help(help="Take bars in which nothing traded.")] = False,
    inside: Annotated[bool, Help(help="Play the inside of bars: low and high.")] = False,
    ticks_inside: Annotated[
        bool, Help(help="With --inside: the keeper ticks there too; for protection only.")
    ] = False,
    out: Annotated[File, Help(help="Folder for parquet tables and summary.json.")] = None,
    html: Annotated[File, Help(help="Write a tear sheet to this file.")] = None,
    names: Annotated[str, Help(help="Of asset and base, for the tear sheet.")] = "USDC,ETH",
    json: Annotated[bool, Help("--json", help="For programs.")] = False,
) -> None:
    """A strategy on history: fees, gas, impact, latency, liquidation; exact books; the tick that runs live."""
    from keeper.backtest.files import Files
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
    start_with = (deposit, health, base_share)
    result = _run(strategy, settings or [], world or [], files, (start, end), start_with)
    written = []
    if out is not None:
        from keeper.backtest.store import write

        written = write(result, out)
    if html is not None:
        _write_page(result, html, names, (start, end), settings or [])
    if json:
        import json as json_text

        typer.echo(json_text.dumps(result.summary(), indent=1))
    else:
        _print(result)
        if written:
            typer.echo(f"{len(written)} files in {out}")


def _run(  # noqa: PLR0917 - the parts of one run
    name: str,
    settings: list[str],
    world: list[str],
    files: "Files",
    span: tuple[str | None, str | None],
    start_with: tuple[float, float | None, float],
) -> "BacktestResult":
    from keeper.backtest import default_policies, run_backtest
    from keeper.backtest.events import PriceEvent
    from keeper.backtest.files import read_events
    from keeper.cli.backtest_options import moment, pairs, with_world
    from keeper.config.strategy import load_strategy

    strategy = load_strategy(name, pairs("--set", settings))
    start, end = (
        moment(option, text) for option, text in zip(("--from", "--to"), span, strict=True)
    )
    events = list(read_events(files, start, end))
    price = next(e.price_wad for e in events if isinstance(e, PriceEvent))
    spec = _opening(with_world(pairs("--world", world)), start_with, price)
    policies = default_policies(spec.asset.decimals, connected=spec.venues)
    return run_backtest(spec, events, strategy, policies, name=name, progress=_bar(events))


def _opening(
    spec: "BacktestSpec", start_with: tuple[float, float | None, float], price_wad: int
) -> "BacktestSpec":
    from dataclasses import replace

    from keeper.backtest import levered
    from keeper.backtest.spec import Holdings
    from keeper.model.units import WAD

    deposit, health, base_share = start_with
    units = round(deposit * 10**spec.asset.decimals)
    in_base = round(units * base_share)
    scale = WAD * 10 ** (spec.base.decimals - spec.asset.decimals)
    held = Holdings(idle_asset=units - in_base, idle_base=in_base * scale // price_wad)
    spec = replace(spec, holdings=held)
    return spec if health is None else levered(spec, health, price_wad)


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


def _write_page(
    result: "BacktestResult",
    html: Path,
    names: str,
    span: tuple[str | None, str | None],
    settings: list[str],
) -> None:
    from keeper.backtest.sheet import sheet_of
    from keeper.cli.sheets import write_page
    from keeper.report.tearsheet import performance_of

    asset, _, base = names.partition(",")
    given = [(f"--{name}", at) for name, at in zip(("from", "to"), span, strict=True) if at]
    given += [("--set", setting) for setting in settings]
    command = " ".join(["keeper backtest --strategy", result.name, *(f"{o} {v}" for o, v in given)])
    sheet = sheet_of(result, names=(asset or "asset", base or "base"), command=f"{command} ...")
    write_page(sheet, performance_of(sheet), html)


def _print(result: "BacktestResult") -> None:
    """Tables for people."""
    from datetime import UTC, datetime

    from rich.console import Console
    from rich.table import Table

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
    for row in rows:
        table.add_row(*row)
    console = Console()
    console.print(table)
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
