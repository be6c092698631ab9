"""The generated scenarios as events of a backtest, at two paces, and the vaults that live through them."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

from keeper.backtest import BacktestSpec, default_policies, levered
from keeper.backtest.events import (
    Event,
    FlowEvent,
    FundingEvent,
    GasEvent,
    PriceEvent,
    RoundEvent,
    VolatilityEvent,
)
from keeper.backtest.sources import price_wad
from keeper.backtest.spec import DEFAULT_TERMS, Holdings
from keeper.localnet.paths.path import PricePath
from keeper.localnet.paths.scenarios import generate
from keeper.localnet.paths.shapes import SCENARIOS
from keeper.model.mandate import Terms
from keeper.model.policy import Policies
from keeper.model.ports import Strategy
from keeper.model.units import WAD, Bps, Raw
from strategies.collateral_guard import CollateralGuard
from strategies.composite import Composite
from tests.unit.strategies.catalogue import EVERY

HOUR, DAY = 3_600, 86_400
FORECAST = 0.8
DEVIATION_BPS, HEARTBEAT_S = 50, 3_600
SLOW = {"lead_in_s": 0.4 * DAY, "aftermath_s": 3 * DAY, "block_seconds": 3_600.0}
"""Days instead of minutes, so that epochs settle and series expire; a tick an hour."""
FALLS = {
    "fall_s": 2.5 * DAY,
    "rebound_s": 1.5 * DAY,
    "first_fall_s": 0.5 * DAY,
    "stall_s": 6.0 * HOUR,
}
WITH_GUARD = ("collateral_guard", "composite")
"""They protect by themselves."""

NARROW: Terms = replace(
    DEFAULT_TERMS,
    limits=replace(DEFAULT_TERMS.limits, max_loss_per_day_bps=Bps(200), max_loss_bps=Bps(100)),
    caps=replace(
        DEFAULT_TERMS.caps,
        delta_band_bps=Bps(15_000),
        max_venue_bps=Bps(9_500),
        max_option_bps=Bps(4_000),
        turnover_per_day_bps=Bps(15_000),
        cooldown_s=600,
        protective_loss_per_day_bps=Bps(1_000),
    ),
    options=replace(
        DEFAULT_TERMS.options, max_notional_bps=Bps(5_000), max_vega_bps=Bps(3_000), max_series=4
    ),
)
"""A mandate that bites."""


@dataclass(frozen=True, slots=True)
class Case:
    """One run: a strategy, a scenario, a seed."""

    strategy: str
    scenario: str
    seed: int
    full: bool = False
    """As long and as fine as the scenario is; otherwise a block a minute."""

    @property
    def slow(self) -> bool:
        """Every third seed plays in days."""
        return self.seed % 3 == 2

    @property
    def guarded(self) -> bool:
        """A levered vault, kept by the guard of collateral and the strategy after it."""
        return self.seed % 3 != 0 or self.strategy in WITH_GUARD


def path_of(case: Case) -> PricePath:
    """The scenario's own shape, its seed, and one of the two paces."""
    shape = SCENARIOS[case.scenario]()
    if case.slow:
        known = {f.name for f in fields(shape)}
        pace = {k: v for k, v in (SLOW | FALLS).items() if k in known}
        shape = replace(shape, **{k: type(getattr(shape, k))(v) for k, v in pace.items()})
    elif not case.full:
        shape = replace(shape, block_seconds=90)
    return generate(case.scenario, shape, case.seed)


def events_of(case: Case) -> tuple[list[Event], float]:
    """Everything that happens, in order, and the first price."""
    path, draw = path_of(case), random.Random(case.seed)
    first, last = int(path.times[0]), int(path.times[-1])
    found: list[tuple[int, int, Event]] = []
    for at, event in _around(first, last, draw, flows=case.seed % 3 > 0):
        found.append((at, 0, event))
    answer, answered_at = 0, 0
    for i, at in enumerate(int(t) for t in path.times):
        wad = price_wad(float(path.market_price[i]))
        now = wad // 10**10
        moved = abs(now - answer) * 10_000 >= DEVIATION_BPS * answer
        if path.oracle_online[i] and (moved or at - answered_at >= HEARTBEAT_S):
            answer, answered_at = now, at
            found.append((at, 2, RoundEvent(at, now)))
        if i % 5 == 0 or case.slow:
            found.append((at, 1, GasEvent(at, int(path.base_fee_wei[i]))))
        found.append((at, 3, PriceEvent(at, wad, ramp_s=path.block_seconds if i else 0)))
    found.sort(key=lambda one: one[:2])
    return [event for _, _, event in found], float(path.market_price[0])


def _around(
    first: int, last: int, draw: random.Random, *, flows: bool
) -> Iterator[tuple[int, Event]]:
    """Volatility, funding and depositors."""
    for at in range(first, last + 1, 4 * HOUR):
        yield at, VolatilityEvent(at, round(draw.uniform(0.6, 1.3) * 10**4) * WAD // 10**4)
    for at in range(first, last + 1, 8 * HOUR):
        yield at, FundingEvent(at, round(draw.uniform(-2, 8) * 10**4) * WAD // 10**8, 8 * HOUR)
    if not flows:
        return
    step = max(1, (last - first) // 8)
    for at in range(first + step // 2, last, step):
        coming, going = draw.choice((0, 40_000)), draw.choice((0, 0, 100, 800))
        yield at, FlowEvent(at, coming * 10**6, going)


def vault_of(case: Case, first: float) -> BacktestSpec:
    """Idle in both tokens; or levered, with some of both idle."""
    terms = NARROW if case.seed % 3 == 2 else DEFAULT_TERMS
    idle = Holdings(idle_asset=500_000 * 10**6, idle_base=150 * 10**18)
    if not case.guarded:
        return BacktestSpec(holdings=idle, terms=terms)
    made = levered(
        BacktestSpec(terms=terms, holdings=Holdings(500_000 * 10**6)), 1.6, price_wad(first)
    )
    held = made.holdings
    mixed = replace(held, idle_asset=150_000 * 10**6, idle_base=75 * 10**18)
    return replace(made, holdings=mixed, epoch_s=DAY if case.slow else 1_200)


def strategy_of(case: Case) -> Strategy:
    """As it is registered; in a levered vault behind the guard of collateral, as its documentation tells to."""
    own: Strategy = EVERY[case.strategy]
    if not case.guarded or case.strategy in WITH_GUARD:
        return own
    return Composite((CollateralGuard(), own))


def policies_of(spec: BacktestSpec) -> Policies:
    """The settings' defaults, room for swaps, and a forecast for the first day."""
    found = default_policies(connected=spec.venues)
    return replace(
        found,
        planning=replace(found.planning, max_swap=Raw(5_000_000 * 10**6)),
        risk=replace(found.risk, volatility=FORECAST),
    )


def matrix(seeds: int = 3, *, full: bool = False) -> list[Case]:
    """Every strategy x every scenario x the seeds."""
    return [
        Case(strategy, scenario, seed, full)
        for strategy in sorted(EVERY)
        for scenario in SCENARIOS
        for seed in range(seeds)
    ]
