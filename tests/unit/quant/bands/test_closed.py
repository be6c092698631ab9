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


def test_leland_volatility_rises_for_what_is_written_and_falls_for_what_is_held() -> None:
    number = math.sqrt(2 / math.pi) * 2 * 0.005 / (0.3 * math.sqrt(1 / 52))
    both = bands.leland_volatility(0.3, 0.005, 1 / 52, np.array([True, False]))
    np.testing.assert_allclose(both, 0.3 * np.sqrt([1 + number, 1 - number]))


def test_leland_holds_one_delta() -> None:
    band = bands.leland(ONE_YEAR, bands.Terms(0.005, 1.0), 1 / 52)
    assert float(band.lower) == float(band.upper)
    assert float(band.trade(0.0)) == pytest.approx(float(band.lower))


def test_hedging_held_options_too_often_is_refused() -> None:
    with pytest.raises(QuantityError, match=r"interval_years\[1\]"):
        bands.leland_volatility(0.3, 0.05, np.array([1.0, 1e-4]), np.array([False, False]))


def test_leland_refuses_no_interval() -> None:
    with pytest.raises(QuantityError, match="interval_years"):
        bands.leland_volatility(0.3, 0.05, 0.0, True)
