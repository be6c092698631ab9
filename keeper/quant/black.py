"""Black-76 and Black-Scholes-Merton: price and all Greeks of European options in one pass.

Units: prices in the money of forward and strike; delta, gamma and vanna per unit of the forward (or spot); vega, volga
and vanna per 1.00 of volatility (not per point); theta per year that passes; rho per 1.00 of the rate, with the forward
(Black-76) or the spot (Black-Scholes-Merton) held.

Inputs are numbers or arrays of any integer or float type that broadcast together. Results are float64 arrays of the
broadcast shape. A NaN in any input gives NaN in that element and nowhere else; the limits years = 0, volatility = 0,
strike = 0 and forward = 0 are taken exactly (gamma of an option that expires at the money is infinite, its theta minus
infinite). A negative or infinite quantity, or one beyond the bounds of `keeper.quant.inputs`, is a QuantityError that
names the input and the element.

Sources: Black (1976), "The pricing of commodity contracts"; Merton (1973), "Theory of rational option pricing"; Haug
(2007), "The complete guide to option pricing formulas", chapters 1 and 2, for the Greeks.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import ArrayLike

from keeper.quant.black_terms import moneyness, undiscounted
from keeper.quant.compiled import (
    fma,
    get,
    kernel,
    parallel_kernel,
    put0,
    put1,
    put2,
    put3,
    put4,
    put5,
    put6,
    put7,
    warms,
)
from keeper.quant.inputs import (
    GROWTH_HIGHEST,
    PRICE,
    RATE,
    SIGN,
    VOLATILITY,
    YEARS,
    Floats,
    bad_option,
    bad_price,
    flat_inputs,
    refuse,
    refuse_growth,
)
from keeper.quant.normal import exponential

PART = 2048
"""Elements that a thread takes at a time."""
PARALLEL_FROM = 131072
"""Elements from which starting the threads is worth it: a busy core can keep a thread waiting for milliseconds."""
_FIELDS = ("forward", "strike", "years", "volatility", "sign", "rate")
_BOUNDS = (PRICE, PRICE, YEARS, VOLATILITY, SIGN, RATE)
_SPOT_FIELDS = ("spot", "strike", "years", "volatility", "sign", "rate", "carry_yield")


class Greeks(NamedTuple):
    """Price and sensitivities: float64 arrays of one shape."""

    price: Floats
    delta: Floats
    gamma: Floats
    vega: Floats
    theta: Floats
    rho: Floats
    vanna: Floats
    volga: Floats


def greeks(
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    volatility: ArrayLike,
    sign: ArrayLike,
    rate: ArrayLike = 0.0,
) -> Greeks:
    """Black-76, discounted by exp(-rate years); units and errors as the module says."""
    shape, arrays = flat_inputs(_FIELDS, (forward, strike, years, volatility, sign, rate))
    size = math.prod(shape)
    out = np.empty((8, size))
    if _run(_forward_range, _forward_parallel, arrays, out):
        refuse(_FIELDS, arrays, _BOUNDS)
        refuse_growth(arrays[5], arrays[2])
    return _named(out, shape)


def price(
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    volatility: ArrayLike,
    sign: ArrayLike,
    rate: ArrayLike = 0.0,
) -> Floats:
    """Black-76 price alone, the same bits as `greeks(...).price`."""
    shape, arrays = flat_inputs(_FIELDS, (forward, strike, years, volatility, sign, rate))
    out = np.empty((1, math.prod(shape)))
    if _run(_price_range, _price_parallel, arrays, out):
        refuse(_FIELDS, arrays, _BOUNDS)
        refuse_growth(arrays[5], arrays[2])
    return out.reshape(shape)


def bsm_greeks(
    spot: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    volatility: ArrayLike,
    sign: ArrayLike,
    rate: ArrayLike = 0.0,
    carry_yield: ArrayLike = 0.0,
) -> Greeks:
    """Black-Scholes-Merton: Greeks to the spot, which yields `carry_yield` a year; theta with the spot held."""
    values = (spot, strike, years, volatility, sign, rate, carry_yield)
    shape, arrays = flat_inputs(_SPOT_FIELDS, values)
    size = math.prod(shape)
    out = np.empty((8, size))
    if _run(_spot_range, _spot_parallel, arrays, out):
        refuse(_SPOT_FIELDS, arrays, (*_BOUNDS, RATE))
        refuse_growth(arrays[5], arrays[2])
    return _named(out, shape)


def _run(
    serial: Callable[..., int], parallel: Callable[..., int], arrays: list[Floats], out: Floats
) -> int:
    size = out.shape[1]
    if size >= PARALLEL_FROM:
        return parallel(*arrays, out)
    return serial(*arrays, out, 0, size)


def _named(out: Floats, shape: tuple[int, ...]) -> Greeks:
    return Greeks(*(out if len(shape) == 1 else out.reshape((8, *shape))))


@kernel
def black_scalar(
    forward: float, strike: float, years: float, volatility: float, sign: float
) -> tuple[float, float, float, float, float, float, float]:
    """(price, delta, gamma, vega, theta, vanna, volga), undiscounted, of one option; for use in other kernels.

    Inputs must be in bounds: nothing is checked here.
    """
    x = moneyness(forward, strike)
    return undiscounted(forward, strike, x, volatility, sign, math.sqrt(years))


@kernel
def _forward_range(
    f: Floats,
    k: Floats,
    t: Floats,
    v: Floats,
    s: Floats,
    r: Floats,
    out: Floats,
    begin: int,
    end: int,
) -> int:
    """Black-76 of elements begin to end; 1 if an input is out of bounds."""
    o0, o1, o2, o3, o4, o5, o6, o7 = (
        out[0],
        out[1],
        out[2],
        out[3],
        out[4],
        out[5],
        out[6],
        out[7],
    )
    wrong = 0
    for i in range(begin, end):
        forward, strike, years = get(f, i), get(k, i), get(t, i)
        volatility, sign, rate = get(v, i), get(s, i), get(r, i)
        growth = rate * years
        bad = bad_price(forward) | bad_price(strike) | bad_option(years, volatility, sign, growth)
        wrong |= 1 if bad else 0
        poison = 0.0 * (forward + strike + years + volatility + sign + rate)
        x = moneyness(forward, strike)
        value, delta, gamma, vega, theta, vanna, volga = undiscounted(
            forward, strike, x, volatility, sign, math.sqrt(years)
        )
        discount = exponential(-growth)
        value = fma(discount, value, poison)
        put0(o0, i, value)
        put1(o1, i, fma(discount, delta, poison))
        put2(o2, i, fma(discount, gamma, poison))
        put3(o3, i, fma(discount, vega, poison))
        put4(o4, i, fma(discount, theta, fma(rate, value, poison)))
        put5(o5, i, fma(-years, value, poison))
        put6(o6, i, fma(discount, vanna, poison))
        put7(o7, i, fma(discount, volga, poison))
    return wrong


@kernel
def _price_range(
    f: Floats,
    k: Floats,
    t: Floats,
    v: Floats,
    s: Floats,
    r: Floats,
    out: Floats,
    begin: int,
    end: int,
) -> int:
    """Black-76 prices of elements begin to end; 1 if an input is out of bounds."""
    o0 = out[0]
    wrong = 0
    for i in range(begin, end):
        forward, strike, years = get(f, i), get(k, i), get(t, i)
        volatility, sign, rate = get(v, i), get(s, i), get(r, i)
        growth = rate * years
        bad = bad_price(forward) | bad_price(strike) | bad_option(years, volatility, sign, growth)
        wrong |= 1 if bad else 0
        poison = 0.0 * (forward + strike + years + volatility + sign + rate)
        x = moneyness(forward, strike)
        value = undiscounted(forward, strike, x, volatility, sign, math.sqrt(years))[0]
        put0(o0, i, fma(exponential(-growth), value, poison))
    return wrong


@kernel
def _spot_range(
    f: Floats,
    k: Floats,
    t: Floats,
    v: Floats,
    s: Floats,
    r: Floats,
    q: Floats,
    out: Floats,
    begin: int,
    end: int,
) -> int:
    """Black-Scholes-Merton of elements begin to end; 1 if an input is out of bounds."""
    o0, o1, o2, o3, o4, o5, o6, o7 = (
        out[0],
        out[1],
        out[2],
        out[3],
        out[4],
        out[5],
        out[6],
        out[7],
    )
    wrong = 0
    for i in range(begin, end):
        spot, strike, years = get(f, i), get(k, i), get(t, i)
        volatility, sign, rate = get(v, i), get(s, i), get(r, i)
        cost = rate - get(q, i)
        paid, drift = rate * years, cost * years
        bad = bad_price(spot) | bad_price(strike) | bad_option(years, volatility, sign, paid)
        bad = bad | (drift > GROWTH_HIGHEST) | (drift < -GROWTH_HIGHEST)
        wrong |= 1 if bad else 0
        poison = 0.0 * (spot + strike + years + volatility + sign + cost)
        growth, discount = exponential(drift), exponential(-paid)
        x = moneyness(spot, strike) + drift
        value, delta, gamma, vega, theta, vanna, volga = undiscounted(
            spot * growth, strike, x, volatility, sign, math.sqrt(years)
        )
        carried = discount * growth
        value = fma(discount, value, poison)
        delta = fma(carried, delta, poison)
        put0(o0, i, value)
        put1(o1, i, delta)
        put2(o2, i, fma(carried * growth, gamma, poison))
        put3(o3, i, fma(discount, vega, poison))
        put4(o4, i, fma(discount, theta, fma(rate, value, -cost * spot * delta)))
        put5(o5, i, years * fma(spot, delta, -value))
        put6(o6, i, fma(carried, vanna, poison))
        put7(o7, i, fma(discount, volga, poison))
    return wrong


@parallel_kernel
def _forward_parallel(
    f: Floats, k: Floats, t: Floats, v: Floats, s: Floats, r: Floats, out: Floats
) -> int:
    wrong = 0
    for part in numba.prange((out.shape[1] + PART - 1) // PART):
        end = min((part + 1) * PART, out.shape[1])
        wrong += _forward_range(f, k, t, v, s, r, out, part * PART, end)
    return wrong


@parallel_kernel
def _price_parallel(
    f: Floats, k: Floats, t: Floats, v: Floats, s: Floats, r: Floats, out: Floats
) -> int:
    wrong = 0
    for part in numba.prange((out.shape[1] + PART - 1) // PART):
        end = min((part + 1) * PART, out.shape[1])
        wrong += _price_range(f, k, t, v, s, r, out, part * PART, end)
    return wrong


@parallel_kernel
def _spot_parallel(
    f: Floats, k: Floats, t: Floats, v: Floats, s: Floats, r: Floats, q: Floats, out: Floats
) -> int:
    wrong = 0
    for part in numba.prange((out.shape[1] + PART - 1) // PART):
        end = min((part + 1) * PART, out.shape[1])
        wrong += _spot_range(f, k, t, v, s, r, q, out, part * PART, end)
    return wrong


@warms
def _warm() -> None:
    one, many = np.ones(2), np.ones(PARALLEL_FROM)
    for numbers in (one, many):
        greeks(numbers, 1.0, 1.0, 0.5, 1.0)
        price(numbers, 1.0, 1.0, 0.5, 1.0)
        bsm_greeks(numbers, 1.0, 1.0, 0.5, 1.0)
    black_scalar(1.0, 1.0, 1.0, 0.5, 1.0)
