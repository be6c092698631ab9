"""Greeks of barrier options against 50-digit differences of Haug's formulas, the pricing equation, and limits."""

import math
from typing import Any

import mpmath as mp  # type: ignore[import-untyped]
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from keeper.errors import QuantityError
from keeper.quant import black
from keeper.quant.barrier import BarrierGreeks, barrier_greeks, barrier_price

DIGITS = 60
STEP = 1e-14  # relative; fourth-order differences leave 40 digits or more
TYPES = [(s, d, k) for s in (1, -1) for d in (1, -1) for k in (1, -1)]
Case = tuple[float, ...]


def normal(z: Any) -> Any:
    return mp.erfc(-z / mp.sqrt(2)) / 2


def haug(inputs: tuple[Any, ...]) -> Any:
    """The sixteen cases of Haug's section 4.17.1, with the shift of Broadie, Glasserman and Kou; written for this."""
    spot, strike, level, years, v, sign, up, knock, rate, dividend, rebate, interval = inputs
    lull = min(interval, years)
    level *= mp.exp(-up * mp.zeta(mp.mpf(1) / 2) / mp.sqrt(2 * mp.pi) * v * mp.sqrt(lull))
    w, eta, ratio = v * mp.sqrt(years), -up, level / spot
    mu = (rate - dividend) / v**2 - mp.mpf(1) / 2
    slope = mp.sqrt(mu**2 + 2 * rate / v**2)
    carried, discount = spot * mp.exp(-dividend * years), mp.exp(-rate * years)

    def term(side: Any, moneyness: Any, power: Any) -> Any:
        z = mp.log(moneyness) / w + (1 + mu) * w
        far = strike * discount * normal(side * (z - w))
        return sign * power ** (2 * mu) * (carried * power**2 * normal(side * z) - far)

    a, b = term(sign, spot / strike, 1), term(sign, spot / level, 1)
    c, d = term(eta, level**2 / (spot * strike), ratio), term(eta, ratio, ratio)
    back = (mp.log(ratio) / w + mu * w, -mp.log(ratio) / w + mu * w)
    if knock > 0:
        extra = discount * (normal(eta * back[1]) - ratio ** (2 * mu) * normal(eta * back[0]))
    else:
        z = mp.log(ratio) / w + slope * w
        extra = ratio ** (mu + slope) * normal(eta * z)
        extra += ratio ** (mu - slope) * normal(eta * (z - 2 * slope * w))
    calls = {1: (a, b - c + d), -1: (c, a - b + d)}
    puts = {1: (a - b + d, c), -1: (b - c + d, a)}
    live = (calls if sign > 0 else puts)[up][0 if strike > level else 1]
    return (live if knock > 0 else a - live) + rebate * extra


def exact(case: Case) -> list[float]:
    """Price, delta, gamma, vega, theta."""
    with mp.workdps(DIGITS):
        point = [mp.mpf(x) for x in case]

        def at(place: int, steps: int) -> Any:
            moved = list(point)
            moved[place] *= 1 + steps * mp.mpf(STEP)
            return haug(tuple(moved))

        def slope(place: int) -> Any:
            h = point[place] * mp.mpf(STEP)
            return (8 * (at(place, 1) - at(place, -1)) - at(place, 2) + at(place, -2)) / (12 * h)

        here, h = haug(tuple(point)), point[0] * mp.mpf(STEP)
        around = 16 * (at(0, 1) + at(0, -1)) - at(0, 2) - at(0, -2) - 30 * here
        found = (here, slope(0), around / (12 * h * h), slope(4), -slope(3))
        return [float(x) for x in found]


def cases() -> list[Case]:
    """From a minute to five years, each type with its strike on both sides of the barrier, with carry and without."""
    random = np.random.default_rng(8)
    found: list[Case] = []
    for sign, up, knock in TYPES:
        for years in (1 / 525600, 7 / 365, 0.5, 5.0):
            for past in (-1, 1):
                volatility = float(random.choice([0.05, 0.3, 0.8, 2.0]))
                width = min(volatility * math.sqrt(years), 1.0)
                spot = float(random.choice([1e-3, 100.0, 2345.678]))
                level = spot * math.exp(up * random.uniform(0.01, 2.5) * width)
                strike = level * math.exp(past * random.uniform(0.0, 2.0) * width)
                rate, dividend = (float(random.choice([0.0, 0.03, 0.3])) for _ in range(2))
                rebate = spot * float(random.choice([0.0, 0.1]))
                interval = years * float(random.choice([0.0, 0.01, 1.7]))
                market = (rate, dividend, rebate, interval)
                found.append((spot, strike, level, years, volatility, sign, up, knock, *market))
    return found


def test_price_and_greeks_equal_fifty_digit_differences() -> None:
    """To 1e-14 in natural units; that is 1e-9 of the spot and better for price, spot delta, vega and theta years, and
    for spot^2 gamma where a standard deviation is above a thousandth."""
    given_cases = cases()
    found = np.array(barrier_greeks(*np.array(given_cases).T))
    for case, of_case in zip(given_cases, found.T, strict=True):
        spot, strike, level, years, volatility = case[:5]
        width, unit = volatility * math.sqrt(years), max(spot, strike, level)
        per_spot = unit / spot / width
        scales = (
            unit,
            per_spot,
            per_spot / spot / width,
            unit / volatility / width,
            unit / years / width,
        )
        names = BarrierGreeks._fields
        for name, scale, got, right in zip(names, scales, of_case, exact(case), strict=True):
            assert abs(got - right) < 1e-14 * scale, (name, case, got, right)


def test_vega_of_a_rebate_is_right_where_its_exponents_meet() -> None:
    """rate = 0 and carry v^2 / 2 make mu and the slope 0: a difference over the slope has only a limit."""
    for rate in (0.0, 1e-14, 1e-9, 1e-6, 1e-4):
        for up in (1, -1):
            case = (100.0, 95.0, 100 * math.exp(0.2 * up), 0.7, 0.3, 1, up, -1)
            case += (rate, rate - 0.045, 5.0, 0.0)  # type: ignore[assignment]
            found = [float(x) for x in barrier_greeks(*case)]
            assert found == pytest.approx(exact(case), rel=1e-10, abs=1e-10)


def test_low_volatility_beside_the_carry_keeps_the_digits() -> None:
    """(H / S)^(2 mu) is e^11000 here: joined to its probability it never appears."""
    for sign, up, knock in TYPES:
        for rate, dividend in ((0.3, 0.0), (0.0, 0.3)):
            case = (100.0, 103.0, 100 * math.exp(0.02 * up), 0.7, 1e-3, sign, up, knock)
            case += (rate, dividend, 5.0, 0.0)  # type: ignore[assignment]
            found, right = [float(x) for x in barrier_greeks(*case)], exact(case)
            scales = (100.0, 1e3, 1e4, 1e5, 1e2)
            for got, wanted, scale in zip(found, right, scales, strict=True):
                assert abs(got - wanted) < 1e-11 * scale


@given(
    st.sampled_from(TYPES),
    st.floats(0.002, 1.0),
    st.floats(-1.0, 1.0),
    st.tuples(st.floats(0.01, 3.0), st.floats(0.1, 2.0)),
    st.tuples(st.floats(0.0, 0.2), st.floats(-0.1, 0.2), st.floats(0.0, 10.0)),
)
def test_the_greeks_fulfil_the_pricing_equation(
    kind: tuple[int, int, int],
    depth: float,
    x: float,
    width: tuple[float, float],
    carry: tuple[float, float, float],
) -> None:
    """theta + (r - q) S delta + v^2 S^2 gamma / 2 = r V, alive."""
    up, (years, volatility), (rate, dividend, rebate) = kind[1], width, carry
    assume(rebate == 0.0 or rebate > 1e-200)
    level = 100.0 * math.exp(up * depth)
    g = barrier_greeks(
        100, 100 * math.exp(x), level, years, volatility, *kind, rate, dividend, rebate
    )
    drift = (rate - dividend) * 100 * g.delta
    spread = 0.5 * volatility**2 * 100**2 * g.gamma
    largest = abs(g.theta) + abs(drift) + abs(spread) + 100
    assert abs(g.theta + drift + spread - rate * g.price) < 1e-11 * largest / min(years, 1)


@given(
    st.sampled_from([(s, d) for s in (1, -1) for d in (1, -1)]),
    st.floats(0.002, 1.0),
    st.floats(-1.0, 1.0),
    st.floats(0.01, 3.0),
    st.floats(0.1, 2.0),
)
def test_in_and_out_have_the_greeks_of_the_plain_option(
    kind: tuple[int, int], depth: float, x: float, years: float, volatility: float
) -> None:
    level, strike = 100 * math.exp(kind[1] * depth), 100 * math.exp(x)
    one, other = (
        barrier_greeks(100, strike, level, years, volatility, *kind, knock, 0.05, 0.02)
        for knock in (1, -1)
    )
    plain = black.bsm_greeks(100, strike, years, volatility, kind[0], 0.05, 0.02)
    for name in BarrierGreeks._fields:
        both = getattr(one, name) + getattr(other, name)
        size = abs(getattr(one, name)) + abs(getattr(other, name)) + 1.0
        assert abs(both - getattr(plain, name)) < 1e-11 * size


def test_beyond_the_barrier_what_is_left_has_the_greeks() -> None:
    plain = black.bsm_greeks(100, 90, 1, 0.3, 1, 0.05, 0.01)
    for level in (100, 99):
        found = barrier_greeks(100, 90, level, 1, 0.3, 1, 1, 1, 0.05, 0.01, 2.5)
        for name in BarrierGreeks._fields:
            assert getattr(found, name) == pytest.approx(float(getattr(plain, name)), rel=1e-14)
        gone = barrier_greeks(100, 90, level, 1, 0.3, 1, 1, -1, 0.05, 0.01, 2.5)
        assert [float(x) for x in gone] == [2.5, 0.0, 0.0, 0.0, 0.0]


def test_without_volatility_the_greeks_are_those_of_the_known_path() -> None:
    """Rising 5 % a year from 100 to 103 the rebate of 2 is paid when 103 is met: 2 (S / 103)^(r / b), b = 2.5 %."""
    rising = (100, 90, 103, 2, 0.0, 1, 1)
    paid = barrier_greeks(*rising, -1, 0.05, 0.025, 2)
    assert paid.price == pytest.approx(2 * (100 / 103) ** 2)
    assert paid.delta == pytest.approx(2 * 2 * 100 / 103**2)
    assert paid.gamma == pytest.approx(2 * 2 / 103**2)
    assert [float(paid.vega), float(paid.theta)] == [0.0, 0.0]
    carried = barrier_greeks(*rising, 1, 0.05, 0.025, 2)
    assert carried.delta == pytest.approx(math.exp(-0.05))
    assert carried.price == pytest.approx(100 * math.exp(-0.05) - 90 * math.exp(-0.1))
    never = barrier_greeks(100, 90, 120, 2, 0.0, 1, 1, 1, 0.05, 0.025, 2)
    wanted = [2 * math.exp(-0.1), 0, 0, 0, 0.05 * 2 * math.exp(-0.1)]
    assert [float(x) for x in never] == pytest.approx(wanted)
    falling = barrier_greeks(100, 110, 97, 2, 0.0, -1, -1, -1, 0.0, 0.025, 2)
    assert float(falling.price) == 2.0


def test_at_expiry_an_untouched_option_is_worth_its_exercise() -> None:
    found = barrier_greeks(100, [90, 110, 90, 110], 120, 0.0, 0.5, 1, 1, [-1, -1, 1, 1], 0, 0, 3)
    assert found.price.tolist() == [10.0, 0.0, 3.0, 3.0]
    assert found.delta.tolist() == pytest.approx([1.0, 0.0, 0.0, 0.0])
    assert found.gamma.tolist() == [0.0, 0.0, 0.0, 0.0]


def test_one_look_at_expiry_is_the_least() -> None:
    """An interval beyond expiry counts as one look, at expiry."""
    terms = (100, 100, 120, 0.2, 0.3, 1, 1, -1, 0.1, 0, 0)
    assert barrier_price(*terms, 7.0) == barrier_price(*terms, 0.2)
    assert barrier_price(*terms, 7.0) > barrier_price(*terms, 0.1)


def test_price_alone_has_the_same_bits_and_layouts_do_not_matter() -> None:
    strike = np.arange(80, 140)
    terms = (120.0, 0.5, 0.25, 1.0, 1.0, -1.0, 0.03)
    plain = barrier_greeks(100.0, strike.astype(float), *terms)
    assert (barrier_price(100.0, strike.astype(float), *terms) == plain.price).all()
    for other in (
        barrier_greeks(np.float32(100), strike, *terms),
        barrier_greeks(100.0, np.repeat(strike.astype(float), 2)[::2], *terms),
        barrier_greeks([[100.0], [100.0]], strike, *terms),
    ):
        for one, same in zip(plain, other, strict=True):
            assert (one == same).all()
    assert barrier_greeks([], [], *terms).gamma.shape == (0,)
    assert barrier_greeks(100.0, 90.0, *terms).vega.shape == ()


def test_nan_makes_every_greek_of_its_element_nan() -> None:
    found = np.array(barrier_greeks([100, np.nan, 100], 100, 120, 1, 0.3, 1, 1, -1))
    assert np.isnan(found).sum(axis=0).tolist() == [0, 5, 0]


def test_a_growth_that_leaves_the_range_of_doubles_is_refused_by_element() -> None:
    with pytest.raises(QuantityError) as refused:
        barrier_price(100, 100, 120, [1, 100], 0.5, 1, 1, -1, 6.9, -6.9)
    assert (refused.value.field, refused.value.index) == ("carry_yield", 1)
    with pytest.raises(QuantityError, match="carry_yield"):
        barrier_price(1e240, 1e240, 1.1e240, 100, 0.5, 1, 1, -1, 5, 0)


def test_extremes_give_numbers() -> None:
    """A volatility of 1e-200 or 900, a barrier an ulp away, a strike of 0: no NaN, no infinity."""
    for volatility in (1e-200, 1e-30, 900.0):
        for sign, up, knock in TYPES:
            for level in (math.nextafter(100, up * math.inf), 100 * math.exp(up)):
                for strike in (0.0, 1e-250, 95.0, 1e250):
                    terms = (strike, level, 3, volatility, sign, up, knock)
                    found = barrier_greeks(100, *terms, 0.02, 0.02, 0.1, 1.0)
                    assert np.isfinite(np.array(found)).all(), terms
