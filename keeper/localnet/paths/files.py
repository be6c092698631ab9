"""Price files, checked row by row: a wrong file is refused with the row and column that are wrong.

Understood are CSV and gzipped CSV with a header and columns `t,close`, or `t,open,high,low,close` (t is when the
bar opens), or an oracle's rounds `updatedAt,answer` (answer in 1e-8 USD). Rounds are real and untidy: they are sorted
by `updatedAt`, the last of several with the same time wins, and an all-zero round is skipped; each leaves a note.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from keeper.errors import PriceFileError
from keeper.localnet.paths.bars import BarKind, Bars
from keeper.localnet.paths.columns import Columns, find_columns
from keeper.localnet.paths.moments import unix_seconds, window_end

ANSWER_UNIT = 1e-8
ALL_ZERO = -1
"""Stands for the time of a round that never was; no real time is negative."""
_GZIP_MAGIC = b"\x1f\x8b"

Row = tuple[int, int, tuple[float, ...]]
"""Line in the file, time, prices."""


def load_price_file(
    path: Path | str, *, start: str | int | None = None, end: str | int | None = None
) -> Bars:
    """Read and check a price file; keep what lies in [start, end].

    start, end: unix seconds or ISO dates or times (UTC); a date alone as `end` means the end of that day. A bar
    belongs to the window if it lies in it from its opening to its end. The whole file is checked, not only the window.
    """
    file = Path(path)
    reader = csv.reader(io.StringIO(_decode(file), newline=""))
    try:
        header = next(reader, None)
        if header is None:
            raise PriceFileError(str(file), "is empty; a header and two rows or more are needed")
        columns = find_columns(header)
        if columns is None:
            raise PriceFileError(
                str(file),
                f"no usable columns among {', '.join(header)[:200]}; needed are t,close or t,open,high,low,close "
                "or updatedAt,answer",
                row=1,
            )
        rows = list(_rows(file, _numbered(reader), columns))
    except csv.Error as error:
        raise PriceFileError(str(file), f"is not CSV: {error}", row=reader.line_num) from error
    notes: list[str] = []
    rows = (
        _tidy_rounds(rows, notes)
        if columns.kind is BarKind.ROUNDS
        else _in_order(file, columns, rows)
    )
    if len(rows) < 2:
        plural = "" if len(rows) == 1 else "s"
        problem = f"has {len(rows)} usable row{plural}; two or more are needed"
        raise PriceFileError(str(file), problem)
    return _window(file, _bars(file, columns.kind, rows, notes), start, end)


def _decode(file: Path) -> str:
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        raise PriceFileError(str(file), "does not exist; check the path") from None
    except OSError as error:
        raise PriceFileError(str(file), f"cannot be read: {error.strerror or error}") from error
    if file.suffix == ".gz":
        try:
            data = gzip.decompress(data) if data else data
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise PriceFileError(
                str(file), f"is named .gz and is not a whole gzip file: {error}"
            ) from error
    elif data.startswith(_GZIP_MAGIC):
        raise PriceFileError(str(file), "is a gzip file; name it .csv.gz")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = data[: error.start].count(b"\n") + 1
        raise PriceFileError(
            str(file), f"is not UTF-8 text (byte {error.start})", row=row
        ) from error


def _numbered(reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Cells with the line they stand on; a quoted cell may span lines, so counting rows would not do."""
    for cells in reader:
        yield reader.line_num, cells


def _rows(file: Path, lines: Iterable[tuple[int, list[str]]], columns: Columns) -> Iterator[Row]:
    needed = max(columns.time, *columns.prices) + 1
    for row, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) < needed:
            raise PriceFileError(
                str(file), f"has {len(cells)} cells, the header has {len(columns.names)}", row=row
            )
        if columns.kind is BarKind.ROUNDS and _all_zero(cells, columns):
            yield row, ALL_ZERO, (0.0,)
            continue
        try:
            time = unix_seconds(cells[columns.time])
        except ValueError as error:
            raise PriceFileError(str(file), str(error), row, columns.name(columns.time)) from None
        prices = tuple(_price(file, row, columns, index, cells[index]) for index in columns.prices)
        if columns.kind is BarKind.OHLC:
            _check_range(file, row, columns, prices)
        yield row, time, prices


def _all_zero(cells: list[str], columns: Columns) -> bool:
    return cells[columns.time].strip() == "0" and cells[columns.prices[0]].strip() == "0"


def _price(file: Path, row: int, columns: Columns, index: int, cell: str) -> float:
    name = columns.name(index)
    try:
        value = float(cell)
    except ValueError:
        raise PriceFileError(str(file), f"{cell!r} is not a number", row, name) from None
    if not isfinite(value):
        raise PriceFileError(str(file), f"{cell.strip()} is not a finite number", row, name)
    if value <= 0:
        raise PriceFileError(str(file), f"price {cell.strip()} is not positive", row, name)
    return value * ANSWER_UNIT if columns.kind is BarKind.ROUNDS else value


def _check_range(file: Path, row: int, columns: Columns, prices: tuple[float, ...]) -> None:
    first, high, low, last = prices
    if high < low:
        raise PriceFileError(
            str(file), f"high {high:g} is below low {low:g}", row, columns.name(columns.prices[1])
        )
    for value, index in ((first, columns.prices[0]), (last, columns.prices[3])):
        if not low <= value <= high:
            name = columns.name(index)
            raise PriceFileError(
                str(file), f"{value:g} is outside low {low:g} and high {high:g}", row, name
            )


def _in_order(file: Path, columns: Columns, rows: list[Row]) -> list[Row]:
    name = columns.name(columns.time)
    for (_, before, _), (row, now, _) in pairwise(rows):
        if now == before:
            raise PriceFileError(str(file), f"time {now} stands twice", row, name)
        if now < before:
            raise PriceFileError(
                str(file), f"time {now} is before the row above ({before})", row, name
            )
    return rows


def _tidy_rounds(rows: list[Row], notes: list[str]) -> list[Row]:
    real = [row for row in rows if row[1] != ALL_ZERO]
    if len(real) < len(rows):
        empty = [line for line, time, _ in rows if time == ALL_ZERO]
        notes.append(f"{len(empty)} all-zero round(s) skipped (first in row {empty[0]})")
    ordered = sorted(real, key=lambda row: (row[1], row[0]))
    if ordered != real:
        notes.append("rounds out of order were sorted by updatedAt")
    last = {row[1]: row for row in ordered}
    if len(last) < len(ordered):
        notes.append(
            f"{len(ordered) - len(last)} round(s) with the updatedAt of a later one dropped"
        )
    return list(last.values())


def _bars(file: Path, kind: BarKind, rows: list[Row], notes: list[str]) -> Bars:
    times = np.array([time for _, time, _ in rows], dtype=np.int64)
    prices = np.array([values for _, _, values in rows], dtype=np.float64)
    opens, highs, lows, closes = prices.T if kind is BarKind.OHLC else (prices[:, 0],) * 4
    return Bars(file.name, kind, times, opens, highs, lows, closes, tuple(notes))


def _window(file: Path, bars: Bars, start: str | int | None, end: str | int | None) -> Bars:
    try:
        first = unix_seconds(str(start)) if start is not None else None
        last = window_end(str(end)) if end is not None else None
    except ValueError as error:
        raise PriceFileError(str(file), f"the window cannot be read: {error}") from None
    cut = _cut_rounds(bars, first, last) if bars.kind is BarKind.ROUNDS else _cut(bars, first, last)
    if len(cut) < 2:
        said = f"from {start if start is not None else 'the start'} to {end if end is not None else 'the end'}"
        raise PriceFileError(
            str(file),
            f"the window {said} selects {len(cut) or 'no'} row{'' if len(cut) == 1 else 's'}; the file spans "
            f"{_iso(bars.times[0])} to {_iso(bars.ends[-1])}, and two rows or more are needed",
        )
    return cut


def _cut(bars: Bars, first: int | None, last: int | None) -> Bars:
    keep = np.ones(len(bars), dtype=np.bool_)
    if first is not None:
        keep &= bars.times >= first
    if last is not None:
        keep &= bars.ends <= last
    return replace(
        bars,
        times=bars.times[keep],
        open=bars.open[keep],
        high=bars.high[keep],
        low=bars.low[keep],
        close=bars.close[keep],
    )


def _cut_rounds(bars: Bars, first: int | None, last: int | None) -> Bars:
    """An answer is in force until the next one, so the window begins and ends with the answer then in force."""
    begin = bars.times[0] if first is None else max(first, bars.times[0])
    finish = bars.times[-1] if last is None else min(last, bars.times[-1])
    if begin >= finish:
        return _cut(bars, first, last)
    inner = bars.times[(bars.times > begin) & (bars.times < finish)]
    times = np.concatenate(([begin], inner, [finish])).astype(np.int64)
    price = bars.close[np.searchsorted(bars.times, times, side="right") - 1]
    return replace(bars, times=times, open=price, high=price, low=price, close=price)


def _iso(seconds: int) -> str:
    return str(np.datetime64(int(seconds), "s"))
