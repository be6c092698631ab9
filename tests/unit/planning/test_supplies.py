"""Supplies at the vault's own venue become moves: what raises health first, never under the limit, nothing swapped."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from keeper.guard import check
from keeper.model.decision import Lane, MoveKind, Plan, SupplyTarget, Target
from keeper.model.ledger import Ledger
from keeper.model.market import MarketState, Readings
from keeper.model.outlook import LendingRate, Outlook
from keeper.model.policy import PlanningPolicy
from keeper.model.units import BPS, MAX_UINT256, Raw
from keeper.planning import make_plan
from keeper.risk import assess
from tests.builders import (
    ASSET,
    BASE,
    LENDING,
    dollars,
    ether,
    guard_policy,
    make_caps,
    make_limits,
    make_market,
    make_readings,
    planning_policy,
    settled,
    wad,
)

W, S, R, B = MoveKind.WITHDRAW, MoveKind.SUPPLY, MoveKind.REPAY, MoveKind.BORROW
FEW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def lend(token: str, amount: Raw, owed: Raw | None = None, venue: str = "lending") -> SupplyTarget:
    return SupplyTarget(venue, token, amount, owed)


def of(*supplies: SupplyTarget, health: float | None = None) -> Target:
    least = None if health is None else wad(health)
    return Target(Lane.ROUTINE, least, None, "lend", supplies=supplies)


def plan_for(
    readings: Readings, target: Target, policy: PlanningPolicy | None = None, **seen: object
) -> Plan:
    market: MarketState = replace(make_market(readings), outlook=Outlook(**seen))  # type: ignore[arg-type]
    return make_plan(market, assess(market), target, policy or planning_policy())


def unlevered(**holdings: float) -> Readings:
    return make_readings(**{"supplied_base": 0, "debt_asset": 0, **holdings})  # type: ignore[arg-type]


def kinds(plan: Plan) -> list[MoveKind]:
    return [move.kind for move in plan.moves]


def test_what_is_missing_is_supplied_from_idle_by_any_name_of_the_own_venue() -> None:
    readings = unlevered(idle_asset=1_000)
    for venue in ("lending", LENDING, readings.vault):
        (move,) = plan_for(readings, of(lend(ASSET, dollars(400), venue=venue))).moves
        assert (move.kind, move.adapter, move.token) == (S, LENDING, ASSET)
        assert move.amount == dollars(400)
    assert plan_for(readings, of(lend(ASSET, dollars(400), venue="morpho"))).empty


def test_what_is_wanted_twice_of_a_token_is_added_up() -> None:
    target = of(lend(ASSET, dollars(400)), lend(ASSET, dollars(300)))
    (move,) = plan_for(unlevered(idle_asset=1_000), target).moves
    assert move.amount == dollars(700)


def test_what_several_parts_want_owed_is_added_up_and_who_does_not_say_adds_nothing() -> None:
    readings = make_readings(idle_asset=500_000)
    parts = (
        lend(ASSET, Raw(0), dollars(1_100_000)),
        lend(ASSET, Raw(0), dollars(700_000)),
        lend(ASSET, Raw(0)),
    )
    supplied = lend(BASE, Raw(readings.base_position.supplied))
    for order in (parts, parts[::-1]):
        (move,) = plan_for(readings, of(*order, supplied)).moves
        assert (move.kind, move.amount) == (R, dollars(200_000))


def test_a_debt_that_is_not_named_is_left_and_one_that_is_goes_before_supplies() -> None:
    readings = make_readings(idle_asset=500_000)
    supplied = Raw(readings.base_position.supplied)
    assert plan_for(readings, of(lend(BASE, supplied))).empty
    plan = plan_for(
        readings, of(lend(ASSET, dollars(100_000), dollars(1_800_000)), lend(BASE, supplied))
    )
    assert kinds(plan) == [R, S]
    assert [move.amount for move in plan.moves] == [dollars(200_000), dollars(100_000)]


def test_a_change_inside_the_band_or_too_small_is_left() -> None:
    readings = unlevered(idle_asset=50_000, supplied_asset=100_000)
    for amount, moves in ((109_000, 0), (91_000, 0), (111_000, 1), (89_000, 1)):
        assert len(plan_for(readings, of(lend(ASSET, dollars(amount)))).moves) == moves
    dear = planning_policy(min_trade=20_000)
    assert plan_for(readings, of(lend(ASSET, dollars(111_000))), dear).empty


def test_the_reserve_stays_idle() -> None:
    policy = planning_policy(idle_reserve=900)
    (move,) = plan_for(unlevered(idle_asset=1_500), of(lend(ASSET, dollars(5_000))), policy).moves
    assert move.amount == dollars(600)


def test_the_reserve_is_of_the_asset_and_holds_no_base_back() -> None:
    policy = planning_policy(idle_reserve=900)
    (move,) = plan_for(unlevered(idle_base=3), of(lend(BASE, ether(5))), policy).moves
    assert (move.kind, move.amount) == (S, ether(3))


def test_what_is_lent_already_stays_where_the_venue_takes_no_more() -> None:
    full = LendingRate("lending", ASSET, 0.03, 0.05, 0.77, 0.8, dollars(10**8), Raw(0))
    readings = unlevered(idle_asset=5_000, supplied_asset=20_000)
    target = of(lend(ASSET, dollars(50_000)))
    assert plan_for(readings, target, lending=(full,)).empty
    roomy = replace(full, cap=dollars(3_000))
    (move,) = plan_for(readings, target, lending=(roomy,)).moves
    assert (move.kind, move.amount) == (S, dollars(3_000))


def test_a_cap_of_one_token_bounds_no_other() -> None:
    full = LendingRate("lending", BASE, 0.03, 0.05, 0.77, 0.8, dollars(10**8), Raw(0))
    (move,) = plan_for(
        unlevered(idle_asset=5_000), of(lend(ASSET, dollars(4_000))), lending=(full,)
    ).moves
    assert (move.kind, move.amount) == (S, dollars(4_000))


def test_a_frozen_reserve_is_given_nothing_and_gives_back_what_is_there() -> None:
    readings = make_readings(
        supplied_base=0, debt_asset=0, idle_asset=5_000, supplied_asset=5_000, frozen=True
    )
    assert plan_for(readings, of(lend(ASSET, dollars(8_000)))).empty
    (move,) = plan_for(readings, of(lend(ASSET, dollars(1_000)))).moves
    assert (move.kind, move.amount) == (W, dollars(4_000))


def test_supplies_wait_outside_the_delta_band_unless_the_same_plan_mends_it() -> None:
    caps = make_caps(delta_band_bps=2_000)
    readings = make_readings(
        supplied_base=0, debt_asset=0, idle_asset=500_000, idle_base=200, caps=caps
    )
    target = of(lend(ASSET, dollars(100_000)))
    waiting = plan_for(readings, target)
    assert waiting.empty
    assert "net delta" in waiting.reason
    inside = replace(target, net_delta=ether(50))
    assert kinds(plan_for(readings, inside)) == [MoveKind.SWAP, S]


def test_a_collateral_that_secures_a_debt_leaves_as_a_stated_amount() -> None:
    """Interest until then stays: "all" would take more than health was counted with."""
    readings = make_readings(supplied_asset=1_000, debt_asset=0, debt_base=1)
    target = of(lend(ASSET, Raw(0)), lend(BASE, Raw(readings.base_position.supplied)))
    (move,) = plan_for(readings, target).moves
    assert move.kind is W
    assert dollars(999.99) <= move.amount <= dollars(1_000)


def test_a_supply_whose_lower_threshold_would_lower_health_under_its_limit_is_not_made() -> None:
    """The venue rounds the average threshold down to a bp, of all collateral: 300 dollars cost 249 dollars' worth."""
    readings = make_readings(
        idle_asset=300, debt_asset=2_075_000, limits=make_limits(min_health=1.2)
    )
    ledger = Ledger.of(readings)
    assert ledger.health_wad() <= readings.limits.min_health_wad
    target = of(lend(ASSET, dollars(300)))
    supplied = lend(BASE, Raw(readings.base_position.supplied))
    assert plan_for(readings, of(lend(ASSET, dollars(300)), supplied)).empty
    healthy = make_readings(idle_asset=300, debt_asset=1_000_000)
    assert kinds(plan_for(healthy, target)) == [S]


def test_all_of_it_is_taken_with_the_interest_until_then() -> None:
    readings = unlevered(supplied_asset=1_000)
    (move,) = plan_for(readings, of(lend(ASSET, Raw(0)))).moves
    assert (move.kind, move.amount) == (W, MAX_UINT256)
    owing = make_readings(idle_asset=2_100_000)
    (move,) = plan_for(owing, of(lend(ASSET, Raw(0), Raw(0)))).moves
    assert (move.kind, move.amount) == (R, MAX_UINT256)


def test_the_venues_cap_and_the_mandates_share_bound_what_is_supplied() -> None:
    rate = LendingRate("lending", ASSET, 0.03, 0.05, 0.77, 0.8, dollars(10**8), dollars(2_000))
    readings = unlevered(idle_asset=100_000)
    (move,) = plan_for(readings, of(lend(ASSET, dollars(50_000))), lending=(rate,)).moves
    assert move.amount == dollars(2_000)
    readings = make_readings(
        supplied_base=0, debt_asset=0, idle_asset=100_000, caps=make_caps(max_venue_bps=3_000)
    )
    plan = plan_for(readings, of(lend(ASSET, dollars(50_000))))
    assert plan.moves[0].amount == dollars(30_000)
    assert "20000000000 asset units of supplies and loans are left" in plan.reason


def test_a_loan_stops_at_health_and_at_the_mandates_ratio() -> None:
    readings = make_readings(debt_asset=0, limits=make_limits(min_health=1.5))
    target = of(lend(BASE, ether(1_500)), lend(ASSET, Raw(0), dollars(2_200_000)))
    (move,) = plan_for(readings, target).moves
    assert move.kind is B
    assert move.amount == pytest.approx(dollars(3_000_000 * 0.83 / 1.5), rel=1e-3)
    tight = make_readings(debt_asset=0, limits=make_limits(max_borrow_bps=2_000))
    plan = plan_for(tight, target)
    # 20 % of 3,000,000 and of what is borrowed itself: 0.2 x 3,750,000
    assert dollars(749_900) <= plan.moves[0].amount <= dollars(750_000)
    assert check(plan, make_market(tight), guard_policy()).passed


def test_nothing_is_lent_by_a_vault_that_is_paused_or_has_no_price() -> None:
    readings = unlevered(idle_asset=1_000)
    target = of(lend(ASSET, dollars(400)))
    assert plan_for(replace_paused(readings), target).empty
    market = make_market(readings, faults=("stale",))
    assert make_plan(market, assess(market), target, planning_policy()).empty


def replace_paused(readings: Readings) -> Readings:
    return replace(readings, mandate=replace(readings.mandate, paused=True))


# ------------------------------------------------------------------ whatever is wanted


@st.composite
def vaults(draw: st.DrawFn) -> Readings:
    """Both tokens idle, supplied and owed in any proportion, from healthy to nearly liquidated."""
    supplied_asset, supplied_base = draw(st.sampled_from(((10**6, 0), (0, 500), (3 * 10**5, 400))))
    weighted = supplied_asset * 0.8 + supplied_base * 2_000 * 0.83
    debt = draw(st.sampled_from((0.0, 0.2, 0.5, 0.8, 0.92))) * weighted
    in_base = draw(st.sampled_from((0.0, 0.4, 1.0)))
    asset_decimals, base_decimals = draw(st.sampled_from(((6, 18), (18, 18), (6, 8))))
    return make_readings(
        idle_asset=draw(st.floats(0, 400_000)),
        idle_base=draw(st.floats(0, 150)),
        supplied_asset=supplied_asset,
        supplied_base=supplied_base,
        debt_asset=debt * (1 - in_base),
        debt_base=debt * in_base / 2_000,
        available=draw(st.sampled_from((10**8, 200_000))),
        limits=make_limits(
            min_health=draw(st.floats(1.02, 1.3)),
            max_borrow_bps=draw(st.sampled_from((3_000, 9_000))),
        ),
        caps=make_caps(max_venue_bps=draw(st.sampled_from((6_000, 10_000)))),
        asset_decimals=asset_decimals,
        base_decimals=base_decimals,
    )


def wanted(readings: Readings, parts: tuple[float, ...], health: float | None) -> Target:
    """Amounts as parts of a million dollars' worth of each token."""
    asset, base = readings.asset.decimals, readings.base.decimals
    return of(
        lend(ASSET, dollars(parts[0] * 10**6, asset), dollars(parts[1] * 10**6, asset)),
        lend(BASE, ether(parts[2] * 500, base), ether(parts[3] * 500, base)),
        health=health,
    )


PARTS = st.tuples(*[st.sampled_from((0.0, 0.1, 0.4, 1.0, 2.0))] * 4)


@FEW
@given(readings=vaults(), parts=PARTS, health=st.sampled_from((None, 1.2, 1.6)))
def test_no_step_lowers_health_under_its_limit_and_the_guard_accepts_the_plan(
    readings: Readings, parts: tuple[float, ...], health: float | None
) -> None:
    """V-05 in between as well; what is of each token stays; gaps only shrink; nothing is swapped."""
    target = wanted(readings, parts, None)
    if health is not None:
        target = replace(target, health_wad=wad(health))
        assume(
            Ledger.of(readings).health_wad() >= wad(health)
        )  # else health's own moves come first
    policy = planning_policy(asset_decimals=readings.asset.decimals)
    market = make_market(readings)
    plan = make_plan(market, assess(market), replace(target, health_wad=None), policy)
    assume(not plan.empty)
    assert MoveKind.SWAP not in kinds(plan)
    ledger = Ledger.of(readings)
    for move in plan.moves:
        after = ledger.apply(move)
        floor = min(readings.limits.min_health_wad, ledger.health_wad())
        assert after.health_wad() >= floor
        for token in (ASSET, BASE):
            assert after.holding(token).net == ledger.holding(token).net
            assert gap(after, target, token) <= gap(ledger, target, token)
        ledger = after
    assert check(plan, market, guard_policy()).refusals == ()
    assert plan.expected_health_wad == ledger.health_wad()


def gap(ledger: Ledger, target: Target, token: str) -> int:
    (one,) = (s for s in target.supplies or () if s.token == token)
    holding = ledger.holding(token)
    return abs(one.amount - holding.supplied) + abs((one.owed or 0) - holding.debt)


@FEW
@given(readings=vaults(), parts=PARTS)
def test_a_plan_after_a_plan_undoes_nothing(readings: Readings, parts: tuple[float, ...]) -> None:
    policy = planning_policy(asset_decimals=readings.asset.decimals)
    target = wanted(readings, parts, None)
    plan = plan_for(readings, target, policy)
    again = plan_for(as_held(readings, walked(plan, readings)), target, policy)
    opposite = {W: S, S: W, B: R, R: B}
    done = {(opposite[move.kind], move.token) for move in plan.moves}
    assert not done & {(move.kind, move.token) for move in again.moves}


PLACED = st.tuples(st.sampled_from((0.0, 0.1, 0.2, 0.3)), st.sampled_from((0.05, 0.2, 0.3)))
"""What is owed of a token and what of it is idle, as parts of what the vault has of it."""


@FEW
@given(asset=st.tuples(PLACED, PLACED), base=st.tuples(PLACED, PLACED))
def test_any_placement_of_the_same_net_amounts_is_reached_from_any_other_in_one_plan(
    asset: tuple[tuple[float, float], ...], base: tuple[tuple[float, float], ...]
) -> None:
    (idle, supplied, owed), (later, later_owed) = (
        placed(400_000, asset[0]),
        placed(400_000, asset[1])[1:],
    )
    (idle_base, supplied_base, owed_base) = placed(300, base[0])
    (later_base, later_owed_base) = placed(300, base[1])[1:]
    readings = make_readings(
        idle_asset=idle,
        supplied_asset=supplied,
        debt_asset=owed,
        idle_base=idle_base,
        supplied_base=supplied_base,
        debt_base=owed_base,
    )
    target = of(
        lend(ASSET, dollars(later), dollars(later_owed)),
        lend(BASE, ether(later_base), ether(later_owed_base)),
    )
    policy = planning_policy()
    reached = walked(plan_for(readings, target, policy), readings)
    for token in (ASSET, BASE):
        value = reached.value_down(reached.holding(token), gap(reached, target, token))
        assert value <= 2 * policy.min_trade + band(Ledger.of(readings), target, token, policy)


def placed(net: float, how: tuple[float, float]) -> tuple[float, float, float]:
    """Idle, supplied, owed."""
    owed = net * how[0]
    return (net + owed) * how[1], (net + owed) * (1 - how[1]), owed


def band(ledger: Ledger, target: Target, token: str, policy: PlanningPolicy) -> int:
    """What the no-trade band leaves of a token, asset units: both changes, or none."""
    (one,) = (s for s in target.supplies or () if s.token == token)
    holding = ledger.holding(token)
    pairs = ((holding.supplied, one.amount), (holding.debt, one.owed or 0))
    if any(abs(a - b) * BPS >= a * policy.resize_bps and a != b for a, b in pairs):
        return 0
    return ledger.value_up(holding, sum(abs(a - b) for a, b in pairs))


def walked(plan: Plan, readings: Readings) -> Ledger:
    ledger = Ledger.of(readings)
    for move in plan.moves:
        ledger = ledger.apply(move)
    return ledger


def as_held(readings: Readings, ledger: Ledger) -> Readings:
    asset = replace(
        readings.asset_position,
        supplied=Raw(ledger.asset.supplied),
        debt=Raw(ledger.asset.debt),
        available=Raw(ledger.asset.available),
    )
    base = replace(
        readings.base_position,
        supplied=Raw(ledger.base.supplied),
        debt=Raw(ledger.base.debt),
        available=Raw(ledger.base.available),
    )
    moved = replace(
        readings,
        idle_asset=Raw(ledger.asset.idle),
        idle_base=Raw(ledger.base.idle),
        asset_position=asset,
        base_position=base,
    )
    return settled(moved)
