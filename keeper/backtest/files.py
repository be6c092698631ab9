"""Which events a set of files holds: the price file by its columns, the others by what they are given as."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from keeper.backtest import sources
from keeper.backtest.events import Event, PriceEvent, RoundEvent, merged
from keeper.errors import MarketDataError
from keeper.history.bars import bars_of
from keeper.history.chain import read_chain
from keeper.history.funding import of_venue, read_funding
from keeper.history.rounds import read_rounds
from keeper.history.table import Table, read_table

BAR = ("open", "high", "low", "close")


@dataclass(frozen=True, slots=True)
class Files:
    """Paths; None is none of the kind."""

    price: Path
    """Bars (t, open, high, low, close), ticks (t, price) or rounds (roundId, answer, ...)."""
    rounds: Path | None = None
    funding: Path | None = None
    funding_venue: str | None = None
    """Where several are stacked in one file."""
    volatility: Path | None = None
    """An index of implied volatility."""
    chain: Path | None = None
    """One book summary of options."""
    gas: Path | None = None
    asset_rates: Path | None = None
    base_rates: Path | None = None
    max_missing: int = 0
    """Largest gap accepted, in steps of the file."""
    accept_no_volume: bool = False
    """Bars in which nothing was traded are taken as they are."""
    inside: bool = False
    """The inside of bars is played: see `sources.from_bars`; as the next."""
    ticks_inside: bool = False


def read_events(files: Files, start: int | None = None, end: int | None = None) -> Iterator[Event]:
    """All of them in order of time, from `start` to before `end` (unix seconds).

    What is in force at the start (the newest round, volatility, rates and gas before it) is carried in. Errors:
    `MarketDataError` with file, row and column for everything the readers refuse, for bars without volume unless they
    are accepted, and if no price is left between the two times.
    """
    if start is not None and end is not None and start >= end:
        begins, ends = (datetime.fromtimestamp(t, UTC).replace(tzinfo=None) for t in (start, end))
        problem = f"{begins} is not before {ends}"
        raise MarketDataError(str(files.price), problem, "give other times")
    prices = [e for e in _prices(files, start, end) if _within(e, start, end)]
    if not any(isinstance(e, PriceEvent) for e in prices):
        problem = "has no price between the two times"
        raise MarketDataError(str(files.price), problem, "choose a span that the file covers")
    first = prices[0].time
    others = [_carried(list(events), first, end) for events in _others(files)]
    return merged(*others, prices)


def _others(files: Files) -> Iterator[Iterator[Event]]:
    if files.rounds:
        yield sources.from_rounds(read_rounds(files.rounds), decides=False)
    if files.gas:
        yield sources.from_gas(files.gas)
    if files.asset_rates:
        yield sources.from_rates(files.asset_rates, of_base=False)
    if files.base_rates:
        yield sources.from_rates(files.base_rates, of_base=True)
    if files.volatility:
        yield sources.from_index(files.volatility)
    if files.chain:
        yield sources.from_chain(read_chain(files.chain))
    if files.funding:
        step = step_of(
            of_venue(read_table(files.funding, ("t", "funding_rate")), files.funding_venue)
        )
        read = read_funding(files.funding, files.funding_venue, step, files.max_missing)
        yield sources.from_funding(read)


def _prices(files: Files, start: int | None, end: int | None) -> Iterator[Event]:
    table = read_table(files.price, ())
    if "roundId" in table.columns:
        for event in sources.from_rounds(read_rounds(files.price), decides=False):
            if isinstance(event, RoundEvent):
                yield event
                yield PriceEvent(event.time, event.answer * sources.BEYOND)
        return
    if "price" in table.columns:
        yield from sources.from_ticks(files.price)
        return
    missing = sorted({"t", *BAR} - set(table.columns))
    if missing:
        problem = f"lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}"
        remedy = "give bars (t, open, high, low, close), ticks (t, price) or rounds (roundId, ...)"
        raise MarketDataError(str(files.price), problem, remedy, 1)
    table = _part(table, start, end)
    if "volume" in table.columns and not files.accept_no_volume:
        traded = table.numbers("volume") > 0
        table.require(
            traded,
            "volume",
            "is no volume: nobody could trade",
            "drop the bar, or accept it (--accept-zero-volume)",
        )
    for name in BAR:
        sources.require_playable(table, name)
    bars = bars_of(table, step_of(table), files.max_missing)
    yield from sources.from_bars(bars, inside=files.inside, ticks_inside=files.ticks_inside)


def _part(table: Table, start: int | None, end: int | None) -> Table:
    """The rows of a span, so that a fault elsewhere in a file stops nobody; the whole if it is none in order."""
    times = table.seconds("t")
    if (np.diff(times) <= 0).any():
        return table
    low = 0 if start is None else int(np.searchsorted(times, start))
    high = times.size if end is None else int(np.searchsorted(times, end))
    if low >= high:
        problem = "has no price between the two times"
        raise MarketDataError(table.path, problem, "choose a span that the file covers")
    columns = {name: cells[low:high] for name, cells in table.columns.items()}
    return Table(table.path, columns, table.lines[low:high])


def step_of(table: Table) -> int:
    """The step of a file, seconds: what most of its rows are apart."""
    times = table.seconds("t")
    apart = np.diff(times)
    apart = apart[apart > 0]
    if apart.size == 0:
        problem = "has less than two times, so its step is not known"
        raise MarketDataError(table.path, problem, "give more rows", table.lines[0], "t")
    values, counts = np.unique(apart, return_counts=True)
    return int(values[np.argmax(counts)])


def _within(event: Event, start: int | None, end: int | None) -> bool:
    return (start is None or event.time >= start) and (end is None or event.time < end)


def _carried(events: list[Event], first: int, end: int | None) -> list[Event]:
    """From the newest before the first price on: what it said still holds."""
    before = [e for e in events if e.time < first]
    after = [e for e in events if e.time >= first and (end is None or e.time < end)]
    return before[-1:] + after
