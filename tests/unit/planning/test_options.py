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
from keeper.model.units import BPS, WAD, Raw, Wad
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


def test_purchases_of_one_plan_share_the_loss_budget_and_the_cash_over_the_reserve() -> None:
    others = (CALL, series(2_300))
    held = tuple(position(one, sold=80 * ETHER) for one in others)
    market = desk_market(*held, loss_budget_left=20)
    moves = plan_for(market).moves
    mids = {int(p.series_id): p.mark_mid * 10**12 // 80 for p in held}
    assert sum(m.amount * (m.limit - mids[m.target]) for m in moves) <= 20 * 10**6 * 10**30
    third = [moves[0].amount * 4 // 10] * 3
    near = [series(2_200 - 5 * i) for i in range(3)]
    small = tuple(position(one, sold=size) for one, size in zip(near, third, strict=True))
    lost = {int(p.series_id): p.mark_mid * 10**12 * ETHER // p.sold for p in small}
    moves = plan_for(desk_market(*small, loss_budget_left=20)).moves
    assert len(moves) == 3
    assert sum(m.amount * (m.limit - lost[m.target]) for m in moves) <= 20 * 10**6 * 10**30
    poor = desk_market(*held, idle_asset=1_000)
    moves = plan_for(poor, policy=replace(option_policy(), idle_reserve=dollars(900))).moves
    assert moves
    assert sum(m.amount * m.limit for m in moves) <= 100 * 10**6 * 10**30


def test_a_purchase_never_offers_more_than_the_mandates_premium_over_the_high_mark() -> None:
    held = position(CALL, sold=10 * ETHER)
    (move,) = plan_for(desk_market(held), policy=option_policy(buy_back_over_mark_bps=9_000)).moves
    assert move.limit == (held.mark_high * 10**12 // 10) * 10_500 // BPS


def test_cash_of_a_cancelled_purchase_pays_for_another() -> None:
    other = series(2_300)
    purchase = auction(CALL, sells=False, cash=dollars(4_000))
    market = desk_market(
        position(CALL, sold=ETHER), position(other, sold=ETHER), auctions=(purchase,), idle_asset=0
    )
    plan = plan_for(market, wanted(CALL, ETHER))
    assert [(m.kind, m.target) for m in plan.moves] == [(CANCEL, 1), (BUY_BACK, int(other.id))]
    assert check(plan, market, guard_policy()).passed


def test_collateral_of_a_cancelled_sale_secures_another() -> None:
    other = series(2_300)
    market = desk_market(
        position(CALL, sold=3 * ETHER, unsold=10 * ETHER),
        auctions=(auction(CALL, left=10 * ETHER),),
        known=(other,),
        idle_base=0,
    )
    plan = plan_for(market, wanted(CALL, 3 * ETHER), wanted(other, 90 * ETHER))
    assert [(m.kind, m.amount) for m in plan.moves] == [(CANCEL, 0), (WRITE, 10 * ETHER)]
    assert check(plan, market, guard_policy()).passed


def test_a_purchase_that_asks_for_more_than_is_too_much_is_cancelled() -> None:
    purchase = auction(CALL, sells=False, left=5 * ETHER, cash=dollars(1_000))
    market = desk_market(position(CALL, sold=5 * ETHER), auctions=(purchase,))
    assert kinds(plan_for(market, wanted(CALL, 3 * ETHER))) == [CANCEL]
    fits = replace(purchase, left=Raw(2 * ETHER))
    market = desk_market(position(CALL, sold=5 * ETHER), auctions=(fits,))
    assert plan_for(market, wanted(CALL, 3 * ETHER)).empty


def test_a_purchase_is_only_opened_if_it_has_time_to_run() -> None:
    for seconds, moves in ((60 + 599, []), (60 + 600, [BUY_BACK])):
        late = series(2_000, days=seconds / 86_400)
        plan = plan_for(desk_market(position(late, sold=10 * ETHER)))
        assert kinds(plan) == moves


def test_a_sale_is_only_opened_if_its_start_and_its_auction_end_before_expiry() -> None:
    for duration, moves in ((6_000, [WRITE]), (6_001, [])):
        soon = series(2_000, days=6_060 / 86_400)
        market = desk_market(known=(soon,))
        terms = market.readings.mandate.terms
        slow = replace(terms, options=replace(terms.options, auction_duration_s=duration))
        mandate = replace(market.readings.mandate, terms=slow)
        market = replace(market, readings=replace(market.readings, mandate=mandate))
        assert kinds(plan_for(market, wanted(soon, 50 * ETHER))) == moves


def test_a_plan_leaves_by_eight_auctions_at_most_and_says_that_more_wait() -> None:
    terms = [series(2_000 + 10 * i) for i in range(10)]
    market = desk_market(
        *(position(one, sold=0, unsold=ETHER) for one in terms),
        auctions=tuple(auction(one, number=i + 1) for i, one in enumerate(terms)),
    )
    plan = plan_for(market)
    assert kinds(plan) == [CANCEL] * 8
    buying = desk_market(
        *(position(one, sold=ETHER) for one in terms),
        auctions=tuple(
            auction(one, sells=False, cash=10**6, number=i + 1) for i, one in enumerate(terms)
        ),
        max_series=16,
    )
    more = plan_for(buying, *(wanted(one, 5 * ETHER) for one in terms))
    assert kinds(more) == [CANCEL] * 8  # and nothing is sold of what is still being bought
    assert "more options are left" in plan.reason


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


@pytest.mark.parametrize(
    "limit", [{"max_notional_bps": 1_000}, {"max_vega_bps": 40}, {"max_option_bps": 1_000}]
)
@pytest.mark.parametrize("is_call", [True, False])
def test_series_of_one_plan_share_the_room_under_each_limit(
    limit: dict[str, int], is_call: bool
) -> None:
    """Alone each would take all of it; of half a million in the asset a tenth is used by either."""
    terms = [series(k, is_call=is_call) for k in ((2_200, 2_250) if is_call else (1_750, 1_800))]
    market = desk_market(known=tuple(terms), **limit)  # type: ignore[arg-type]
    (alone,) = plan_for(market, wanted(terms[0], 90 * ETHER)).moves
    assert 0 < alone.amount < 90 * ETHER
    half = (wanted(terms[0], alone.amount // 2), wanted(terms[1], 90 * ETHER))
    first, second = plan_for(market, *half).moves
    assert first.amount == alone.amount // 2
    (whole,) = plan_for(market, wanted(terms[1], 90 * ETHER)).moves
    assert second.amount == pytest.approx(whole.amount / 2, rel=1e-3)
    full = plan_for(market, wanted(terms[0], alone.amount), wanted(terms[1], 90 * ETHER))
    assert len(full.moves) == 1
    assert "no room" in full.reason


def test_nothing_is_written_by_a_vault_that_could_not_be_measured() -> None:
    market = desk_market(known=(CALL,))
    measure = market.readings.measure
    assert measure is not None
    for blind in (None, replace(measure, priced=False), replace(measure, options_known=False)):
        readings = replace(market.readings, measure=blind)
        assert plan_for(replace(market, readings=readings), wanted(CALL, ETHER)).empty


@pytest.mark.parametrize(
    "limit", [{"max_notional_bps": 1_000}, {"max_vega_bps": 40}, {"max_option_bps": 1_000}]
)
def test_what_is_written_already_uses_the_room(limit: dict[str, int]) -> None:
    market = desk_market(known=(CALL,), **limit)  # type: ignore[arg-type]
    (alone,) = plan_for(market, wanted(CALL, 90 * ETHER)).moves
    measure = market.readings.measure
    assert measure is not None
    full = replace(
        measure,
        notional=Raw(measure.nav // 10),
        vega=Raw(measure.nav * 40 // BPS),
        option_collateral=Raw(measure.gross // 10),
    )
    used = replace(market, readings=replace(market.readings, measure=full))
    assert alone.amount > 0
    assert plan_for(used, wanted(CALL, 90 * ETHER)).empty


def test_notional_is_of_nav_and_collateral_of_gross_assets() -> None:
    """A debt of 150,000 on 700,000: NAV is 550,000, and what may be bound is a part of all 700,000."""
    levered = desk_market(known=(CALL,), debt_asset=150_000, idle_asset=450_000, supplied_base=100)
    measure = levered.readings.measure
    assert measure is not None
    assert measure.nav < measure.gross * 9 // 10
    for limit, whole in (("max_notional_bps", measure.nav), ("max_option_bps", measure.gross)):
        market = desk_market(
            known=(CALL,),
            debt_asset=150_000,
            idle_asset=450_000,
            supplied_base=100,
            **{limit: 1_000},  # type: ignore[arg-type]
        )
        (move,) = plan_for(market, wanted(CALL, 90 * ETHER)).moves
        worth = move.amount * 2_000 * 10**6 // ETHER
        assert worth == pytest.approx(whole / 10 * 0.995, rel=1e-4)


def test_no_more_series_are_written_by_one_plan_than_the_policy_says() -> None:
    terms = (CALL, series(2_300), PUT)
    market = desk_market(known=terms)
    options = tuple(wanted(one, 5 * ETHER) for one in terms)
    for most in (1, 2):
        plan = plan_for(market, *options, policy=option_policy(max_writes=most))
        assert kinds(plan) == [WRITE] * most
        assert "left to a later plan" in plan.reason


def test_a_put_leaves_the_reserve_of_the_asset_and_a_call_does_not_ask_for_it() -> None:
    policy = replace(option_policy(), idle_reserve=dollars(21_000))
    market = desk_market(known=(CALL, PUT), idle_asset=30_000)
    (put,) = plan_for(market, wanted(PUT, 10 * ETHER), policy=policy).moves
    assert put.amount == 5 * ETHER
    (call,) = plan_for(market, wanted(CALL, 100 * ETHER), policy=policy).moves
    assert call.amount == 100 * ETHER


def test_a_delta_too_near_the_mandates_bounds_is_not_written() -> None:
    """Until the plan is in, the delta may move: a bound of 0.5000 takes no option of 0.4950."""
    market = desk_market(known=(CALL,))
    mark = mark_of(volatility(), CALL, 2_000 * WAD, NOW)
    assert mark is not None
    delta = round(mark.first_delta * BPS)
    for most, moves in ((delta + 50, 0), (delta + 150, 1)):
        bounded = desk_market(known=(CALL,), max_delta_bps=most)
        assert len(plan_for(bounded, wanted(CALL, ETHER)).moves) == moves
    assert len(plan_for(market, wanted(CALL, ETHER)).moves) == 1


def test_the_margins_under_the_limits_are_kept() -> None:
    market = desk_market(known=(CALL,), max_notional_bps=1_000)
    (move,) = plan_for(market, wanted(CALL, 90 * ETHER)).moves
    nav = market.readings.nav
    notional = move.amount * 2_000 * 10**6 // ETHER
    assert nav * 994 // 10_000 < notional <= nav * 995 // BPS
