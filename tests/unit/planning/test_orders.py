"""Orders elsewhere: the gap to the target, netted, exits first, at limits near the mark, when they pay."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.model.decision import Lane, OptionTarget, Order, PerpetualTarget, SupplyTarget, Target
from keeper.model.exposure import BASE, Exposure, Kind
from keeper.model.market import MarketState
from keeper.model.option_marks import market_value
from keeper.model.outlook import Funding, LendingRate, Outlook, Smile
from keeper.model.policy import PlanningPolicy
from keeper.model.series import Series, terms_of_instrument
from keeper.model.units import WAD, Raw, Wad
from keeper.planning import make_plan
from keeper.planning.orders import plan_orders
from keeper.risk import assess
from tests.builders import (
    ASSET,
    NOW,
    make_market,
    make_readings,
    planning_policy,
    wad,
)
from tests.builders import (
    BASE as BASE_TOKEN,
)
from tests.desk_builders import DAY, ETHER, series, wanted

OFFER = Funding("perp", 0.1, 2_000.0, 2_000.0, 0.03, 0.0005, 10_000_000.0)
OTHER = replace(OFFER, venue="other")
POLICY = replace(planning_policy(), option_venue="dealer")


def market_of(*held: Exposure, faults: tuple[str, ...] = (), **outlook: object) -> MarketState:
    known = Outlook(funding=(OFFER, OTHER), volatility=0.6)
    market = make_market(make_readings(), faults=faults)
    known = replace(known, **outlook)  # type: ignore[arg-type]
    return replace(market, outlook=known, holdings=held)


def perpetual(quantity: float, venue: str = "perp") -> Exposure:
    return Exposure("ETH-PERP", Kind.PERPETUAL, venue, BASE, quantity)


def wants(*perpetuals: tuple[str, int], lane: Lane = Lane.ROUTINE) -> Target:
    found = tuple(PerpetualTarget(venue, quantity) for venue, quantity in perpetuals)
    return Target(lane, None, None, "hedge", perpetuals=found)


def sizes(orders: tuple[Order, ...]) -> list[tuple[str, int]]:
    return [(order.venue, order.quantity) for order in orders]


def test_the_gap_to_the_target_is_ordered_at_the_mark_and_a_tolerance() -> None:
    (order,) = plan_orders(market_of(perpetual(2)), wants(("perp", 5 * ETHER)), POLICY)
    assert (order.instrument, order.quantity) == ("ETH-PERP", 3 * ETHER)
    assert order.limit_price_wad == 2_020 * WAD
    (order,) = plan_orders(market_of(perpetual(2)), wants(("perp", -ETHER)), POLICY)
    assert (order.quantity, order.limit_price_wad) == (-3 * ETHER, 1_980 * WAD)


def test_opposite_wishes_cancel_before_anything_is_traded() -> None:
    target = wants(("perp", 5 * ETHER), ("perp", -3 * ETHER))
    assert plan_orders(market_of(perpetual(2)), target, POLICY) == ()


def test_exits_come_before_entries() -> None:
    market = market_of(perpetual(4), perpetual(4, "other"))
    target = wants(("perp", 9 * ETHER), ("other", ETHER))
    assert sizes(plan_orders(market, target, POLICY)) == [
        ("other", -3 * ETHER),
        ("perp", 5 * ETHER),
    ]


def test_venues_that_are_not_named_keep_what_they_have() -> None:
    assert plan_orders(market_of(perpetual(4)), wants(), POLICY) == ()


def test_a_change_that_costs_more_than_leaving_it_is_left_and_closing_is_not() -> None:
    """Half a million dollars of three is 1.5 x 0.36 x 30 / 365 of v^2 / NAV; the fee is 5 bps of v."""
    careful = replace(POLICY, risk_aversion=3.0)
    small, large = 5 * ETHER, 50 * ETHER
    assert plan_orders(market_of(), wants(("perp", small)), POLICY) != ()
    assert plan_orders(market_of(), wants(("perp", small)), careful) == ()
    assert plan_orders(market_of(), wants(("perp", large)), careful) != ()
    assert plan_orders(market_of(perpetual(5)), wants(("perp", 0)), careful) != ()
    calm = market_of(volatility=None)
    assert plan_orders(calm, wants(("perp", small)), careful) != ()


def test_no_more_is_held_than_the_venue_takes_and_nothing_opens_where_nothing_is_offered() -> None:
    narrow = replace(OFFER, most_notional=4_000.0)
    market = market_of(funding=(narrow,))
    assert sizes(plan_orders(market, wants(("perp", 9 * ETHER)), POLICY)) == [("perp", 2 * ETHER)]
    assert plan_orders(market_of(funding=()), wants(("perp", ETHER)), POLICY) == ()
    held = market_of(perpetual(5), funding=())
    assert sizes(plan_orders(held, wants(("perp", ETHER)), POLICY)) == [("perp", -4 * ETHER)]
    assert plan_orders(held, wants(("perp", 9 * ETHER)), POLICY) == ()


def test_without_a_price_only_protection_orders_and_only_what_reduces() -> None:
    market = market_of(perpetual(4), faults=("stale",))
    less, more = wants(("perp", ETHER)), wants(("perp", 9 * ETHER))
    assert plan_orders(market, less, POLICY) == ()
    assert plan_orders(market, replace(more, lane=Lane.PROTECTIVE), POLICY) == ()
    assert plan_orders(market, replace(less, lane=Lane.PROTECTIVE), POLICY) != ()


def test_options_are_bought_net_of_what_is_written_at_the_smiles_price() -> None:
    call = series(2_200)
    smile = Smile(call.expiry, 2_000.0, ((0.0, 0.6),))
    long = OptionTarget(True, call.strike_wad, call.expiry, 5 * ETHER)
    target = Target(Lane.ROUTINE, None, None, "long", options=(long, wanted(call, 3 * ETHER)))
    (order,) = plan_orders(market_of(smiles=(smile,)), target, POLICY)
    assert (order.venue, order.quantity) == ("dealer", 2 * ETHER)
    assert 5 * WAD < order.limit_price_wad < 40 * WAD
    assert plan_orders(market_of(smiles=(smile,)), target, replace(POLICY, option_venue="")) == ()
    held = Exposure(
        "K", Kind.OPTION, "dealer", BASE, 2.0, True, 2_200.0, (call.expiry - NOW) / (365 * DAY)
    )
    assert plan_orders(market_of(held, smiles=(smile,)), target, POLICY) == ()
    none = replace(target, options=())
    (order,) = plan_orders(market_of(held, smiles=(smile,)), none, POLICY)
    assert (order.instrument, order.quantity) == ("K", -2 * ETHER)


def test_the_limit_for_an_option_leaves_room_in_volatility_on_the_side_that_costs() -> None:
    """Deep out of the money a few per cent of volatility are most of the price, and a few of the price are nothing."""
    call = series(3_000)
    smile = Smile(call.expiry, 2_000.0, ((0.0, 0.6),))
    market = market_of(smiles=(smile,))
    long = OptionTarget(True, call.strike_wad, call.expiry, 5 * ETHER)
    target = Target(Lane.ROUTINE, None, None, "long", options=(long,))
    mid = market_value(market.outlook, call, 2_000 * WAD, NOW)
    assert mid is not None
    none = replace(POLICY, option_tolerance_bps=0)
    limits = [plan_orders(market, target, p)[0].limit_price_wad / WAD for p in (none, POLICY)]
    assert limits[0] == pytest.approx(mid * 1.01, abs=3e-6)
    dear = market_value(market.outlook, call, 2_000 * WAD, NOW, more=0.05)
    assert limits[1] == pytest.approx((dear or 0) * 1.01, abs=3e-6)
    held = replace(market, holdings=(option(call, 5 * ETHER),))
    (sale,) = plan_orders(held, replace(target, options=()), POLICY)
    cheap = market_value(market.outlook, call, 2_000 * WAD, NOW, more=-0.05)
    assert sale.limit_price_wad / WAD == pytest.approx((cheap or 0) * 0.99, abs=3e-6)


def option(terms: Series, raw: int) -> Exposure:
    """Held at the dealer, named as orders name it."""
    years = (terms.expiry - NOW) / (365 * DAY)
    strike = terms.strike_wad / WAD
    return Exposure(
        terms.instrument,
        Kind.OPTION,
        "dealer",
        BASE,
        raw / ETHER,
        terms.is_call,
        strike,
        years,
        raw=raw,
    )


@given(st.integers(1, 10**24), st.sampled_from([0, 2_600]))
def test_what_is_held_is_closed_to_the_last_unit_spreads_too(raw: int, second: int) -> None:
    call = series(2_200, second=second)
    smile = Smile(call.expiry, 2_000.0, ((0.0, 0.6),))
    market = market_of(option(call, raw), smiles=(smile,))
    want = OptionTarget(True, call.strike_wad, call.expiry, raw, call.second_strike_wad)
    target = Target(Lane.ROUTINE, None, None, "long", options=(want,))
    assert plan_orders(market, target, POLICY) == ()
    (order,) = plan_orders(market, replace(target, options=()), POLICY)
    assert (order.instrument, order.quantity) == (call.instrument, -raw)


def test_a_change_of_options_bought_inside_the_band_is_left() -> None:
    call = series(2_200)
    smile = Smile(call.expiry, 2_000.0, ((0.0, 0.6),))
    market = market_of(option(call, 100 * ETHER), smiles=(smile,))
    for quantity, orders in ((109, 0), (91, 0), (111, 1), (89, 1), (0, 1)):
        want = OptionTarget(True, call.strike_wad, call.expiry, quantity * ETHER)
        target = Target(Lane.ROUTINE, None, None, "long", options=(want,) if quantity else ())
        assert len(plan_orders(market, target, POLICY)) == orders


@given(
    st.booleans(),
    st.integers(1, 10**12),
    st.sampled_from([0, 1, 7]),
    st.integers(1, 2**39),
)
def test_an_instruments_name_says_its_terms(
    is_call: bool, strike: int, second: int, expiry: int
) -> None:
    terms = Series(BASE_TOKEN, ASSET, ASSET, expiry, is_call, wad(0), wad(0))
    terms = replace(terms, strike_wad=Wad(strike * 10**12), second_strike_wad=Wad(second * 10**12))
    named = terms_of_instrument(terms.instrument)
    assert named == (is_call, strike * 10**12, second * 10**12, expiry)
    for other in ("", "C", "ETH-PERP", "1-2-X", "1-x-C", "1-2-3-4-C", "160283520000000020200000"):
        assert terms_of_instrument(other) is None


def test_supplies_are_moved_between_venues_that_are_known_and_not_the_vaults_own() -> None:
    rate = LendingRate("bank", ASSET, 0.05, 0.07, 0.7, 0.8, Raw(10**15), Raw(10**15))
    held = Exposure("bank-usd", Kind.SUPPLY, "bank", "asset", 300.0)
    want = (
        SupplyTarget("bank", ASSET, Raw(1_000 * 10**6), Raw(0)),
        SupplyTarget("lending", BASE_TOKEN, Raw(ETHER)),
        SupplyTarget("nowhere", ASSET, Raw(10**9)),
    )
    target = Target(Lane.ROUTINE, None, None, "yield", supplies=want)
    (order,) = plan_orders(market_of(held, lending=(rate,)), target, POLICY)
    assert order == Order("bank", "bank-usd", 700 * 10**6, wad(0), "yield")


def test_what_is_held_beyond_the_venues_size_stays_and_never_grows() -> None:
    held = market_of(perpetual(6_000))
    assert plan_orders(held, wants(("perp", 6_500 * ETHER)), POLICY) == ()
    assert sizes(plan_orders(held, wants(("perp", 5_500 * ETHER)), POLICY)) == [
        ("perp", -500 * ETHER)
    ]


def test_an_option_that_expired_is_settled_and_not_traded() -> None:
    gone = series(2_200, days=-1)
    smile = Smile(series(2_200).expiry, 2_000.0, ((0.0, 0.6),))
    long = OptionTarget(True, gone.strike_wad, gone.expiry, 9 * ETHER)
    for held, options in (((option(gone, ETHER),), ()), ((), (long,))):
        target = Target(Lane.ROUTINE, None, None, "long", options=options)
        assert plan_orders(market_of(*held, smiles=(smile,)), target, POLICY) == ()


def test_a_supply_elsewhere_is_of_its_own_token_and_never_at_the_vaults_own_venue() -> None:
    rate = LendingRate("bank", ASSET, 0.05, 0.07, 0.7, 0.8, Raw(10**15), Raw(10**15))
    held = Exposure("bank-eth", Kind.SUPPLY, "bank", BASE, 300.0)
    want = (
        SupplyTarget("bank", ASSET, Raw(1_000 * 10**6)),
        SupplyTarget("lending", ASSET, Raw(2_000 * 10**6)),
    )
    target = Target(Lane.ROUTINE, None, None, "yield", supplies=want)
    market = market_of(held, lending=(rate, replace(rate, venue="lending")))
    (order,) = plan_orders(market, target, POLICY)
    assert (order.venue, order.quantity) == ("bank", 1_000 * 10**6)


def test_a_loan_elsewhere_is_held_with_a_minus_and_paid_back_by_a_plus() -> None:
    rate = LendingRate("bank", ASSET, 0.05, 0.07, 0.7, 0.8, Raw(10**15), Raw(10**15))
    owed = Exposure("bank-loan", Kind.LOAN, "bank", "asset", -500.0)
    for want, quantity in ((800, -300 * 10**6), (0, 500 * 10**6)):
        one = SupplyTarget("bank", ASSET, Raw(0), Raw(want * 10**6))
        target = Target(Lane.ROUTINE, None, None, "carry", supplies=(one,))
        (order,) = plan_orders(market_of(owed, lending=(rate,)), target, POLICY)
        assert (order.instrument, order.quantity) == ("bank-loan", quantity)


@given(st.integers(1, 10**24), st.integers(-10, 10).filter(bool))
def test_a_limit_is_never_past_the_tolerance(mark_units: int, quantity: int) -> None:
    """Rounded against whoever is impatient: at most 1.01 of the mark to pay, at least 0.99 of it to get."""
    mark = mark_units / 10**9
    offer = replace(OFFER, mark=mark, index=mark, most_notional=1e30)
    market = market_of(funding=(offer,), volatility=None)
    policy = replace(POLICY, min_trade=Raw(0))
    for order in plan_orders(market, wants(("perp", quantity * ETHER)), policy):
        exact = round(mark * WAD) * (10_000 + (100 if quantity > 0 else -100))
        excess = order.limit_price_wad * 10_000 - exact
        assert -10_000 < excess <= 0 if quantity > 0 else 0 <= excess < 10_000


def test_a_plan_carries_the_orders_beside_its_moves_but_protection_goes_alone() -> None:
    market = market_of()
    both = replace(wants(("perp", -ETHER)), net_delta=Raw(1_400 * ETHER))
    plan = make_plan(market, assess(market), both, POLICY)
    assert plan.moves
    assert sizes(plan.orders) == [("perp", -ETHER)]
    urgent = replace(both, lane=Lane.PROTECTIVE, net_delta=None, health_wad=wad(1.5))
    plan = make_plan(market, assess(market), urgent, POLICY)
    assert plan.moves
    assert plan.orders == ()


@given(
    st.integers(-100, 100),
    st.lists(st.integers(-(10**20), 10**20), max_size=4),
    st.sampled_from([0.0, 3.0]),
)
def test_after_its_orders_a_target_is_reached(have: int, parts: list[int], aversion: float) -> None:
    policy: PlanningPolicy = replace(POLICY, risk_aversion=aversion)
    target = wants(*(("perp", part) for part in parts))
    orders = plan_orders(market_of(perpetual(have)), target, policy)
    assert orders == plan_orders(market_of(perpetual(have)), target, policy)
    assert len(orders) <= 1
    if orders:
        assert have * ETHER + orders[0].quantity == sum(parts)
        reached = market_of(perpetual(sum(parts) / ETHER))
        again = plan_orders(reached, target, policy)
        assert sum(abs(o.quantity) for o in again) < 10**6  # the last bits of a float holding


@pytest.mark.parametrize("quantity", [1.0000000000000002, 0.1, 7.3])
def test_no_more_is_closed_than_is_held(quantity: float) -> None:
    (order,) = plan_orders(market_of(perpetual(quantity)), wants(("perp", 0)), POLICY)
    assert 0 < -order.quantity <= int(quantity * ETHER)
