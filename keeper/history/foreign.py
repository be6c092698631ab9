"""Price files of other shapes as bars: slots named by exchanges' archives, and minutes of a Uniswap v3 pool."""

import math
from datetime import UTC, datetime

import numpy as np

from keeper.errors import MarketDataError
from keeper.history.table import Ints, Table

SLOT = ("time_period_start", "price_open", "price_high", "price_low", "price_close")
POOL = ("timestamp", "openTick", "highestTick", "lowestTick", "closeTick")
_BAR = ("t", "open", "high", "low", "close")
_DECIMALS_APART = 12
"""Of a 6-decimal dollar and an 18-decimal base."""
_TICK = math.log(1.0001)


def as_bars(table: Table) -> Table | None:
    """The same rows under `t, open, high, low, close`; None for a table that has neither shape.

    Pool minutes: token0 is a dollar of 6 decimals, token1 the base of 18, so the price in dollars is
    1e12 / 1.0001^tick and falls as the tick rises. A row is one bar; whether bars follow one another is for
    `keeper.history.bars` to say. MarketDataError for a time or a tick that is none.
    """
    if all(name in table.columns for name in SLOT):
        cells = {to: table.columns[name] for to, name in zip(_BAR, SLOT, strict=True)}
        return Table(table.path, {**cells, "t": _seconds(table, SLOT[0])}, table.lines)
    if all(name in table.columns for name in POOL):
        # in real files the close may lie outside the row's own extremes: the range spans all four
        ticks = np.stack([_ticks(table, column) for column in POOL[1:]])
        opened, closed = _prices(ticks[0]), _prices(ticks[3])
        high, low = _prices(ticks.min(axis=0)), _prices(ticks.max(axis=0))
        columns = {"t": _seconds(table, POOL[0]), "open": opened, "high": high, "low": low}
        return Table(table.path, {**columns, "close": closed}, table.lines)
    return None


def _ticks(table: Table, column: str) -> Ints:
    ticks = table.whole(column)
    table.require(abs(ticks) <= 887_272, column, "is no tick of Uniswap v3", "correct the row")
    return ticks


def _prices(ticks: Ints) -> list[str]:
    """Dollars at each tick; the price falls as the tick rises."""
    return [repr(10.0**_DECIMALS_APART / math.exp(_TICK * int(tick))) for tick in ticks]


def _seconds(table: Table, column: str) -> list[str]:
    found = []
    for row, cell in enumerate(table.columns[column]):
        try:
            stamp = datetime.fromisoformat(cell.strip())
        except ValueError:
            problem = f"{cell!r} is not a date or time"
            raise table.error(problem, "give ISO 8601", row, column) from None
        stamp = stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)
        found.append(str(int(stamp.timestamp())))
    if not found:
        raise MarketDataError(table.path, "has no rows", "give at least one row of data")
    return found
