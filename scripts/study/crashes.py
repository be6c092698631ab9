"""Crashes to be protected through: every one in the history, days drawn from its stormiest hours, and generated ones.

Every path draws its own circumstances from one seeded generator: starting health (1.3 to 1.9), inclusion (1 to 5
blocks), oracle latency (0 to 120 s), depth of the pool (50 to 500 million a side) and the top of the gas storm (100 to
4,000 gwei). Between bars prices follow a bridge through open, high, low and close, block by block. What the vault is
shown is thinned to moves of 0.5 % (where the feed answers) and a price every 15 minutes.
"""

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from keeper.backtest.events import Event, GasEvent, PriceEvent
from keeper.backtest.sources import price_wad
from keeper.history.bars import Bars
from keeper.localnet.paths.build import FileSpec, ScenarioSpec
from keeper.localnet.paths.gas import GasShape
from keeper.localnet.paths.path import PricePath
from keeper.quant.tails import Filter, filter_volatility
from keeper.risk.history import DECAY, LEAST_BARS

Floats = npt.NDArray[np.float64]

CRASH = 0.20
"""Fall within a day, open to low, from which a stretch of history counts."""
DAY_HOURS = 24
BLOCK_S = 12
MOVE = 0.005
QUIET_S = 900
STORM_SHARE = 0.03
"""Bootstrapped days are made of six-hour stretches among the worst 3 % by their fall."""
SCENARIOS = ("crash", "crash_and_rebound", "grind_down", "gap")
HOURS_A_YEAR = 8_760


@dataclass(frozen=True, slots=True)
class Case:
    """One path and its circumstances."""

    kind: str
    scenario: ScenarioSpec | FileSpec
    forecast: float
    """Volatility that was forecast before it began, a year."""
    health: float
    latency_blocks: int
    oracle_latency_s: int
    depth_usd: float


def forecasts(bars: Bars) -> Floats:
    """(bars,) the keeper's own forecast before each bar, a year: EWMA of the returns up to the bar before."""
    returns = np.diff(np.log(bars.close))
    first = max(float(returns[: LEAST_BARS // 5].std()), 1e-8)
    spread = filter_volatility(returns, Filter(0.0, 1.0 - DECAY, DECAY), first)
    known = np.concatenate([[first], spread[:-1]])
    return np.asarray(known * math.sqrt(HOURS_A_YEAR))


def crash_windows(bars: Bars) -> list[tuple[int, int]]:
    """(first, last) bar of a day and a half around every fall of a fifth within a day, deepest first; none overlap."""
    count = bars.times.size
    worst = np.array([bars.low[i : i + DAY_HOURS].min() / bars.open[i] - 1.0 for i in range(count)])
    taken = np.zeros(count, dtype=np.bool_)
    found = []
    for place in np.argsort(worst, kind="stable"):
        if worst[place] > -CRASH:
            break
        begin = max(0, int(place) - DAY_HOURS // 4)
        end = min(count - 1, int(place) + DAY_HOURS + DAY_HOURS // 4)
        whole = bars.times[end] - bars.times[begin] == (end - begin) * bars.step_s
        if whole and not taken[begin : end + 1].any():
            taken[begin : end + 1] = True
            found.append((begin, end))
    return found


def history(bars: Bars, folder: Path, draw: np.random.Generator) -> Iterator[Case]:
    """Every crash window, each in a file of its own."""
    known = forecasts(bars)
    for begin, end in crash_windows(bars):
        file = folder / f"window-{begin}.csv"
        span = range(begin, end)
        _write(file, [(int(bars.times[i]), *_ohlc(bars, i, 1.0)) for i in span])
        spec = FileSpec(file, seed=begin, block_seconds=BLOCK_S, gas=_gas(draw))
        yield _case("history", spec, float(known[begin]), draw)


def bootstrapped(bars: Bars, folder: Path, count: int, draw: np.random.Generator) -> Iterator[Case]:
    """Days of four stormy stretches of six hours each, one after the other."""
    six, known = 6, forecasts(bars)
    falls = bars.low[six:] / bars.open[:-six] - 1
    whole = bars.times[six:] - bars.times[:-six] == six * bars.step_s
    places = np.flatnonzero(whole)
    stormy = places[np.argsort(falls[places], kind="stable")[: int(STORM_SHARE * places.size)]]
    for number in range(count):
        price = 2_000.0
        rows: list[tuple[float, ...]] = []
        drawn = draw.choice(stormy, 4)
        for begin in drawn:
            scale = price / bars.open[begin]
            for at in range(begin, begin + six):
                rows.append((1_600_000_000 + 3_600 * len(rows), *_ohlc(bars, at, scale)))
            price = rows[-1][4]
        file = folder / f"day-{number}.csv"
        _write(file, rows)
        spec = FileSpec(file, seed=number, block_seconds=BLOCK_S, gas=_gas(draw))
        yield _case("bootstrapped", spec, float(known[drawn[0]]), draw)


def generated(bars: Bars, count: int, draw: np.random.Generator) -> Iterator[Case]:
    """Crashes of drawn depth and speed; the forecast before each is that of some hour of the history."""
    known = forecasts(bars)[LEAST_BARS:]
    for number in range(count):
        name = SCENARIOS[number % len(SCENARIOS)]
        overrides = {"fall": float(draw.uniform(0.15, 0.65)), "block_seconds": float(BLOCK_S)}
        if name != "gap":
            overrides["fall_s"] = float(round(draw.uniform(600, 10_800)))
        spec = ScenarioSpec(name, number + 1, overrides, _gas(draw))
        yield _case(name, spec, float(draw.choice(known)), draw)


def events_of(path: PricePath) -> list[Event]:
    """Prices where the market has moved by `MOVE` or `QUIET_S` have passed, and the base fee with them."""
    found: list[Event] = []
    fee, shown, at = -1, 0.0, 0
    for time, price, now in zip(path.times, path.market_price, path.base_fee_wei, strict=True):
        moved = shown == 0.0 or abs(price / shown - 1.0) >= MOVE
        if not moved and time - at < QUIET_S:
            continue
        if now != fee:
            found.append(GasEvent(int(time), int(now)))
        ramp = int(time) - at if shown else BLOCK_S
        found.append(PriceEvent(int(time), price_wad(float(price)), ramp_s=ramp))
        fee, shown, at = now, float(price), int(time)
    return found


def _ohlc(bars: Bars, at: int, scale: float) -> list[float]:
    return [scale * float(p[at]) for p in (bars.open, bars.high, bars.low, bars.close)]


def _write(file: Path, rows: list[tuple[float, ...]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows([("t", "open", "high", "low", "close"), *rows])


def _gas(draw: np.random.Generator) -> GasShape:
    return GasShape(peak_gwei=float(draw.uniform(100, 4_000)))


def _case(
    kind: str, scenario: ScenarioSpec | FileSpec, forecast: float, draw: np.random.Generator
) -> Case:
    return Case(
        kind,
        scenario,
        forecast,
        health=float(draw.uniform(1.3, 1.9)),
        latency_blocks=int(draw.integers(1, 6)),
        oracle_latency_s=int(draw.integers(0, 121)),
        depth_usd=float(10 ** draw.uniform(7.7, 8.7)),
    )
