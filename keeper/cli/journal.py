"""keeper journal: what was decided and done, as lists and receipts; export, prune, verify."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keeper.cli.journal_options import (
    FromOption,
    JournalFile,
    JsonOption,
    ToOption,
    age_s,
    opened,
    point,
)
from keeper.cli.run import Config

if TYPE_CHECKING:
    from keeper.journal.store import SqlJournal

app = typer.Typer(help="What was decided and done.", no_args_is_help=True)
_MOST_FAULTS = 200


class What(StrEnum):
    """What is listed."""

    DECISIONS = "decisions"
    INTENTS = "intents"
    ATTEMPTS = "attempts"


class Format(StrEnum):
    """Of an export."""

    JSONL = "jsonl"
    PARQUET = "parquet"


def _vault(given: str | None, config: Path | None) -> str | None:
    """An address as it is; a name by the settings."""
    if given is None or given.lower().startswith("0x"):
        return given
    from keeper.cli.run import settings_of
    from keeper.cli.vaults import address_of

    return address_of(settings_of(config).settings, given)


@app.command("list")
def list_(
    what: Annotated[What, typer.Argument(help="Which rows.")] = What.DECISIONS,
    *,
    config: Config = None,
    journal: JournalFile = None,
    from_: FromOption = None,
    to: ToOption = None,
    vault: Annotated[str | None, typer.Option(help="Name or address of a vault.")] = None,
    status: Annotated[
        str | None,
        typer.Option(help="How the tick ended, state of the intent, status of the attempt."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Newest rows shown.")] = 50,
    json: JsonOption = False,
) -> None:
    """Decisions, intents or attempts, newest first."""
    from keeper.clock import system_clock
    from keeper.journal import query

    now = system_clock()
    from_block, since = point("--from", from_, now)
    to_block, until = point("--to", to, now)
    wanted = query.Filter(
        from_block, to_block, since, until, _vault(vault, config), _status(what, status), limit
    )
    lists: dict[What, Callable[[SqlJournal, query.Filter], list[dict[str, Any]]]] = {
        What.DECISIONS: query.list_decisions,
        What.INTENTS: query.list_intents,
        What.ATTEMPTS: query.list_attempts,
    }
    with opened(config, journal) as book:
        rows = lists[what](book, wanted)
    if json:
        from json import dumps

        typer.echo(dumps(rows, indent=2))
        return
    if not rows:
        typer.echo(f"no {what} there")
        return
    from rich.console import Console

    Console().print(_table(what, rows))


def _status(what: What, given: str | None) -> str | None:
    """A state that exists; SettingError names those that do."""
    from keeper.errors import SettingError
    from keeper.model.intent_state import IntentState
    from keeper.model.outcome import AttemptStatus, TickStatus

    kinds: dict[What, type[StrEnum]] = {
        What.DECISIONS: TickStatus,
        What.INTENTS: IntentState,
        What.ATTEMPTS: AttemptStatus,
    }
    known = [member.value for member in kinds[what]]
    if given is not None and given not in known:
        raise SettingError("--status", f"{given!r} is none of {what}", f"use {', '.join(known)}")
    return given


_LEAST_WIDTH = 16
"""Of the last column of a list: words can be read in it."""


def _table(what: What, rows: list[dict[str, Any]]) -> Any:
    """Short columns whole, and the last one as wide as the screen leaves, or left out where all are empty."""
    from rich.table import Table
    from rich.text import Text

    lines = [_LINES[what](row) for row in rows]
    table = Table(title=f"{what.title()}, newest first", title_justify="left")
    *short, long = lines[0]
    for name in short:
        table.add_column(name, no_wrap=True)
    told = any(line[long] for line in lines)
    if told:
        table.add_column(long, overflow="fold", min_width=_LEAST_WIDTH)
    for line in lines:
        cells = [Text(str(cell)) for cell in line.values()]
        table.add_row(*(cells if told else cells[:-1]))
    return table


def _decision_line(row: dict[str, Any]) -> dict[str, Any]:
    sent = f"{row['moves']} moves" if row["moves"] else "-"
    ended = f"{row['status']}: {row['reason']}" if row["status"] else "no end is recorded"
    return {
        "id": row["id"],
        "time": _when(row["block_timestamp"]),
        "block": row["block_number"],
        "plan": sent if row["passed"] else f"{sent}, refused",
        "outcome": ended,
    }


def _intent_line(row: dict[str, Any]) -> dict[str, Any]:
    from keeper.report.format import short_hash

    return {
        "intent": short_hash(row["intent_id"]),
        "time": _when(row["block_timestamp"]),
        "lane": row["lane"],
        "kind": row["kind"],
        "state": row["state"],
        "note": row["note"],
    }


def _attempt_line(row: dict[str, Any]) -> dict[str, Any]:
    from keeper.report.format import short_hash

    fee = row["gas_used"] * int(row["gas_price_wei"])
    return {
        "transaction": short_hash(row["tx_hash"]),
        "intent": short_hash(row["intent_id"]),
        "nonce": row["nonce"],
        "status": row["status"],
        "block": "" if row["block_number"] is None else row["block_number"],
        "fee, ETH": f"{fee / 1e18:.6f}" if fee else "",
        "problem": row["problem"],
    }


_LINES: dict[What, Callable[[dict[str, Any]], dict[str, Any]]] = {
    What.DECISIONS: _decision_line,
    What.INTENTS: _intent_line,
    What.ATTEMPTS: _attempt_line,
}


def _when(seconds: int | None) -> str:
    from datetime import UTC, datetime

    if seconds is None:
        return ""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"
    except (OverflowError, ValueError, OSError):
        return str(seconds)


@app.command()
def show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="Number of a decision, id of an intent, or hash of a transaction; the start of it is enough.",
        ),
    ],
    config: Config = None,
    journal: JournalFile = None,
    json: JsonOption = False,
) -> None:
    """One decision as a receipt: what was seen, wanted, planned, allowed, sent and paid."""
    from keeper.cli.journal_receipt import receipt_of
    from keeper.errors import SettingError
    from keeper.journal.query import find_decisions

    with opened(config, journal) as book:
        found = find_decisions(book, name)
        if not found:
            raise SettingError("ID", f"{name!r} is not in the journal", "see keeper journal list")
        if len(found) > 1:
            raise SettingError("ID", f"{name!r} means more than one decision", "write more of it")
        receipt = receipt_of(book, found[0])
    if json:
        from json import dumps

        from keeper.report.receipt import receipt_json

        typer.echo(dumps(receipt_json(receipt), indent=2))
        return
    from keeper.report.receipt_text import receipt_lines

    for label, text in receipt_lines(receipt):
        typer.echo(f"{label:>13}  {text}")


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="File to write, or folder for several tables.")],
    *,
    config: Config = None,
    journal: JournalFile = None,
    format_: Annotated[Format, typer.Option("--format")] = Format.JSONL,
    table: Annotated[
        list[str] | None, typer.Option(help="Only this table; may be repeated.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
) -> None:
    """Every row, for other programs; memory does not grow with the journal."""
    from keeper.errors import SettingError
    from keeper.journal.export import TABLES, export_jsonl, export_parquet

    tables = tuple(dict.fromkeys(table or TABLES))
    unknown = [name for name in tables if name not in TABLES]
    if unknown:
        raise SettingError("--table", f"{unknown[0]!r} is none", f"there are {', '.join(TABLES)}")
    if file.exists() and not force:
        raise SettingError("FILE", f"{file} exists", "name another, or say --force")
    write = export_jsonl if format_ is Format.JSONL else export_parquet
    with opened(config, journal) as book:
        try:
            counts = write(book, file, tables)
        except OSError as error:
            raise SettingError("FILE", f"{file}: {error.strerror}", "name another") from None
    rows = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    typer.echo(f"{file}: {rows or 'no rows'}")


@app.command()
def prune(
    older_than: Annotated[str, typer.Option("--older-than", help="Age of the block: 90d, 12h.")],
    config: Config = None,
    journal: JournalFile = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also what led to transactions that are over.")
    ] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Do it; without, only say it.")] = False,
) -> None:
    """Forget old ticks. Never an intent that is open; what was sent only with --all. Counts first."""
    from keeper.clock import system_clock
    from keeper.journal.prune import prune as prune_rows

    before = int(system_clock()) - age_s("--older-than", older_than)
    with opened(config, journal) as book:
        counts = prune_rows(book.database, before, everything=everything, apply=apply)
    rows = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()) if count)
    if not rows:
        typer.echo(f"nothing older than {older_than} may be forgotten")
    elif apply:
        typer.echo(f"forgotten: {rows}")
    else:
        typer.echo(f"would forget: {rows}; say --apply to do it")


@app.command()
def verify(config: Config = None, journal: JournalFile = None, json: JsonOption = False) -> None:
    """Is every row whole, understood, and what it belongs to there? Exit code 1 with the rows named."""
    from keeper.journal.verify import Checked
    from keeper.journal.verify import verify as faults_of

    checked, found = Checked(), []
    with opened(config, journal) as book:
        for fault in faults_of(book, checked):
            found.append(fault)
            if not json and len(found) <= _MOST_FAULTS:
                typer.echo(f"{fault.table} {fault.row}: {fault.problem}")
    if json:
        from dataclasses import asdict
        from json import dumps

        faults = [asdict(fault) for fault in found]
        typer.echo(dumps({"rows": checked.rows, "faults": faults}, indent=2))
    else:
        if len(found) > _MOST_FAULTS:
            typer.echo(f"... and {len(found) - _MOST_FAULTS} more")
        typer.echo(f"{checked.rows} rows, {len(found)} faults")
    if found:
        raise typer.Exit(1)
