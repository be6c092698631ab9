"""keeper risk: everything the risk engine says of a vault, live or from a recorded state."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keeper.cli.run import Config, settings_of

if TYPE_CHECKING:
    from keeper.model.exposure import RiskInputs
    from keeper.model.market import MarketState
    from keeper.model.risk_report import FullReport

Snapshot = Annotated[
    Path | None,
    typer.Option("--snapshot", help="A recorded market state (JSON, as the journal keeps it)."),
]
Journal = Annotated[
    Path | None, typer.Option("--journal", help="The newest decision of a journal file.")
]
Block = Annotated[
    int | None, typer.Option("--block", help="With --journal: the decision at this block.")
]
Volatility = Annotated[
    float | None,
    typer.Option("--volatility", help="Forecast for base, annualised: 0.65 for 65 %."),
]
History = Annotated[
    Path | None,
    typer.Option(
        "--history", help="Hourly bars (CSV, may be gzipped) to forecast volatility from."
    ),
]
_LONGEST_NAME = 32
Json = Annotated[bool, typer.Option("--json", help="For programs; see --schema.")]
Html = Annotated[Path | None, typer.Option("--html", help="Write a page with plots to this file.")]
Schema = Annotated[bool, typer.Option("--schema", help="Print the JSON schema of the report.")]
Modules = Annotated[
    bool, typer.Option("--modules/--no-modules", help="Ask installed third-party risk modules.")
]


def risk(  # noqa: PLR0917 - one option each
    config: Config = None,
    snapshot: Snapshot = None,
    journal: Journal = None,
    block: Block = None,
    volatility: Volatility = None,
    history: History = None,
    json: Json = False,
    html: Html = None,
    schema: Schema = False,
    modules: Modules = True,
    vault: Annotated[
        str | None, typer.Option(help="Name or address (default: the only one in the settings).")
    ] = None,
) -> None:
    """Risk of the vault: Greeks, liquidation, scenarios, margin, tails, exits, contagion, limits."""
    if schema:
        from keeper.report.risk_schema import risk_schema_text

        typer.echo(risk_schema_text(), nl=False)
        return
    market, names, known = _market(config, snapshot, journal, block, vault)
    report = _report(market, _inputs(known, volatility, history), ask=modules)
    if html is not None:
        _write(html, report, names)
    if json:
        from keeper.report.risk_json import risk_json

        typer.echo(risk_json(report), nl=False)
    elif html is None:
        _print(report, names)


def _market(
    config: Path | None,
    snapshot: Path | None,
    journal: Path | None,
    block: int | None,
    vault: str | None,
) -> "tuple[MarketState, tuple[str, str], RiskInputs]":
    """The state to judge, the names of asset and base, and what the settings say beside it."""
    from keeper.errors import SettingError
    from keeper.model.exposure import RiskInputs

    if snapshot is not None and journal is not None:
        raise SettingError("--snapshot", "is given with --journal", "give one of them")
    if block is not None and journal is None:
        raise SettingError("--block", "is given without --journal", "say which journal")
    if snapshot is not None:
        return _from_text(snapshot), ("asset", "base"), RiskInputs()
    if journal is not None:
        return _from_journal(journal, block), ("asset", "base"), RiskInputs()
    from keeper.app import NOBODY, first_readings
    from keeper.cli.tokens import symbols
    from keeper.cli.vaults import chosen
    from keeper.config.key import load_address
    from keeper.config.policies import policies
    from keeper.market import build_market

    settings = chosen(settings_of(config).settings, vault, ("--vault", "option"))
    readings = first_readings(settings, load_address(settings.key) or NOBODY)
    policy = policies(settings, readings.asset.decimals)
    return build_market(readings, policy.market), symbols(settings, readings), policy.risk


def _from_text(path: Path) -> "MarketState":
    from keeper.errors import SettingError
    from keeper.journal.codec import CodecError, decode
    from keeper.model.market import MarketState, Readings

    try:
        found = decode(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingError("--snapshot", f"{path}: {error.strerror}", "give a file") from error
    except (CodecError, UnicodeDecodeError) as error:
        raise SettingError("--snapshot", f"{path}: {error}", "give a recorded state") from error
    if isinstance(found, Readings):
        return MarketState(found, ())
    if not isinstance(found, MarketState):
        problem = f"{path}: holds a {type(found).__name__}"
        raise SettingError("--snapshot", problem, "give a MarketState or Readings")
    return found


def _from_journal(path: Path, block: int | None) -> "MarketState":
    from keeper.errors import SettingError
    from keeper.journal.store import open_journal

    if not path.is_file():
        raise SettingError("--journal", f"{path} is no file", "give a journal")
    journal = open_journal(path, exclusive=False)
    try:
        found = journal.market(block)
    finally:
        journal.close()
    if found is not None:
        return found
    what = "no decision" if block is None else f"no decision at block {block}"
    raise SettingError("--journal", f"{path} holds {what}", "let the keeper run first")


def _inputs(known: "RiskInputs", volatility: float | None, history: Path | None) -> "RiskInputs":
    """The option's forecast before the history's before the settings'."""
    from dataclasses import replace

    if volatility is not None:
        known = replace(known, volatility=volatility)
    if history is None:
        return known
    from keeper.history.bars import read_bars
    from keeper.risk.history import learn

    bars = read_bars(history, max_missing=10_000)
    horizon_s = known.policy.horizon_days * 86_400
    past = learn(bars.times, bars.close, bars.step_s, horizon_s)
    forecast = past.volatility if volatility is None else volatility
    return replace(
        known,
        volatility=forecast,
        residuals=past.residuals,
        overlap=past.overlap,
        jumps=past.jumps,
    )


def _report(market: "MarketState", inputs: "RiskInputs", *, ask: bool) -> "FullReport":
    from keeper.ops.risk_modules import HostLimits, ModuleHost, installed
    from keeper.risk.deep import assess_deep, with_modules

    report = assess_deep(market, inputs)
    specs = installed() if ask else ()
    if not specs:
        return report
    # Nobody waits for a tick here: every module may take as long as it takes to start.
    host = ModuleHost(specs, HostLimits(time_s=30.0, start_s=30.0))
    try:
        return with_modules(report, host.ask(market, report))
    finally:
        host.close()


def _write(path: Path, report: "FullReport", names: tuple[str, str]) -> None:
    from keeper.errors import SettingError
    from keeper.report.risk_page import risk_page

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(risk_page(report, *names), encoding="utf-8")
    except OSError as error:
        raise SettingError("--html", f"{path}: {error.strerror}", "give a writable file") from error
    typer.echo(f"risk of {report.vault} at block {report.block_number}: {path}", err=True)


def _print(report: "FullReport", names: tuple[str, str]) -> None:
    from rich.console import Console
    from rich.markup import escape

    from keeper.report.risk_text import sections

    console = Console()
    where = f"Vault {report.vault} at block {report.block_number} of chain {report.chain_id}"
    console.print(f"[bold]{escape(where)}[/bold]: {report.standing.value}")
    for text in (*report.problems, *(f"veto by {v}" for v in report.vetoes)):
        console.print(f"[yellow]! {escape(text)}[/yellow]")
    for part in sections(report, *names):
        console.print(_table(part))


def _short(part: Any) -> bool:
    return max((len(row[0]) for row in part.rows), default=0) <= _LONGEST_NAME


def _table(part: Any) -> Any:
    from rich.markup import escape
    from rich.table import Table

    colours = {"breach": "bold red", "warn": "yellow", "unknown": "dim"}
    table = Table(title=part.title, title_justify="left", title_style="bold", header_style="dim")
    for index, column in enumerate(part.columns):
        # What a row is about is never cut: two series differ in their last characters.
        table.add_column(escape(column), overflow="fold", no_wrap=not index and _short(part))
    marks = part.marks or (None,) * len(part.rows)
    for row, mark in zip(part.rows, marks, strict=True):
        table.add_row(*map(escape, row), style=colours.get(mark.value) if mark else None)
    return table
