"""What a plan costs is itemised, what is not worth its cost is left, and what would move the market is sliced."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.model.decision import Lane, Plan, Target
from keeper.model.market import MarketState
from keeper.model.outlook import Outlook
from keeper.model.policy import PlanningPolicy
from keeper.model.units import BPS, Raw
from keeper.planning import make_plan
from keeper.planning.costs import gas_up, pays, waiting_up
from keeper.planning.slices import base_reserve, slice_up
from keeper.risk import assess
from tests.builders import dollars, make_market, make_readings, planning_policy

ETHER = 10**18
POLICY = planning_policy()


def market_of(volatility: float | None = 0.6, **readings: float) -> MarketState:
    market = make_market(make_readings(**readings))  # type: ignore[arg-type]
    return replace(market, outlook=Outlook(volatility=volatility))


def plan_for(market: MarketState, delta: float, policy: PlanningPolicy = POLICY) -> Plan:
    target = Target(Lane.ROUTINE, None, Raw(round(delta * ETHER)), "hedge")
    return make_plan(market, assess(market), target, policy)


def test_fee_and_impact_are_what_the_plan_expects_to_lose() -> None:
    plan = plan_for(market_of(), 1_450)
    assert plan.costs is not None
    assert plan.costs.fee == pytest.approx(100_000 * 10**6 * 5 / 10_000, rel=0.01)
    assert plan.costs.fee + plan.costs.impact == plan.expected_loss
    assert plan.costs.impact > 0
    assert plan.costs.gas == gas_up(market_of(), plan.gas_limit_estimate)
    assert plan.costs.waiting == 0  # no aversion is set


def test_gas_is_valued_at_the_base_fee_expected() -> None:
    market = market_of()
    assert gas_up(market, 10**6) == dollars(40)  # 0.02 ether at 2,000
    assert gas_up(replace(market, outlook=Outlook(base_fee_wei=10**9)), 10**6) == dollars(2)
    assert gas_up(replace(market, outlook=Outlook(base_fee_wei=1)), 1) == 1


def test_waiting_costs_with_the_square_of_the_gap() -> None:
    careful = replace(POLICY, risk_aversion=3.0, waiting_days=36.5)
    one, two = (waiting_up(market_of(), careful, dollars(v)) for v in (10_000, 20_000))
    assert one == pytest.approx(1.5 * 0.36 * 0.1 * 10**8 / 10**6 * 10**6, rel=1e-9)
    assert one is not None
    assert two == pytest.approx(4 * one, rel=1e-6)
    assert waiting_up(market_of(None), careful, dollars(1)) is None
    assert waiting_up(market_of(), POLICY, dollars(1)) is None


def test_a_move_that_costs_more_than_leaving_it_is_not_made() -> None:
    careful = replace(POLICY, risk_aversion=3.0)
    left = plan_for(market_of(), 1_497, careful)
    assert left.empty
    assert "leaving it" in left.reason
    assert not plan_for(market_of(), 1_497).empty
    assert not plan_for(market_of(None), 1_497, careful).empty
    assert not plan_for(market_of(), 1_400, careful).empty


def test_small_changes_are_made_at_once_and_large_ones_in_slices() -> None:
    sliced = replace(POLICY, slice_impact_bps=10, slice_horizon_s=600, slice_every_s=60)
    market = market_of(None)
    reserve = base_reserve(market.readings.pool, 18)
    assert reserve == pytest.approx(200_000, rel=1e-6)
    small = dollars(2_000 * reserve * 4 / BPS)
    assert slice_up(market, sliced, small) == small
    large = 4 * small
    assert slice_up(market, sliced, large) == pytest.approx(large / 10, rel=1e-9)
    assert slice_up(market, POLICY, large) == large
    whole, part = plan_for(market, 1_300), plan_for(market, 1_300, sliced)
    assert part.costs is not None
    assert whole.costs is not None
    assert 0 < part.costs.fee < whole.costs.fee / 2


@given(st.floats(0.1, 2.0), st.floats(0.5, 50.0), st.integers(1, 40))
def test_the_slice_grows_with_risk_and_never_passes_the_whole(
    volatility: float, aversion: float, millions: int
) -> None:
    policy = replace(POLICY, slice_impact_bps=1, slice_horizon_s=600, risk_aversion=aversion)
    value = dollars(10**6 * millions)
    here = slice_up(market_of(volatility), policy, value)
    assert value // 10 <= here <= value
    assert here <= slice_up(market_of(volatility * 2), policy, value)
    assert here <= slice_up(
        market_of(volatility), replace(policy, risk_aversion=aversion * 2), value
    )


def test_a_slice_is_never_too_small_to_be_made() -> None:
    policy = replace(POLICY, slice_impact_bps=1, slice_horizon_s=10**6, min_trade=dollars(1_000))
    assert slice_up(market_of(None), policy, dollars(500_000)) == dollars(1_000)
    assert slice_up(market_of(None), policy, 0) == 0


def test_without_a_forecast_whatever_is_large_enough_is_made() -> None:
    market = make_market(make_readings())
    for value, made in ((100, True), (99, False)):
        assert pays(market, planning_policy(), dollars(value), dollars(1_000)) is made
