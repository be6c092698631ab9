"""The option desk: collateral, auctions, bidders, marks, expiry."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.backtest.events import PriceEvent, VolatilityEvent
from keeper.backtest.ledger import Cause
from keeper.backtest.option_market import Terms, per_base_wad
from keeper.backtest.option_parts import Auction, intrinsic_wad, payoff_up
from keeper.backtest.reverts import Reverted
from keeper.backtest.spec import BacktestSpec, Holdings
from keeper.backtest.venue_options import Desk
from keeper.backtest.world import World
from keeper.model.units import WAD, Bps

START = 1_600_000_000
WEEK = 7 * 86_400
ETHER, DOLLAR = 10**18, 10**6
CALL = Terms(True, 2_200 * WAD, START + WEEK)
PUT = Terms(False, 1_800 * WAD, START + WEEK)


def world(volatility: float = 0.8) -> World:
    held = Holdings(idle_asset=1_000_000 * DOLLAR, idle_base=500 * ETHER)
    w = World.opened(BacktestSpec(holdings=held), START, 2_000 * WAD)
    w.apply(VolatilityEvent(START, round(volatility * WAD)))
    return w


def sold(w: World, terms: Terms, amount: int) -> Desk:
    """The amount on offer, and everything the bidders take of it."""
    start = w.desk.market.value(terms, w.oracle.price_wad, w.time, 2_000)
    assert start is not None
    auction = w.desk.write(w, terms, amount * ETHER, per_base_wad(start.price))
    w.desk.measure(w.oracle.price_wad, w.time)
    again: int | None = w.time
    while again is not None:
        w.advance(again)
        w.remark()
        again = w.desk.look(w, auction.number)
    return w.desk


@pytest.mark.parametrize("terms", [CALL, PUT, Terms(True, 2_200 * WAD, START + WEEK, 2_600 * WAD)])
def test_writing_binds_the_most_that_may_be_owed_and_leaves_nav_alone(terms: Terms) -> None:
    w = world()
    before = w.nav()
    w.desk.write(w, terms, 100 * ETHER, WAD)
    assert abs(w.nav() - before) <= 1
    most = max(
        payoff_up(terms, 100 * ETHER, price * WAD, w.scale) for price in (1, 500, 1_800, 9_000)
    )
    bound = w.desk.collateral_base if terms.is_call else w.desk.collateral_asset
    assert most <= bound


def test_bidders_pay_what_they_value_and_never_less_than_the_reserve() -> None:
    w = world()
    desk = sold(w, CALL, 500)
    assert desk.series[CALL.key].sold > 0
    fair = desk.market.value(CALL, 2_000 * WAD, START + 3_600)
    assert fair is not None
    for fill in desk.fills:
        assert 0 < fill.price_wad < per_base_wad(fair.price) * 102 // 100
        assert fill.paid < 0 > fill.quantity
        # sold under the mid mark: the bidder's margin is the vault's cost
        assert fill.spread < 0
    assert w.ledger.by_cause()[Cause.SPREAD] == sum(f.spread for f in desk.fills)
    assert w.nav() == w.ledger.nav


def test_without_bidders_above_the_reserve_everything_is_burned_and_freed() -> None:
    w = world()
    w.desk.spec = replace(w.desk.spec, bid_discount_bps=9_000)
    w.desk.market.spec = w.desk.spec
    desk = sold(w, CALL, 100)
    assert desk.idle
    assert desk.collateral_base == 0
    assert w.idle_base == 500 * ETHER
    assert desk.fills == []


def bought_back(w: World, terms: Terms, amount: int, limit_wad: int) -> None:
    """Asked for at up to a limit, and everything the bidders give."""
    auction = w.desk.buy_back(w, terms, amount, limit_wad)
    w.desk.measure(w.oracle.price_wad, w.time)
    again: int | None = w.time
    while again is not None:
        w.advance(again)
        w.remark()
        again = w.desk.look(w, auction.number)


@pytest.mark.parametrize("terms", [CALL, PUT, Terms(True, 2_200 * WAD, START + WEEK, 2_600 * WAD)])
def test_a_purchase_pays_what_bidders_ask_and_gives_back_the_rest(terms: Terms) -> None:
    w = world()
    desk = sold(w, terms, 50)
    size = desk.series[terms.key].sold
    idle, nav, fills = (w.idle_asset, w.idle_base), w.nav(), len(desk.fills)
    bound = (desk.collateral_asset, desk.collateral_base)
    mid = desk.market.value(terms, w.oracle.price_wad, w.time)
    assert mid is not None
    limit = 2 * per_base_wad(mid.price)
    opened = desk.buy_back(w, terms, size, limit)
    assert (desk.escrow, opened.escrow) == (-(-size * limit // w.scale),) * 2
    assert w.idle_asset == idle[0] - desk.escrow
    assert w.nav() == nav  # cash put aside is the vault's still
    desk.close(w, opened)
    assert (w.idle_asset, desk.escrow) == (idle[0], 0)
    bought_back(w, terms, size, limit)
    bought = desk.fills[fills:]
    assert sum(f.quantity for f in bought) == size
    asked = desk.market.value(terms, w.oracle.price_wad, w.time, desk.spec.ask_premium_bps)
    assert asked is not None
    for fill in bought:
        assert fill.price_wad >= per_base_wad(asked.price)
        assert fill.paid > 0 > fill.spread
    assert desk.idle
    assert (desk.escrow, desk.collateral_asset, desk.collateral_base) == (0, 0, 0)
    paid = sum(f.paid for f in bought)
    assert (w.idle_asset, w.idle_base) == (idle[0] + bound[0] - paid, idle[1] + bound[1])
    assert w.nav() == w.ledger.nav


def test_a_fill_that_loses_more_than_the_mandate_allows_is_not_made() -> None:
    """Under the mark where sold, over it where bought."""
    strict = world()
    desk = sold(strict, CALL, 50)
    size, fills = desk.series[CALL.key].sold, len(desk.fills)
    assert strict.mandate.routine.used_wad > 0
    terms = strict.mandate.terms
    none = replace(terms, limits=replace(terms.limits, max_loss_bps=Bps(0)))
    strict.mandate.terms = none
    mid = desk.market.value(CALL, strict.oracle.price_wad, strict.time)
    assert mid is not None
    bought_back(strict, CALL, size, 2 * per_base_wad(mid.price))
    assert (len(desk.fills), desk.escrow) == (fills, 0)
    assert desk.series[CALL.key].sold == size
    other = world()
    other.mandate.terms = none
    assert sold(other, CALL, 50).fills == []


@pytest.mark.parametrize("terms", [CALL, PUT, Terms(True, 2_200 * WAD, START + WEEK, 2_600 * WAD)])
def test_what_is_unsold_is_no_liability_but_counts_in_vega(terms: Terms) -> None:
    w = world()
    w.desk.write(w, terms, 7 * ETHER, WAD)
    w.desk.measure(w.oracle.price_wad, w.time)
    book = w.desk.book()
    assert (book.liability_high, book.delta_base) == (0, 0)
    assert book.vega > 0


@pytest.mark.parametrize("terms", [CALL, PUT, Terms(True, 2_200 * WAD, START + WEEK, 2_600 * WAD)])
def test_the_book_and_the_position_say_the_same_of_one_series(terms: Terms) -> None:
    """A short call has negative delta, a short put positive; gamma and vega of both are negative, to the unit."""
    w = world()
    desk = sold(w, terms, 53)
    w.desk.write(w, terms, 7 * ETHER + 1, WAD)
    desk.measure(w.oracle.price_wad, w.time)
    (position,), book = desk.positions(w.oracle.price_wad, w.time), desk.book()
    assert position.in_auction == 7 * ETHER + 1
    assert (position.mark_low, position.mark_mid, position.mark_high) == (
        book.liability_low,
        book.liability_mid,
        book.liability_high,
    )
    assert book.liability_low < book.liability_mid < book.liability_high
    assert position.delta_base == pytest.approx(book.delta_base, abs=1)
    assert (position.delta_base < 0) is terms.is_call
    assert position.vega < 0
    assert book.notional_base == position.written
    low, high = desk.liabilities_at(w.oracle.price_wad, w.time)
    assert (low, high) == (book.liability_low, book.liability_high)


@pytest.mark.parametrize("terms", [CALL, PUT])
def test_a_sale_that_is_closed_early_leaves_what_was_sold_and_nothing_on_offer(
    terms: Terms,
) -> None:
    w = world()
    desk = sold(w, terms, 20)
    held = desk.series[terms.key]
    size, bound = held.sold, (desk.collateral_base, desk.collateral_asset)
    auction = desk.write(w, terms, 7 * ETHER, WAD)
    desk.close(w, auction)
    assert (held.sold, held.unsold, held.written) == (size, 0, size)
    assert (desk.collateral_base, desk.collateral_asset) == bound
    assert w.nav() == w.ledger.nav


def test_a_call_spread_binds_the_part_of_base_that_it_may_owe() -> None:
    """(second - first) / second of a base, rounded up: what 2,200 to 2,600 may owe at any price."""
    w = world()
    w.desk.write(w, Terms(True, 2_200 * WAD, START + WEEK, 2_600 * WAD), 13 * ETHER, WAD)
    assert w.desk.collateral_base == 2 * ETHER
    w.desk.write(w, Terms(False, 1_800 * WAD, START + WEEK, 1_500 * WAD), 10 * ETHER, WAD)
    assert w.desk.collateral_asset == 3_000 * DOLLAR


def test_bidders_look_at_nothing_that_has_expired() -> None:
    w = world()
    short = Terms(True, 2_000 * WAD, START + 7_200)
    opened = w.desk.write(w, short, ETHER, 1)
    w.advance(short.expiry)
    assert w.desk.look(w, opened.number) is None
    assert (w.desk.fills, opened.left) == ([], ETHER)


def test_a_sale_never_starts_under_the_models_reserve() -> None:
    w = world()
    opened = w.desk.write(w, CALL, ETHER, 1)
    assert opened.price_wad(START) == opened.price_wad(START + 10**6) > WAD


def test_a_dealer_asks_over_and_bids_under_the_mark_and_limits_hold_both_ways() -> None:
    w = world()
    mid = w.desk.market.value(PUT, 2_000 * WAD, START)
    assert mid is not None
    w.desk.trade_bought(w, PUT, 10 * ETHER, 0)
    w.desk.trade_bought(w, PUT, -4 * ETHER, 0)
    ask, bid = (fill.price_wad for fill in w.desk.fills)
    assert bid < per_base_wad(mid.price) < ask
    for quantity, limit in ((ETHER, ask - 1), (-ETHER, bid + 1)):
        with pytest.raises(Reverted, match="PriceMoved"):
            w.desk.trade_bought(w, PUT, quantity, limit)
    w.desk.trade_bought(w, PUT, ETHER, ask)
    w.desk.trade_bought(w, PUT, -ETHER, bid)
    assert w.desk.bought[PUT.key][1] == 6 * ETHER
    idle = w.idle_asset
    w.desk.trade_bought(w, PUT, 1, 0)  # a unit costs a unit: never nothing
    assert w.idle_asset == idle - 1


@pytest.mark.parametrize("price", [1_000, 1_799, 2_000, 2_201, 5_000])
@pytest.mark.parametrize("terms", [CALL, PUT])
def test_expiry_pays_the_payoff_and_frees_the_rest(terms: Terms, price: int) -> None:
    """V-09: payoffs and reclaims are the collateral, whatever the price."""
    w = world()
    desk = sold(w, terms, 100)
    amount = desk.series[terms.key].sold
    held = (w.idle_asset + desk.collateral_asset, w.idle_base + desk.collateral_base)
    w.advance(terms.expiry)
    w.apply(PriceEvent(terms.expiry, price * WAD))
    w.remark()
    desk.expire(w, terms.key)
    owed = payoff_up(terms, amount, price * WAD, w.scale)
    paid = held[terms.is_call] - (w.idle_base if terms.is_call else w.idle_asset)
    assert paid == owed
    assert desk.idle
    assert desk.collateral_base == desk.collateral_asset == 0
    assert w.nav() == w.ledger.nav
    # at expiry the mark is the payoff already
    assert abs(w.ledger.by_cause().get(Cause.SETTLEMENT, 0)) <= 10 * DOLLAR


@settings(max_examples=40, deadline=None)
@given(price=st.integers(1, 10_000), strike=st.integers(1, 10_000), width=st.integers(0, 3_000))
def test_a_spread_pays_the_difference_of_its_options(price: int, strike: int, width: int) -> None:
    second = (strike + width) * WAD if width else 0
    one = intrinsic_wad(Terms(True, strike * WAD, 0, second), price * WAD)
    wide = intrinsic_wad(Terms(True, strike * WAD, 0), price * WAD)
    over = intrinsic_wad(Terms(True, second, 0), price * WAD) if second else 0
    assert one == wide - over


def test_marks_are_explained_by_greeks_up_to_a_small_residual() -> None:
    w = world()
    desk = sold(w, CALL, 100)
    desk.explained.clear()
    booked = w.ledger.by_cause().get(Cause.OPTIONS, 0)
    w.advance(START + 7_200)
    w.apply(PriceEvent(w.time, 2_020 * WAD))
    w.apply(VolatilityEvent(w.time, 82 * WAD // 100))
    w.remark()
    change = w.ledger.by_cause()[Cause.OPTIONS] - booked
    assert change < 0
    assert sum(desk.explained.values()) == pytest.approx(change, rel=0.03)
    assert all(desk.explained[name] < 0 for name in ("delta", "gamma", "vega"))
    assert desk.explained["theta"] > 0


def test_what_is_bought_is_worth_its_mid_mark_and_pays_at_expiry() -> None:
    w = world()
    before = w.nav()
    w.desk.trade_bought(w, PUT, 100 * ETHER, 0)
    assert 0 < before - w.nav() < 1_000 * DOLLAR
    idle = w.idle_asset
    w.advance(PUT.expiry)
    w.apply(PriceEvent(w.time, 1_500 * WAD))
    w.remark()
    w.desk.expire(w, PUT.key)
    assert w.idle_asset - idle == 100 * 300 * DOLLAR
    assert w.nav() == w.ledger.nav


def test_what_cannot_be_is_refused() -> None:
    w = world()
    late = Terms(True, 2_200 * WAD, START + 400 * 86_400)
    with pytest.raises(Reverted, match="TenorOutOfBounds"):
        w.desk.write(w, late, ETHER, WAD)
    with pytest.raises(Reverted, match="IdleTooLow"):
        w.desk.write(w, CALL, 501 * ETHER, WAD)
    with pytest.raises(Reverted, match="DeltaOutOfBounds"):
        w.desk.write(w, Terms(True, 20_000 * WAD, START + WEEK), ETHER, WAD)
    with pytest.raises(Reverted, match="MoreThanSold"):
        w.desk.buy_back(w, CALL, ETHER, WAD)
    with pytest.raises(Reverted, match="MoreThanHeld"):
        w.desk.trade_bought(w, PUT, -ETHER, 0)


def test_an_auction_moves_in_a_straight_line_and_stops_at_its_end() -> None:
    auction = Auction(1, CALL, True, 1, 100, 40, START, START + 60)
    assert [auction.price_wad(START + s) for s in (0, 30, 60, 90)] == [100, 70, 40, 40]


@pytest.mark.parametrize("terms", [CALL, PUT, Terms(True, 1, 5, 7)])
def test_a_series_is_named_by_its_terms(terms: Terms) -> None:
    whole = replace(terms, strike_wad=terms.strike_wad // 10**12 * 10**12, second_strike_wad=0)
    whole = replace(whole, expiry=START)
    assert Terms.of_key(whole.key) == whole
    assert Terms.of_key("perpetual") is None


@settings(max_examples=25, derandomize=True, deadline=None)
@given(
    strike=st.integers(500, 4_000),
    width=st.integers(0, 500),
    price=st.integers(800, 4_000),
    tilts=st.lists(st.integers(-2_000, 2_000), min_size=1, max_size=4, unique=True),
)
def test_tilts_valued_together_are_to_the_bit_what_each_is_alone(
    strike: int, width: int, price: int, tilts: list[int]
) -> None:
    second = (strike + width) * WAD if width else 0
    terms = Terms(True, strike * WAD, START + WEEK, second)
    together = world().desk.market.values(terms, price * WAD, START, tuple(tilts))
    alone = [world().desk.market.value(terms, price * WAD, START, tilt) for tilt in tilts]
    assert together == alone
    assert None not in together
