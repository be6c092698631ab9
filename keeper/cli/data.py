"""keeper data: market history from exchanges into files, and what is wrong with a file."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from keeper.fetch.download import Progress
    from keeper.history.sanity import Sanity

app = typer.Typer(no_args_is_help=True, help="Market history: fetch it, check a file of it.")
fetch = typer.Typer(no_args_is_help=True, help="From an exchange (through ccxt) into parquet.")
app.add_typer(fetch, name="fetch")

Exchange_ = Annotated[str, typer.Option("--exchange", help="By its name in ccxt, such as kraken.")]
Out = Annotated[Path, typer.Option("--out", help="Parquet file; what it has is not asked again.")]
Since = Annotated[datetime, typer.Option(help="UTC, such as 2023-01-01.")]
Until = Annotated[datetime | None, typer.Option(help="UTC; by default now.")]
Json = Annotated[bool, typer.Option("--json", help="For programs.")]


@fetch.command("bars")
def bars(
    symbol: Annotated[str, typer.Argument(help="In ccxt's words, such as ETH/USDT.")],
    *,
    exchange: Exchange_,
    out: Out,
    since: Since,
    until: Until = None,
    timeframe: Annotated[str, typer.Option(help="Length of a bar.")] = "1h",
    json: Json = False,
) -> None:
    """Price bars. Broken off, the same command goes on where it was; later, it adds what is new."""
    from keeper.fetch.download import fetch_bars
    from keeper.fetch.exchange import Exchange

    with _Bar(symbol) as told:
        fetch_bars(Exchange(exchange), symbol, timeframe, _span(since, until), path=out, told=told)
    _report(out, json)


@fetch.command("funding")
def funding(
    symbol: Annotated[str, typer.Argument(help="A perpetual, such as ETH/USDT:USDT.")],
    *,
    exchange: Exchange_,
    out: Out,
    since: Since,
    until: Until = None,
    period_s: Annotated[int, typer.Option(min=60, help="Usual time between payments.")] = 28_800,
    json: Json = False,
) -> None:
    """Funding rates of a perpetual."""
    from keeper.fetch.download import fetch_funding
    from keeper.fetch.exchange import Exchange

    with _Bar(symbol) as told:
        fetch_funding(
            Exchange(exchange), symbol, period_s, _span(since, until), path=out, told=told
        )
    _report(out, json)


@fetch.command("chain")
def chain(
    currency: Annotated[str, typer.Argument(help="Such as ETH.")],
    out: Out,
    exchange: Exchange_ = "deribit",
    json: Json = False,
) -> None:
    """The options of a currency as they are quoted now."""
    from keeper.fetch.download import fetch_chain
    from keeper.fetch.exchange import Exchange

    fetch_chain(Exchange(exchange), currency, out)
    _report(out, json)


@app.command("check")
def check(
    file: Annotated[Path, typer.Argument(help="CSV, plain or gzipped, or parquet.")],
    json: Json = False,
) -> None:
    """Gaps, duplicates, disorder, prices that cannot be. Exit code 1 if a reader would refuse the file."""
    from keeper.history.table import found_data

    if not _report(found_data(file), json):
        raise typer.Exit(1)


def _report(file: Path, json: bool) -> bool:
    from keeper.history.sanity import check_file

    found = check_file(file)
    if json:
        from dataclasses import asdict
        from json import dumps

        typer.echo(dumps(asdict(found) | {"usable": found.usable}, indent=2))
    else:
        _print(found)
    return found.usable


def _print(found: "Sanity") -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    begin, end = (datetime.fromtimestamp(t, UTC) for t in (found.begin_s, found.end_s))
    step = f", one each {found.step_s} s" if found.step_s else ""
    lines: list[Any] = [
        f"{escape(found.path)}: {found.rows} rows of {found.kind}{step}, "
        f"{begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC",
    ]
    if found.missing_steps:
        lines.append(f"{found.missing_steps} missing, {found.largest_gap_steps} at most in a row")
    if found.findings:
        table = Table("", "what", "how many", "first in line")
        for finding in found.findings:
            table.add_row(finding.level, finding.what, str(finding.count), str(finding.first_line))
        lines.append(table)
    else:
        lines.append("nothing wrong")
    Console().print(*lines, sep="\n")


def _span(since: datetime, until: datetime | None) -> Any:
    from keeper.clock import system_clock
    from keeper.fetch.download import Span

    now_s = int(system_clock())
    begin_s = int(since.replace(tzinfo=UTC).timestamp())
    end_s = now_s if until is None else int(until.replace(tzinfo=UTC).timestamp())
    if begin_s >= end_s:
        raise typer.BadParameter("--since is not before --until")
    return Span(begin_s, end_s, now_s)


class _Bar:
    """Rows so far, on a terminal; nothing where output goes to a file."""

    def __init__(self, what: str) -> None:
        from rich.console import Console
        from rich.progress import Progress, TextColumn

        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), TextColumn("{task.fields[state]}"))
        self._progress = Progress(*columns, console=console, disable=not console.is_terminal)
        self._task = self._progress.add_task(what, total=None, state="")

    def __enter__(self) -> Any:
        self._progress.start()
        return self._told

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def _told(self, progress: "Progress") -> None:
        reached = datetime.fromtimestamp(progress.reached_s, UTC)
        state = f"{progress.rows} rows, up to {reached:%Y-%m-%d %H:%M}"
        self._progress.update(self._task, state=state)
