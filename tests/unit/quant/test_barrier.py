"""Barrier options: Haug's table, parity, limits, and bad input."""

import math

import numpy as np
import pytest
from numpy.typing import ArrayLike

from keeper.errors import QuantityError
from keeper.quant import black
from keeper.quant.barrier import CONTINUITY, barrier_price
from keeper.quant.inputs import Floats

# Haug (1998), "The complete guide to option pricing formulas", page 72, as QuantLib's test suite cites it too
# (barrieroption.cpp, testHaugValues): S = 100, T = 0.5, r = 0.08, carry yield 0.04, rebate 3.
# (sign, direction, knock), then by barrier the values of strikes 90, 100, 110 at volatility 0.25 and at 0.30.
HAUG = [
    ((1, -1, -1), 95, (9.0246, 6.7924, 4.8759), (8.8334, 7.0285, 5.4137)),
    ((1, -1, -1), 100, (3.0, 3.0, 3.0), (3.0, 3.0, 3.0)),
    ((1, 1, -1), 105, (2.6789, 2.3580, 2.3453), (2.6341, 2.4389, 2.4315)),
    ((1, -1, 1), 95, (7.7627, 4.0109, 2.0576), (9.0093, 5.1370, 2.8517)),
    ((1, -1, 1), 100, (13.8333, 7.8494, 3.9795), (14.8816, 9.2045, 5.3043)),
    ((1, 1, 1), 105, (14.1112, 8.4482, 4.5910), (15.2098, 9.7278, 5.8350)),
    ((-1, -1, -1), 95, (2.2798, 2.2947, 2.6252), (2.4170, 2.4258, 2.6246)),
    ((-1, -1, -1), 100, (3.0, 3.0, 3.0), (3.0, 3.0, 3.0)),
    ((-1, 1, -1), 105, (3.7760, 5.4932, 7.5187), (4.2293, 5.8032, 7.5649)),
    ((-1, -1, 1), 95, (2.9586, 6.5677, 11.9752), (3.8769, 7.7989, 13.3078)),
    ((-1, -1, 1), 100, (2.2845, 5.9085, 11.6465), (3.3328, 7.2636, 12.9713)),
    ((-1, 1, 1), 105, (1.4653, 3.3721, 7.0846), (2.0658, 4.4226, 8.3686)),
]


@pytest.mark.parametrize(("kind", "level", "low", "high"), HAUG)
def test_all_eight_types_have_the_published_values(
    kind: tuple[int, int, int], level: int, low: tuple[float, ...], high: tuple[float, ...]
) -> None:
    for volatility, published in ((0.25, low), (0.30, high)):
        found = barrier_price(100, [90, 100, 110], level, 0.5, volatility, *kind, 0.08, 0.04, 3)
        assert np.max(np.abs(found - published)) < 1e-4  # the book's normal has six digits


def grid() -> tuple[Floats, ...]:
    random = np.random.default_rng(6)
    size = 3000
    direction = random.choice([-1.0, 1.0], size)
    return (
        np.full(size, 100.0),
        random.uniform(60, 150, size),
        100.0 * np.exp(direction * random.uniform(0.001, 0.6, size)),
        random.uniform(0.01, 3, size),
        random.uniform(0.05, 2, size),
        random.choice([-1.0, 1.0], size),
        direction,
    )


def test_in_and_out_make_the_plain_option() -> None:
    spot, strike, level, years, volatility, sign, direction = grid()
    both = sum(
        barrier_price(spot, strike, level, years, volatility, sign, direction, k, 0.05, 0.02)
        for k in (1, -1)
    )
    plain = black.bsm_greeks(spot, strike, years, volatility, sign, 0.05, 0.02).price
    assert np.max(np.abs(both - plain)) < 1e-12


def test_the_knocked_out_option_is_worth_less_the_nearer_its_barrier() -> None:
    for direction, levels in ((1, np.linspace(101, 200, 60)), (-1, np.linspace(99, 20, 60))):
        for sign in (1, -1):
            value = barrier_price(100, 105, levels, 1, 0.4, sign, direction, -1, 0.05)
            assert (np.diff(value) > -1e-12).all()
            assert value[0] < 0.5 * value[-1]


TYPES = [(s, d, k, x) for s in (1, -1) for d in (1, -1) for k in (1, -1) for x in (75, 105, 140)]


@pytest.mark.parametrize(("sign", "direction", "knock", "strike"), TYPES)
def test_obeys_the_pricing_equation(sign: int, direction: int, knock: int, strike: int) -> None:
    """V_t + (r - q) S V_S + s^2 S^2 V_SS / 2 = r V by differences, on the live side."""
    spot, h, k, r, q, v = 100.0, 1e-2, 1e-4, 0.05, 0.02, 0.4
    level = 130.0 if direction > 0 else 80.0

    def price(spots: ArrayLike, years: ArrayLike) -> Floats:
        return barrier_price(spots, strike, level, years, v, sign, direction, knock, r, q)

    up, here, down = price([spot + h, spot, spot - h], 0.5)
    later, earlier = price(spot, [0.5 - k, 0.5 + k])
    drifts = (r - q) * spot * (up - down) / (2 * h)
    spreads = 0.5 * v * v * spot**2 * (up - 2 * here + down) / h**2
    assert abs((later - earlier) / (2 * k) + drifts + spreads - r * here) < 2e-5


def test_a_touched_barrier_is_the_plain_option_or_the_rebate() -> None:
    plain = black.bsm_greeks(100, 90, 1, 0.3, 1, 0.05).price
    assert barrier_price(100, 90, 100, 1, 0.3, 1, 1, 1, 0.05) == pytest.approx(plain, rel=1e-14)
    assert barrier_price(100, 90, 99, 1, 0.3, 1, 1, -1, 0.05, 0, 2.5) == 2.5


def test_without_volatility_the_path_is_known() -> None:
    rising = (100, 90, 103, 1, 0.0, 1, 1)
    assert barrier_price(*rising, 1, 0.05) == pytest.approx(100 - 90 * math.exp(-0.05))
    assert barrier_price(*rising, -1, 0.05, 0, 2) == pytest.approx(2 * 100 / 103)
    assert barrier_price(100, 90, 120, 0.0, 0.5, 1, 1, -1) == 10.0
    nearly = barrier_price(100, 90, 103, 1, 0.002, 1, 1, 1, 0.05)
    assert nearly == pytest.approx(barrier_price(*rising, 1, 0.05), rel=1e-9)


def test_a_barrier_watched_at_intervals_stands_further_off() -> None:
    watched = barrier_price(100, 100, 120, 0.2, 0.3, 1, 1, -1, 0.1, 0, 0, 0.2 / 50)
    moved = 120 * math.exp(CONTINUITY * 0.3 * math.sqrt(0.2 / 50))
    there = barrier_price(100, 100, moved, 0.2, 0.3, 1, 1, -1, 0.1)
    assert watched == pytest.approx(float(there), rel=1e-13)
    assert watched > barrier_price(100, 100, 120, 0.2, 0.3, 1, 1, -1, 0.1)


@pytest.mark.parametrize(
    ("place", "value", "field"),
    [
        (0, 0.0, "spot"),
        (2, -1.0, "barrier"),
        (3, -1.0, "years"),
        (4, -0.1, "volatility"),
        (5, 0.5, "sign"),
        (6, 0.0, "direction"),
        (7, 3.0, "knock"),
        (8, math.inf, "rate"),
    ],
)
def test_what_cannot_be_is_refused_by_name_and_element(
    place: int, value: float, field: str
) -> None:
    arguments = [np.full(3, x) for x in (100.0, 100.0, 120.0, 1.0, 0.3, 1.0, 1.0, -1.0, 0.01)]
    arguments[place][2] = value
    with pytest.raises(QuantityError) as refused:
        barrier_price(*arguments)
    assert (refused.value.field, refused.value.index) == (field, 2)


def test_a_formula_that_would_lose_its_digits_is_refused() -> None:
    with pytest.raises(QuantityError, match="volatility"):
        barrier_price(100, 100, 120, 1, 1e-5, 1, 1, -1, 0.5)


def test_nan_gives_nan() -> None:
    found = barrier_price([100, np.nan, 100], 100, 120, 1, 0.3, 1, 1, -1)
    assert np.isnan(found).tolist() == [False, True, False]
