"""What holds for every option price and implied volatility, whatever the numbers."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.quant import black, inverse
from keeper.quant.implied import ImpliedStatus, implied_volatility

forwards = st.floats(1e-3, 1e6)
moneyness = st.floats(-3.0, 3.0)
years = st.floats(1e-6, 30.0)
volatilities = st.floats(0.01, 5.0)
rates = st.floats(-0.1, 0.5)
EPS = 2.0**-52


@given(forwards, moneyness, years, volatilities, rates)
def test_put_and_call_differ_by_the_discounted_forward(
    f: float, x: float, t: float, v: float, r: float
) -> None:
    k = f * np.exp(x)
    call, put = black.greeks(f, k, t, v, [1, -1], r).price
    assert abs(call - put - np.exp(-r * t) * (f - k)) <= 8 * EPS * (f + k) * np.exp(abs(r) * t)


@given(forwards, moneyness, years, volatilities)
def test_a_price_lies_between_exercise_and_its_maximum(
    f: float, x: float, t: float, v: float
) -> None:
    k = f * np.exp(x)
    call, put = black.price(f, k, t, v, [1, -1])
    assert max(f - k, 0.0) <= call <= f
    assert max(k - f, 0.0) <= put <= k


@given(forwards, moneyness, years, volatilities, st.floats(1.001, 2.0))
def test_more_volatility_or_time_never_makes_an_option_cheaper(
    f: float, x: float, t: float, v: float, factor: float
) -> None:
    k = f * np.exp(x)
    slack = 1.0 + 8 * EPS
    base = black.price(f, k, t, v, [1, -1])
    assert (black.price(f, k, t, v * factor, [1, -1]) * slack + 8 * EPS * (f + k) >= base).all()
    assert (black.price(f, k, t * factor, v, [1, -1]) * slack + 8 * EPS * (f + k) >= base).all()


@given(forwards, years, volatilities, st.floats(0.01, 0.2))
def test_price_falls_and_is_convex_in_the_strike(f: float, t: float, v: float, step: float) -> None:
    strikes = f * np.array([1 - step, 1.0, 1 + step])
    low, middle, high = black.price(f, strikes, t, v, 1)
    slack = 8 * EPS * f
    assert low + slack >= middle >= high - slack
    assert low + high - 2 * middle >= -4 * slack


@given(forwards, moneyness, years, volatilities, st.floats(0.1, 1e3))
def test_price_scales_with_the_money_it_is_counted_in(
    f: float, x: float, t: float, v: float, scale: float
) -> None:
    k = f * np.exp(x)
    one, many = black.greeks(f, k, t, v, 1), black.greeks(f * scale, k * scale, t, v, 1)
    # ln(F / K) of the rounded products moves by a rounding error, the price by as much of the forward
    assert abs(many.price / scale - one.price) <= 8 * EPS * f
    assert abs(many.delta - one.delta) <= 16 * EPS / (v * np.sqrt(t)) + 8 * EPS


@given(forwards, moneyness, years, volatilities, rates)
def test_coins_times_the_forward_are_the_money(
    f: float, x: float, t: float, v: float, r: float
) -> None:
    k = f * np.exp(x)
    coin = inverse.inverse_greeks(f, k, t, v, [1, -1], r)
    money = inverse.linear_greeks(f, k, t, v, [1, -1], r)
    assert np.allclose(coin.price * f, money.price, rtol=1e-13, atol=0)
    product_rule = f * coin.delta + coin.price
    assert np.allclose(product_rule, money.delta, rtol=1e-11, atol=1e-11 * (1 + k / f))


@settings(max_examples=300)
@given(forwards, st.floats(0.0, 20.0), years, volatilities, st.booleans())
def test_implied_volatility_undoes_the_price(
    f: float, deviations: float, t: float, v: float, call: bool
) -> None:
    sign = 1.0 if call else -1.0
    width = v * np.sqrt(t)
    k = f * np.exp(sign * min(deviations * width, 300.0))
    g = black.greeks(f, k, t, v, sign)
    low = min(f, k)
    if not 1e-250 < g.price < low * (1 - 1e-9):
        return
    found = implied_volatility(g.price, f, k, t, sign)
    assert found.status == ImpliedStatus.OK
    # both the price's own rounding (eps of its scale) and the root's count
    doubt = 8 * EPS * (low * 1.0 if deviations * width < 0.5 else g.price) / (g.vega * v)
    error = abs(found.volatility / v - 1)
    assert (
        error <= 25 * EPS * max(float(g.price / (g.vega * v)), 1.0) + doubt + 4 * EPS * deviations
    )


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=5, max_size=5))
def test_implied_volatility_never_raises_and_is_nan_exactly_where_the_status_says(
    values: list[float],
) -> None:
    price, forward, strike, time, sign = values
    found = implied_volatility(price, forward, strike, time, sign)
    assert np.isnan(found.volatility) == (found.status != ImpliedStatus.OK)
