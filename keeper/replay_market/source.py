"""Which segment is asked for: files of history or a generated scenario."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keeper.backtest import sources
from keeper.backtest.events import Event, merged
from keeper.backtest.files import Files, read_events, step_of
from keeper.errors import MarketDataError, SettingError
from keeper.history.bars import bars_of
from keeper.history.foreign import as_bars
from keeper.history.rounds import read_rounds
from keeper.history.table import Table, read_table
from keeper.localnet.paths.build import ScenarioSpec, build_path
from keeper.replay_market.segment import Segment, of_events, of_path

DEFAULT_SCENARIO = "crash"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One segment: `prices` with its own span, or a scenario. Times in unix seconds, the end not included."""

    scenario: str | None = None
    seed: int = 1
    prices: Path | None = None
    rounds: Path | None = None
    gas: Path | None = None
    start: int | None = None
    end: int | None = None
    every_s: int = 0
    inside: bool = False
    """The low and high of bars are played too: see `keeper.backtest.sources.from_bars`."""
    max_missing: int = 0
    accept_no_volume: bool = False


def segment_of(wanted: Wanted, window_s: int) -> Segment:
    """Read and lay out. SettingError for options that do not go together, MarketDataError for what readers refuse."""
    if wanted.every_s < 0:
        raise SettingError("--every", f"{wanted.every_s} s", "give 0 or more seconds")
    if wanted.prices is None:
        for option, value in (
            ("--rounds", wanted.rounds),
            ("--gas", wanted.gas),
            ("--from", wanted.start),
            ("--to", wanted.end),
        ):
            if value is not None:
                raise SettingError(option, "belongs to a price file", "add --data FILE")
        name = wanted.scenario or DEFAULT_SCENARIO
        return of_path(build_path(ScenarioSpec(name, wanted.seed)), every_s=wanted.every_s)
    if wanted.scenario is not None:
        problem = "a price file takes the scenario's place"
        raise SettingError("--scenario", problem, "give --scenario or --data, not both")
    name = wanted.prices.name.removesuffix(".gz").removesuffix(".csv").removesuffix(".parquet")
    events = list(_events(wanted, wanted.prices))
    return of_events(name, events, window_s=window_s, every_s=wanted.every_s)


def _events(wanted: Wanted, prices: Path) -> Iterator[Event]:
    start, end = wanted.start, wanted.end
    table = as_bars(read_table(prices, ()))
    if table is None:
        files = Files(
            price=prices,
            rounds=wanted.rounds,
            gas=wanted.gas,
            max_missing=wanted.max_missing,
            accept_no_volume=wanted.accept_no_volume,
            inside=wanted.inside,
            ticks_inside=wanted.inside,
        )
        return read_events(files, start, end)
    if start is not None and end is not None and start >= end:
        raise MarketDataError(str(prices), f"{start} is not before {end}", "give other times")
    return merged(*_others(wanted, table), _bars(wanted, table))


def _bars(wanted: Wanted, table: Table) -> Iterator[Event]:
    part = _part(table, wanted)
    bars = bars_of(part, step_of(part), wanted.max_missing)
    events = sources.from_bars(bars, inside=wanted.inside, ticks_inside=wanted.inside)
    found = [e for e in events if _within(e, wanted)]
    if not found:
        problem = "has no price between the two times"
        raise MarketDataError(table.path, problem, "choose a span that the file covers")
    return iter(found)


def _part(table: Table, wanted: Wanted) -> Table:
    """Rows of the span, so that a fault elsewhere in a file stops nobody; the whole if it is not in order."""
    times = table.seconds("t")
    if (np.diff(times) <= 0).any():
        return table
    low = 0 if wanted.start is None else int(np.searchsorted(times, wanted.start))
    high = times.size if wanted.end is None else int(np.searchsorted(times, wanted.end))
    if low >= high:
        problem = "has no price between the two times"
        raise MarketDataError(table.path, problem, "choose a span that the file covers")
    columns = {name: cells[low:high] for name, cells in table.columns.items()}
    return Table(table.path, columns, table.lines[low:high])


def _others(wanted: Wanted, table: Table) -> Iterator[list[Event]]:
    first = next(_bars(wanted, table)).time
    streams: list[Iterator[Event]] = []
    if wanted.rounds:
        streams.append(sources.from_rounds(read_rounds(wanted.rounds), decides=False))
    if wanted.gas:
        streams.append(sources.from_gas(wanted.gas))
    for stream in streams:
        events = list(stream)
        before = [e for e in events if e.time < first]
        # what was said last before the first price still holds
        yield before[-1:] + [e for e in events if e.time >= first and _within(e, wanted)]


def _within(event: Event, wanted: Wanted) -> bool:
    after = wanted.start is None or event.time >= wanted.start
    return after and (wanted.end is None or event.time < wanted.end)
