"""Paths, vaults and strategies for the tests of the backtest."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

from keeper.backtest import BacktestResult, BacktestSpec, default_policies, levered, run_backtest
from keeper.backtest.events import Event, FlowEvent, PriceEvent
from keeper.backtest.spec import ChainSpec, FeeSpec
from keeper.model.decision import Lane, Target
from keeper.model.market import MarketState
from keeper.model.ports import Strategy
from keeper.model.risk import RiskReport
from keeper.model.units import WAD, Raw, wad_down

START = 1_600_000_000
HOUR = 3_600
FIRST = 2_000


def price(value: float) -> int:
    """Dollars as WAD, exact to the cent."""
    return round(value * 100) * WAD // 100


def path(*prices: float, step_s: int = HOUR) -> list[Event]:
    """One decision a step."""
    return [
        PriceEvent(START + i * step_s, price(p), ramp_s=step_s if i else 0)
        for i, p in enumerate(prices)
    ]


def walk(steps: int, seed: int, hourly: float = 0.01) -> list[Event]:
    """A seeded random walk from 2,000 dollars."""
    draw = random.Random(seed)
    prices, value = [], float(FIRST)
    for _ in range(steps):
        prices.append(value)
        value *= math.exp(draw.gauss(0.0, hourly))
    return path(*prices)


def flows(steps: int, seed: int) -> list[Event]:
    """Deposits and redemptions at random steps."""
    draw = random.Random(seed)
    return [
        FlowEvent(
            START + step * HOUR + 60,
            assets=draw.choice((0, 50_000 * 10**6)),
            shares_bps=draw.choice((0, 100, 1_000)),
        )
        for step in range(steps)
        if draw.random() < 0.1
    ]


@dataclass(frozen=True)
class Erratic:
    """Wants another health or another delta every few hours, without sense but with a seed."""

    seed: int

    def __call__(self, market: MarketState, risk: RiskReport) -> Target:
        draw = random.Random(self.seed * 1_000_003 + market.readings.block.timestamp)
        kind = draw.randrange(4)
        if kind == 0 and risk.has_position:
            lane = draw.choice((Lane.ROUTINE, Lane.PROTECTIVE))
            return Target(lane, wad_down(draw.uniform(1.2, 2.5)), None, "another health")
        if kind == 1:
            wanted = Raw(round(draw.uniform(-200, 800) * 10**18))
            return Target(Lane.ROUTINE, None, wanted, "another delta")
        return Target(Lane.ROUTINE, None, None, "hold")


@dataclass(frozen=True)
class Still:
    """Wants nothing, ever."""

    def __call__(self, market: MarketState, risk: RiskReport) -> Target:
        return Target(Lane.ROUTINE, None, None, "hold")


def spec(
    health: float | None = 1.6,
    *,
    fees: FeeSpec | None = None,
    latency_blocks: int = 2,
    first: float = FIRST,
) -> BacktestSpec:
    """A million dollars, levered long to a health, or idle."""
    made = BacktestSpec(fees=fees or FeeSpec(), chain=ChainSpec(latency_blocks=latency_blocks))
    return made if health is None else levered(made, health, price(first))


def run(
    events: list[Event] | Iterator[Event], strategy: Strategy, given: BacktestSpec | None = None
) -> BacktestResult:
    """With the default policies and room for large swaps."""
    policies = default_policies(connected=(given or spec()).venues)
    roomy = replace(policies.planning, max_swap=Raw(5_000_000 * 10**6))
    return run_backtest(
        given or spec(), iter(events), strategy, replace(policies, planning=roomy), name="test"
    )
