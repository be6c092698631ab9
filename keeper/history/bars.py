"""Price bars of one step, checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keeper.errors import MarketDataError
from keeper.history.series import Gap, check_times
from keeper.history.table import Floats, Ints, Table, read_table

HOUR_S = 3_600
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Bars:
    """Arrays (bars,): prices in the quote asset, `times` the opening of each bar in unix seconds."""

    step_s: int
    times: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    gaps: tuple[Gap, ...]
    """Bars that are not there; nothing is filled in."""

    def __len__(self) -> int:
        return int(self.times.size)

    @property
    def ends(self) -> Ints:
        """When each bar's close was known, unix seconds."""
        return self.times + self.step_s


def read_bars(path: Path | str, step_s: int = HOUR_S, max_missing: int = 0) -> Bars:
    """Read `t, open, high, low, close` (others are ignored), times in unix seconds, one step apart.

    max_missing: the largest gap allowed, in bars; gaps are reported, never filled.
    Errors: `MarketDataError` with row and column: missing columns, what is not a positive number, high below low,
    open or close outside them, times that repeat, go back or are off the step, and larger gaps.
    """
    return bars_of(read_table(path, ("t", "open", "high", "low", "close")), step_s, max_missing)


def bars_of(table: Table, step_s: int = HOUR_S, max_missing: int = 0) -> Bars:
    """As `read_bars`, of a table that was read, or of a part of one."""
    if step_s <= 0:
        raise MarketDataError(
            table.path, f"a step of {step_s} s is not positive", "give seconds above 0"
        )
    times, gaps = check_times(table, "t", step_s, max_missing)
    prices = {name: table.numbers(name) for name in ("open", "high", "low", "close")}
    for name, values in prices.items():
        table.require(values > 0, name, "is not a positive price", "correct or drop the row")
    high, low = prices["high"], prices["low"]
    table.require(high >= low, "high", "is below the low", "correct or drop the row")
    for name in ("open", "close"):
        inside = (prices[name] >= low) & (prices[name] <= high)
        table.require(inside, name, "is outside low and high", "correct or drop the row")
    return Bars(step_s, times, prices["open"], high, low, prices["close"], gaps)


@dataclass(frozen=True, slots=True)
class Days:
    """What each UTC day of hourly (or finer) bars amounts to; arrays (days,)."""

    times: Ints
    """Beginning of the day, unix seconds."""
    realised: Floats
    """Sum of squared log returns of the day, the one into it from the close before included; over a gap, the one
    return that spans it."""
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    bars: Ints
    """How many bars the day has."""

    @property
    def ends(self) -> Ints:
        """When each day was over, unix seconds."""
        return self.times + DAY_S

    @property
    def returns(self) -> Floats:
        """Log return of each day, close to close; of the first, from its open."""
        return np.diff(np.log(self.close), prepend=np.log(self.open[0]))


def daily(bars: Bars) -> Days:
    """Whole UTC days of the bars. The first day is left out, having no close before it; a day in the dark too.

    Errors: `MarketDataError` if less than two days are there.
    """
    day = bars.times // DAY_S
    first = np.flatnonzero(np.diff(day, prepend=day[0] - 1))
    if first.size < 2:
        raise MarketDataError("bars", "cover less than two days", "give more bars")
    squares = np.diff(np.log(bars.close), prepend=np.log(bars.close[0])) ** 2
    last = np.append(first[1:], day.size) - 1
    # A last day that has not ended is no day yet.
    whole = bars.ends[last] % DAY_S == 0
    keep = slice(1, None if whole[-1] else -1)
    return Days(
        times=(day[first] * DAY_S)[keep],
        realised=np.add.reduceat(squares, first)[keep],
        open=bars.open[first][keep],
        high=np.maximum.reduceat(bars.high, first)[keep],
        low=np.minimum.reduceat(bars.low, first)[keep],
        close=bars.close[last][keep],
        bars=(last - first + 1).astype(np.int64)[keep],
    )
