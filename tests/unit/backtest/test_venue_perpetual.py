"""The perpetual venue: equity, funding, margin, liquidation."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.backtest.events import FundingEvent, PriceEvent
from keeper.backtest.ledger import Cause
from keeper.backtest.reverts import Reverted
from keeper.backtest.spec import BacktestSpec, Holdings
from keeper.backtest.world import World
from keeper.model.units import WAD

START = 1_600_000_000
ETHER, DOLLAR = 10**18, 10**6


def world(idle: int = 1_000_000) -> World:
    spec = BacktestSpec(holdings=Holdings(idle_asset=idle * DOLLAR))
    return World.opened(spec, START, 2_000 * WAD)


def moved(w: World, time: int, price: int) -> None:
    w.advance(time)
    w.apply(PriceEvent(time, price * WAD))


def test_a_trade_costs_the_fee_and_the_spread_and_nothing_else() -> None:
    w = world()
    w.perpetual.trade(w, -100 * ETHER, 0)
    spec = w.perpetual.spec
    cost = 200_000 * DOLLAR * (spec.fee_bps + spec.spread_bps) / 10_000
    assert w.ledger.by_cause() == {Cause.VENUE_FEE: pytest.approx(-cost, rel=1e-3)}
    assert w.nav() == w.ledger.nav


@pytest.mark.parametrize("price", [1_500, 1_999, 2_500])
def test_a_short_earns_what_the_price_falls(price: int) -> None:
    w = world()
    w.perpetual.trade(w, -100 * ETHER, 0)
    before = w.nav()
    moved(w, START + 3_600, price)
    assert w.nav() - before == pytest.approx(100 * (2_000 - price) * DOLLAR, abs=2)
    w.perpetual.trade(w, 100 * ETHER, 0)
    assert w.perpetual.quantity == 0
    assert w.perpetual.equity == 0
    assert w.nav() == w.ledger.nav == w.idle_asset


@pytest.mark.parametrize(("quantity", "sign"), [(-100, 1), (100, -1)])
def test_longs_pay_shorts_a_positive_rate(quantity: int, sign: int) -> None:
    w = world()
    w.perpetual.trade(w, quantity * ETHER, 0)
    w.apply(FundingEvent(START, WAD // 1_000, 28_800))
    assert w.ledger.by_cause()[Cause.FUNDING] == pytest.approx(sign * 200 * DOLLAR, abs=1)
    assert w.perpetual.offer()[0].rate == pytest.approx(0.001 * 3 * 365)


def test_margin_is_kept_where_it_was_asked_to_be_and_comes_from_idle() -> None:
    w = world()
    w.perpetual.trade(w, -100 * ETHER, 0)
    keep = w.perpetual.spec.keep_bps / 10_000
    assert w.perpetual.equity == pytest.approx(keep * 200_000 * DOLLAR, rel=1e-6)
    moved(w, START + 3_600, 2_400)
    assert w.perpetual.equity * 10_000 >= w.perpetual.notional * w.perpetual.spec.top_up_bps


def test_a_position_without_margin_left_is_closed_by_the_venue() -> None:
    w = world(idle=40_000)
    w.perpetual.trade(w, -100 * ETHER, 0)
    moved(w, START + 3_600, 2_350)
    assert w.perpetual.liquidatable()
    loss = w.perpetual.close_out(w)
    assert loss > 0
    assert w.perpetual.quantity == 0
    assert w.nav() == w.ledger.nav >= 0
    fee = 235_000 * DOLLAR // 100
    assert w.ledger.by_cause()[Cause.LIQUIDATION] == -fee
    assert loss == pytest.approx(35_000 * DOLLAR + fee)  # what the short had lost is final with it


@pytest.mark.parametrize("price", [2_380, 2_396, 2_500, 4_000])
def test_a_short_closed_by_its_venue_never_cost_nothing(price: int) -> None:
    """Over a gap beyond the margin too, where the venue bears what is owed and NAV rises by the closing."""
    w = world(idle=40_000)
    w.perpetual.trade(w, -100 * ETHER, 0)
    before = w.nav()
    moved(w, START + 3_600, price)
    assert w.perpetual.liquidatable()
    loss = w.perpetual.close_out(w)
    assert loss == pytest.approx(before - w.nav(), abs=2)
    assert loss > 0
    assert w.nav() == w.ledger.nav >= 0
    assert w.ledger.by_cause().get(Cause.LIQUIDATION, 0) <= 0


@given(st.lists(st.integers(-1_000, 1_000), min_size=1, max_size=60), st.sampled_from((4, 8, 24)))
def test_the_average_is_over_the_last_week_by_time(rates: list[int], hours: int) -> None:
    w = world()
    for rate in rates:
        w.apply(FundingEvent(START, rate * WAD // 10**6, hours * 3_600))
    last = rates[-(7 * 24 // hours) :]
    (offer,) = w.perpetual.offer()
    assert offer.average_days == pytest.approx(len(last) * hours / 24)
    assert offer.average == pytest.approx(
        sum(last) / len(last) / 10**6 * 365 * 24 / hours, abs=1e-12
    )


def test_what_is_too_large_too_poor_or_too_dear_is_refused() -> None:
    w = world(idle=10_000)
    with pytest.raises(Reverted, match="MarginTooLow"):
        w.perpetual.trade(w, -100 * ETHER, 0)
    with pytest.raises(Reverted, match="PositionTooLarge"):
        w.perpetual.trade(w, 100_000 * ETHER, 0)
    with pytest.raises(Reverted, match="PriceMoved"):
        w.perpetual.trade(w, ETHER, 1_999 * WAD)
    assert w.perpetual == replace(w.perpetual, quantity=0, margin=0)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_limit_bounds_what_is_paid_and_what_is_got(sign: int) -> None:
    w = world()
    half = w.perpetual.spec.spread_bps
    fill = 2_000 * WAD * (10_000 + sign * half) // 10_000
    with pytest.raises(Reverted, match="PriceMoved"):
        w.perpetual.trade(w, sign * ETHER, fill - sign)
    assert w.perpetual.trade(w, sign * ETHER, fill) == fill


def test_a_position_that_grew_past_the_venues_size_may_still_be_reduced() -> None:
    w = world()
    units = w.perpetual.spec.most_notional * ETHER // (2_000 * DOLLAR)
    w.idle_asset = 10 * w.perpetual.spec.most_notional
    w.ledger.nav = w.nav()
    w.perpetual.trade(w, -units, 0)
    moved(w, START + 3_600, 2_500)
    with pytest.raises(Reverted, match="PositionTooLarge"):
        w.perpetual.trade(w, -ETHER, 0)
    w.perpetual.trade(w, ETHER, 0)
    assert w.perpetual.quantity == ETHER - units


def test_what_is_offered_costs_what_a_trade_costs() -> None:
    w = world()
    w.apply(FundingEvent(START, 0, 28_800))
    (offered,) = w.perpetual.offer()
    w.perpetual.trade(w, -100 * ETHER, 0)
    cost = -w.ledger.by_cause()[Cause.VENUE_FEE] / DOLLAR
    assert cost == pytest.approx(offered.fee * 200_000, rel=1e-3)


def test_a_gain_that_is_not_realised_stays_and_too_much_cash_leaves() -> None:
    """Cash of the account is never under zero, and equity over twice what is kept is brought back to it."""
    w = world()
    w.perpetual.trade(w, -100 * ETHER, 0)
    spec = w.perpetual.spec
    moved(w, START + 3_600, 900)
    assert w.perpetual.margin == 0
    assert w.perpetual.equity == pytest.approx(110_000 * DOLLAR, rel=1e-6)
    w = world()
    w.perpetual.trade(w, -100 * ETHER, 0)
    margin = w.perpetual.margin
    # equity = margin + 100 x fall against keep x 100 x price
    twice = (margin / DOLLAR + 200_000) / (100 * (1 + 2 * spec.keep_bps / 10_000))
    moved(w, START + 3_600, round(twice) + 1)
    assert w.perpetual.margin == margin
    moved(w, START + 7_200, round(twice) - 1)
    assert w.perpetual.equity == pytest.approx(
        w.perpetual.notional * spec.keep_bps / 10_000, rel=1e-6
    )


def test_a_venue_that_closes_too_late_takes_no_more_than_is_there() -> None:
    w = world(idle=40_000)
    w.perpetual.trade(w, -100 * ETHER, 0)
    w.idle_asset = 0
    w.ledger.nav = w.nav()
    margin = w.perpetual.margin
    w.perpetual.remark(5_000 * WAD)
    w.perpetual.close_out(w)
    assert margin > 0
    assert (w.perpetual.margin, w.perpetual.quantity, w.idle_asset) == (0, 0, 0)
