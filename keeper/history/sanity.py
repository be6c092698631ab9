"""What is wrong with a file of market data, all of it: the readers stop at the first fault, this names every kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import numpy as np
import numpy.typing as npt

from keeper.errors import MarketDataError
from keeper.history.funding import MAX_RATE
from keeper.history.table import Floats, Table, read_table

_LOOK = 12
"""A run of so many equal closes is no market."""
_ROBUST_DEVIATIONS = 20.0
"""Returns beyond so many robust deviations are shown; in ten years of hourly ether there are a handful."""
_NORMAL_MAD = 1.4826


class Level(StrEnum):
    """Whether the readers would refuse the file."""

    FAIL = "fail"
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of fault."""

    level: Level
    what: str
    count: int
    first_line: int
    """Line of the file (row of a parquet file) of the first."""


@dataclass(frozen=True, slots=True)
class Sanity:
    """A file, by what was found in it."""

    path: str
    kind: str
    rows: int
    begin_s: int
    end_s: int
    """Unix seconds of the first and the last row."""
    step_s: int
    """The usual step; 0 for what has none."""
    missing_steps: int
    largest_gap_steps: int
    findings: tuple[Finding, ...] = field(default=())

    @property
    def usable(self) -> bool:
        """True if no reader would refuse it for more than gaps."""
        return all(finding.level is not Level.FAIL for finding in self.findings)


_KINDS = {
    "bars": ("t", "open", "high", "low", "close"),
    "funding": ("t", "funding_rate"),
    "rounds": ("roundId", "answer", "startedAt", "updatedAt"),
    "chain": ("instrument_name", "strike_price", "option_type", "creation_timestamp"),
}


def check_file(path: Path | str) -> Sanity:
    """Read a file of bars, funding rates, oracle rounds or options, and look at everything.

    Errors: `MarketDataError` if it is no table, of no known kind, or holds cells that are not numbers.
    """
    table = read_table(path, ())
    kind = next((k for k, names in _KINDS.items() if set(names) <= set(table.columns)), None)
    if kind is None:
        wanted = "; ".join(f"{k}: {', '.join(names)}" for k, names in _KINDS.items())
        raise MarketDataError(str(path), "is of no known kind", f"known columns are {wanted}", 1)
    if kind in {"bars", "funding"}:
        return _series(table, kind)
    return _rounds(table) if kind == "rounds" else _chain(table)


class _Findings:
    def __init__(self, table: Table) -> None:
        self._table = table
        self.found: list[Finding] = []

    def look(self, level: Level, bad: npt.NDArray[np.bool_], what: str) -> None:
        """Note rows that are bad."""
        if bad.any():
            first = self._table.lines[int(np.argmax(bad))]
            self.found.append(Finding(level, what, int(bad.sum()), first))


def _series(table: Table, kind: str) -> Sanity:
    found = _Findings(table)
    times = table.seconds("t")
    apart = np.diff(times)
    forward = apart[apart > 0]
    step = float(np.median(forward)) if forward.size else 0.0
    late = np.concatenate([[False], apart < 0])
    found.look(Level.FAIL, late, "times before the row above")
    found.look(Level.FAIL, np.concatenate([[False], apart == 0]), "times that stand twice")
    if step:
        off = np.concatenate([[False], (apart > 0) & (np.mod(apart, step) != 0)])
        found.look(Level.FAIL, off, f"times off the step of {step:.0f} s")
    holes = forward[forward > step] / step - 1 if step else np.array([])
    gap = np.concatenate([[False], apart > step]) if step else np.zeros(times.size, np.bool_)
    found.look(Level.WARN, gap, "gaps")
    (_bars if kind == "bars" else _funding)(table, found)
    return Sanity(
        table.path,
        kind,
        times.size,
        int(times.min()),
        int(times.max()),
        int(step),
        int(holes.sum()),
        int(holes.max()) if holes.size else 0,
        tuple(found.found),
    )


def _bars(table: Table, found: _Findings) -> None:
    prices = {name: table.numbers(name) for name in ("open", "high", "low", "close")}
    for name, values in prices.items():
        found.look(Level.FAIL, values <= 0, f"{name} prices that are not positive")
    high, low = prices["high"], prices["low"]
    found.look(Level.FAIL, high < low, "highs below the low")
    for name in ("open", "close"):
        outside = (prices[name] > high) | (prices[name] < low)
        found.look(Level.FAIL, outside & (high >= low), f"{name} outside low and high")
    if "volume" in table.columns:
        volume = table.numbers("volume", empty=0.0)
        found.look(Level.FAIL, volume < 0, "negative volumes")
        found.look(Level.WARN, volume == 0, "bars without volume")
    found.look(Level.WARN, _flat(prices["close"]), f"closes that did not move for {_LOOK} bars")
    found.look(Level.WARN, _wild(prices["close"]), "returns far outside the rest")


def _flat(close: Floats) -> npt.NDArray[np.bool_]:
    same = np.concatenate([[False], np.diff(close) == 0]).astype(np.int64)
    runs = np.zeros(close.size, np.int64)
    total = np.cumsum(same)
    starts = np.maximum.accumulate(np.where(same == 0, total, 0))
    runs = total - starts
    return np.asarray(runs == _LOOK - 1)


def _wild(close: Floats) -> npt.NDArray[np.bool_]:
    positive = close > 0
    logs = np.log(np.where(positive, close, np.nan))
    returns = np.diff(logs, prepend=logs[:1])
    spread = _NORMAL_MAD * float(np.nanmedian(np.abs(returns)))
    if not spread > 0:
        return np.zeros(close.size, np.bool_)
    return np.asarray(np.abs(np.nan_to_num(returns)) > _ROBUST_DEVIATIONS * spread)


def _funding(table: Table, found: _Findings) -> None:
    rate = table.numbers("funding_rate")
    found.look(Level.FAIL, np.abs(rate) > MAX_RATE, f"rates beyond {MAX_RATE} a period")


def _rounds(table: Table) -> Sanity:
    found = _Findings(table)
    answer, updated = table.numbers("answer"), table.numbers("updatedAt")
    empty = (answer == 0) & (updated == 0)
    found.look(Level.WARN, empty, "all-zero rounds")
    found.look(Level.FAIL, (answer <= 0) & ~empty, "answers that are not positive")
    ids = [int(cell) if cell.strip().isdigit() else -1 for cell in table.columns["roundId"]]
    found.look(Level.FAIL, np.array([i < 0 for i in ids]), "round ids that are none")
    found.look(Level.FAIL, _repeated(ids), "round ids that stand twice")
    known = updated[~empty]
    back = np.concatenate([[False], np.diff(updated) < 0]) & ~empty
    found.look(Level.WARN, back & np.roll(~empty, 1), "rounds updated before the one above")
    begin, end = (int(known.min()), int(known.max())) if known.size else (0, 0)
    return Sanity(table.path, "rounds", answer.size, begin, end, 0, 0, 0, tuple(found.found))


def _repeated(values: Sequence[object]) -> npt.NDArray[np.bool_]:
    first = dict(zip(reversed(values), range(len(values) - 1, -1, -1), strict=True))
    return np.array([first[value] != place for place, value in enumerate(values)])


def _chain(table: Table) -> Sanity:
    found = _Findings(table)
    times = table.numbers("creation_timestamp") / 1_000
    found.look(Level.FAIL, table.numbers("strike_price") <= 0, "strikes that are not positive")
    kinds = np.array([cell.strip() in {"C", "P"} for cell in table.columns["option_type"]])
    found.look(Level.FAIL, ~kinds, "types other than C and P")
    names = table.columns["instrument_name"]
    found.look(Level.FAIL, _repeated(names), "instruments that stand twice")
    sides = {
        side: table.numbers(side, empty=np.nan)
        for side in ("bid_price", "ask_price")
        if side in table.columns
    }
    for side, values in sides.items():
        found.look(Level.FAIL, values < 0, f"negative {side}")
        found.look(Level.WARN, ~(values > 0), f"options without {side}")
    if len(sides) == len(("bid", "ask")):
        crossed = sides["bid_price"] > sides["ask_price"]
        found.look(Level.WARN, crossed, "crossed quotes")
    begin, end = int(times.min()), int(times.max())
    return Sanity(table.path, "chain", times.size, begin, end, 0, 0, 0, tuple(found.found))
