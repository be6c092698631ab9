"""The compiled kernel decides as the full pipeline does: same bars, same moves, same amounts to the last unit."""

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from keeper.backtest import BacktestResult, BacktestSpec, default_policies, run_backtest
from keeper.backtest.events import Event, GasEvent, PriceEvent
from keeper.backtest.spec import ChainSpec, Holdings, OracleSpec, PoolSpec
from keeper.model.ports import Strategy
from keeper.model.units import WAD
from keeper.sweep.kernel import KernelRun, path_of, run_kernel, why_not, why_not_on
from keeper.sweep.kernel_wide import inverse, whole, wide
from keeper.sweep.work import figures_of
from strategies.collateral_guard import CollateralGuard
from strategies.delta_band import DeltaBand
from strategies.delta_hedge import DeltaHedge

START, HOUR = 1_600_000_000, 3_600
ETH, USD = 10**18, 10**6
ROUNDED = ("pool_fees", "impact", "basis")
Decisions = list[tuple[int, tuple[tuple[int, bool, int, int], ...]]]


def walk(steps: int, seed: int, hourly: float, step_s: int = HOUR) -> list[PriceEvent]:
    """A seeded walk from 2,000 dollars, with a jump now and then."""
    draw, value, found = random.Random(seed), 2_000.0, []
    for i in range(steps):
        ramp = step_s if i else 0
        found.append(PriceEvent(START + i * step_s, round(value * 10**8) * 10**10, ramp))
        jump = draw.choice((-1, 1)) * 4 * hourly if draw.random() < 0.03 else 0.0
        value *= math.exp(draw.gauss(0.0, hourly) + jump)
    return found


def by_pipeline(
    spec: BacktestSpec, events: Sequence[Event], strategy: Strategy
) -> tuple[BacktestResult, Decisions]:
    policies = default_policies(connected=spec.venues)
    result = run_backtest(spec, iter(events), strategy, policies)
    base = spec.base.address
    decisions = [
        (
            d.time,
            tuple(
                (int(m.kind), m.token == base, int(m.amount), int(m.limit)) for m in d.plan.moves
            ),
        )
        for d in result.decisions
    ]
    return result, decisions


def by_kernel(spec: BacktestSpec, events: Sequence[Event], strategy: Strategy) -> KernelRun:
    policies = default_policies(connected=spec.venues)
    assert why_not(strategy, spec, policies) == why_not_on(events) == ""
    return run_kernel(spec, path_of(spec, events), strategy, policies)


def assert_same(spec: BacktestSpec, events: Sequence[Event], strategy: Strategy) -> KernelRun:
    """Decisions to the last unit, NAV at every step to the last unit, ratios and costs of the row."""
    run = by_kernel(spec, events, strategy)
    if run.left:
        return run
    result, decisions = by_pipeline(spec, events, strategy)
    assert run.decisions == decisions
    assert run.ticks == result.ticks
    assert run.steps is not None
    nav = [round(value * USD) for value in result.steps["nav"].tolist()]
    assert run.steps[:, 0].tolist() == nav
    mine, theirs = run.figures or {}, figures_of(result)
    assert mine.keys() == theirs.keys()
    for name in mine.keys() - {"engine", "digest"}:
        # interest is summed before it is rounded, and parts of costs are rounded by the unit
        slack = 0.01 if name.startswith("interest") else 1e-5 if name in ROUNDED else 1e-9
        assert mine[name] == pytest.approx(theirs[name], rel=1e-9, abs=slack), name
    return run


HOLDINGS = st.one_of(
    st.builds(
        Holdings,
        idle_asset=st.integers(0, 10**12),
        idle_base=st.integers(ETH, 800 * ETH),
    ),
    st.builds(  # levered long
        Holdings,
        idle_asset=st.integers(0, 10**11),
        idle_base=st.integers(0, 20 * ETH),
        supplied_base=st.integers(400 * ETH, 900 * ETH),
        debt_asset=st.integers(10**9, 4 * 10**11),
    ),
    st.builds(  # short
        Holdings,
        idle_asset=st.integers(0, 10**11),
        supplied_asset=st.integers(5 * 10**11, 10**12),
        supplied_base=st.integers(0, 10 * ETH),
        debt_base=st.integers(ETH, 120 * ETH),
    ),
)
TARGET = st.floats(-150, 700).map(lambda value: round(value, 4))
RULES = st.one_of(
    st.builds(DeltaBand, TARGET, st.floats(0.01, 20), st.floats(0, 0.5)),
    st.builds(
        DeltaHedge,
        target_delta=TARGET,
        least_band=st.floats(1e-5, 0.02),
        health_margin=st.floats(0, 0.5),
    ),
)


@given(
    seed=st.integers(0, 10**6),
    hourly=st.sampled_from((0.0005, 0.006, 0.02)),
    step_s=st.sampled_from((600, HOUR)),
    holdings=HOLDINGS,
    strategy=RULES,
    latency=st.integers(1, 10),
    fee_pips=st.sampled_from((100, 500, 3_000)),
    depth=st.sampled_from((10**14, 4 * 10**14)),
    rate=st.sampled_from((0, 10**26, 10**27)),
)
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate,),
)
def test_kernel_and_pipeline_decide_alike(  # noqa: PLR0917 - drawn by name
    seed: int,
    hourly: float,
    step_s: int,
    holdings: Holdings,
    strategy: Strategy,
    latency: int,
    fee_pips: int,
    depth: int,
    rate: int,
) -> None:
    spec = BacktestSpec(
        holdings=holdings,
        pool=PoolSpec(fee_pips=fee_pips, depth=depth),
        chain=ChainSpec(latency_blocks=latency),
    )
    # what is lent at a hundred per cent moves exposure by the hour
    spec = replace(
        spec,
        base_reserve=replace(spec.base_reserve, base_ray=rate),
        asset_reserve=replace(spec.asset_reserve, base_ray=rate // 3),
    )
    assert_same(spec, walk(60, seed, hourly, step_s), strategy)


@pytest.mark.parametrize(
    ("holdings", "strategy"),
    [
        (Holdings(idle_asset=10**12), DeltaBand(100, 1)),
        (Holdings(idle_base=500 * ETH), DeltaBand(0, 1)),
        (Holdings(supplied_base=800 * ETH, debt_asset=6 * 10**11), DeltaBand(500, 0.05)),
        (
            Holdings(supplied_base=800 * ETH, debt_asset=6 * 10**11),
            DeltaHedge(900, least_band=1e-4),
        ),
        (Holdings(supplied_base=800 * ETH, debt_asset=6 * 10**11), DeltaBand(-50, 0.05)),
        (Holdings(supplied_asset=10**12, debt_base=100 * ETH), DeltaBand(30, 0.05)),
        (Holdings(idle_asset=10**12, supplied_asset=10**12, debt_base=90 * ETH), DeltaBand(60, 1)),
    ],
)
def test_every_way_to_a_delta_is_played_to_its_end(holdings: Holdings, strategy: Strategy) -> None:
    """Not left to the pipeline, and with trades."""
    spec = BacktestSpec(holdings=holdings)
    spec = replace(spec, base_reserve=replace(spec.base_reserve, base_ray=3 * 10**26))
    run = assert_same(spec, walk(200, 11, 0.002), strategy)
    assert not run.left
    assert sum(bool(moves) for _, moves in run.decisions) >= 1


def test_large_changes_take_several_plans() -> None:
    spec = BacktestSpec(holdings=Holdings(idle_base=2_000 * ETH), pool=PoolSpec(depth=4 * 10**15))
    run = assert_same(spec, walk(60, 3, 0.003), DeltaBand(0, 1))
    assert sum(bool(moves) for _, moves in run.decisions) >= 8


def test_a_run_that_leaves_the_class_says_where_and_why() -> None:
    spec = BacktestSpec(holdings=Holdings(supplied_base=500 * ETH, debt_asset=78 * 10**10))
    fall = [PriceEvent(START + i * HOUR, (2_000 - 40 * i) * WAD, HOUR) for i in range(20)]
    run = by_kernel(spec, fall, DeltaBand(500, 100))
    assert run.left.startswith("bar ")
    assert "liquidated" in run.left
    assert by_pipeline(spec, fall, DeltaBand(500, 100))[0].liquidations


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"strategy": CollateralGuard()}, "no delta_band"),
        ({"strategy": DeltaHedge(venue="perp")}, "perpetual venue"),
        ({"pool": PoolSpec(base_is_token0=True)}, "token0"),
        ({"oracle": OracleSpec(latency_s=30)}, "rounds come late"),
        ({"chain": ChainSpec(base_fee_wei=10**12)}, "too dear"),
        ({"chain": ChainSpec(arbitrage_blocks=1)}, "answers late"),
        ({"chain": ChainSpec(latency_blocks=11)}, "after their deadline"),
    ],
)
def test_what_the_kernel_cannot_play_is_named(change: dict[str, Any], said: str) -> None:
    strategy = change.pop("strategy", DeltaBand())
    spec = replace(BacktestSpec(), **change)
    assert said in why_not(strategy, spec, default_policies(connected=spec.venues))


def test_events_that_the_kernel_does_not_know_are_named() -> None:
    events = walk(3, 1, 0.01)
    assert why_not_on(events) == ""
    assert "beside prices" in why_not_on([GasEvent(START, 1), *events])
    assert "at one time" in why_not_on([events[0], *events])
    assert "eight decimals" in why_not_on([replace(events[0], price_wad=1), *events[1:]])


@given(st.integers(-(2**106), 2**106), st.integers(1, 10**27))
@settings(deadline=None)
def test_wide_numbers_hold_106_bits(value: int, divisor: int) -> None:
    assert whole(*wide(value)) == value
    high, low = inverse(divisor)
    assert abs((high + low) * divisor - 1) < 1e-15


@given(st.integers(-(2**75), 2**75), st.integers(1, 2**75), st.integers(1, 2**30))
@settings(deadline=None)
def test_quotients_are_rounded_as_integers_are(a: int, b: int, factor: int) -> None:
    from keeper.sweep.kernel_wide import down, up

    x, y = wide(a * factor), wide(b)
    if abs(a * factor) >= 2**106 or abs(a * factor) // b >= 2**75:
        return
    assert whole(*down(x, y)) == a * factor // b
    assert whole(*up(x, y)) == -(-a * factor // b)


def test_a_kernel_leaves_nothing_to_the_last_run() -> None:
    """The path is shared by rules, and no run changes it."""
    spec = BacktestSpec(holdings=Holdings(supplied_base=800 * ETH, debt_asset=6 * 10**11))
    policies, events = default_policies(connected=spec.venues), walk(100, 5, 0.004)
    path = path_of(spec, events)
    before = [np.copy(part) for part in (path.columns, path.roots, path.table)]
    first = run_kernel(spec, path, DeltaBand(400, 0.1), policies)
    run_kernel(spec, path, DeltaHedge(100), policies)
    again = run_kernel(spec, path, DeltaBand(400, 0.1), policies)
    assert first.figures == again.figures
    for was, now in zip(before, (path.columns, path.roots, path.table), strict=True):
        assert was.tobytes() == now.tobytes()
