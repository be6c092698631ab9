"""Protection through crashes: a leveraged vault with this keeper, with a fixed-threshold keeper, and alone.

Paths: every crash in the hourly history (a fall of a fifth or more within a day), bootstrapped days put together from
the stormiest stretches of it, and generated crashes with drawn shapes. Between bars prices follow a bridge through
open, high, low and close; the base fee follows the market's speed, up to thousands of gwei. Every path draws its own
starting health, inclusion (1 to 5 blocks), oracle latency (0 to 120 s) and depth of the pool, the same for all three.

    python -m scripts.study.protection [--paths 1000] [--jobs 2] [--bars FILE] [--seed 0]

A liquidation counts as avoidable when the keeper saw health under its own threshold early enough for a transaction of
its inclusion time and one more block to land before it. The other two never count: they are for comparison.
"""

import argparse
import csv
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from keeper.backtest import BacktestResult, BacktestSpec, default_policies, levered, run_backtest
from keeper.backtest.events import Event, GasEvent, PriceEvent
from keeper.backtest.sources import price_wad
from keeper.backtest.spec import ChainSpec, OracleSpec, PoolSpec
from keeper.history.bars import Bars, read_bars
from keeper.history.table import market_data
from keeper.localnet.paths.build import FileSpec, ScenarioSpec, build_path
from keeper.localnet.paths.gas import GasShape
from keeper.localnet.paths.path import PricePath
from keeper.model.decision import Lane, Target
from keeper.model.market import MarketState
from keeper.model.ports import Strategy
from keeper.model.risk import RiskReport
from keeper.model.units import Raw
from scripts.study.output import HOURLY, Table, save
from strategies.collateral_guard import CollateralGuard

CRASH = 0.20
DAY_HOURS = 24
BLOCK_S = 180
"""Between two looks of the keeper at bars of an hour: fifteen times what it has live."""
STORM_SHARE = 0.03
"""Bootstrapped days are made of six-hour stretches among the worst 3 % by their fall."""
SCENARIOS = ("crash", "crash_and_rebound", "grind_down", "gap")
FIXED = CollateralGuard(low=1.10, target=1.25, relever=False, volatility_adjusted=False)


@dataclass(frozen=True, slots=True)
class Still:
    """No keeper at all."""

    def __call__(self, market: MarketState, risk: RiskReport) -> Target:
        """Nothing, ever."""
        del market, risk
        return Target(Lane.ROUTINE, None, None, "nobody is there")


KEEPERS: dict[str, tuple[Strategy, float]] = {
    "this keeper": (CollateralGuard(), 1.25),
    "fixed threshold": (FIXED, 1.10),
    "nobody": (Still(), 0.0),
}
"""Each with the health under which it acts."""


@dataclass(frozen=True, slots=True)
class Case:
    """One path and its circumstances."""

    kind: str
    scenario: ScenarioSpec | FileSpec
    health: float
    latency_blocks: int
    oracle_latency_s: int
    depth_usd: float


@dataclass(frozen=True, slots=True)
class Ending:
    """What one keeper made of one path; amounts as parts of the opening NAV."""

    liquidations: int
    avoidable: int
    liquidated: float
    kept: float
    cost: float
    transactions: int
    reverted: int


def history_cases(bars: Bars, path: Path, draw: np.random.Generator) -> Iterator[Case]:
    """A day and a half around every fall of a fifth within a day; overlapping ones once."""
    worst = np.array(
        [bars.low[i : i + DAY_HOURS].min() / bars.open[i] - 1 for i in range(bars.times.size)]
    )
    busy_until = -1
    for place in np.argsort(worst):
        if worst[place] > -CRASH:
            break
        if abs(int(place) - busy_until) < 2 * DAY_HOURS and busy_until >= 0:
            continue
        begin = max(0, int(place) - DAY_HOURS // 4)
        end = min(bars.times.size - 1, int(place) + DAY_HOURS + DAY_HOURS // 4)
        if bars.times[end] - bars.times[begin] != (end - begin) * bars.step_s:
            continue
        busy_until = int(place)
        yield _case(
            "history",
            FileSpec(
                path,
                int(bars.times[begin]),
                int(bars.times[end]),
                block_seconds=BLOCK_S,
                gas=_gas(draw),
            ),
            draw,
        )


def bootstrapped(bars: Bars, folder: Path, count: int, draw: np.random.Generator) -> Iterator[Case]:
    """Days of four stormy stretches of six hours each, one after the other."""
    six = 6
    falls = bars.low[six:] / bars.open[:-six] - 1
    whole = bars.times[six:] - bars.times[:-six] == six * bars.step_s
    places = np.flatnonzero(whole)
    stormy = places[np.argsort(falls[places])[: int(STORM_SHARE * places.size)]]
    for number in range(count):
        price = 2_000.0
        rows: list[tuple[float, ...]] = []
        for begin in draw.choice(stormy, 4):
            scale = price / bars.open[begin]
            for at in range(begin, begin + six):
                ohlc = [scale * float(p[at]) for p in (bars.open, bars.high, bars.low, bars.close)]
                rows.append((1_600_000_000 + 3_600 * len(rows), *ohlc))
            price = rows[-1][4]
        file = folder / f"day-{number}.csv"
        with file.open("w", newline="") as out:
            csv.writer(out).writerows([("t", "open", "high", "low", "close"), *rows])
        yield _case(
            "bootstrapped", FileSpec(file, seed=number, block_seconds=BLOCK_S, gas=_gas(draw)), draw
        )


def generated(count: int, draw: np.random.Generator) -> Iterator[Case]:
    """Crashes of drawn depth and speed."""
    for number in range(count):
        name = SCENARIOS[number % len(SCENARIOS)]
        overrides = {"fall": float(draw.uniform(0.15, 0.65)), "block_seconds": 24.0}
        if name != "gap":
            overrides["fall_s"] = float(round(draw.uniform(600, 10_800)))
        yield _case(name, ScenarioSpec(name, number + 1, overrides, _gas(draw)), draw)


def _gas(draw: np.random.Generator) -> GasShape:
    return GasShape(peak_gwei=float(draw.uniform(100, 4_000)))


def _case(kind: str, scenario: ScenarioSpec | FileSpec, draw: np.random.Generator) -> Case:
    return Case(
        kind,
        scenario,
        health=float(draw.uniform(1.3, 1.9)),
        latency_blocks=int(draw.integers(1, 6)),
        oracle_latency_s=int(draw.integers(0, 121)),
        depth_usd=float(10 ** draw.uniform(7.7, 8.7)),
    )


def events_of(path: PricePath) -> list[Event]:
    """A price at each of its blocks, and the base fee where it changes."""
    found: list[Event] = []
    fee = -1
    for time, price, now in zip(path.times, path.market_price, path.base_fee_wei, strict=True):
        if now != fee:
            found.append(GasEvent(int(time), int(now)))
            fee = now
        found.append(PriceEvent(int(time), price_wad(float(price)), ramp_s=path.block_seconds))
    return found


def play(case: Case) -> tuple[str, dict[str, Ending]]:
    """One path for all three."""
    path = build_path(case.scenario)
    events = events_of(path)
    first = next(e.price_wad for e in events if isinstance(e, PriceEvent))
    spec = BacktestSpec(
        chain=ChainSpec(latency_blocks=case.latency_blocks),
        oracle=OracleSpec(latency_s=case.oracle_latency_s),
        pool=PoolSpec(depth=round(case.depth_usd) * 10**6),
    )
    spec = levered(spec, case.health, first)
    policies = default_policies(spec.asset.decimals)
    roomy = replace(policies.planning, max_swap=Raw(5_000_000 * 10**6))
    endings = {}
    for name, (strategy, low) in KEEPERS.items():
        result = run_backtest(
            spec, iter(events), strategy, replace(policies, planning=roomy), name=name
        )
        endings[name] = _ending(result, low, case)
    return case.kind, endings


def _ending(result: BacktestResult, low: float, case: Case) -> Ending:
    nav = result.attribution.opening
    costs = sum(s.fee + s.impact + s.basis for s in result.swaps)
    return Ending(
        liquidations=len(result.liquidations),
        avoidable=sum(_avoidable(result, done.time, low, case) for done in result.liquidations),
        liquidated=sum(done.loss for done in result.liquidations) / nav,
        kept=result.attribution.closing / nav,
        cost=(costs + result.attribution.gas) / nav,
        transactions=len(result.transactions),
        reverted=sum(bool(t.reverted) for t in result.transactions),
    )


def _avoidable(result: BacktestResult, at: int, low: float, case: Case) -> bool:
    """The vault was under the threshold, as the keeper saw it, since early enough."""
    times, health = result.steps["time"], result.steps["health"]
    before = np.flatnonzero(times < at)
    if before.size == 0 or low == 0:
        return False
    safe = before[health[before] >= low]
    since = times[safe[-1] + 1] if safe.size and safe[-1] + 1 < times.size else times[0]
    block_s = ChainSpec().block_s
    return bool(at - since > (case.latency_blocks + 1) * block_s)


def tables(found: list[tuple[str, dict[str, Ending]]]) -> list[Table]:
    """By kind of path and by keeper."""
    table = Table(
        "protection",
        f"{len(found)} paths, each with three vaults of 1,000,000",
        (
            "paths", "number", "keeper", "vaults liquidated", "avoidable liquidations",
            "lost to liquidators, mean of NAV", "NAV kept, mean", "cost of protection, mean of NAV",
            "transactions", "reverted",
        ),
    )  # fmt: skip
    kinds = list(dict.fromkeys(kind for kind, _ in found))
    for kind in (*kinds, "all"):
        those = [endings for k, endings in found if kind in {k, "all"}]
        for name in KEEPERS:
            ends = [endings[name] for endings in those]
            table.add(
                kind, str(len(ends)), name, str(sum(e.liquidations > 0 for e in ends)),
                str(sum(e.avoidable for e in ends)) if name != "nobody" else "-",
                f"{np.mean([e.liquidated for e in ends]):.2%}",
                f"{np.mean([e.kept for e in ends]):.1%}",
                f"{np.mean([e.cost for e in ends]):.3%}",
                str(sum(e.transactions for e in ends)), str(sum(e.reverted for e in ends)),
            )  # fmt: skip
    return [table]


def main() -> None:
    """Run, print, save."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--paths", type=int, default=1_000, help="bootstrapped and generated ones")
    asked.add_argument("--jobs", type=int, default=2)
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--bars", type=Path)
    options = asked.parse_args()
    file = options.bars or market_data(HOURLY)
    bars = read_bars(file, max_missing=48)
    draw = np.random.default_rng(options.seed)
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(options.jobs) as pool:
        cases = list(history_cases(bars, file, draw))
        cases += bootstrapped(bars, Path(folder), options.paths // 3, draw)
        cases += generated(options.paths - options.paths // 3, draw)
        found = list(pool.map(partial(play), cases, chunksize=4))
    command = f"python -m scripts.study.protection --paths {options.paths} --seed {options.seed}"
    save(tables(found), command)


if __name__ == "__main__":
    main()
