"""Risk is monotone where it must be, and its parts add up, for any vault."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.model.exposure import RiskInputs, RiskPolicy, Tempo
from keeper.model.market import Readings
from keeper.model.risk_report import FullReport
from keeper.risk.deep import assess_deep
from keeper.risk.tempo import health_target, wait_of
from tests.builders import make_market, make_readings

FEW = settings(max_examples=60, deadline=None)
FLOORS = st.floats(1.0, 2.0)
VOLATILITIES = st.floats(0.0, 5.0)
WAITS = st.floats(0.0, 1e6)
GROWTH = st.floats(1.0, 5.0)


@st.composite
def vaults(draw: st.DrawFn) -> Readings:
    return make_readings(
        price=draw(st.sampled_from([900, 1_700, 2_000, 5_000])),
        idle_asset=draw(st.sampled_from([0, 100_000])),
        idle_base=draw(st.sampled_from([0, 25])),
        supplied_base=draw(st.sampled_from([0, 1_500])),
        supplied_asset=draw(st.sampled_from([0, 400_000])),
        debt_asset=draw(st.sampled_from([0, 1_200_000, 2_000_000])),
        debt_base=draw(st.sampled_from([0, 100])),
        base_fee_gwei=draw(st.floats(0.1, 500)),
        keeper_balance_eth=draw(st.sampled_from([0.0, 1.0, 100.0])),
    )


def likelihood(report: FullReport) -> list[float]:
    return [
        x.probability or 0.0
        for v in report.venues
        for x in v.liquidations
        if x.underlying == "base"
    ]


def deep(readings: Readings, volatility: float, tempo: Tempo | None = None) -> FullReport:
    return assess_deep(
        make_market(readings), RiskInputs(volatility=volatility, tempo=tempo or Tempo())
    )


@given(floor=FLOORS, volatility=VOLATILITIES, wait=WAITS, more=GROWTH)
def test_the_health_target_rises_with_volatility_and_with_the_wait(
    floor: float, volatility: float, wait: float, more: float
) -> None:
    policy = RiskPolicy()
    here = health_target(floor, volatility, wait, policy)
    for other in (
        health_target(floor, volatility * more, wait, policy),
        health_target(floor, volatility, wait * more, policy),
        health_target(floor, volatility, wait, replace(policy, jump=min(0.9, policy.jump * more))),
        health_target(floor, volatility, wait, replace(policy, liquidation_tolerance=1e-6 / more)),
    ):
        assert other.low >= here.low
        assert other.target >= here.target
        assert other.high >= here.high


@given(floor=FLOORS, volatility=VOLATILITIES, wait=WAITS)
def test_the_health_target_stays_between_floor_and_highest_and_its_band_keeps_its_width(
    floor: float, volatility: float, wait: float
) -> None:
    """The highest bounds the target alone: `high` is as far above it as `low` is below, also where it is cut."""
    policy = RiskPolicy()
    found = health_target(floor, volatility, wait, policy)
    assert floor <= found.low <= found.target <= found.high
    assert found.target <= max(floor, policy.highest_health_target) * (1 + 1e-12)
    assert found.high / found.target == pytest.approx(found.target / found.low, rel=1e-12)


@given(readings=vaults(), more=GROWTH, extra=st.floats(0, 1e4))
def test_the_wait_rises_with_congestion_latency_and_the_age_of_the_price(
    readings: Readings, more: float, extra: float
) -> None:
    tempo = Tempo()
    here = wait_of(readings, tempo).seconds
    dearer = replace(
        readings,
        block=replace(readings.block, base_fee_wei=int(readings.block.base_fee_wei * more)),
    )
    feed = readings.price.base
    older = replace(
        readings,
        price=replace(readings.price, base=replace(feed, updated_at=feed.updated_at - int(extra))),
    )
    slower = replace(tempo, oracle_latency_s=tempo.oracle_latency_s + extra)
    assert wait_of(dearer, tempo).seconds >= here
    assert wait_of(older, tempo).seconds >= here
    assert wait_of(readings, slower).seconds >= here


@FEW
@given(readings=vaults(), volatility=st.floats(0.05, 3.0), more=GROWTH)
def test_liquidation_from_above_is_likelier_the_wilder_and_the_longer(
    readings: Readings, volatility: float, more: float
) -> None:
    here = deep(readings, volatility)
    falls = [
        x.direction == "fall" for v in here.venues for x in v.liquidations if x.underlying == "base"
    ]
    wilder = likelihood(deep(readings, min(10.0, volatility * more)))
    longer = likelihood(deep(readings, volatility, Tempo(block_time_s=12 * more)))
    for falling, p, q, r in zip(falls, likelihood(here), wilder, longer, strict=True):
        assert r >= p - 1e-12
        assert not falling or q >= p - 1e-12


@FEW
@given(readings=vaults(), volatility=st.floats(0.05, 3.0))
def test_no_scenario_is_worse_than_the_worst_and_parts_sum(
    readings: Readings, volatility: float
) -> None:
    found = deep(readings, volatility)
    assert found.margin is not None
    assert found.greeks is not None
    plain = [s.pnl for s in found.scenarios if not s.extreme]
    assert found.margin.scan >= -min(plain) - 1e-6
    total = sum(p.greeks.value for p in found.positions if p.in_nav)
    assert abs(total - found.greeks.value) <= 1e-6 * (1 + abs(total))
    worst = next(s.pnl for s in found.scenarios if s.name == found.margin.worst)
    attributed = sum(a.amount for a in found.margin.attribution)
    assert abs(attributed - worst) <= 1e-6 * (1 + abs(worst))
