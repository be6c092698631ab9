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
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import ArrayLike

from keeper.quant.black_terms import moneyness, undiscounted
from keeper.quant.compiled import kernel, parallel_kernel
from keeper.quant.inputs import (
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

CHUNK = 128
"""Elements that one vector loop works on: inputs and outputs of a chunk stay in the first-level cache."""
PARALLEL_FROM = 8192
"""Elements from which starting the threads is worth it."""
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
    run = _forward_parallel if size >= PARALLEL_FROM else _forward_serial
    if run(arrays[0], arrays[1], arrays[2], arrays[3], arrays[4], arrays[5], out):
        refuse(_FIELDS, arrays, _BOUNDS)
        refuse_growth(arrays[5], arrays[2])
    return Greeks(*out.reshape((8, *shape)))


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
    run = _price_parallel if out.size >= PARALLEL_FROM else _price_serial
    if run(arrays[0], arrays[1], arrays[2], arrays[3], arrays[4], arrays[5], out):
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
    run = _spot_parallel if size >= PARALLEL_FROM else _spot_serial
    a = arrays
    if run(a[0], a[1], a[2], a[3], a[4], a[5], a[6], out):
        refuse(_SPOT_FIELDS, arrays, (*_BOUNDS, RATE))
        refuse_growth(arrays[5], arrays[2])
    return Greeks(*out.reshape((8, *shape)))


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
def load(source: Floats, begin: int, count: int, work: Floats, row: int) -> None:
    """Copy a chunk of an input (or its only element) into the workspace, padded with its last element."""
    if source.size == 1:
        work[row : row + CHUNK] = source[0]
        return
    for i in range(count):
        work[row + i] = source[begin + i]
    for i in range(count, CHUNK):
        work[row + i] = source[begin + count - 1]


@kernel
def store(work: Floats, first: int, rows: int, out: Floats, begin: int, count: int) -> None:
    """Copy the rows of results out of the workspace."""
    for j in range(rows):
        for i in range(count):
            out[j, begin + i] = work[first + j * CHUNK + i]


@kernel
def _forward_chunk(work: Floats) -> int:
    """Black-76 of one chunk: rows 0-5 are the inputs, 6-13 the results; 1 if an input is out of bounds."""
    wrong = 0
    for i in range(CHUNK):
        forward, strike, years = work[i], work[CHUNK + i], work[2 * CHUNK + i]
        volatility, sign, rate = work[3 * CHUNK + i], work[4 * CHUNK + i], work[5 * CHUNK + i]
        growth = rate * years
        bad = bad_price(forward) | bad_price(strike) | bad_option(years, volatility, sign, growth)
        wrong |= 1 if bad else 0
        poison = 0.0 * (forward + strike + years + volatility + sign + rate)
        x = moneyness(forward, strike)
        value, delta, gamma, vega, theta, vanna, volga = undiscounted(
            forward, strike, x, volatility, sign, math.sqrt(years)
        )
        discount = exponential(-growth)
        value = discount * value + poison
        work[6 * CHUNK + i] = value
        work[7 * CHUNK + i] = discount * delta + poison
        work[8 * CHUNK + i] = discount * gamma + poison
        work[9 * CHUNK + i] = discount * vega + poison
        work[10 * CHUNK + i] = discount * theta + (rate * value + poison)
        work[11 * CHUNK + i] = -years * value + poison
        work[12 * CHUNK + i] = discount * vanna + poison
        work[13 * CHUNK + i] = discount * volga + poison
    return wrong


@kernel
def _price_chunk(work: Floats) -> int:
    """Black-76 prices of one chunk: rows 0-5 are the inputs, 6 the price; 1 if an input is out of bounds."""
    wrong = 0
    for i in range(CHUNK):
        forward, strike, years = work[i], work[CHUNK + i], work[2 * CHUNK + i]
        volatility, sign, rate = work[3 * CHUNK + i], work[4 * CHUNK + i], work[5 * CHUNK + i]
        growth = rate * years
        bad = bad_price(forward) | bad_price(strike) | bad_option(years, volatility, sign, growth)
        wrong |= 1 if bad else 0
        poison = 0.0 * (forward + strike + years + volatility + sign + rate)
        x = moneyness(forward, strike)
        value = undiscounted(forward, strike, x, volatility, sign, math.sqrt(years))[0]
        work[6 * CHUNK + i] = exponential(-growth) * value + poison
    return wrong


@kernel
def _spot_chunk(work: Floats) -> int:
    """Black-Scholes-Merton of one chunk: rows 0-6 are the inputs, 7-14 the results; 1 if an input is out of bounds."""
    wrong = 0
    for i in range(CHUNK):
        spot, strike, years = work[i], work[CHUNK + i], work[2 * CHUNK + i]
        volatility, sign, rate = work[3 * CHUNK + i], work[4 * CHUNK + i], work[5 * CHUNK + i]
        carry_yield = work[6 * CHUNK + i]
        paid = rate * years
        drift = (rate - carry_yield) * years
        bad = bad_price(spot) | bad_price(strike) | bad_option(years, volatility, sign, paid)
        bad = bad | bad_option(years, volatility, sign, drift)
        wrong |= 1 if bad else 0
        poison = 0.0 * (spot + strike + years + volatility + sign + rate + carry_yield)
        growth = exponential(drift)
        forward = spot * growth
        x = moneyness(spot, strike) + drift
        value, delta, gamma, vega, theta, vanna, volga = undiscounted(
            forward, strike, x, volatility, sign, math.sqrt(years)
        )
        discount = exponential(-paid)
        value = discount * value + poison
        delta = discount * growth * delta + poison
        work[7 * CHUNK + i] = value
        work[8 * CHUNK + i] = delta
        work[9 * CHUNK + i] = discount * growth * growth * gamma + poison
        work[10 * CHUNK + i] = discount * vega + poison
        work[11 * CHUNK + i] = discount * theta + (
            rate * value - (rate - carry_yield) * spot * delta
        )
        work[12 * CHUNK + i] = years * (spot * delta - value)
        work[13 * CHUNK + i] = discount * growth * vanna + poison
        work[14 * CHUNK + i] = discount * volga + poison
    return wrong


@kernel
def _forward_at(
    f: Floats, k: Floats, t: Floats, v: Floats, s: Floats, r: Floats, out: Floats, begin: int
) -> int:
    count = min(CHUNK, out.shape[1] - begin)
    work = np.empty(14 * CHUNK)
    load(f, begin, count, work, 0)
    load(k, begin, count, work, CHUNK)
    load(t, begin, count, work, 2 * CHUNK)
    load(v, begin, count, work, 3 * CHUNK)
    load(s, begin, count, work, 4 * CHUNK)
    load(r, begin, count, work, 5 * CHUNK)
    wrong = _forward_chunk(work)
    store(work, 6 * CHUNK, 8, out, begin, count)
    return wrong


@kernel
def _forward_serial(
    f: Floats, k: Floats, t: Floats, v: Floats, s: Floats, r: Floats, out: Floats
) -> int:
    wrong = 0
    for begin in range(0, out.shape[1], CHUNK):
        wrong |= _forward_at(f, k, t, v, s, r, out, begin)
    return wrong


@parallel_kernel
def _forward_parallel(
    f: Floats, k: Floats, t: Floats, v: Floats, s: Floats, r: Floats, out: Floats
) -> int:
    wrong = 0
    for chunk in numba.prange((out.shape[1] + CHUNK - 1) // CHUNK):
        wrong += _forward_at(f, k, t, v, s, r, out, chunk * CHUNK)
    return wrong


@kernel
def _price_at(
    f: Floats, k: Floats, t: Floats, v: Floats, s: Floats, r: Floats, out: Floats, begin: int
) -> int:
    count = min(CHUNK, out.shape[1] - begin)
    work = np.empty(7 * CHUNK)
    load(f, begin, count, work, 0)
    load(k, begin, count, work, CHUNK)
    load(t, begin, count, work, 2 * CHUNK)
    load(v, begin, count, work, 3 * CHUNK)
    load(s, begin, count, work, 4 * CHUNK)
    load(r, begin, count, work, 5 * CHUNK)
    wrong = _price_chunk(work)
    store(work, 6 * CHUNK, 1, out, begin, count)
    return wrong


@kernel
def _price_serial(
    f: Floats, k: Floats, t: Floats, v: Floats, s: Floats, r: Floats, out: Floats
) -> int:
    wrong = 0
    for begin in range(0, out.shape[1], CHUNK):
        wrong |= _price_at(f, k, t, v, s, r, out, begin)
    return wrong


@parallel_kernel
def _price_parallel(
    f: Floats, k: Floats, t: Floats, v: Floats, s: Floats, r: Floats, out: Floats
) -> int:
    wrong = 0
    for chunk in numba.prange((out.shape[1] + CHUNK - 1) // CHUNK):
        wrong += _price_at(f, k, t, v, s, r, out, chunk * CHUNK)
    return wrong


@kernel
def _spot_at(
    f: Floats,
    k: Floats,
    t: Floats,
    v: Floats,
    s: Floats,
    r: Floats,
    q: Floats,
    out: Floats,
    begin: int,
) -> int:
    count = min(CHUNK, out.shape[1] - begin)
    work = np.empty(15 * CHUNK)
    load(f, begin, count, work, 0)
    load(k, begin, count, work, CHUNK)
    load(t, begin, count, work, 2 * CHUNK)
    load(v, begin, count, work, 3 * CHUNK)
    load(s, begin, count, work, 4 * CHUNK)
    load(r, begin, count, work, 5 * CHUNK)
    load(q, begin, count, work, 6 * CHUNK)
    wrong = _spot_chunk(work)
    store(work, 7 * CHUNK, 8, out, begin, count)
    return wrong


@kernel
def _spot_serial(
    f: Floats, k: Floats, t: Floats, v: Floats, s: Floats, r: Floats, q: Floats, out: Floats
) -> int:
    wrong = 0
    for begin in range(0, out.shape[1], CHUNK):
        wrong |= _spot_at(f, k, t, v, s, r, q, out, begin)
    return wrong


@parallel_kernel
def _spot_parallel(
    f: Floats, k: Floats, t: Floats, v: Floats, s: Floats, r: Floats, q: Floats, out: Floats
) -> int:
    wrong = 0
    for chunk in numba.prange((out.shape[1] + CHUNK - 1) // CHUNK):
        wrong += _spot_at(f, k, t, v, s, r, q, out, chunk * CHUNK)
    return wrong
