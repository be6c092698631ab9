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

from keeper.quant.black_passes import forward_range, price_range, spot_range
from keeper.quant.black_terms import moneyness, undiscounted
from keeper.quant.compiled import kernel, parallel_kernel, warms
from keeper.quant.inputs import (
    PRICE,
    RATE,
    SIGN,
    VOLATILITY,
    YEARS,
    Floats,
    flat_inputs,
    refuse,
    refuse_growth,
)

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
    if _run(forward_range, _forward_parallel, arrays, out):
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
    if _run(price_range, _price_parallel, arrays, out):
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
    if _run(spot_range, _spot_parallel, arrays, out):
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
    rows = out if len(shape) == 1 else out.reshape((8, *shape))
    return Greeks(rows[0], rows[1], rows[2], rows[3], rows[4], rows[5], rows[6], rows[7])


@kernel
def black_scalar(
    forward: float, strike: float, years: float, volatility: float, sign: float
) -> tuple[float, float, float, float, float, float, float]:
    """(price, delta, gamma, vega, theta, vanna, volga), undiscounted, of one option; for use in other kernels.

    Inputs must be in bounds: nothing is checked here.
    """
    x = moneyness(forward, strike)
    return undiscounted(forward, strike, x, volatility, sign, math.sqrt(years))


@parallel_kernel
def _forward_parallel(
    f: Floats, k: Floats, t: Floats, v: Floats, s: Floats, r: Floats, out: Floats
) -> int:
    wrong = 0
    for part in numba.prange((out.shape[1] + PART - 1) // PART):
        end = min((part + 1) * PART, out.shape[1])
        wrong += forward_range(f, k, t, v, s, r, out, part * PART, end)
    return wrong


@parallel_kernel
def _price_parallel(
    f: Floats, k: Floats, t: Floats, v: Floats, s: Floats, r: Floats, out: Floats
) -> int:
    wrong = 0
    for part in numba.prange((out.shape[1] + PART - 1) // PART):
        end = min((part + 1) * PART, out.shape[1])
        wrong += price_range(f, k, t, v, s, r, out, part * PART, end)
    return wrong


@parallel_kernel
def _spot_parallel(
    f: Floats, k: Floats, t: Floats, v: Floats, s: Floats, r: Floats, q: Floats, out: Floats
) -> int:
    wrong = 0
    for part in numba.prange((out.shape[1] + PART - 1) // PART):
        end = min((part + 1) * PART, out.shape[1])
        wrong += spot_range(f, k, t, v, s, r, q, out, part * PART, end)
    return wrong


@warms
def _warm() -> None:
    one, many = np.ones(2), np.ones(PARALLEL_FROM)
    for numbers in (one, many):
        greeks(numbers, 1.0, 1.0, 0.5, 1.0)
        price(numbers, 1.0, 1.0, 0.5, 1.0)
        bsm_greeks(numbers, 1.0, 1.0, 0.5, 1.0)
    black_scalar(1.0, 1.0, 1.0, 0.5, 1.0)
