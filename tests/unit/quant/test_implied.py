"""Implied volatility: digits in every regime, statuses, limits."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest

from keeper.errors import QuantityError
from keeper.quant import black
from keeper.quant.implied import ImpliedStatus, implied_volatility
from keeper.quant.inputs import Floats

EPS = 2.0**-52
REFERENCES = Path(__file__).parent / "references" / "implied.csv"


def reference() -> dict[str, Floats]:
    with REFERENCES.open() as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


def test_has_fourteen_digits_from_a_minute_to_decades_and_to_thirty_six_deviations() -> None:
    """Against the volatility of the very double given, out of the money: 1e-14, and 25 eps times the condition."""
    r = reference()
    found = implied_volatility(r["price"], r["forward"], r["strike"], r["years"], r["sign"])
    assert (found.status == ImpliedStatus.OK).all()
    error = np.abs(found.volatility / r["volatility"] - 1.0)
    assert (error < 25 * EPS * np.maximum(r["condition"], 1.0)).all(), error.max() / EPS
    sharp = r["condition"] < 1.5  # nearer to the maximum the price itself does not hold the digits
    assert sharp.sum() > 130
    assert error[sharp].max() < 1e-14


def test_inverts_prices_in_the_money_to_what_their_digits_hold() -> None:
    random = np.random.default_rng(3)
    strike = 100.0 * np.exp(random.uniform(-0.5, 0.5, 2000))
    years, volatility = random.uniform(0.05, 2.0, 2000), random.uniform(0.2, 1.5, 2000)
    sign = np.where(strike < 100.0, 1.0, -1.0)
    g = black.greeks(100.0, strike, years, volatility, sign, 0.03)
    found = implied_volatility(g.price, 100.0, strike, years, sign, 0.03)
    condition = g.price / (g.vega * volatility)
    assert (np.abs(found.volatility / volatility - 1) < 25 * EPS * np.maximum(condition, 1)).all()


def test_a_million_random_options_have_a_volatility_each() -> None:
    random = np.random.default_rng(4)
    size = 1_000_000
    years = 10.0 ** random.uniform(math.log10(1 / 525600), 1.5, size)
    width = 10.0 ** random.uniform(-4, 0.7, size)
    volatility = np.minimum(width / np.sqrt(years), 900.0)
    width = volatility * np.sqrt(years)
    strike = np.exp(np.clip(random.uniform(-30, 30, size) * width, -300, 300))
    sign = np.where(strike > 1.0, 1.0, -1.0)
    price = black.price(1.0, strike, years, volatility, sign)
    # nearer to the maximum no digits of the price are left that say how far
    usable = (price > 1e-290) & (price < np.minimum(strike, 1.0) * (1 - 1e-6))
    assert usable.sum() > 800_000
    price, strike, years, sign = price[usable], strike[usable], years[usable], sign[usable]
    found = implied_volatility(price, 1.0, strike, years, sign)
    assert (found.status == ImpliedStatus.OK).all()
    assert np.isfinite(found.volatility).all()
    assert (found.volatility > 0.0).all()
    again = black.price(1.0, strike, years, np.minimum(found.volatility, 1000.0), sign)
    # the plain price cancels at small width: compare to the money at stake
    assert np.max(np.abs(again - price) / np.minimum(strike, 1.0)) < 1e-13


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ((9.0, 110, 100, 1, 1), ImpliedStatus.BELOW_INTRINSIC),
        ((-1.0, 100, 100, 1, 1), ImpliedStatus.BELOW_INTRINSIC),
        ((100.0, 100, 120, 1, 1), ImpliedStatus.ABOVE_MAXIMUM),
        ((120.0, 100, 120, 1, -1), ImpliedStatus.ABOVE_MAXIMUM),
        ((5.0, 100, 100, 0, 1), ImpliedStatus.NO_TIME),
        ((5.0, 100, 100, -1, 1), ImpliedStatus.NO_TIME),
        ((math.nan, 100, 100, 1, 1), ImpliedStatus.NOT_A_NUMBER),
        ((5.0, 100, math.nan, 1, 1), ImpliedStatus.NOT_A_NUMBER),
        ((5.0, 0, 100, 1, 1), ImpliedStatus.OUT_OF_BOUNDS),
        ((5.0, 100, -3, 1, 1), ImpliedStatus.OUT_OF_BOUNDS),
        ((5.0, 100, 100, 1, 0), ImpliedStatus.OUT_OF_BOUNDS),
        ((math.inf, 100, 100, 1, 1), ImpliedStatus.OUT_OF_BOUNDS),
        ((5.0, 100, 100, 1, 1, 800), ImpliedStatus.OUT_OF_BOUNDS),
    ],
)
def test_what_has_no_volatility_says_why(
    arguments: tuple[float, ...], status: ImpliedStatus
) -> None:
    found = implied_volatility(*arguments)
    assert found.status == status
    assert np.isnan(found.volatility)


def test_intrinsic_value_means_no_volatility_and_rounding_is_forgiven() -> None:
    found = implied_volatility([0.0, 10.0, np.nextafter(10.0, 0.0)], [90, 110, 110], 100, 1, 1)
    assert found.volatility.tolist() == [0.0, 0.0, 0.0]
    assert found.status.tolist() == [0, 0, 0]


def test_the_smallest_prices_at_the_money_have_a_volatility() -> None:
    """There the price is spot volatility / sqrt(2 pi), down to the smallest double."""
    price = np.array([1e-90, 1e-120, 1e-160, 1e-250, 1e-300, 5e-324])
    found = implied_volatility(price, 100.0, 100.0, 0.25, 1)
    assert found.status.tolist() == [0] * 6
    # the smallest two lose digits to the end of the range
    wanted = price / 100.0 * math.sqrt(2 * math.pi) / 0.5
    assert found.volatility[:5] == pytest.approx(wanted[:5], rel=1e-14, abs=0.0)
    assert found.volatility[5] >= 0.0


def test_a_bad_element_leaves_its_neighbours_alone() -> None:
    price = np.full(300, 8.0)
    price[[0, 7, 255, 256, 299]] = np.nan
    found = implied_volatility(price, 100, 100, 1, 1)
    assert np.isnan(found.volatility).sum() == 5
    assert len(set(found.volatility[~np.isnan(price)])) == 1


def test_text_is_refused() -> None:
    with pytest.raises(QuantityError, match="price"):
        implied_volatility(["x"], 100, 100, 1, 1)
