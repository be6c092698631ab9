"""CSV files, plain or gzipped, as columns of text with the line each cell stands on; what is wrong is named."""

from __future__ import annotations

import csv
import gzip
import io
import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from keeper.errors import MarketDataError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LATEST_S = 4_102_444_800
"""The year 2100: a later time is of another unit."""
DIRECTORY = "GIMBAL_MARKET_DATA"
"""Environment variable naming the directory of market data; unset: `shared/data` beside the project."""


def market_data(name: str) -> Path:
    """Path of a file of market data; `MarketDataError` if it is not there."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    path = Path(os.environ.get(DIRECTORY) or beside) / name
    if not path.is_file():
        raise MarketDataError(str(path), "does not exist", f"set {DIRECTORY} to the directory")
    return path


def found_data(file: Path) -> Path:
    """A file as given; one that is not there and was named without a folder: of that name in the market data."""
    named = os.environ.get(DIRECTORY)
    if named and not file.exists() and file == Path(file.name):
        there = Path(named) / file
        return there if there.is_file() else file
    return file


@dataclass(frozen=True, slots=True)
class Table:
    """Cells by column name, all of one length, and the line of each row."""

    path: str
    columns: dict[str, list[str]]
    lines: list[int]

    def error(self, problem: str, remedy: str, row: int, column: str) -> MarketDataError:
        """About one cell; `row` counts from 0 after the header."""
        return MarketDataError(self.path, problem, remedy, self.lines[row], column)

    def numbers(self, column: str, *, empty: float | None = None) -> Floats:
        """A column as finite numbers; `empty` stands for empty cells, if they are allowed."""
        cells = self.columns[column]
        if empty is not None:
            cells = [cell.strip() or str(empty) for cell in cells]
        try:
            values = np.array(cells, dtype=np.float64)
        except ValueError:
            row = next(i for i, cell in enumerate(cells) if not _is_number(cell))
            problem = f"{cells[row]!r} is not a number"
            raise self.error(problem, "correct the cell", row, column) from None
        filled = np.array([cell.strip() != "" for cell in self.columns[column]], dtype=np.bool_)
        bad = ~np.isfinite(values) & filled
        if bad.any():
            row = int(np.argmax(bad))
            raise self.error(f"{cells[row]} is not finite", "correct the cell", row, column)
        return values

    def whole(self, column: str) -> Ints:
        """A column as whole numbers within 64 bits."""
        values = self.numbers(column)
        wrong = (values != np.floor(values)) | (np.abs(values) >= 2.0**53)
        if wrong.any():
            row = int(np.argmax(wrong))
            problem = f"{self.columns[column][row]} is not a whole number within 2^53"
            raise self.error(problem, "correct the cell", row, column)
        return values.astype(np.int64)

    def seconds(self, column: str) -> Ints:
        """A column as times in unix seconds; what is meant in milliseconds or finer is refused."""
        times = self.whole(column)
        problem = "is no time in unix seconds"
        self.require(times < LATEST_S, column, problem, "divide if it is in milliseconds")
        return times

    def require(self, good: npt.NDArray[np.bool_], column: str, problem: str, remedy: str) -> None:
        """Every row must be good; else an error about the first that is not, with its cell."""
        if not good.all():
            row = int(np.argmin(good))
            raise self.error(f"{self.columns[column][row]} {problem}", remedy, row, column)


def read_table(path: Path | str, needed: Sequence[str]) -> Table:
    """Read a file with a header; the columns needed must be there, others are kept too.

    Errors: `MarketDataError` for a file that is absent, unreadable, not CSV, without rows, without a needed column
    (all are named), or with a row too short.
    """
    file = Path(path)
    if file.suffix == ".parquet":
        return _filled(parquet_table(file), needed)
    reader = csv.reader(io.StringIO(_text(file), newline=""))
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        header = [name.strip() for name in next(reader, [])]
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append(cells)
                lines.append(reader.line_num)
    except csv.Error as error:
        problem = f"is not CSV: {error}"
        raise MarketDataError(str(file), problem, "give CSV", reader.line_num) from error
    _filled(Table(str(file), {name: [] for name in header}, lines), needed)
    for cells, line in zip(rows, lines, strict=True):
        if len(cells) < len(header):
            problem = f"has {len(cells)} cells, the header has {len(header)}"
            raise MarketDataError(str(file), problem, "complete the row", line)
    by_column = list(zip(*(cells[: len(header)] for cells in rows), strict=True))
    return Table(str(file), {n: list(c) for n, c in zip(header, by_column, strict=True)}, lines)


def _filled(table: Table, needed: Sequence[str]) -> Table:
    missing = [name for name in needed if name not in table.columns]
    if missing:
        problem = f"lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}"
        raise MarketDataError(table.path, problem, f"needed are {', '.join(needed)}", 1)
    if not table.lines:
        raise MarketDataError(table.path, "has no rows", "give at least one row of data")
    return table


def parquet_table(file: Path) -> Table:
    """A parquet file as cells of text, which hold every digit; its rows count from 1."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(file)
    except FileNotFoundError:
        raise MarketDataError(str(file), "does not exist", "check the path") from None
    except (OSError, pa.ArrowInvalid) as error:
        raise MarketDataError(str(file), "is not a whole parquet file", "get it again") from error
    cells = {
        name: ["" if value is None else str(value) for value in table.column(name).to_pylist()]
        for name in table.column_names
    }
    return Table(str(file), cells, list(range(1, table.num_rows + 1)))


def _text(file: Path) -> str:
    try:
        data = file.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        return data.decode("utf-8-sig")
    except FileNotFoundError:
        raise MarketDataError(str(file), "does not exist", "check the path") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        problem = f"is not a whole gzip file: {error}"
        raise MarketDataError(str(file), problem, "get it again") from error
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8 text (byte {error.start})"
        raise MarketDataError(str(file), problem, "give CSV") from error
    except OSError as error:
        problem = f"cannot be read: {error.strerror or error}"
        raise MarketDataError(str(file), problem, "check path and permissions") from error


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
