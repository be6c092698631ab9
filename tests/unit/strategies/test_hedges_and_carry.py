"""Hedges, basis, lending and pools: to the right place, by the right means, and not for less than it costs."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.model.exposure import ASSET as ASSET_UNDERLYING
from keeper.model.exposure import Exposure, Kind
from keeper.model.market import MarketState, Readings
from keeper.model.outlook import Funding, LendingRate, PoolQuote
from keeper.model.units import Bps, Raw
from keeper.quant.bands import Exposure as Exposure_
from keeper.quant.bands import Terms, hodges_neuberger
from strategies.basis_funding import BasisFunding
from strategies.collateral_optimisation import CollateralOptimisation
from strategies.covered_call import CoveredCall
from strategies.cross_pool_arbitrage import CrossPoolArbitrage
from strategies.delta_hedge import DeltaHedge
from strategies.idle_yield import IdleYield
from strategies.parts.lending import OWN, places
from strategies.parts.positions import delta_of, option_book
from tests.builders import ASSET, BASE, dollars, ether
from tests.unit.strategies.worlds import (
    ask,
    judged,
    market,
    option,
    outlook,
    perpetual,
    position,
    vault,
    with_positions,
)

SHORT_BOOK = with_positions(
    vault(),
    position(strike=2_200, written=60, delta=-20),
    position(is_call=False, strike=1_850, written=50, delta=15),
)
"""Short gamma, delta of the whole 95 base."""


def test_outside_the_band_the_hedge_goes_to_its_inner_edge_and_then_rests() -> None:
    strategy = DeltaHedge(target_delta=10)
    target = ask(strategy, market(SHORT_BOOK))
    assert target.net_delta is not None
    traded = target.net_delta - judged(market(SHORT_BOOK))[1].net_delta
    moved = replace(SHORT_BOOK, idle_base=Raw(SHORT_BOOK.idle_base + traded))
    after = ask(strategy, market(moved))
    assert after.hold
    assert 0 < target.net_delta / 1e18 < 60


@pytest.mark.parametrize("gas", [0.0, 600_000.0])
@pytest.mark.parametrize("wanted", [-200.0, 10.0, 400.0])
def test_trades_go_to_the_optimal_bands_inner_edge(gas: float, wanted: float) -> None:
    found = market(SHORT_BOOK)
    book = option_book(found)
    assert book is not None
    seen = (book.gamma, book.vega, book.vanna, 0.7, book.years)
    exposure = Exposure_.of_book(2_000, book.delta - wanted, *seen)
    total, nav = delta_of(*judged(found)), (judged(found)[1].nav or 0) / 1e6
    fixed = gas * 20e9 / 1e18 * 2_000
    band = hodges_neuberger(exposure, Terms(0.0008, 5.0 / nav, fixed))
    traded = float(band.trade(total - book.delta))
    strategy = DeltaHedge(wanted, gas=gas, least_band=0, venue="perp")
    (one,) = ask(strategy, found).perpetuals or ()
    assert traded != 0
    assert one.quantity / 1e18 == pytest.approx(traded)


@settings(max_examples=10, deadline=None)
@given(st.floats(0.5, 20), st.floats(1.1, 20))
def test_more_aversion_never_rests_where_less_would_trade(aversion: float, times: float) -> None:
    """A narrower band: whoever dislikes risk less trades only where the other does too."""
    calm = ask(DeltaHedge(60, aversion=aversion, least_band=0), market(SHORT_BOOK))
    anxious = ask(DeltaHedge(60, aversion=aversion * times, least_band=0), market(SHORT_BOOK))
    assert calm.hold or not anxious.hold


def test_the_whole_book_is_hedged_with_what_lies_elsewhere() -> None:
    found = market(holdings=(perpetual(-99.9),))
    assert ask(DeltaHedge(), found).hold
    long_calls = market(holdings=(option(100, is_call=True, strike=2_000), perpetual(-99.9)))
    target = ask(DeltaHedge(least_band=0), long_calls)
    assert not target.hold
    assert delta_of(*judged(long_calls)) > 40


def test_a_perpetual_hedges_when_one_is_named_and_no_more_than_its_venue_takes() -> None:
    target = ask(DeltaHedge(venue="perp"), market(holdings=(perpetual(-30),)))
    (one,) = target.perpetuals or ()
    assert one.quantity == pytest.approx(-ether(100))
    assert target.net_delta is None
    small = outlook(funding=(Funding("perp", 0.1, 2_000, 2_000, 0.03, 0.0005, 80_000),))
    (bounded,) = ask(DeltaHedge(venue="perp"), market(seen=small)).perpetuals or ()
    assert bounded.quantity == pytest.approx(-ether(40))
    assert "offers no perpetual" in ask(DeltaHedge(venue="gone"), market()).reason


# Basis


def test_basis_is_long_and_short_alike() -> None:
    target = ask(BasisFunding(share=0.3), market())
    (short,) = target.perpetuals or ()
    assert short.quantity == pytest.approx(-ether(75))
    assert target.net_delta == pytest.approx(ether(75))


def test_basis_is_no_larger_than_its_venue_takes() -> None:
    offered = Funding("perp", 0.25, 2_000, 2_000, 0.03, 0.0005, 50_000.0, 0.25, 30.0)
    target = ask(BasisFunding(share=0.3), market(seen=outlook(funding=(offered,))))
    assert [one.quantity for one in target.perpetuals or ()] == [pytest.approx(-ether(25))]
    assert target.net_delta == pytest.approx(ether(25))


def test_the_delta_of_written_options_is_no_spot() -> None:
    """The long leg is base itself: what calls take from the net delta stays taken."""
    written = with_positions(vault(), position(strike=2_300, written=40, delta=-20))
    for other in (0.0, 30.0):
        plain, short = (
            ask(BasisFunding(share=0.3, other_delta=other), market(readings))
            for readings in (vault(), written)
        )
        assert short.perpetuals == plain.perpetuals
        assert plain.net_delta == pytest.approx(ether(75 + other))
        assert short.net_delta == pytest.approx(ether(75 + other - 20))


def test_of_two_shorts_the_larger_is_kept_and_a_long_is_none() -> None:
    funding = tuple(
        Funding(venue, rate, 2_000, 2_000, 0.03, 0.0005, 5e6, rate, 30.0)
        for venue, rate in (("a", 0.20), ("b", 0.15), ("c", 0.12))
    )
    seen = outlook(funding=funding)
    both = (perpetual(-10, venue="a"), perpetual(-20, venue="c"))
    for holdings, venue in (((), "a"), (both, "c"), ((perpetual(40, venue="c"),), "a")):
        target = ask(BasisFunding(share=0.3), market(seen=seen, holdings=holdings))
        assert [one.venue for one in target.perpetuals or ()] == [venue]


def _carry(average: float | None, held: float, **given: float) -> MarketState:
    """A vault whose both legs are `held` base, and one payment that says the opposite of the average."""
    last = -0.5 if average is None or average > 0 else 0.5
    plain: dict[str, float] = {"fee": 0.0005, "days": 7.0} | given
    offered = Funding("perp", last, 2_000, 2_000, 0.03, plain["fee"], 5e6, average, plain["days"])
    holdings = (perpetual(-held),) if held else ()
    readings = vault(idle_base=held, idle_asset=500_000 - 2_000 * held)
    return market(readings, seen=outlook(funding=(offered,)), holdings=holdings)


def _short(found: MarketState, strategy: BasisFunding, held: float) -> float:
    target = ask(strategy, found)
    return -(target.perpetuals or ())[0].quantity / 1e18 if target.perpetuals else held


@settings(max_examples=60, deadline=None)
@given(
    average=st.floats(-0.5, 0.5),
    fee=st.floats(0.0, 0.01),
    cost=st.floats(0.0, 0.01),
    days=st.floats(1, 365),
)
def test_carry_is_entered_and_left_where_it_pays_the_trades_and_not_at_the_last_payment(
    average: float, fee: float, cost: float, days: float
) -> None:
    strategy = BasisFunding(share=0.3, cost_rate=cost, hold_days=days)
    expected, one_way = average * days / 365, fee + cost
    near = min(abs(expected - 2 * one_way), abs(expected + one_way)) < 1e-9
    if near:
        return
    entered = _short(_carry(average, 0, fee=fee), strategy, 0) > 0
    kept = _short(_carry(average, 75, fee=fee), strategy, 75) > 0
    assert entered is (expected > 2 * one_way)
    assert kept is (expected > -one_way)


@pytest.mark.parametrize(("average", "days"), [(None, 0.0), (0.4, 6.9), (math.nan, 7.0)])
def test_an_average_that_is_not_known_neither_enters_nor_leaves(
    average: float | None, days: float
) -> None:
    strategy = BasisFunding(share=0.3)
    assert ask(strategy, _carry(average, 0, days=days)).hold
    assert ask(strategy, _carry(average, 75, days=days)).hold


@settings(max_examples=20, deadline=None)
@given(st.floats(0.1, 5.0), st.floats(0.01, 0.2))
def test_what_is_left_of_nav_bears_the_stress(stress: float, maintenance: float) -> None:
    seen = outlook(
        funding=(Funding("perp", 0.5, 2_000, 2_000, maintenance, 0.0005, 5e9, 0.5, 7.0),)
    )
    strategy = BasisFunding(share=1.0, stress=stress)
    (short,) = ask(strategy, market(seen=seen)).perpetuals or ()
    notional = -short.quantity / 1e18 * 2_000
    left = 500_000 - notional
    assert left >= notional * (stress + maintenance * (1 + stress)) * (1 - 1e-9)


# Lending


def test_idle_assets_go_where_they_pay_and_a_reserve_stays() -> None:
    target = ask(IdleYield(reserve=0.1, per_venue=0.4), market(vault(idle_base=0, idle_asset=1e6)))
    amounts = {s.venue: s.amount / 1e6 for s in target.supplies or ()}
    assert amounts["morpho"] == pytest.approx(400_000)
    assert amounts[OWN] == pytest.approx(400_000)
    assert sum(amounts.values()) <= 900_000


def test_what_waits_to_be_redeemed_is_kept_idle_or_fetched() -> None:
    readings = vault(idle_base=0, idle_asset=100_000, supplied_asset=900_000)
    waiting = replace(readings.depositors, pending_redemptions=readings.total_shares // 2)
    target = ask(IdleYield(), market(replace(readings, depositors=waiting)))
    assert "wanted idle" in target.reason
    left = sum(s.amount for s in target.supplies or ()) / 1e6
    assert left <= 1e6 * 0.45 * (1 + 1e-9)


def test_collateral_of_a_debt_is_not_moved() -> None:
    readings = vault(idle_base=0, idle_asset=0, supplied_asset=500_000, debt_base=50)
    target = ask(IdleYield(reserve=0.5), market(readings))
    for one in target.supplies or ():
        assert one.venue != OWN or one.amount >= dollars(500_000)


@settings(max_examples=10, deadline=None)
@given(st.floats(0.0, 0.3), st.floats(0.0, 0.3), st.floats(100, 1e6))
def test_never_lends_more_than_there_is_or_a_venue_may_hold(
    here: float, there: float, idle: float
) -> None:
    lending = (LendingRate("morpho", ASSET, there, 0.4, 0.77, 0.8, dollars(3e5), dollars(2e5)),)
    readings = vault(idle_base=0, idle_asset=idle)
    readings = replace(
        readings,
        asset_position=replace(readings.asset_position, supply_rate_ray=round(here * 1e9) * 10**18),
    )
    target = ask(IdleYield(), market(readings, seen=outlook(lending=lending)))
    amounts = {s.venue: s.amount / 1e6 for s in target.supplies or ()}
    assert sum(amounts.values()) <= idle * 0.95 + 1e-6
    assert amounts.get("morpho", 0.0) <= 30_000 * (1 + 1e-9)
    assert all(amount <= 0.4 * idle * (1 + 1e-9) for amount in amounts.values())


def test_collateral_moves_to_where_it_earns_and_health_holds_everywhere() -> None:
    readings = vault(idle_base=0, idle_asset=50_000, supplied_base=200, debt_asset=100_000)
    better = (
        LendingRate("morpho", ASSET, 0.02, 0.01, 0.77, 0.80, dollars(5e7), dollars(1e7)),
        LendingRate("morpho", BASE, 0.025, 0.06, 0.80, 0.83, ether(5e4), ether(1e4)),
    )
    found = market(readings, seen=outlook(lending=better))
    strategy = CollateralOptimisation(per_venue=1.0, health=1.6)
    target = ask(strategy, found)
    placed = {(s.venue, s.token): s for s in target.supplies or ()}
    assert placed["morpho", BASE].amount == pytest.approx(ether(200), rel=1e-6)
    assert placed["morpho", ASSET].owed == pytest.approx(dollars(100_000), rel=1e-6)
    assert placed[OWN, ASSET].owed == 0
    value = placed["morpho", BASE].amount / 1e18 * 2_000 * 0.83
    value += placed["morpho", ASSET].amount / 1e6 * 0.80
    owed = placed["morpho", ASSET].owed
    assert owed is not None
    assert value >= 1.6 * owed / 1e6 * (1 - 1e-6)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(0.0, 0.2), min_size=4, max_size=4), st.floats(1.2, 3.0))
def test_a_placement_keeps_net_amounts_debt_and_health(rates: list[float], health: float) -> None:
    """Whatever the rates: what is moved is only moved about."""
    readings = vault(idle_base=10, idle_asset=50_000, supplied_base=200, debt_asset=100_000)
    offered = (
        LendingRate("morpho", ASSET, rates[0], rates[1], 0.77, 0.80, dollars(5e7), dollars(1e7)),
        LendingRate("morpho", BASE, rates[2], rates[3], 0.80, 0.83, ether(5e4), ether(1e4)),
    )
    found = market(readings, seen=outlook(lending=offered))
    target = ask(CollateralOptimisation(per_venue=1.0, health=health, gas=0), found)
    after = {(p.rate.venue, p.rate.token): (p.supplied, p.owed) for p in places(found)}
    for one in target.supplies or ():
        units = 1e6 if one.token == ASSET else 1e18
        assert one.owed is not None
        after[one.venue, one.token] = (one.amount / units, one.owed / units)
    for token, net in ((ASSET, -50_000.0), (BASE, 210.0)):
        placed = sum(s - o for (_, t), (s, o) in after.items() if t == token)
        assert placed <= net + 1e-3  # the rest is idle
    worth = {ASSET: 1.0, BASE: 2_000.0}
    assert sum(o * worth[t] for (_, t), (_, o) in after.items()) <= 100_000 * (1 + 1e-6)
    if target.hold:
        return
    for venue in ("morpho", OWN):
        threshold = {ASSET: 0.80, BASE: 0.83}
        value = sum(s * worth[t] * threshold[t] for (v, t), (s, _) in after.items() if v == venue)
        debt = sum(o * worth[t] for (v, t), (_, o) in after.items() if v == venue)
        assert value >= health * debt * (1 - 1e-5) - 0.1


def test_a_placement_that_cannot_be_bettered_is_left() -> None:
    readings = vault(idle_base=0, idle_asset=50_000, supplied_base=200, debt_asset=100_000)
    worse = (
        LendingRate("morpho", ASSET, 0.0, 0.5, 0.77, 0.80, dollars(5e7), dollars(1e7)),
        LendingRate("morpho", BASE, 0.0, 0.5, 0.80, 0.83, ether(5e4), ether(1e4)),
    )
    found = market(readings, seen=outlook(lending=worse))
    target = ask(CollateralOptimisation(per_venue=1.0, reserve=0.1), found)
    moved = {s.token for s in target.supplies or ()}
    assert moved <= {ASSET}


def test_what_is_held_elsewhere_counts_where_it_is() -> None:
    held = (
        Exposure("s", Kind.SUPPLY, "morpho", ASSET_UNDERLYING, 1_000.0),
        Exposure("l", Kind.LOAN, "morpho", "base", -2.0),
    )
    by_key = {(p.rate.venue, p.underlying): p for p in places(market(holdings=held))}
    assert by_key["morpho", "asset"].supplied == 1_000.0
    assert by_key["morpho", "base"].owed == 2.0
    assert by_key[OWN, "asset"].supplied == 0.0


# Pools


@pytest.mark.parametrize(("prices", "sign"), [((2_020.0, 2_000.0), -1), ((2_000.0, 1_980.0), 1)])
def test_dear_pools_are_sold_to_and_cheap_ones_bought_from(
    prices: tuple[float, float], sign: int
) -> None:
    pools = tuple(PoolQuote(f"0x{i}", 500, p, 50_000.0) for i, p in enumerate(prices))
    target = ask(CrossPoolArbitrage(100, 20), market(seen=outlook(pools=pools)))
    assert target.net_delta == pytest.approx(ether(100 + sign * 20))


def test_no_more_is_traded_than_the_pool_pays_for() -> None:
    """A shallow pool is only taken to where its price, after its fee, is the oracle's and the edge."""
    shallow = (PoolQuote("0x1", 500, 2_020.0, 100.0),)
    strategy = CrossPoolArbitrage(100, 50, gas=0)
    target = ask(strategy, market(seen=outlook(pools=shallow)))
    assert target.net_delta is not None
    sold = 100 - target.net_delta / 1e18
    after = 2_020 * (1 - 0.0005) / (1 + sold / 100) ** 2
    assert after == pytest.approx(2_000 * 1.001)


def test_a_gain_under_the_cost_of_gas_is_left() -> None:
    pools = (PoolQuote("0x1", 500, 2_004.0, 100.0),)
    assert (
        "a trade costs"
        in ask(CrossPoolArbitrage(100, 50), market(seen=outlook(pools=pools))).reason
    )


def test_outside_its_band_prices_decide_nothing() -> None:
    dear = (PoolQuote("0x1", 500, 2_100.0, 50_000.0),)
    target = ask(CrossPoolArbitrage(150, 10), market(seen=outlook(pools=dear)))
    assert target.net_delta == pytest.approx(ether(140))


def test_a_tight_venue_cap_of_the_mandate_binds_lending() -> None:
    readings = vault(idle_base=0, idle_asset=1e6)
    caps = replace(readings.mandate.terms.caps, max_venue_bps=Bps(1_000))
    terms = replace(readings.mandate.terms, caps=caps)
    tight = replace(readings, mandate=replace(readings.mandate, terms=terms))
    target = ask(IdleYield(), market(tight))
    own = [s for s in target.supplies or () if s.venue == OWN]
    assert own[0].amount / 1e6 == pytest.approx(100_000)


@settings(max_examples=40, deadline=None)
@given(
    idle=st.floats(0, 400_000),
    cash=st.floats(0, 100_000),
    short=st.floats(0, 200),
    maintenance=st.floats(0.0, 0.2),
)
def test_no_short_is_wanted_that_its_margin_does_not_bear(
    idle: float, cash: float, short: float, maintenance: float
) -> None:
    """After a move by the stress against it, what is there and what is idle are still over the maintenance margin."""
    offered = Funding("perp", 0.25, 2_000.0, 2_000.0, maintenance, 0.0005, 5e6, 0.25, 7.0)
    seen = outlook(funding=(offered,))
    there = Exposure("margin", Kind.CASH, "perp", ASSET_UNDERLYING, cash)
    found = market(
        vault(idle_asset=idle, idle_base=150), seen=seen, holdings=(there, perpetual(-short))
    )
    for strategy, stress, band in (
        (DeltaHedge(venue="perp"), 0.30, 0.10),
        (BasisFunding(), 0.5, 0.15),
    ):
        target = ask(strategy, found)
        size = -(target.perpetuals or ())[0].quantity / 1e18 if target.perpetuals else short
        loss = size * 2_000 * stress
        needed = size * 2_000 * (1 + stress) * maintenance
        # what is sold of the spot in the same breath is margin too
        sold = 150 - target.net_delta / 1e18 if target.net_delta is not None else 0.0
        margin = idle + cash + 2_000 * max(0.0, sold)
        grows = size > short + 1e-9
        # what is held already may be over the bound by the band in which it is left
        assert not grows or loss + needed <= margin * (1 + 1e-6)
        assert loss + needed <= margin * (1 + 2 * band) + 1.0 or size <= 1e-3


def test_a_hedge_at_its_margins_bound_does_not_follow_it_step_by_step() -> None:
    """Where no spot can be sold for margin, because all of it stands for a loan."""

    def levered(idle: float) -> Readings:
        return vault(idle_base=0, supplied_base=100, debt_asset=50_000, idle_asset=idle)

    hedge = DeltaHedge(venue="perp")
    first = ask(hedge, market(levered(30_000)))
    assert first.perpetuals
    assert first.net_delta is None
    short = first.perpetuals[0].quantity / 1e18
    for price_moves in (0.99, 1.0, 1.01):
        found = market(levered(30_000 * price_moves), holdings=(perpetual(short),))
        target = ask(hedge, found)
        assert target.hold
        assert "bear" in target.reason


@settings(max_examples=60, deadline=None)
@given(idle=st.floats(0, 60_000), short=st.floats(0, 100))
def test_a_hedge_whose_margin_is_scarce_sells_spot_for_it_and_stays_a_hedge(
    idle: float, short: float
) -> None:
    """What is sold and what is hedged are all of the spot, and what is sold makes the margin whole."""
    found = market(vault(idle_asset=idle), holdings=(perpetual(-short),))
    target = ask(DeltaHedge(venue="perp"), found)
    left = -(target.perpetuals or ())[0].quantity / 1e18 if target.perpetuals else short
    spot = target.net_delta / 1e18 if target.net_delta is not None else 100.0
    band = 0.005 * (200_000 + idle) / 2_000
    assert abs(spot - left) <= band + 1e-6
    margin, needed = idle + 2_000 * (100 - spot), 2_000 * left * (0.3 + 0.03 * 1.3)
    assert margin * 1.1 >= needed - 1.0


def test_nothing_is_written_while_the_vaults_delta_is_outside_the_mandates_band() -> None:
    readings = vault()
    caps = replace(readings.mandate.terms.caps, delta_band_bps=Bps(100), delta_target_bps=Bps(0))
    terms = replace(readings.mandate.terms, caps=caps)
    outside = replace(readings, mandate=replace(readings.mandate, terms=terms))
    assert "outside the mandate's band" in ask(CoveredCall(window_hours=0), market(outside)).reason
    assert not ask(CoveredCall(window_hours=0), market(readings)).hold
