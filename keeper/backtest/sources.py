"""History from files as events. A bar is known when it is over: nothing in it is an event before its end."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from keeper.backtest.events import (
    Event,
    FundingEvent,
    GasEvent,
    PriceEvent,
    RatesEvent,
    RoundEvent,
    SmilesEvent,
    VolatilityEvent,
)
from keeper.errors import MarketDataError
from keeper.history.bars import Bars
from keeper.history.chain import OptionChain
from keeper.history.funding import Funding
from keeper.history.rounds import Rounds
from keeper.history.table import Ints, Table, read_table

UNITS = 100_000_000
"""Of a price: 8 decimals are kept, as a feed does; the rest of a float is noise."""
BEYOND = 10**10
"""From 8 places to 18."""
LEAST_PRICE, MOST_PRICE = 1e-6, 1e12
"""Between them a price keeps two digits at the least in a feed, and a pool has a tick for it."""


def price_wad(price: float) -> int:
    """A price as WAD, rounded to the 8 places of a feed: the one place where a float of a file becomes an amount."""
    return round(price * UNITS) * BEYOND


def require_playable(table: Table, column: str) -> None:
    """Positive prices must be such as a feed and a pool can show; the rest is the readers' to refuse."""
    prices = table.numbers(column)
    within = (prices <= 0) | ((prices >= LEAST_PRICE) & (prices <= MOST_PRICE))
    problem = f"is beyond any market ({LEAST_PRICE:g} to {MOST_PRICE:g})"
    table.require(within, column, problem, "check the unit")


def from_bars(bars: Bars, *, inside: bool = False, ticks_inside: bool = False) -> Iterator[Event]:
    """One decision a bar, at its end and its close.

    inside: its low and high, the one nearer to its open first, come before it at thirds of its time, and the feed,
    the pool and the liquidators act on them. When they really came is not known.
    ticks_inside: the keeper ticks on them too, as it would live. They are the bar's extremes, so a strategy that buys
    falls would do better than it could: for rules of protection only.
    """
    step = bars.step_s
    rows = zip(bars.times, bars.open, bars.high, bars.low, bars.close, strict=True)
    for begin, first, high, low, close in rows:
        end = int(begin) + step
        if inside:
            turns = (low, high) if first - low <= high - first else (high, low)
            for part, price in zip((1, 2), turns, strict=True):
                at = int(begin) + step * part // 3
                yield PriceEvent(
                    at, price_wad(float(price)), ramp_s=step // 3, decides=ticks_inside
                )
            yield PriceEvent(end, price_wad(float(close)), ramp_s=step // 3)
        else:
            yield PriceEvent(end, price_wad(float(close)), ramp_s=step)


def from_ticks(path: Path | str) -> Iterator[Event]:
    """`t, price` in unix seconds and assets per base, one decision a tick; several in one second: the last.

    Errors: `MarketDataError` naming row and column for missing columns, times that go back, prices not positive.
    """
    table = read_table(path, ("t", "price"))
    times, prices = table.seconds("t"), table.numbers("price")
    table.require(prices > 0, "price", "is not a positive price", "correct or drop the row")
    require_playable(table, "price")
    back = np.diff(times, prepend=times[0]) >= 0
    table.require(back, "t", "is before the row above", "sort the rows by time")
    last = np.append(np.diff(times) > 0, True)
    for time, price in zip(times[last], prices[last], strict=True):
        yield PriceEvent(int(time), price_wad(float(price)))


def from_rounds(rounds: Rounds, *, decides: bool = True) -> Iterator[Event]:
    """The oracle's own rounds, when they came into force; out-of-order stamps take the latest so far."""
    known = np.maximum.accumulate(rounds.updated_at)
    for time, answer in zip(known, rounds.answer, strict=True):
        yield RoundEvent(int(time), round(float(answer) * 10**8), decides)


def from_funding(funding: Funding) -> Iterator[Event]:
    """What was paid, when it was paid."""
    for time, rate in zip(funding.times, funding.rate, strict=True):
        yield FundingEvent(int(time), round(float(rate) * 10**12) * 10**6, funding.step_s)


def from_chain(chain: OptionChain) -> Iterator[Event]:
    """One book summary as smiles: mid of bid and ask volatility at each strike, out-of-the-money options only."""
    smiles = chain.smiles()
    if not smiles:
        raise MarketDataError("chain", "no two-sided option is in it", "give another")
    yield SmilesEvent(chain.taken_at, smiles)


def from_index(path: Path | str) -> Iterator[Event]:
    """A volatility index in points: `t, dvol_close` for the hour that begins at t, or `date, dvol_close` for days."""
    table = read_table(path, ("dvol_close",))
    levels = table.numbers("dvol_close")
    table.require((levels > 0) & (levels < 1_000), "dvol_close", "is no volatility", "see the unit")
    times, column = _times(table)
    step = 3_600 if column == "t" else 86_400
    table.require(np.diff(times, prepend=times[0] - 1) > 0, column, "is not later", "sort the rows")
    for time, level in zip(times, levels, strict=True):
        yield VolatilityEvent(int(time) + step, round(float(level) * 10**6) * 10**10)


def from_gas(path: Path | str, step_s: int = 600) -> Iterator[Event]:
    """`avg_gas_wei` of slots of `step_s`, each known when it is over."""
    table = read_table(path, ("avg_gas_wei",))
    times, column = _times(table)
    fees = table.numbers("avg_gas_wei")
    table.require(fees >= 0, "avg_gas_wei", "is negative", "correct the row")
    table.require(np.diff(times, prepend=times[0] - 1) > 0, column, "is not later", "sort the rows")
    for time, fee in zip(times, fees, strict=True):
        yield GasEvent(int(time) + step_s, int(fee))


def from_rates(path: Path | str, *, of_base: bool) -> Iterator[Event]:
    """`liquidity_rate, variable_borrow_rate` of an Aave v3 reserve, decimals a year."""
    table = read_table(path, ("liquidity_rate", "variable_borrow_rate"))
    times, column = _times(table)
    table.require(np.diff(times, prepend=times[0] - 1) > 0, column, "is not later", "sort the rows")
    supply, borrow = table.numbers("liquidity_rate"), table.numbers("variable_borrow_rate")
    for name, rate in (("liquidity_rate", supply), ("variable_borrow_rate", borrow)):
        table.require((rate >= 0) & (rate < 10), name, "is no yearly rate", "check the unit")
    for time, earns, pays in zip(times, supply, borrow, strict=True):
        supplied, borrowed = (round(float(rate) * 10**18) * 10**9 for rate in (earns, pays))
        yield RatesEvent(int(time), of_base, supplied, borrowed)


def _times(table: Table) -> tuple[Ints, str]:
    """Unix seconds of every row, from `t`, or from a date or stamp in UTC, and the column they are from."""
    if "t" in table.columns:
        return table.seconds("t"), "t"
    known = ("date", "ts_utc", "block_timestamp")
    name = next((n for n in known if n in table.columns), None)
    if name is None:
        problem = f"lacks a time (t or one of {', '.join(known)})"
        raise MarketDataError(table.path, problem, "give one", 1)
    found = []
    for row, cell in enumerate(table.columns[name]):
        try:
            stamp = datetime.fromisoformat(cell.strip())
        except ValueError:
            problem = f"{cell!r} is not a date or time"
            raise table.error(problem, "give ISO 8601", row, name) from None
        found.append(int(stamp.replace(tzinfo=UTC).timestamp()))
    return np.array(found, dtype=np.int64), name
