"""A series on its way into a parquet file: page by page on the disk, so that a download that broke off goes on.

Pages lie in `FILE.parts/`, each written whole under its final name or not at all; when the end is reached they
become FILE, in one rename. What was asked for is written beside them: another question never continues them.
"""

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from keeper.errors import FetchError
from keeper.fetch.pages import Row

_ASKED = b"gimbal.asked"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a file holds."""

    kind: str
    exchange: str
    symbol: str
    step_s: int
    columns: tuple[str, ...]
    """Of the values, after `t`."""


class Parts:
    """Pages of one series. `path` is the file they become."""

    def __init__(self, path: Path, asked: Asked) -> None:
        self.path = path
        self._asked = asked
        self._folder = path.with_name(path.name + ".parts")

    def last_s(self) -> int | None:
        """Unix seconds of the newest row on the disk, of the file or of pages; None if there is none.

        FetchError: they hold something else than what is asked for.
        """
        newest = [_rows(part)[-1][0] for part in self._parts()[-1:]]
        if self.path.exists():
            self._same(_asked_of(self.path), self.path)
            newest += [row[0] for row in _rows(self.path)[-1:]]
        if (note := self._folder / "asked.json").exists():
            self._same(json.loads(note.read_text()), self._folder)
        return int(max(newest)) if newest else None

    def add(self, rows: Sequence[Row]) -> None:
        """One page, durable when this returns."""
        self._folder.mkdir(parents=True, exist_ok=True)
        note = self._folder / "asked.json"
        if not note.exists():
            note.write_text(json.dumps(asdict(self._asked)))
        _write(self._folder / f"{int(rows[0][0]):012d}.parquet", rows, self._asked)

    def finish(self) -> int:
        """Everything as one file; returns its rows. The pages are removed when it is whole."""
        rows = _rows(self.path) if self.path.exists() else []
        for part in self._parts():
            newest = rows[-1][0] if rows else -1.0
            rows += [row for row in _rows(part) if row[0] > newest]
        if not rows:
            raise FetchError(
                f"{self._asked.exchange} {self._asked.symbol}",
                "has nothing in the time asked for",
                "ask for a time in which it was traded",
            )
        _write(self.path, rows, self._asked)
        shutil.rmtree(self._folder, ignore_errors=True)
        return len(rows)

    def _parts(self) -> list[Path]:
        return sorted(self._folder.glob("*.parquet"))

    def _same(self, there: dict[str, Any] | None, where: Path) -> None:
        wanted = json.loads(json.dumps(asdict(self._asked)))
        if there != wanted:
            held = " ".join(str(there[k]) for k in ("kind", "exchange", "symbol")) if there else "?"
            raise FetchError(str(where), f"holds something else ({held})", "choose another file")


def write_once(path: Path, columns: dict[str, list[Any]], asked: Asked) -> None:
    """A table of its own types, whole or not at all."""
    import pyarrow as pa

    _store(path, pa.table(columns), asked)


def _write(path: Path, rows: Sequence[Row], asked: Asked) -> None:
    import pyarrow as pa

    columns = list(zip(*rows, strict=True))
    arrays = [pa.array([int(t) for t in columns[0]], pa.int64())]
    arrays += [pa.array(values, pa.float64()) for values in columns[1:]]
    _store(path, pa.table(arrays, names=["t", *asked.columns]), asked)


def _store(path: Path, table: Any, asked: Asked) -> None:
    import pyarrow.parquet as pq

    whole = table.replace_schema_metadata({_ASKED: json.dumps(asdict(asked)).encode()})
    draft = path.with_name(path.name + ".writing")
    path.parent.mkdir(parents=True, exist_ok=True)
    with draft.open("wb") as file:
        pq.write_table(whole, file, compression="zstd")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _rows(path: Path) -> list[Row]:
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def _asked_of(path: Path) -> dict[str, Any] | None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_schema(path).metadata or {}
    except (OSError, pa.ArrowInvalid) as error:
        problem = "is not a parquet file"
        raise FetchError(str(path), problem, "choose another file") from error
    asked: dict[str, Any] | None = json.loads(metadata[_ASKED]) if _ASKED in metadata else None
    return asked
