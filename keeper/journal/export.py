"""The journal as files other programs read: JSON lines, or parquet."""

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Table

from keeper.journal import schema
from keeper.journal.query import pages
from keeper.journal.store import SqlJournal

TABLES = tuple(sorted(set(schema.metadata.tables) - {"meta"}))
_JSON_TEXT = frozenset(
    {
        "answers",
        "attempt",
        "intent",
        "market",
        "parameters",
        "plan",
        "policies",
        "risk",
        "rules",
        "target",
        "verdict",
    }
)
_ROWS_OF_A_GROUP = 2_000


def export_jsonl(journal: SqlJournal, file: Path, tables: tuple[str, ...]) -> dict[str, int]:
    """One object a line, with its table's name; what is JSON in the journal is JSON here. Rows by table."""
    counts = dict.fromkeys(tables, 0)
    with _whole(file) as half, half.open("w", encoding="utf-8") as out:
        for name in tables:
            counts[name] = _lines(journal, name, out)
        _synced(out)
    return counts


def _lines(journal: SqlJournal, name: str, out: IO[str]) -> int:
    count = 0
    for page in pages(journal, _table(name)):
        for row in page:
            values = {
                key: _parsed(value) if key in _JSON_TEXT else value
                for key, value in row._mapping.items()
            }
            out.write(json.dumps({"table": name, **values}, separators=(",", ":")) + "\n")
        count += len(page)
    return count


def _parsed(text: str | None) -> Any:
    """Left as text where it is no JSON: an export is also made of what is broken."""
    if text is None:
        return None
    with contextlib.suppress(ValueError):
        return json.loads(text)
    return text


def export_parquet(journal: SqlJournal, file: Path, tables: tuple[str, ...]) -> dict[str, int]:
    """One table: a file. Several: a folder of files named by table. Rows by table."""
    if len(tables) == 1:
        return {tables[0]: _parquet(journal, tables[0], file)}
    file.mkdir(parents=True, exist_ok=True)
    return {name: _parquet(journal, name, file / f"{name}.parquet") for name in tables}


def _parquet(journal: SqlJournal, name: str, file: Path) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = _table(name)
    kinds: dict[type, Callable[[], Any]] = {int: pa.int64, str: pa.string}
    fields = [
        pa.field(c.name, kinds[c.type.python_type](), nullable=bool(c.nullable))
        for c in table.columns
    ]
    arrow = pa.schema(fields)
    count = 0
    with (
        _whole(file) as half,
        half.open("wb") as out,
        pq.ParquetWriter(out, arrow, compression="zstd") as writer,
    ):
        for page in pages(journal, table, _ROWS_OF_A_GROUP):
            rows = [dict(row._mapping) for row in page]
            writer.write_table(pa.Table.from_pylist(rows, schema=arrow))
            count += len(page)
    return count


def _table(name: str) -> Table:
    return schema.metadata.tables[name]


def _synced(out: IO[str]) -> None:
    out.flush()
    os.fsync(out.fileno())


@contextlib.contextmanager
def _whole(file: Path) -> Iterator[Path]:
    """A file that is there whole or not at all, for its owner only."""
    half = file.with_name(f"{file.name}.part")
    try:
        os.close(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        yield half
        half.replace(file)
    finally:
        half.unlink(missing_ok=True)
