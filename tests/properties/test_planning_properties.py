"""What holds of every plan, whatever the vault, the pool and the decimals."""

from dataclasses import dataclass, replace
from math import erfc, inf, log, nan, sqrt

from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from keeper.guard import check
from keeper.guard.mandate import grown_risks
from keeper.guard.rehearsal import rehearse
from keeper.model.decision import Lane, Move, MoveKind, Plan, SupplyTarget, Target
from keeper.model.ledger import Ledger
from keeper.model.mandate import DUST_UNITS
from keeper.model.market import MarketState, Readings
from keeper.model.outlook import Outlook
from keeper.model.units import WAD, Raw
from keeper.planning import make_plan
from keeper.planning.state import MAX_ROUNDS
from keeper.planning.swap_quote import simulate
from keeper.risk import assess
from strategies.collateral_guard import CollateralGuard
from tests.builders import (
    guard_policy,
    make_limits,
    make_market,
    make_readings,
    planning_policy,
    wad,
)

FEW = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@dataclass(frozen=True)
class Walk:
    """A plan executed on the ledger: every state on the way, and what swaps cost at the oracle."""

    states: tuple[Ledger, ...]
    swap_loss_scaled: int

    @property
    def end(self) -> Ledger:
        return self.states[-1]

    @property
    def lowest_health(self) -> int:
        return min(state.health_wad() for state in self.states[1:])


def walk(plan: Plan, readings: Readings, *, worst: bool) -> Walk:
    """Execute the moves; swaps give their least output (worst) or what the pool's formula gives."""
    ledger, pool, lost = Ledger.of(readings), readings.pool, 0
    states = [ledger]
    for move in plan.moves:
        received = int(move.limit)
        if move.kind is MoveKind.SWAP:
            sells_base = move.token == ledger.base.token
            expected, pool = simulate(pool, sells_base, ledger.amount_of(move))
            assert expected >= move.limit, "the pool gives what the plan relies on"
            received = received if worst else expected
            sold, bought = (
                (ledger.base, ledger.asset) if sells_base else (ledger.asset, ledger.base)
            )
            lost += move.amount * ledger.scale(sold) - received * ledger.scale(bought)
        ledger = ledger.apply(move, received)
        states.append(ledger)
    return Walk(tuple(states), lost)


decimals = st.sampled_from([(6, 18), (18, 18), (6, 8), (8, 6), (18, 6)])


@st.composite
def long_vaults(draw: st.DrawFn, *, low: float = 1.03, high: float = 2.0) -> Readings:
    """A million dollars of equity, long, at a chosen health; sometimes with idle tokens and a mix."""
    health = draw(st.floats(low, high))
    price = draw(st.floats(500, 5_000))
    supplied = draw(st.floats(1_200_000, 4_000_000))
    asset_part = draw(st.sampled_from([0.0, 0.0, 0.1, 0.3]))
    base_value, asset_value = supplied * (1 - asset_part), supplied * asset_part
    debt = (base_value * 0.83 + asset_value * 0.80) / health
    asset_decimals, base_decimals = draw(decimals)
    return make_readings(
        price=price,
        spot=price * draw(st.floats(0.996, 1.004)),
        depth=draw(st.floats(200_000_000, 2_000_000_000)),
        idle_asset=draw(st.sampled_from([0.0, 0.0, 25_000.0])),
        idle_base=draw(st.sampled_from([0.0, 0.0, 3.0])),
        supplied_base=base_value / price,
        supplied_asset=asset_value,
        debt_asset=debt,
        limits=make_limits(
            min_health=draw(st.floats(1.02, 1.15)), max_loss_bps=500, max_swap_loss_bps=300
        ),
        loss_budget_left=1_000_000,
        asset_decimals=asset_decimals,
        base_decimals=base_decimals,
        base_is_token0=draw(st.booleans()),
    )


@st.composite
def hedged_vaults(draw: st.DrawFn, *, least_idle: float = 0, most_owed: float = 80) -> Readings:
    """Dollars idle and supplied, some base idle, some base owed."""
    asset_decimals, base_decimals = draw(decimals)
    return make_readings(
        spot=2_000 * draw(st.floats(0.996, 1.004)),
        idle_asset=draw(st.floats(least_idle, 500_000)),
        idle_base=draw(st.floats(0, 100)),
        supplied_asset=draw(st.floats(400_000, 1_000_000)),
        supplied_base=draw(st.sampled_from([0.0, 50.0])),
        debt_asset=draw(st.sampled_from([0.0, 20_000.0])),
        debt_base=draw(st.floats(0, most_owed)),
        loss_budget_left=1_000_000,
        asset_decimals=asset_decimals,
        base_decimals=base_decimals,
        base_is_token0=draw(st.booleans()),
    )


def plan_for(readings: Readings, target: Target) -> tuple[MarketState, Plan]:
    market = make_market(readings)
    policy = planning_policy(asset_decimals=readings.asset.decimals)
    return market, make_plan(market, assess(market), target, policy)


def towards(health: float, lane: Lane) -> Target:
    return Target(lane, wad(health), None, "wanted")


def off_by(health_wad: int, target: float) -> float:
    return abs(health_wad / WAD / target - 1)


@FEW
@given(readings=long_vaults(low=1.2, high=1.45), target=st.floats(1.46, 1.8))
def test_deleveraging_reaches_the_target_within_half_a_per_cent(
    readings: Readings, target: float
) -> None:
    _, plan = plan_for(readings, towards(target, Lane.PROTECTIVE))
    for worst in (True, False):
        end = walk(plan, readings, worst=worst).end
        assert off_by(end.health_wad(), target) < 0.005
    assert off_by(plan.expected_health_wad, target) < 0.005


@FEW
@given(readings=long_vaults(), target=st.floats(1.3, 1.8))
def test_no_step_goes_under_the_minimum_where_that_reaches_the_target(
    readings: Readings, target: float
) -> None:
    """V-05 at the end, always; at every step, if rounds that keep it get there."""
    before = Ledger.of(readings).health_wad()
    _, plan = plan_for(readings, towards(target, Lane.PROTECTIVE))
    assume(not plan.empty)
    walked = walk(plan, readings, worst=True)
    end = walked.end.health_wad()
    assert end > before
    assert walked.lowest_health >= min(before, WAD)
    least = readings.limits.min_health_wad
    if walked.lowest_health < min(least, before):
        swaps = sum(move.kind is MoveKind.SWAP for move in plan.moves)
        room = before - least
        assert room < WAD * 6 // 100 or swaps == MAX_ROUNDS, "there was room for the careful way"


@FEW
@given(readings=long_vaults(low=1.03, high=1.3), target=st.floats(1.4, 1.9))
def test_only_the_first_withdrawal_of_a_token_counts_on_its_last_units(
    readings: Readings, target: float
) -> None:
    """The venue rounds what a withdrawal leaves: a later one of all the rest would be a unit short, and revert."""
    _, plan = plan_for(readings, towards(target, Lane.PROTECTIVE))
    for token, supplied in (
        (readings.asset.address, readings.asset_position.supplied),
        (readings.base.address, readings.base_position.supplied),
    ):
        taken = [m.amount for m in plan.moves if m.kind is MoveKind.WITHDRAW and m.token == token]
        if len(taken) > 1:
            assert sum(taken) <= supplied - DUST_UNITS


@FEW
@given(readings=long_vaults(low=1.5), target=st.floats(1.3, 1.45))
def test_relevering_reaches_the_target_or_its_bounds(readings: Readings, target: float) -> None:
    _, plan = plan_for(readings, towards(target, Lane.ROUTINE))
    walked = walk(plan, readings, worst=True)
    assert walked.lowest_health >= min(readings.limits.min_health_wad, wad(target))
    assert off_by(walked.end.health_wad(), target) < 0.005


@FEW
@given(
    readings=long_vaults(),
    target=st.floats(1.2, 1.9),
    lane=st.sampled_from(list(Lane)),
    worst=st.booleans(),
)
def test_value_changes_only_by_what_swaps_cost_and_stays_inside_the_accepted_loss(
    readings: Readings, target: float, lane: Lane, worst: bool
) -> None:
    _, plan = plan_for(readings, towards(target, lane))
    walked = walk(plan, readings, worst=worst)
    before, end = walked.states[0], walked.end
    equity = before.gross_scaled() - before.debt_scaled()
    assert equity - (end.gross_scaled() - end.debt_scaled()) == walked.swap_loss_scaled
    lost = -(-walked.swap_loss_scaled // before.asset_scale)
    if not worst:
        assert lost <= plan.max_loss
        assert abs(max(0, lost) - plan.expected_loss) <= len(plan.moves) + 1
    assert end.net_delta() == before.net_delta() + sum(
        after.base.net - prior.base.net
        for prior, after in zip(walked.states, walked.states[1:], strict=False)
    )


@FEW
@given(readings=long_vaults(), target=st.floats(1.2, 1.9), lane=st.sampled_from(list(Lane)))
def test_the_guard_passes_every_health_plan(readings: Readings, target: float, lane: Lane) -> None:
    market, plan = plan_for(readings, towards(target, lane))
    assert check(plan, market, guard_policy()).refusals == ()


@FEW
@given(readings=hedged_vaults(), target=st.floats(-60, 120))
def test_delta_plans_shrink_the_gap_and_pass_the_guard(readings: Readings, target: float) -> None:
    unit = 10**readings.base.decimals
    wanted = Raw(round(target * unit))
    market, plan = plan_for(readings, Target(Lane.ROUTINE, None, wanted, "wanted"))
    before = abs(wanted - Ledger.of(readings).net_delta())
    assume(not plan.empty)
    assert abs(wanted - plan.expected_net_delta) < before
    end = walk(plan, readings, worst=False).end
    assert abs(wanted - end.net_delta()) < before
    assert end.net_delta() == plan.expected_net_delta
    assert check(plan, market, guard_policy()).refusals == ()


@FEW
@given(readings=hedged_vaults(least_idle=300_000, most_owed=40), target=st.floats(-20, 60))
def test_delta_plans_reach_what_holdings_allow(readings: Readings, target: float) -> None:
    """With dollars enough on both sides, what is left is less than what is worth trading."""
    unit = 10**readings.base.decimals
    wanted = Raw(round(target * unit))
    _, plan = plan_for(readings, Target(Lane.ROUTINE, None, wanted, "wanted"))
    assert abs(wanted - plan.expected_net_delta) * 2_000 < 300 * unit


@FEW
@given(readings=long_vaults())
def test_hold_is_always_an_empty_plan(readings: Readings) -> None:
    _, plan = plan_for(readings, Target(Lane.ROUTINE, None, None, "hold"))
    assert plan.empty


@FEW
@given(readings=long_vaults(low=1.16))
def test_the_guard_of_collateral_rests_after_it_has_acted(readings: Readings) -> None:
    """Hysteresis: what follows an action, at the same price, is a hold."""
    guard = CollateralGuard(low=1.25, target=1.45, high=1.8)
    market = make_market(readings)
    target = guard(market, assess(market))
    assert target.hold == (wad(1.25) <= readings.account.health_wad <= wad(1.8))
    if target.hold:
        return
    _, plan = plan_for(readings, target)
    after = walk(plan, readings, worst=True).end.health_wad()
    assert wad(1.25) < after < wad(1.8)


@FEW
@given(readings=long_vaults(), target=st.floats(1.2, 1.9))
def test_same_values_give_the_same_plan(readings: Readings, target: float) -> None:
    """K-07."""
    wanted = towards(target, Lane.PROTECTIVE)
    assert plan_for(readings, wanted)[1] == plan_for(readings, wanted)[1]


@st.composite
def mixed_vaults(draw: st.DrawFn) -> Readings:
    """Both tokens supplied, owed and idle, in any proportion; the pool up to 1.5 % beside the oracle."""
    base_part = draw(st.sampled_from([0.0, 0.2, 0.5, 0.8, 1.0]))
    owed_in_base = draw(st.sampled_from([0.0, 0.001, 0.3, 0.6, 1.0]))
    weighted = 3_000_000 * (base_part * 0.83 + (1 - base_part) * 0.80)
    debt = weighted / draw(st.floats(1.01, 1.3))
    return make_readings(
        spot=2_000 * draw(st.floats(0.985, 1.015)),
        idle_asset=draw(st.sampled_from([0.0, 0.0, 20_000.0])),
        idle_base=draw(st.sampled_from([0.0, 0.0, 5.0])),
        supplied_asset=3_000_000 * (1 - base_part),
        supplied_base=1_500 * base_part,
        debt_asset=debt * (1 - owed_in_base),
        debt_base=debt * owed_in_base / 2_000,
        limits=make_limits(max_loss_bps=500, max_swap_loss_bps=300),
        loss_budget_left=1_000_000,
        paused=draw(st.booleans()),
        winding_down=draw(st.booleans()),
    )


def as_the_pool_gives(plan: Plan, readings: Readings) -> Plan:
    """The same moves, each swap asking for what the pool's formula gives."""
    ledger, pool = Ledger.of(readings), readings.pool
    moves: list[Move] = []
    for move in plan.moves:
        given_ = move
        if move.kind is MoveKind.SWAP:
            sells_base = move.token == ledger.base.token
            out, pool = simulate(pool, sells_base, ledger.amount_of(move))
            given_ = replace(move, limit=Raw(out))
        ledger = ledger.apply(given_, given_.limit)
        moves.append(given_)
    return replace(plan, moves=tuple(moves))


@FEW
@given(readings=mixed_vaults(), target=st.floats(1.31, 1.8))
def test_a_protective_plan_only_reduces_whatever_its_swaps_give(
    readings: Readings, target: float
) -> None:
    """V-08: it passes a pause, a cooldown and the day after a rescue."""
    market = make_market(readings)
    risk = assess(market)
    wanted = Target(Lane.PROTECTIVE, wad(target), None, "too low")
    plan = make_plan(market, risk, wanted, planning_policy())
    least = readings.limits.min_health_wad
    for outcome in (plan, as_the_pool_gives(plan, readings)):
        assert grown_risks(rehearse(outcome, market), least) == ()
    assert check(plan, market, guard_policy()).passed


@FEW
@given(
    readings=long_vaults(),
    target=st.floats(1.3, 1.9),
    volatility=st.sampled_from([None, 0.2, 0.8, 3.0]),
    risk=st.sampled_from([0.0, 1e-6, 1e-3, 0.01]),
    horizon_s=st.sampled_from([60, 3_600, 86_400]),
)
def test_a_protective_plan_is_whole_or_leaves_a_health_that_may_wait(
    readings: Readings, target: float, volatility: float | None, risk: float, horizon_s: int
) -> None:
    """Under a limit of the mandate, without a forecast and unless asked for, nothing of it is left for later."""
    market = replace(make_market(readings), outlook=Outlook(volatility=volatility))
    whole_policy = planning_policy(asset_decimals=readings.asset.decimals)
    policy = replace(
        whole_policy,
        slice_impact_bps=1,
        slice_horizon_s=horizon_s,
        protective_slice_risk=risk,
    )
    wanted = towards(target, Lane.PROTECTIVE)
    report = assess(market)
    whole = make_plan(market, report, wanted, whole_policy)
    plan = make_plan(market, report, wanted, policy)
    if plan.moves == whole.moves:
        return
    event("sliced")
    health = walk(plan, readings, worst=True).end.health_wad()
    emergency = readings.mandate.terms.emergency
    limit = max(
        readings.limits.min_health_wad,
        emergency.emergency_health_wad,
        emergency.critical_health_wad,
    )
    assert readings.account.health_wad >= limit
    assert volatility is not None
    spread = volatility * sqrt(horizon_s / (365 * 86_400))
    assert erfc(log(health / limit) / spread / sqrt(2)) <= risk * (1 + 1e-6)
    assert plan.expected_loss <= whole.expected_loss
    assert check(plan, market, guard_policy()).passed


def test_protection_is_sliced_when_that_is_safe_and_asked_for() -> None:
    """The property above is not empty."""
    readings = make_readings(depth=100_000_000, loss_budget_left=10**6)
    market = replace(make_market(readings), outlook=Outlook(volatility=0.5))
    policy = replace(planning_policy(), slice_impact_bps=10, protective_slice_risk=0.001)
    report, wanted = assess(market), towards(1.6, Lane.PROTECTIVE)
    whole = make_plan(market, report, wanted, replace(policy, protective_slice_risk=0.0))
    plan = make_plan(market, report, wanted, policy)
    assert plan.expected_health_wad < whole.expected_health_wad
    assert plan.expected_loss * 2 < whole.expected_loss


@FEW
@given(
    told=st.sampled_from([1e-12, 1e3, 1e6, 1e200, inf, nan, -1.0]),
    high=st.sampled_from([None, 1e6, 1e308, inf, nan]),
    risk=st.sampled_from([1e-3, 1e-17, 1e-300]),
    lane=st.sampled_from(list(Lane)),
)
def test_no_forecast_ends_a_plan(told: float, high: float | None, risk: float, lane: Lane) -> None:
    """Whatever number stands in the outlook there is a plan, and protection is never a smaller part for it."""
    readings = make_readings(depth=100_000_000, loss_budget_left=10**6)
    outlook = Outlook(volatility=told, volatility_high=high)
    market = replace(make_market(readings), outlook=outlook)
    whole_policy = planning_policy()
    policy = replace(whole_policy, slice_impact_bps=1, protective_slice_risk=risk)
    report = assess(market)
    if lane is Lane.ROUTINE:
        wanted = replace(towards(1.6, lane), health_wad=None, net_delta=Raw(10**18))
        assert make_plan(market, report, wanted, policy).reason
        return
    plan = make_plan(market, report, towards(1.6, lane), policy)
    if not told <= 10.0 or not (high or 0.0) <= 10.0:
        whole = make_plan(market, report, towards(1.6, lane), whole_policy)
        assert plan.moves == whole.moves


@FEW
@given(
    readings=hedged_vaults(),
    delta=st.one_of(st.none(), st.floats(-60, 120)),
    amounts=st.tuples(*[st.sampled_from([0.0, 0.05, 0.3, 1.0])] * 4),
    aversion=st.sampled_from([0.0, 3.0]),
    impact_bps=st.sampled_from([1, 10_000]),
)
def test_exposure_and_supplies_in_one_plan_keep_health_on_the_way_and_pass_the_guard(
    readings: Readings,
    delta: float | None,
    amounts: tuple[float, float, float, float],
    aversion: float,
    impact_bps: int,
) -> None:
    """V-05 between moves too, whatever is wanted at once, with bands and slices or without."""
    asset, base = 10**readings.asset.decimals, 10**readings.base.decimals
    supplies = (
        SupplyTarget(
            "lending",
            readings.asset.address,
            Raw(round(amounts[0] * 10**6 * asset)),
            Raw(round(amounts[1] * 5 * 10**5 * asset)),
        ),
        SupplyTarget(
            "lending",
            readings.base.address,
            Raw(round(amounts[2] * 300 * base)),
            Raw(round(amounts[3] * 100 * base)),
        ),
    )
    wanted = None if delta is None else Raw(round(delta * base))
    target = Target(Lane.ROUTINE, None, wanted, "wanted", supplies=supplies)
    policy = planning_policy(asset_decimals=readings.asset.decimals)
    policy = replace(policy, risk_aversion=aversion, slice_impact_bps=impact_bps)
    market = replace(make_market(readings), outlook=Outlook(volatility=0.6))
    plan = make_plan(market, assess(market), target, policy)
    assume(not plan.empty)
    states = walk(plan, readings, worst=True).states
    least = min(readings.limits.min_health_wad, states[0].health_wad())
    assert min(state.health_wad() for state in states) >= least
    assert check(plan, market, guard_policy()).refusals == ()
    value = [state.gross_scaled() - state.owed_scaled() for state in states]
    assert value[-1] <= value[0]
    kept = [m.kind for m in plan.moves].count(MoveKind.SWAP)
    assert kept or value[-1] == value[0]
