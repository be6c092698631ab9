"""Targets become ordered moves within the mandate; an empty plan says why."""

from dataclasses import replace

import pytest

from keeper.model.decision import Lane, MoveKind, Plan, Target
from keeper.model.market import PriceFault, Readings
from keeper.model.policy import PlanningPolicy
from keeper.model.units import BPS, MAX_UINT256, WAD, Raw, Wad
from keeper.planning import make_plan
from keeper.risk import assess
from tests.builders import (
    ASSET,
    BASE,
    LENDING,
    SWAPPER,
    dollars,
    ether,
    make_limits,
    make_market,
    make_price,
    make_readings,
    planning_policy,
    settled,
    wad,
)

W, S, R, B, U = (
    MoveKind.WITHDRAW,
    MoveKind.SWAP,
    MoveKind.REPAY,
    MoveKind.BORROW,
    MoveKind.SUPPLY,
)


def health(value: float, lane: Lane = Lane.PROTECTIVE) -> Target:
    return Target(lane, wad(value), None, "wanted")


def delta(value: float) -> Target:
    return Target(Lane.ROUTINE, None, Raw(round(value * 10**18)), "wanted")


def plan_for(
    readings: Readings,
    target: Target,
    policy: PlanningPolicy | None = None,
    faults: tuple[str, ...] = (),
) -> Plan:
    market = make_market(readings, faults=faults)
    return make_plan(market, assess(market), target, policy or planning_policy())


def kinds(plan: Plan) -> list[MoveKind]:
    return [move.kind for move in plan.moves]


# ------------------------------------------------------------------ nothing to do


def test_hold_is_an_empty_plan_with_the_strategys_reason() -> None:
    plan = plan_for(make_readings(), Target(Lane.ROUTINE, None, None, "all is well"))
    assert plan.empty
    assert plan.reason == "all is well"
    assert plan.max_loss == 0
    assert not plan.trades_price


def test_no_position_is_an_empty_plan() -> None:
    readings = make_readings(supplied_base=0, debt_asset=0, idle_asset=1_000)
    plan = plan_for(readings, health(1.5, Lane.ROUTINE))
    assert plan.empty
    assert plan.reason == "no position to protect or to lever"


def test_nothing_is_planned_on_an_unreadable_venue() -> None:
    readings = replace(make_readings(idle_asset=1_000_000), venue_readable=False)
    plan = plan_for(readings, health(1.5), faults=("venue",))
    assert plan.empty
    assert "cannot be read" in plan.reason


def test_a_change_smaller_than_worth_making_is_left() -> None:
    plan = plan_for(make_readings(), health(1.2451), planning_policy(min_trade=10_000))
    assert plan.empty
    assert "at least 10000000000 asset units" in plan.reason


def test_a_protective_target_below_health_never_adds_risk() -> None:
    assert plan_for(make_readings(), health(1.1)).empty


# ------------------------------------------------------------------ deleveraging


def test_repays_from_idle_first_and_trades_nothing_if_that_is_enough() -> None:
    plan = plan_for(make_readings(idle_asset=500_000), health(1.45))
    assert kinds(plan) == [R]
    # D - W / h = 2,000,000 - 2,490,000 / 1.45, rounded up
    assert plan.moves[0].amount == -(-(2_000_000 * 145 - 249_000_000) * 10**6 // 145)
    assert plan.expected_health_wad >= wad(1.45)
    assert not plan.trades_price
    assert plan.expected_loss == 0


def test_withdraws_swaps_and_repays_for_the_rest() -> None:
    plan = plan_for(make_readings(idle_asset=100_000), health(1.45))
    assert kinds(plan)[:4] == [R, W, S, R]
    assert [m.token for m in plan.moves[:4]] == [ASSET, BASE, BASE, ASSET]
    assert [m.adapter for m in plan.moves[:4]] == [LENDING, LENDING, SWAPPER, LENDING]
    assert plan.moves[0].amount == dollars(100_000)
    assert plan.moves[1].amount == plan.moves[2].amount
    assert plan.moves[3].amount == plan.moves[2].limit
    assert plan.trades_price
    assert abs(plan.expected_health_wad - wad(1.45)) * 1_000 < wad(1.45)


def test_goes_in_rounds_when_one_withdrawal_would_go_under_the_minimum() -> None:
    plan = plan_for(make_readings(limits=make_limits(min_health=1.15)), health(1.45))
    assert kinds(plan) == [W, S, R] * (len(plan.moves) // 3)
    assert len(plan.moves) > 3
    assert plan.expected_health_wad >= wad(1.4499)


def test_goes_deeper_only_where_the_careful_way_does_not_reach_the_target() -> None:
    """Under the mandate's minimum with nothing idle: the vault judges the end, the venue each step."""
    readings = make_readings(price=1_700, limits=make_limits(min_health=1.10))
    plan = plan_for(readings, health(1.3))
    assert kinds(plan)[:3] == [W, S, R]
    assert plan.expected_health_wad > wad(1.25)


def test_says_so_when_no_withdrawal_is_possible_at_all() -> None:
    plan = plan_for(make_readings(price=1_607), health(1.3))
    assert plan.empty
    assert "too low for any withdrawal" in plan.reason


def test_nets_a_token_against_itself_before_swapping() -> None:
    readings = make_readings(supplied_asset=300_000, debt_asset=2_200_000)
    plan = plan_for(readings, health(1.3))
    assert kinds(plan)[:2] == [W, R]
    assert plan.moves[0].token == plan.moves[1].token == ASSET


def test_supplies_idle_base_when_there_is_no_debt_of_it() -> None:
    plan = plan_for(make_readings(idle_base=30), health(1.26))
    assert kinds(plan) == [U]
    assert plan.moves[0].token == BASE
    assert not plan.trades_price


def test_a_short_vault_buys_back_with_its_collateral() -> None:
    readings = make_readings(supplied_base=0, supplied_asset=2_000_000, debt_asset=0, debt_base=650)
    plan = plan_for(readings, health(1.5))
    assert kinds(plan)[:3] == [W, S, R]
    assert [m.token for m in plan.moves[:3]] == [ASSET, ASSET, BASE]
    assert abs(plan.expected_health_wad - wad(1.5)) * 200 < wad(1.5)


def test_routine_plans_leave_the_reserve_and_protective_ones_use_it() -> None:
    readings = make_readings(idle_asset=50_000)
    policy = planning_policy(idle_reserve=20_000)
    routine = plan_for(readings, health(1.26, Lane.ROUTINE), policy)
    protective = plan_for(readings, health(1.3), policy)
    assert routine.moves[0].amount <= dollars(30_000)
    assert protective.moves[0].amount == dollars(50_000)


def test_a_plan_swaps_no_more_than_the_limit_and_says_how_far_it_goes() -> None:
    plan = plan_for(make_readings(), health(1.45), planning_policy(max_swap=100_000))
    sold = sum(m.amount for m in plan.moves if m.kind is S)
    assert ether(49.9) < sold <= ether(50)
    assert "this plan reaches 1.26" in plan.reason


@pytest.mark.parametrize(
    ("budget", "bound_bps", "lane"),
    [(500, 10_000, Lane.PROTECTIVE), (500, 10_000, Lane.ROUTINE), (50_000, 5, Lane.ROUTINE)],
)
def test_a_plan_is_sized_to_what_may_be_lost(budget: float, bound_bps: int, lane: Lane) -> None:
    readings = make_readings(loss_budget_left=budget)
    plan = plan_for(readings, health(1.45, lane), planning_policy(max_loss_bps=bound_bps))
    assert plan.moves
    assert plan.max_loss <= dollars(500)
    assert plan.expected_loss < plan.max_loss


def test_the_keepers_own_limit_on_losses_does_not_bind_protection() -> None:
    """A venue that liquidates takes more than the mandate allows a plan to lose."""
    plan = plan_for(make_readings(), health(1.45), planning_policy(max_loss_bps=5))
    free = plan_for(make_readings(), health(1.45), planning_policy(max_loss_bps=10_000))
    assert plan == free
    assert plan.max_loss > dollars(500)


def test_nothing_is_swapped_with_an_empty_loss_budget() -> None:
    assert plan_for(make_readings(loss_budget_left=0), health(1.45)).empty


def test_nothing_is_swapped_in_a_pool_beyond_the_mandates_bound() -> None:
    readings = make_readings(spot=1_940, limits=make_limits(max_swap_loss_bps=200))
    assert plan_for(readings, health(1.45)).empty


def test_a_protective_plan_takes_a_pool_near_the_mandates_bound_a_routine_one_does_not() -> None:
    """Fee, gap and slippage together are over 2 %, fee and gap are not."""
    readings = make_readings(spot=1_966, loss_budget_left=1_000_000)
    assert plan_for(readings, health(1.3)).moves
    assert plan_for(readings, health(1.3, Lane.ROUTINE)).empty


def test_withdraws_no_more_than_the_venue_has() -> None:
    readings = make_readings(available=40_000)
    plan = plan_for(readings, health(1.45))
    assert sum(m.amount for m in plan.moves if m.kind is W) <= ether(20)


# ------------------------------------------------------------------ unusable price, pause


def test_an_unusable_price_leaves_only_repaying_from_idle() -> None:
    plan = plan_for(make_readings(idle_asset=100_000), health(1.45), faults=("feed is stale",))
    assert kinds(plan) == [R]
    assert not plan.trades_price
    assert "feed is stale" in plan.reason


@pytest.mark.parametrize("lane", list(Lane))
def test_what_only_the_keeper_is_wary_of_stops_no_protection(lane: Lane) -> None:
    wary = replace(make_market(make_readings(), faults=("apart",)), cautions=("apart",))
    plan = make_plan(wary, assess(wary), health(1.45, lane), planning_policy())
    assert plan.empty is (lane is Lane.ROUTINE)
    assert plan.trades_price is (lane is Lane.PROTECTIVE)


def test_without_idle_an_unusable_price_leaves_nothing() -> None:
    plan = plan_for(make_readings(), health(1.45), faults=("feed is stale",))
    assert plan.empty
    assert "feed is stale" in plan.reason


@pytest.mark.parametrize("target", [health(1.45, Lane.ROUTINE), delta(0)])
def test_routine_plans_wait_for_a_usable_price(target: Target) -> None:
    plan = plan_for(make_readings(idle_asset=100_000), target, faults=("feed is stale",))
    assert plan.empty


def test_without_any_price_the_venues_health_sizes_the_repayment() -> None:
    readings = make_readings(idle_asset=500_000)
    unknown = replace(readings, price=make_price(0, fault=PriceFault.UNREADABLE))
    plan = plan_for(unknown, health(1.45), faults=("no price",))
    assert kinds(plan) == [R]
    # 2,000,000 x (1 - 1.245 / 1.45)
    assert plan.moves[0].amount == pytest.approx(dollars(2_000_000 * (1 - 1.245 / 1.45)), rel=1e-9)


def test_without_any_price_and_two_debts_all_idle_repays() -> None:
    readings = make_readings(idle_asset=30_000, idle_base=7, debt_base=20)
    unknown = replace(readings, price=make_price(0, fault=PriceFault.UNREADABLE))
    plan = plan_for(unknown, health(1.45), faults=("no price",))
    assert [(m.kind, m.amount) for m in plan.moves] == [(R, dollars(30_000)), (R, ether(7))]


def test_without_any_price_a_healthy_vault_is_left_alone() -> None:
    readings = make_readings(idle_asset=30_000)
    unknown = replace(readings, price=make_price(0, fault=PriceFault.UNREADABLE))
    assert plan_for(unknown, health(1.2), faults=("no price",)).empty


def test_a_paused_vault_is_still_deleveraged_and_repays_all_it_buys() -> None:
    plan = plan_for(make_readings(paused=True), health(1.45))
    assert kinds(plan)[:3] == [W, S, R]
    assert all(m.amount == MAX_UINT256 for m in plan.moves if m.kind is R)
    assert plan.expected_health_wad >= wad(1.45)


@pytest.mark.parametrize("target", [health(1.2, Lane.ROUTINE), delta(0)])
def test_a_paused_vault_gets_no_routine_plan(target: Target) -> None:
    plan = plan_for(make_readings(paused=True), target)
    assert plan.empty
    assert "paused" in plan.reason


def test_under_pause_a_protective_target_moves_health_and_no_exposure() -> None:
    target = Target(Lane.PROTECTIVE, wad(1.1), Raw(0), "wanted")
    assert plan_for(make_readings(paused=True, idle_base=10), target).empty
    assert kinds(plan_for(make_readings(idle_base=10), target))[0] is S


# ------------------------------------------------------------------ re-levering


def test_relevers_by_borrowing_buying_and_supplying() -> None:
    plan = plan_for(make_readings(price=3_000), health(1.5, Lane.ROUTINE))
    assert kinds(plan)[:3] == [B, S, U]
    assert [m.token for m in plan.moves[:3]] == [ASSET, ASSET, BASE]
    assert abs(plan.expected_health_wad - wad(1.5)) * 200 < wad(1.5)


def test_relevers_a_vault_without_any_debt() -> None:
    plan = plan_for(make_readings(debt_asset=0), health(1.5, Lane.ROUTINE))
    assert kinds(plan)[:3] == [B, S, U]
    assert abs(plan.expected_health_wad - wad(1.5)) * 200 < wad(1.5)


def test_a_short_vault_relevers_short() -> None:
    readings = make_readings(supplied_base=0, supplied_asset=2_000_000, debt_asset=0, debt_base=300)
    plan = plan_for(readings, health(1.6, Lane.ROUTINE))
    assert kinds(plan)[:3] == [B, S, U]
    assert [m.token for m in plan.moves[:3]] == [BASE, BASE, ASSET]


def test_relevering_stops_at_the_mandates_borrow_ratio() -> None:
    readings = make_readings(price=4_000, limits=make_limits(max_borrow_bps=4_500))
    plan = plan_for(readings, health(1.2, Lane.ROUTINE))
    debt = 2_000_000 + sum(m.amount for m in plan.moves if m.kind is B) / 10**6
    gross = 6_000_000 + sum(m.limit for m in plan.moves if m.kind is S) / 10**18 * 4_000
    assert 0.44 < debt / gross <= 0.45


def test_relevering_stops_at_the_mandates_minimum_health() -> None:
    readings = make_readings(price=3_000, limits=make_limits(min_health=1.4))
    plan = plan_for(readings, health(1.2, Lane.ROUTINE))
    assert plan.expected_health_wad >= wad(1.4)


def test_a_frozen_reserve_is_not_relevered() -> None:
    assert plan_for(make_readings(price=3_000, frozen=True), health(1.5, Lane.ROUTINE)).empty


# ------------------------------------------------------------------ delta

HEDGED = {"supplied_base": 0.0, "debt_asset": 0.0, "supplied_asset": 500_000.0}


def test_less_exposure_sells_idle_base_first() -> None:
    plan = plan_for(make_readings(**HEDGED, idle_base=40), delta(10))  # type: ignore[arg-type]
    assert kinds(plan) == [S]
    assert plan.moves[0].amount == ether(30)
    assert plan.expected_net_delta == ether(10)


def test_less_exposure_then_borrows_base_and_sells_it() -> None:
    plan = plan_for(make_readings(**HEDGED, idle_base=10), delta(-30))  # type: ignore[arg-type]
    assert kinds(plan) == [S, B, S]
    assert plan.moves[1].amount == plan.moves[2].amount == ether(30)
    assert plan.expected_net_delta == -ether(30)


def test_debt_without_collateral_sells_idle_base_and_borrows_nothing() -> None:
    """Health is zero, and so is the floor that borrowing would be measured by."""
    plan = plan_for(make_readings(supplied_base=0, debt_asset=50_000, idle_base=40), delta(-5))
    assert kinds(plan) == [MoveKind.SWAP, MoveKind.REPAY]


def test_proceeds_repay_asset_debt() -> None:
    plan = plan_for(make_readings(), delta(1_450))
    assert kinds(plan) == [B, S, R]
    assert plan.moves[2].token == ASSET


def test_less_exposure_withdraws_base_when_none_can_be_borrowed() -> None:
    readings = make_readings()
    readings = replace(
        readings, base_position=replace(readings.base_position, frozen_or_paused=True)
    )
    plan = plan_for(readings, delta(1_450))
    assert kinds(plan) == [W, S, R]
    assert plan.expected_net_delta == ether(1_450)


def test_more_exposure_buys_from_idle_and_repays_base_debt() -> None:
    readings = make_readings(**HEDGED, idle_asset=200_000, debt_base=60)  # type: ignore[arg-type]
    plan = plan_for(readings, delta(0))
    assert kinds(plan) == [S, R]
    assert [m.token for m in plan.moves] == [ASSET, BASE]
    assert abs(plan.expected_net_delta) < ether(0.001)


def test_more_exposure_then_buys_from_collateral_against_base_debt() -> None:
    plan = plan_for(make_readings(**HEDGED, debt_base=60), delta(-20))  # type: ignore[arg-type]
    assert kinds(plan)[:3] == [W, S, R]
    assert [m.token for m in plan.moves[:3]] == [ASSET, ASSET, BASE]


def test_more_exposure_at_last_borrows_buys_and_supplies() -> None:
    plan = plan_for(make_readings(price=3_000), delta(1_600))
    assert kinds(plan)[:3] == [B, S, U]
    assert abs(plan.expected_net_delta - ether(1_600)) < ether(1)


def test_the_reserve_is_not_spent_on_exposure() -> None:
    readings = make_readings(**HEDGED, idle_asset=200_000)  # type: ignore[arg-type]
    plan = plan_for(readings, delta(100), planning_policy(idle_reserve=150_000))
    assert plan.moves[0].amount == dollars(50_000)


def test_delta_plans_keep_the_mandates_minimum_health() -> None:
    readings = make_readings(**HEDGED, limits=make_limits(min_health=1.5))  # type: ignore[arg-type]
    plan = plan_for(readings, delta(-500))
    assert plan.expected_health_wad >= wad(1.5)
    assert "left to a later plan" in plan.reason


# ------------------------------------------------------------------ what it costs


def test_accepted_loss_is_expected_loss_and_margin() -> None:
    plan = plan_for(make_readings(), health(1.3), planning_policy(loss_margin_bps=20))
    traded = sum(m.amount for m in plan.moves if m.kind is S) * 2_000 // 10**12
    assert plan.max_loss - plan.expected_loss == pytest.approx(traded * 20 // BPS, rel=1e-3)


def test_gas_grows_with_the_moves() -> None:
    one = plan_for(make_readings(idle_asset=500_000), health(1.45))
    more = plan_for(make_readings(), health(1.45))
    assert 500_000 < one.gas_limit_estimate < more.gas_limit_estimate


def test_same_values_same_plan() -> None:
    """K-07."""
    assert plan_for(make_readings(), health(1.45)) == plan_for(make_readings(), health(1.45))


def test_wanted_health_is_reached_with_interest_already_owed() -> None:
    readings = make_readings()
    odd = replace(readings.asset_position, debt=Raw(2_000_000_123_457))
    plan = plan_for(settled(replace(readings, asset_position=odd)), health(1.45))
    assert plan.expected_health_wad >= Wad(145 * WAD // 100 - WAD // 10_000)
