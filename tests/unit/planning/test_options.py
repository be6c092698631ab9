"""What is wanted of written options becomes moves inside the mandate, one way at a time."""

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from keeper.guard import check
from keeper.model.decision import Lane, MoveKind, OptionTarget, Plan
from keeper.model.desk import VolatilityFault
from keeper.model.market import MarketState
from keeper.model.option_marks import mark_of
from keeper.model.outlook import Outlook, Smile
from keeper.model.policy import PlanningPolicy
from keeper.model.series import Series
from keeper.model.units import BPS, WAD, Wad
from keeper.planning import make_plan
from keeper.risk import assess
from tests.builders import ASSET, BASE, NOW, dollars, guard_policy
from tests.desk_builders import (
    DESK,
    ETHER,
    auction,
    desk_market,
    option_policy,
    position,
    series,
    target,
    volatility,
    wanted,
)

CALL, PUT = series(2_200), series(1_800, is_call=False)
WRITE, CANCEL, BUY_BACK = MoveKind.WRITE, MoveKind.CANCEL, MoveKind.BUY_BACK


def plan_for(
    market: MarketState, *options: OptionTarget, policy: PlanningPolicy | None = None
) -> Plan:
    return make_plan(market, assess(market), target(*options), policy or option_policy())


def kinds(plan: Plan) -> list[MoveKind]:
    return [move.kind for move in plan.moves]


# ------------------------------------------------------------------ writing


def test_a_missing_call_is_written_against_idle_base() -> None:
    market = desk_market(known=(CALL,))
    plan = plan_for(market, wanted(CALL, 10 * ETHER))
    (move,) = plan.moves
    assert (move.kind, move.adapter, move.token) == (WRITE, DESK, BASE)
    assert (move.amount, move.target) == (10 * ETHER, int(CALL.id))
    assert plan.series == (CALL,)
    assert check(plan, market, guard_policy()).passed


def test_a_put_is_secured_by_the_asset_and_a_spread_by_its_width() -> None:
    spread = series(1_800, is_call=False, second=1_500)
    market = desk_market(known=(PUT, spread), idle_asset=30_000)
    plan = plan_for(market, wanted(PUT, 10 * ETHER), wanted(spread, 50 * ETHER))
    assert [(m.token, m.amount) for m in plan.moves] == [(ASSET, 10 * ETHER), (ASSET, 40 * ETHER)]
    assert check(plan, market, guard_policy()).passed  # 18,000 and 40 x 300: all there is


def test_collateral_that_is_missing_is_withdrawn_where_it_is_lent() -> None:
    market = desk_market(known=(CALL,), idle_base=4, supplied_base=50)
    plan = plan_for(market, wanted(CALL, 10 * ETHER))
    assert [(m.kind, m.amount) for m in plan.moves] == [
        (MoveKind.WITHDRAW, 6 * ETHER),
        (WRITE, 10 * ETHER),
    ]
    assert check(plan, market, guard_policy()).passed


def test_collateral_that_secures_a_debt_stays() -> None:
    market = desk_market(
        known=(CALL,), idle_asset=0, idle_base=4, supplied_base=50, debt_asset=78_000
    )
    plan = plan_for(market, wanted(CALL, 10 * ETHER))
    assert kinds(plan)[-1] is WRITE
    assert 4 * ETHER <= plan.moves[-1].amount < 10 * ETHER
    assert check(plan, market, guard_policy()).passed


def test_a_sale_starts_over_the_mark_at_a_worse_price_and_volatility() -> None:
    market = desk_market(known=(CALL,))
    worse = mark_of(volatility(), CALL, 2_019 * WAD, NOW, more=0.019)
    assert worse is not None
    (move,) = plan_for(market, wanted(CALL, ETHER)).moves
    assert move.limit > worse.value * WAD * 1.15
    assert move.limit % 10**11 == 0


def test_a_market_that_pays_more_raises_the_start() -> None:
    smile = Smile(CALL.expiry, 2_000.0, ((-0.5, 1.2), (0.5, 1.2)))
    market = desk_market(known=(CALL,))
    rich = replace(market, outlook=Outlook(smiles=(smile,)))
    poor = plan_for(market, wanted(CALL, ETHER)).moves[0].limit
    assert plan_for(rich, wanted(CALL, ETHER)).moves[0].limit > poor * 3 // 2


@pytest.mark.parametrize(
    ("changes", "terms", "why"),
    [
        ({}, series(2_200, days=31), "at most"),
        ({}, series(2_200, days=0.045), "too soon"),
        ({}, series(4_000), "delta"),
        ({"max_series": 0}, CALL, "0 series are open"),
        ({"max_option_bps": 0}, CALL, "no room"),
        ({"max_notional_bps": 0}, CALL, "no room"),
        ({"max_vega_bps": 0}, CALL, "no room"),
        ({"idle_base": 0}, CALL, "no room"),
        ({"surface": volatility(fault=VolatilityFault.EXPIRED)}, CALL, "unusable"),
        ({"last_routine_at": NOW - 10, "cooldown_s": 60}, CALL, "cooldown"),
    ],
)
def test_what_the_mandate_would_refuse_is_not_written(
    changes: dict[str, int], terms: Series, why: str
) -> None:
    market = desk_market(known=(terms,), **changes)  # type: ignore[arg-type]
    plan = plan_for(market, wanted(terms, 10 * ETHER))
    assert plan.empty
    assert why in plan.reason


def test_a_series_waits_until_it_is_known_to_exist() -> None:
    unseen = plan_for(desk_market(), wanted(CALL, ETHER))
    absent = plan_for(desk_market(unknown=(CALL,)), wanted(CALL, ETHER))
    assert unseen.empty
    assert "not looked up" in unseen.reason
    assert absent.empty
    assert "does not exist yet" in absent.reason


def test_options_wait_for_a_price_and_for_protection() -> None:
    market = desk_market(known=(CALL,))
    stale = replace(market, faults=("stale",))
    assert plan_for(stale, wanted(CALL, ETHER)).empty
    urgent = replace(target(wanted(CALL, ETHER)), lane=Lane.PROTECTIVE)
    assert make_plan(market, assess(market), urgent, option_policy()).empty


# ------------------------------------------------------------------ leaving


def test_unsold_options_that_are_not_wanted_are_cancelled() -> None:
    market = desk_market(position(CALL, sold=0, unsold=ETHER), auctions=(auction(CALL),))
    plan = plan_for(market)
    assert [(m.kind, m.target) for m in plan.moves] == [(CANCEL, 1)]
    assert check(plan, market, guard_policy()).passed


def test_cancelling_passes_during_the_cooldown() -> None:
    market = desk_market(
        position(CALL, sold=0, unsold=ETHER),
        auctions=(auction(CALL),),
        last_routine_at=NOW - 10,
        cooldown_s=60,
    )
    plan = plan_for(market)
    assert kinds(plan) == [CANCEL]
    assert check(plan, market, guard_policy()).passed


def test_sold_options_that_are_not_wanted_are_bought_back_near_their_mark() -> None:
    held = position(CALL, sold=10 * ETHER)
    market = desk_market(held)
    (move,) = plan_for(market).moves
    mid = held.mark_mid * 10**12 // 10
    assert (move.kind, move.token, move.amount) == (BUY_BACK, ASSET, 10 * ETHER)
    assert mid < move.limit <= mid * 103 // 100
    assert check(plan_for(market), market, guard_policy()).passed


def test_a_sale_is_cancelled_before_its_series_is_bought_back() -> None:
    market = desk_market(
        position(CALL, sold=ETHER, unsold=2 * ETHER), auctions=(auction(CALL, left=2 * ETHER),)
    )
    plan = plan_for(market)
    assert kinds(plan) == [CANCEL, BUY_BACK]
    assert check(plan, market, guard_policy()).passed


def test_a_purchase_that_is_not_wanted_any_more_is_cancelled_and_nothing_is_written_meanwhile() -> (
    None
):
    purchase = auction(CALL, sells=False, cash=1_000 * 10**6)
    market = desk_market(position(CALL, sold=2 * ETHER), auctions=(purchase,))
    plan = plan_for(market, wanted(CALL, 5 * ETHER))
    assert kinds(plan) == [CANCEL]
    assert "bought back" in plan.reason
    assert check(plan, market, guard_policy()).passed


def test_the_loss_a_purchase_may_make_fits_the_loss_budget() -> None:
    held = position(CALL, sold=80 * ETHER)
    market = desk_market(held, loss_budget_left=20)
    (move,) = plan_for(market).moves
    mid = held.mark_mid * 10**12 // 80
    assert move.amount * (move.limit - mid) <= 20 * 10**6 * 10**30
    assert plan_for(market).max_loss <= dollars(20)


@pytest.mark.parametrize(
    ("held", "options"),
    [
        (position(CALL, sold=ETHER), (wanted(CALL, ETHER),)),
        (position(CALL, sold=ETHER, unsold=ETHER), (wanted(CALL, 2 * ETHER),)),
        (position(CALL, sold=100 * ETHER), (wanted(CALL, 104 * ETHER),)),
        (position(CALL, sold=0, unsold=0, awaiting=True), ()),
    ],
)
def test_a_reached_target_plans_nothing(held: object, options: tuple[OptionTarget, ...]) -> None:
    """The third is off by less than a change is worth; the last is expired, and collected as due work."""
    market = desk_market(held, auctions=(auction(CALL),))  # type: ignore[arg-type]
    plan = plan_for(market, *options)
    assert plan.empty
    assert "as wanted" in plan.reason


def test_an_auction_that_is_over_is_cleared_before_more_is_sold() -> None:
    market = desk_market(
        position(CALL, sold=ETHER, unsold=ETHER), auctions=(auction(CALL, ends_in_s=-1),)
    )
    plan = plan_for(market, wanted(CALL, 20 * ETHER))
    assert plan.empty
    assert "over comes first" in plan.reason


# ------------------------------------------------------------------ when


def test_a_sale_starts_at_an_instant_that_vault_epoch_and_series_hide() -> None:
    policy = option_policy(start_window_s=3_600)

    def starts(market: MarketState) -> list[bool]:
        found = []
        for second in range(0, 3_600, 60):
            now = NOW - NOW % 3_600 + second
            readings = replace(market.readings, block=replace(market.readings.block, timestamp=now))
            plan = plan_for(replace(market, readings=readings), wanted(CALL, ETHER), policy=policy)
            found.append(not plan.empty)
        return found

    market = desk_market(known=(CALL,))
    first = starts(market)
    assert first == starts(market)
    assert first == sorted(first)  # from one instant on, to the end of the hour
    others = [
        replace(market.readings, depositors=replace(market.readings.depositors, epoch=epoch))
        for epoch in range(8)
    ]
    assert len({sum(starts(replace(market, readings=r))) for r in others}) > 4


# ------------------------------------------------------------------ everything


TERMS = st.builds(
    series,
    st.integers(1_500, 2_600),
    days=st.floats(0.1, 29),
    is_call=st.booleans(),
)
SPREADS = st.builds(lambda s: series(s, is_call=False, second=s - 200), st.integers(1_700, 2_100))
SIZES = st.integers(0, 150 * ETHER)


@st.composite
def markets(draw: st.DrawFn) -> tuple[MarketState, tuple[OptionTarget, ...]]:
    terms = draw(st.lists(TERMS | SPREADS, min_size=1, max_size=4, unique_by=lambda s: s.id))
    positions, auctions, known = [], [], []
    for number, one in enumerate(terms):
        kind = draw(st.sampled_from(["held", "selling", "buying", "new", "unknown"]))
        known += [one] * (kind == "new")
        if kind in ("new", "unknown"):
            continue
        sold = draw(st.integers(10**15, 30 * ETHER))
        unsold = draw(st.integers(10**15, 30 * ETHER)) if kind == "selling" else 0
        positions.append(position(one, sold=sold, unsold=unsold))
        ends = draw(st.integers(-600, 3_000))
        if kind == "selling":
            auctions.append(auction(one, left=unsold, number=number + 1, ends_in_s=ends))
        if kind == "buying":
            left = draw(st.integers(1, sold))
            auctions.append(
                auction(one, sells=False, left=left, cash=10**9, number=number + 1, ends_in_s=ends)
            )
    market = desk_market(
        *positions,
        auctions=tuple(auctions),
        known=tuple(known),
        idle_asset=draw(st.floats(0, 500_000)),
        idle_base=draw(st.floats(0, 200)),
        supplied_base=draw(st.floats(0, 100)),
        max_option_bps=draw(st.integers(0, 10_000)),
        max_notional_bps=draw(st.integers(0, 15_000)),
        max_vega_bps=draw(st.integers(0, 10_000)),
        max_series=draw(st.integers(0, 6)),
        loss_budget_left=draw(st.floats(0, 10_000)),
    )
    assert market.readings.measure is not None
    assume(market.readings.measure.nav > 0)
    options = tuple(wanted(one, draw(SIZES)) for one in terms if draw(st.booleans()))
    return market, tuple(o for o in options if o.quantity)


@settings(max_examples=150, deadline=None)
@given(markets())
def test_no_plan_is_outside_the_mandate_or_goes_both_ways(
    case: tuple[MarketState, tuple[OptionTarget, ...]],
) -> None:
    market, options = case
    plan = plan_for(market, *options)
    assert check(plan, market, guard_policy()).refusals == ()
    assert plan == plan_for(market, *options)
    order = [m.kind for m in plan.moves if m.kind is not MoveKind.WITHDRAW]
    assert order == sorted(order, key=lambda kind: kind is WRITE)  # exits before entries
    bought = {m.target for m in plan.moves if m.kind is BUY_BACK}
    assert not bought & {m.target for m in plan.moves if m.kind is WRITE}


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 10**6), st.integers(0, 10**24), st.booleans(), st.integers(0, 10**6))
def test_collateral_is_rounded_up_and_what_it_covers_down(
    strike: int, amount: int, is_call: bool, second: int
) -> None:
    second = strike + second if is_call and second else min(second, strike - 1) * (not is_call)
    terms = replace(series(strike, is_call=is_call), second_strike_wad=Wad(second * WAD))
    assume(terms.well_formed)
    held = terms.collateral_up(amount, 18, 6)
    assert terms.covered_down(held, 18, 6) >= amount
    covered = terms.covered_down(amount, 18, 6)
    assert terms.collateral_up(covered, 18, 6) <= amount


def test_the_margins_under_the_limits_are_kept() -> None:
    market = desk_market(known=(CALL,), max_notional_bps=1_000)
    (move,) = plan_for(market, wanted(CALL, 90 * ETHER)).moves
    nav = market.readings.nav
    notional = move.amount * 2_000 * 10**6 // ETHER
    assert nav * 994 // 10_000 < notional <= nav * 995 // BPS
