"""Strategies that write and hold options: which series, how many, when, and when not."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.model.units import WAD, Bps, Raw
from strategies.cash_secured_put import CashSecuredPut
from strategies.collar import Collar
from strategies.covered_call import CoveredCall
from strategies.gamma_scalping import GammaScalping
from strategies.parts.positions import option_book
from strategies.parts.series import (
    DAY,
    at_strikes,
    auction_start,
    expiry_at,
    strike_grid,
    strike_step_wad,
)
from strategies.parts.smiles import implied
from strategies.protective_put import ProtectivePut
from strategies.short_strangle import ShortStrangle
from strategies.volatility_arbitrage import VolatilityArbitrage
from tests.builders import NOW, ether, wad
from tests.unit.strategies.worlds import (
    ask,
    bought_of,
    market,
    option,
    outlook,
    position,
    smiles,
    vault,
    with_positions,
    written_of,
)

CALLS = CoveredCall(window_hours=0)
PUTS = CashSecuredPut(window_hours=0)

# The grid and the calendar


@given(st.floats(1e-3, 1e7), st.floats(0.001, 0.1))
def test_strikes_are_nice_and_no_further_apart_than_asked(price: float, share: float) -> None:
    step = strike_step_wad(price, share)
    assert str(step).rstrip("0") in ("1", "2", "5")
    assert step <= price * share * WAD
    # a float of five digits may be a hair under the step itself
    assert step * 2.5 > price * share * WAD * (1 - 1e-12) or step == 10**12


@settings(max_examples=20)
@given(st.floats(0.5, 1e5))
def test_the_grid_holds_the_price_and_what_an_option_may_need(price: float) -> None:
    grid = strike_grid(price, 0.01)
    assert grid == sorted(set(grid))
    assert grid[0] <= price * WAD / 2
    assert grid[-1] >= price * WAD * 2


@given(st.integers(NOW, NOW + 400 * DAY), st.sampled_from([1, 2, 7, 14, 30, 90]))
def test_expiries_are_at_eight_and_from_a_week_on_on_fridays(now: int, tenor: int) -> None:
    expiry = expiry_at(now, tenor)
    assert expiry % DAY == 8 * 3_600
    if tenor >= 7:
        assert (expiry // DAY) % 7 == 1  # 2 January 1970 was a Friday
    assert tenor / 2 <= (expiry - now) / DAY <= tenor + 7


def test_the_auction_starts_at_random_within_its_window_and_the_same_for_all_who_ask() -> None:
    readings = vault()
    starts = set()
    for epoch in range(200):
        waiting = replace(readings.depositors, epoch=epoch)
        found = market(replace(readings, depositors=waiting))
        start = auction_start(found, 7, 6)
        assert start == auction_start(found, 7, 6)
        starts.add(start)
    first, last = min(starts), max(starts)
    assert first % DAY < 8 * 3_600 + 3_600
    assert last - first < 6 * 3_600
    assert last - first > 5 * 3_600
    assert len(starts) > 190
    other = market(replace(readings, vault="0x" + "11" * 20))
    assert auction_start(other, 7, 6) != auction_start(market(readings), 7, 6)


def test_nothing_is_written_before_the_start() -> None:
    friday = NOW - (NOW - DAY - 8 * 3_600) % (7 * DAY)
    readings = vault()
    for seconds, holds in ((0, True), (24 * 3_600, False)):
        block = replace(readings.block, timestamp=friday + seconds)
        found = market(replace(readings, block=block))
        target = ask(CoveredCall(window_hours=24), found)
        assert target.hold is holds
        assert ("is offered in" in target.reason) is holds


# Smiles


def test_volatility_is_linear_along_a_smile_and_in_variance_between_two() -> None:
    flat = outlook(
        smiles=(
            replace(smiles()[0], expiry=NOW + 10 * DAY, points=((0.0, 0.5),)),
            replace(smiles()[0], expiry=NOW + 30 * DAY, points=((0.0, 0.7),)),
        )
    )
    middle = implied(flat, NOW, 20 / 365, 2_000)
    assert middle == pytest.approx(((0.5**2 * 10 + 0.7**2 * 30) / 2 / 20) ** 0.5)
    assert implied(flat, NOW, 5 / 365, 2_000) == 0.5
    assert implied(flat, NOW, 90 / 365, 1) == 0.7
    assert implied(flat, NOW + 40 * DAY, 5 / 365, 2_000) is None


# Writing


@pytest.mark.parametrize("delta", [0.05, 0.10, 0.20, 0.35, 0.50])
@pytest.mark.parametrize("is_call", [True, False])
def test_the_series_is_the_nearest_from_below_the_wanted_delta(delta: float, is_call: bool) -> None:
    found = market()
    cls = CoveredCall if is_call else CashSecuredPut
    (series,) = written_of(ask(cls(delta=delta, window_hours=0, least_premium=0), found))
    step = strike_step_wad(2_000, 0.01)
    nearer = series.strike_wad + (-step if is_call else step)
    chosen, next_one = (
        abs(one.delta)
        for strike in (series.strike_wad, nearer)
        for one in at_strikes(found, is_call, series.expiry, [strike])
    )
    assert chosen <= delta
    assert next_one > delta or (nearer < 2_000 * WAD) is is_call
    out = series.strike_wad - 2_000 * WAD
    assert out >= 0 if is_call else out <= 0


@settings(max_examples=15, deadline=None)
@given(st.floats(0.02, 0.48), st.floats(0.01, 0.02))
def test_a_higher_delta_never_writes_further_out(delta: float, more: float) -> None:
    near = written_of(ask(replace(CALLS, delta=delta + more, least_premium=0), market()))
    far = written_of(ask(replace(CALLS, delta=delta, least_premium=0), market()))
    assert near[0].strike_wad <= far[0].strike_wad


def test_calls_are_covered_by_idle_base_and_puts_by_idle_assets() -> None:
    (call,) = written_of(ask(replace(CALLS, cover=0.5), market()))
    assert call.quantity == pytest.approx(-ether(50))
    (put,) = written_of(ask(replace(PUTS, cover=0.5), market()))
    assert -put.quantity * put.strike_wad / 1e36 == pytest.approx(150_000)


@pytest.mark.parametrize(
    ("strategy", "kind"),
    [
        (CALLS, True),
        (PUTS, False),
        (ShortStrangle(window_hours=0), True),
        (ShortStrangle(window_hours=0), False),
    ],
)
def test_one_series_at_a_time(strategy: CoveredCall, kind: bool) -> None:
    running = with_positions(vault(), position(is_call=kind))
    assert "runs for 5.0 days more" in ask(strategy, market(running)).reason
    expired = with_positions(vault(), position(is_call=kind, days=-1, awaiting=True))
    assert "waits to be collected" in ask(strategy, market(expired)).reason


def test_a_put_that_runs_does_not_stop_calls_and_is_kept() -> None:
    put = position(is_call=False, strike=1_700, written=20)
    target = ask(CALLS, market(with_positions(vault(), put)))
    kept, new = written_of(target)
    assert (kept.strike_wad, kept.quantity) == (wad(1_700), -ether(20))
    assert new.is_call


@pytest.mark.parametrize("limit", ["notional", "vega", "collateral", "series"])
def test_the_mandates_limits_bound_what_is_written(limit: str) -> None:
    readings = vault()
    terms = readings.mandate.terms
    tight = {
        "notional": replace(terms, options=replace(terms.options, max_notional_bps=Bps(1_000))),
        "vega": replace(terms, options=replace(terms.options, max_vega_bps=Bps(50))),
        "collateral": replace(terms, caps=replace(terms.caps, max_option_bps=Bps(1_000))),
        "series": replace(terms, options=replace(terms.options, max_series=0)),
    }[limit]
    bounded = replace(readings, mandate=replace(readings.mandate, terms=tight))
    found = written_of(ask(CALLS, market(bounded)))
    if limit == "series":
        assert found == ()
        return
    nav, (call,) = 500_000, found
    tokens = -call.quantity / 1e18
    assert 0 < tokens < 50
    if limit in ("notional", "collateral"):
        assert tokens * 2_000 == pytest.approx(nav * 0.1)
    else:
        (one,) = at_strikes(market(bounded), True, call.expiry, [call.strike_wad])
        assert tokens * one.vega == pytest.approx(nav * 0.005)


def test_too_little_premium_is_not_sold() -> None:
    poor = outlook(implied=0.2, smiles=smiles(0.2, skew=0.0))
    dear = replace(CALLS, least_premium=0.9)
    assert "a year of what it binds" in ask(dear, market()).reason
    assert ask(replace(CALLS, least_edge=0.0), market(seen=poor)).hold


@given(st.floats(0.3, 1.5), st.floats(0.3, 1.5))
@settings(max_examples=15, deadline=None)
def test_the_strangle_is_sold_only_over_the_forecast(level: float, forecast: float) -> None:
    seen = outlook(smiles=smiles(level, skew=0.0), volatility=forecast)
    strategy = ShortStrangle(least_edge=0.05, window_hours=0)
    target = ask(strategy, market(seen=seen))
    if target.hold:
        assert level < forecast + 0.06 + 0.05
    else:
        sides = written_of(target)
        assert {s.is_call for s in sides} == {True, False}
        assert sides[0].quantity == sides[1].quantity
        for s in sides:
            volatility = implied(seen, NOW, (s.expiry - NOW) / DAY / 365, s.strike_wad / WAD)
            assert volatility is not None
            assert volatility >= forecast + 0.05


def test_the_strangles_vega_is_bounded() -> None:
    found = market()
    target = ask(ShortStrangle(vega_limit=0.005, window_hours=0), found)
    vega = sum(
        -side.quantity / 1e18 * one.vega
        for side in written_of(target)
        for one in at_strikes(found, side.is_call, side.expiry, [side.strike_wad])
    )
    assert vega == pytest.approx(0.005 * 500_000)


def test_a_straddle_is_near_the_money() -> None:
    target = ask(ShortStrangle(straddle=True, window_hours=0), market())
    assert all(abs(s.strike_wad / WAD / 2_000 - 1) < 0.015 for s in written_of(target))


# Holding


def test_puts_cover_what_is_long_and_are_renewed_before_they_expire() -> None:
    strategy = ProtectivePut(most_cost=2.0)
    (put,) = bought_of(ask(strategy, market()))
    assert put.quantity == pytest.approx(ether(100))
    assert put.strike_wad == wad(1_600)
    half = market(holdings=(option(40, days=20),))
    assert bought_of(ask(strategy, half))[-1].quantity == pytest.approx(ether(60))
    assert ask(strategy, market(holdings=(option(100, days=20),))).hold
    old = market(holdings=(option(100, strike=1_700, days=3),))
    (renewed,) = bought_of(ask(strategy, old))
    assert renewed.strike_wad == wad(1_600)
    assert renewed.quantity == pytest.approx(ether(100))


def test_dear_protection_is_left() -> None:
    assert "protection costs" in ask(ProtectivePut(most_cost=0.01), market()).reason


def test_the_collar_pays_for_its_puts() -> None:
    found = market()
    target = ask(Collar(), found)
    (put,), (call,) = bought_of(target), written_of(target)
    assert put.quantity == pytest.approx(-call.quantity)
    assert put.expiry == call.expiry
    paid, got = (
        one.price
        for series in (put, call)
        for one in at_strikes(found, series.is_call, series.expiry, [series.strike_wad])
    )
    assert got >= paid
    step = strike_step_wad(2_000, 0.01)
    (next_one,) = at_strikes(found, True, call.expiry, [call.strike_wad + step])
    assert next_one.price < paid
    assert call.strike_wad >= 1.05 * 2_000 * WAD


def test_a_collar_too_dear_for_its_cap_is_not_put_on() -> None:
    assert "pays for the put" in ask(Collar(floor=0.99, least_cap=1.3), market()).reason


def test_straddles_are_bought_while_cheap_and_their_decay_is_bounded() -> None:
    cheap = outlook(smiles=smiles(0.5, skew=0.0))
    strategy = GammaScalping(least_band=1.0)
    target = ask(strategy, market(seen=cheap))
    call, put = bought_of(target)
    assert (call.is_call, put.is_call) == (True, False)
    assert call.quantity == put.quantity > 0
    held = tuple(
        option(s.quantity / 1e18, is_call=s.is_call, strike=s.strike_wad / WAD,
               days=(s.expiry - NOW) / DAY)
        for s in (call, put)
    )  # fmt: skip
    book = option_book(market(seen=cheap, holdings=held))
    assert book is not None
    assert 0 < -book.theta / 365 <= 0.0005 * 500_000 * 1.02
    assert "straddles are held" in ask(strategy, market(seen=cheap, holdings=held)).reason
    assert bought_of(ask(strategy, market(seen=outlook(implied=0.8)))) == ()


@pytest.mark.parametrize(("level", "side"), [(0.55, 1), (0.70, 0), (0.85, -1)])
def test_the_arbitrage_takes_the_side_of_the_gap(level: float, side: int) -> None:
    seen = outlook(smiles=smiles(level, skew=0.0), volatility=0.7)
    target = ask(VolatilityArbitrage(), market(seen=seen))
    signs = {1 if one.quantity > 0 else -1 for one in target.options or ()}
    assert signs == ({side} if side else set())


@settings(max_examples=15, deadline=None)
@given(st.floats(0.08, 0.5), st.floats(0.0, 0.3))
def test_a_wider_gap_never_takes_less_and_never_more_than_the_vega_limit(
    gap: float, more: float
) -> None:
    def vega(by: float) -> float:
        seen = outlook(smiles=smiles(0.7 + by, skew=0.0), volatility=0.7)
        found = market(seen=seen)
        total = 0.0
        for one in written_of(ask(VolatilityArbitrage(enter=0.08, least_value=0), found)):
            (series,) = at_strikes(found, one.is_call, one.expiry, [one.strike_wad])
            total += -one.quantity / 1e18 * series.vega
        return total

    assert vega(gap) <= vega(gap + more) * (1 + 1e-9) + 1e-6
    assert vega(gap + more) <= 0.05 * 500_000 * (1 + 1e-9)


def test_the_arbitrage_sells_what_it_holds_once_the_gap_has_closed() -> None:
    held = (option(5, is_call=True, strike=2_000), option(5, strike=2_000))
    closed = outlook(smiles=smiles(0.69, skew=0.0), volatility=0.7)
    target = ask(VolatilityArbitrage(), market(seen=closed, holdings=held))
    assert target.options == ()
    wide = outlook(smiles=smiles(0.64, skew=0.0), volatility=0.7)
    assert ask(VolatilityArbitrage(), market(seen=wide, holdings=held)).hold


def test_a_series_of_the_desk_and_one_bought_elsewhere_are_two_positions() -> None:
    readings = with_positions(vault(), position(is_call=False, strike=1_700, days=20, written=5))
    found = market(readings, holdings=(option(3, strike=1_700, days=20),))
    target = ask(CALLS, found)
    kept = sorted(o.quantity for o in target.options or () if not o.is_call)
    assert kept == [-ether(5), ether(3)]


def test_base_units_of_nothing_are_nothing() -> None:
    empty = replace(vault(), idle_base=Raw(0))
    assert ask(CALLS, market(empty)).hold


def test_a_collar_with_puts_enough_already_asks_for_none_of_nothing() -> None:
    found = market(vault(idle_base=2), holdings=(option(3, days=40),))
    target = ask(Collar(least_value=0), found)
    assert all(one.quantity for one in target.options or ())
    assert bought_of(target)[0].quantity == ether(3)
