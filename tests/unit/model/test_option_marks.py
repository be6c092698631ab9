"""Marks follow the vault's rule: the posted smile over the floor, Black-Scholes at rate 0."""

from dataclasses import replace
from math import exp, isnan, log, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.model.desk import VolatilityFault
from keeper.model.option_marks import YEAR_S, mark_of, marked_volatility, market_value, price_wad_up
from keeper.model.outlook import Outlook, Smile
from keeper.model.units import WAD, Wad
from keeper.quant.black import price
from tests.builders import NOW
from tests.desk_builders import DAY, series, volatility

SPOT = 2_000 * WAD


def test_at_the_money_the_level_is_the_volatility() -> None:
    assert marked_volatility(volatility(), 2_000, 2_000, 7 * DAY) == pytest.approx(0.6, rel=1e-12)
    assert marked_volatility(volatility(), 2_000, 2_000, DAY) == pytest.approx(0.6, rel=1e-12)


def test_between_tenors_total_variance_is_linear_in_time() -> None:
    surface = volatility()
    steeper = replace(surface.marks[1], level_ppm=900_000)
    surface = replace(surface, marks=(surface.marks[0], steeper))
    found = marked_volatility(surface, 2_000, 2_000, 15 * DAY)
    variance = 0.36 * 7 + (0.81 * 30 - 0.36 * 7) * 8 / 23
    assert found == pytest.approx(sqrt(variance / 15), rel=1e-12)


def test_no_volatility_is_under_the_floor_and_none_is_given_where_the_oracle_gives_none() -> None:
    low = volatility(level=0.1)
    assert marked_volatility(low, 2_000, 2_000, DAY) == 0.2
    assert isnan(marked_volatility(volatility(), 2_000, 2_000, 31 * DAY))
    assert isnan(marked_volatility(volatility(), 2_000, 2_000, 0))
    blind = volatility(fault=VolatilityFault.FLOOR_UNKNOWN)
    assert isnan(marked_volatility(blind, 2_000, 2_000, DAY))
    assert mark_of(blind, series(), SPOT, NOW) is None
    frozen = volatility(fault=VolatilityFault.FROZEN)
    assert mark_of(frozen, series(), SPOT, NOW) == mark_of(volatility(), series(), SPOT, NOW)


@given(st.integers(1_000, 4_000), st.booleans(), st.floats(0.05, 29))
def test_marks_are_those_of_the_compiled_model(strike: int, is_call: bool, days: float) -> None:
    terms = series(strike, is_call=is_call, days=days)
    mark = mark_of(volatility(), terms, SPOT, NOW)
    assert mark is not None
    time_s = terms.expiry - NOW
    sigma = marked_volatility(volatility(), strike, 2_000, time_s)
    value = float(price(2_000.0, float(strike), time_s / YEAR_S, sigma, 1.0 if is_call else -1.0))
    assert mark.value == pytest.approx(value, rel=1e-9, abs=1e-8)


@given(st.integers(1_500, 2_500), st.integers(10, 400), st.booleans())
def test_a_spread_is_worth_its_legs_apart_within_its_width(
    strike: int, width: int, is_call: bool
) -> None:
    second = strike + width if is_call else strike - width
    spread = mark_of(volatility(), series(strike, second=second, is_call=is_call), SPOT, NOW)
    first = mark_of(volatility(), series(strike, is_call=is_call), SPOT, NOW)
    other = mark_of(volatility(), series(second, is_call=is_call), SPOT, NOW)
    assert spread is not None
    assert first is not None
    assert other is not None
    assert spread.value == pytest.approx(min(first.value - other.value, width), abs=1e-9)
    assert spread.first_delta == first.first_delta


def test_the_market_pays_by_the_smile_of_the_nearest_expiry() -> None:
    near = Smile(NOW + 7 * DAY, 2_000.0, ((-0.2, 0.8), (0.2, 0.4)))
    far = Smile(NOW + 30 * DAY, 2_000.0, ((0.0, 2.0),))
    paid = market_value(Outlook(smiles=(near, far)), series(2_200), SPOT, NOW)
    k = log(1.1)
    sigma = 0.8 - 0.4 * (k + 0.2) / 0.4
    surface = replace(volatility(level=sigma), floor_wad=Wad(round(sigma * WAD)))
    flat = mark_of(surface, series(2_200), SPOT, NOW)
    assert flat is not None
    assert paid is not None
    assert paid <= flat.value * exp(0.2)
    assert paid > 0
    assert market_value(Outlook(), series(), SPOT, NOW) is None


@given(st.floats(0, 1e6), st.integers(0, 5_000))
def test_prices_are_rounded_up_and_never_nothing(value: float, margin: int) -> None:
    found = price_wad_up(value, margin)
    assert found >= 10**12
    assert found >= value * WAD * (1 + margin / 10_000) * (1 - 1e-12)
    assert found <= (value + 1e-6) * WAD * (1 + margin / 10_000) * (1 + 1e-12) + 1
