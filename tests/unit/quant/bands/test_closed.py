"""The closed forms against their formulas, and each other where they must agree."""

import math

import numpy as np
import pytest

from keeper.errors import QuantityError
from keeper.quant import bands

ONE_YEAR = bands.Exposure.of_options(100.0, 100.0, 1.0, 0.3)


def test_whalley_wilmott_is_its_formula() -> None:
    band = bands.whalley_wilmott(ONE_YEAR, bands.Terms(0.02, 1.0))
    gamma = math.exp(-(0.15**2) / 2) / math.sqrt(2 * math.pi) / 30.0
    half = (1.5 * 0.02 * 100.0 * gamma**2) ** (1 / 3)
    assert float(band.upper - band.lower) == pytest.approx(2 * half)
    assert float(band.upper + band.lower) == pytest.approx(-2 * float(ONE_YEAR.delta))


def test_zakamouline_is_its_formula() -> None:
    """Every term computed by hand for cost 2 %, one year, 30 %, aversion one."""
    band = bands.zakamouline(ONE_YEAR, bands.Terms(0.02, 1.0))
    gamma = math.exp(-(0.15**2) / 2) / math.sqrt(2 * math.pi) / 30.0
    half = 0.02 / (100 * 0.09) + 1.12 * 0.02**0.31 * 0.3**-0.25 * math.sqrt(gamma)
    k = 4.76 * 0.02**0.78 * 0.3**-0.25 * (1e4 * gamma) ** 0.15
    modified = 0.3 * math.sqrt(1 + k)
    centre = 0.5 * (1 + math.erf(modified / 2 / math.sqrt(2)))
    assert float(band.upper) == pytest.approx(centre + half)
    assert float(band.lower) == pytest.approx(centre - half)


@pytest.mark.parametrize("quantity", [-3.0, 2.0])
@pytest.mark.parametrize(("cost", "aversion"), [(0.001, 0.1), (0.01, 1.0), (0.2, 5.0)])
def test_zakamouline_is_its_formula_at_any_time_and_on_either_side(
    quantity: float, cost: float, aversion: float
) -> None:
    """A month, where every power of the time counts; the last cell is where a held option's K is above one."""
    spot, years, v = 100.0, 1 / 12, 0.6
    band = bands.zakamouline(
        bands.Exposure.of_options(spot, 95.0, years, v, quantity), bands.Terms(cost, aversion)
    )
    root = v * math.sqrt(years)
    d1 = math.log(100 / 95) / root + root / 2
    gamma = abs(quantity) * math.exp(-d1 * d1 / 2) / math.sqrt(2 * math.pi) / (spot * root)
    half = cost / (aversion * spot * v * v * years)
    half += 1.12 * cost**0.31 * years**0.05 * v**-0.25 * math.sqrt(gamma / aversion)
    k = 4.76 * cost**0.78 * years**-0.02 * v**-0.25 * (aversion * spot**2 * gamma) ** 0.15
    modified = root * math.sqrt(1 + k if quantity < 0 else max(1 - k, 0.01))
    d1 = math.log(100 / 95) / modified + modified / 2
    centre = -quantity * 0.5 * (1 + math.erf(d1 / math.sqrt(2)))
    assert float(band.upper) == pytest.approx(centre + half, rel=1e-12)
    assert float(band.lower) == pytest.approx(centre - half, rel=1e-12)


def test_at_expiry_no_closed_form_hedges() -> None:
    done = bands.Exposure.of_options(105.0, 100.0, 0.0, 0.6)
    for rule in (bands.zakamouline, bands.whalley_wilmott):
        band = rule(done, bands.Terms(0.01, 1.0))
        assert (float(band.lower), float(band.upper)) == (-math.inf, math.inf)


def test_leland_volatility_rises_for_what_is_written_and_falls_for_what_is_held() -> None:
    number = math.sqrt(2 / math.pi) * 2 * 0.005 / (0.3 * math.sqrt(1 / 52))
    both = bands.leland_volatility(0.3, 0.005, 1 / 52, np.array([True, False]))
    np.testing.assert_allclose(both, 0.3 * np.sqrt([1 + number, 1 - number]))


def test_leland_holds_one_delta() -> None:
    band = bands.leland(ONE_YEAR, bands.Terms(0.005, 1.0), 1 / 52)
    assert float(band.lower) == float(band.upper)
    assert float(band.trade(0.0)) == pytest.approx(float(band.lower))


@pytest.mark.parametrize("quantity", [-1.0, 1.0])
def test_leland_hedges_what_is_written_at_more_volatility_and_what_is_held_at_less(
    quantity: float,
) -> None:
    exposure = bands.Exposure.of_options(110.0, 100.0, 1.0, 0.3, quantity)
    number = math.sqrt(2 / math.pi) * 2 * 0.005 / (0.3 * math.sqrt(1 / 52))
    modified = 0.3 * math.sqrt(1 - quantity * number)
    d1 = math.log(1.1) / modified + modified / 2
    band = bands.leland(exposure, bands.Terms(0.005, 1.0), 1 / 52)
    delta = 0.5 * (1 + math.erf(d1 / math.sqrt(2)))
    assert float(band.upper) == pytest.approx(-quantity * delta, rel=1e-12)


def test_hedging_held_options_too_often_is_refused() -> None:
    with pytest.raises(QuantityError, match=r"interval_years\[1\]"):
        bands.leland_volatility(0.3, 0.05, np.array([1.0, 1e-4]), np.array([False, False]))


def test_leland_refuses_no_interval() -> None:
    with pytest.raises(QuantityError, match="interval_years"):
        bands.leland_volatility(0.3, 0.05, 0.0, True)
