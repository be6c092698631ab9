"""European options with one barrier, watched all the time, in closed form: all eight knock types, with rebate.

Sources: Merton (1973); Reiner and Rubinstein (1991), "Breaking down the barriers", in the notation of Haug (2007),
section 4.17.1. Barriers watched at intervals: Broadie, Glasserman and Kou (1997), "A continuity correction for discrete
barrier options".

Powers (H / S)^(2 mu) are kept as exponents and joined to the logarithm of the probability they multiply: each is huge
where the other is tiny.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from keeper.errors import QuantityError
from keeper.quant.black_terms import deviations
from keeper.quant.compiled import kernel, warms
from keeper.quant.inputs import (
    POSITIVE_PRICE,
    PRICE,
    RATE,
    SIGN,
    VOLATILITY,
    YEARS,
    Bound,
    Floats,
    flat_inputs,
    refuse,
    refuse_growth,
)
from keeper.quant.normal import INV_SQRT_2PI, mills

CONTINUITY = 0.5825971579390106
"""-zeta(1/2) / sqrt(2 pi): how far, in deviations of one interval, a barrier watched at intervals stands off."""
_EXPONENT_HIGHEST = 1e6
_SQRT_HALF = 0.7071067811865476
_FIELDS = (
    "spot",
    "strike",
    "barrier",
    "years",
    "volatility",
    "sign",
    "direction",
    "knock",
    "rate",
    "carry_yield",
    "rebate",
    "interval_years",
)
_SIDE = Bound(-1.0, 1.0, "give +1 for up, -1 for down", side=True)
_KNOCK = Bound(-1.0, 1.0, "give +1 for in, -1 for out", side=True)
_BOUNDS = (
    POSITIVE_PRICE,
    PRICE,
    POSITIVE_PRICE,
    YEARS,
    VOLATILITY,
    SIGN,
    _SIDE,
    _KNOCK,
    RATE,
    RATE,
    PRICE,
    YEARS,
)


def barrier_price(
    spot: ArrayLike,
    strike: ArrayLike,
    barrier: ArrayLike,
    years: ArrayLike,
    volatility: ArrayLike,
    sign: ArrayLike,
    direction: ArrayLike,
    knock: ArrayLike,
    rate: ArrayLike = 0.0,
    carry_yield: ArrayLike = 0.0,
    rebate: ArrayLike = 0.0,
    interval_years: ArrayLike = 0.0,
) -> Floats:
    """Price of call (sign +1) or put (-1), barrier above (direction +1) or below (-1), knocked in (+1) or out (-1).

    The rebate is paid when the option is knocked out, or at expiry if it never was knocked in. A spot at or beyond the
    barrier has touched it. `interval_years` > 0: the barrier is watched that often. NaN gives NaN.
    Raises QuantityError for inputs out of bounds, a rebate at the hit whose discounting has no real exponent (rate <
    0), and a volatility above 0 so low beside the carry that the formula would lose its digits.
    """
    values = (
        spot,
        strike,
        barrier,
        years,
        volatility,
        sign,
        direction,
        knock,
        rate,
        carry_yield,
        rebate,
        interval_years,
    )
    shape, arrays = flat_inputs(_FIELDS, values)
    refuse(_FIELDS, arrays, _BOUNDS)
    if np.any(np.abs(arrays[8] * arrays[3]) > 700.0):
        refuse_growth(arrays[8], arrays[3])
    if np.any(np.abs(arrays[9] * arrays[3]) > 700.0):
        raise QuantityError("carry_yield", "times years is beyond 700", RATE.remedy)
    out = np.empty(math.prod(shape))
    at, why = _barriers(np.stack(arrays) if out.size else np.empty((12, 0)), out)
    if why:
        problem, remedy = (
            ("is too low beside the carry", "give 0 for its deterministic limit, or more"),
            (
                "makes the discounting of a rebate at the hit complex",
                "give 0 as rebate, or rate >= 0",
            ),
        )[why - 1]
        raise QuantityError(("volatility", "rate")[why - 1], problem, remedy, at)
    return out.reshape(shape)


@kernel
def cdf(z: float) -> float:
    """P(Z <= z), small in relative error; no loop here gains from the vector kernels, which compile slowly."""
    return 0.5 * math.erfc(-_SQRT_HALF * z)


@kernel
def weighted_cdf(exponent: float, z: float) -> float:
    """exp(exponent) cdf(z) without leaving the range of doubles on the way."""
    if z > 0.0:
        return math.exp(exponent) * cdf(z)
    a = min(-z, 1e20)
    if a > 1e150:
        return 0.0
    return math.exp(exponent - 0.5 * a * a + math.log(INV_SQRT_2PI * mills(a)))


@kernel
def _vanilla(
    spot: float, strike: float, growth: float, discount: float, width: float, sign: float
) -> float:
    forward = spot * growth
    x = math.log(forward / strike) if strike > 0.0 else 1e4
    return discount * deviations(forward, strike, x, width, sign)[6]


@kernel
def _certain(
    spot: float,
    strike: float,
    barrier: float,
    years: float,
    sign: float,
    direction: float,
    knock: float,
    rate: float,
    cost: float,
    rebate: float,
) -> float:
    """Without volatility (or time) the path is known."""
    growth, discount = math.exp(cost * years), math.exp(-rate * years)
    intrinsic = discount * max(sign * (spot * growth - strike), 0.0)
    touches = direction * (spot * growth - barrier) >= 0.0
    if not touches:
        return discount * rebate if knock > 0.0 else intrinsic
    if knock > 0.0:
        return intrinsic
    return rebate * math.exp(-rate * math.log(barrier / spot) / cost)


@kernel
def _terms(
    spot: float,
    strike: float,
    level: float,
    width: float,
    mu: float,
    growth: float,
    sign: float,
    eta: float,
) -> tuple[float, float, float, float]:
    """Haug's A, B, C and D, before discounting."""
    drift = (1.0 + mu) * width
    depth = math.log(level / spot)
    power = 2.0 * mu * depth
    forward = spot * growth
    least = strike if strike > 0.0 else 1e-250
    x1 = math.log(spot / least) / width + drift
    x2 = -depth / width + drift
    y1 = (2.0 * depth + math.log(spot / least)) / width + drift
    y2 = depth / width + drift
    a = sign * (forward * cdf(sign * x1) - strike * cdf(sign * (x1 - width)))
    b = sign * (forward * cdf(sign * x2) - strike * cdf(sign * (x2 - width)))
    c = sign * (
        forward * weighted_cdf(power + 2.0 * depth, eta * y1)
        - strike * weighted_cdf(power, eta * (y1 - width))
    )
    d = sign * (
        forward * weighted_cdf(power + 2.0 * depth, eta * y2)
        - strike * weighted_cdf(power, eta * (y2 - width))
    )
    return a, b, c, d


@kernel
def _knocked_in(
    terms: tuple[float, float, float, float], sign: float, direction: float, above: bool
) -> float:
    """Value of the option that lives once the barrier is touched; `above`: the strike is above the barrier."""
    a, b, c, d = terms
    if sign * direction < 0.0:  # down call, up put: the barrier lies out of the money
        return c if above == (sign > 0.0) else a - b + d
    return a if above == (sign > 0.0) else b - c + d


@kernel
def _rebate(
    spot: float,
    level: float,
    years: float,
    volatility: float,
    mu: float,
    rate: float,
    eta: float,
    knock: float,
) -> float:
    """Haug's E (at expiry, never knocked in) or F (at the hit), per unit of rebate."""
    width = volatility * math.sqrt(years)
    depth = math.log(level / spot)
    if knock > 0.0:
        drift = mu * width
        stays = cdf(eta * (-depth / width + drift))
        comes_back = weighted_cdf(2.0 * mu * depth, eta * (depth / width + drift))
        return math.exp(-rate * years) * max(stays - comes_back, 0.0)
    slope = math.sqrt(mu * mu + 2.0 * rate / (volatility * volatility))
    z = depth / width + slope * width
    return weighted_cdf((mu + slope) * depth, eta * z) + weighted_cdf(
        (mu - slope) * depth, eta * (z - 2.0 * slope * width)
    )


@kernel
def barrier_scalar(q: Floats) -> tuple[float, int]:
    """(price, 0) of one option whose inputs, in the order of `barrier_price`, are in bounds; or why not: 1, 2."""
    spot, strike, level, years, volatility, sign = q[0], q[1], q[2], q[3], q[4], q[5]
    direction, knock, rate, cost, rebate = q[6], q[7], q[8], q[8] - q[9], q[10]
    growth, discount = math.exp(cost * years), math.exp(-rate * years)
    width = volatility * math.sqrt(years)
    vanilla = _vanilla(spot, strike, growth, discount, width, sign)
    if direction * (spot - level) >= 0.0:
        return (vanilla if knock > 0.0 else rebate), 0
    if width == 0.0:
        return _certain(spot, strike, level, years, sign, direction, knock, rate, cost, rebate), 0
    level *= math.exp(direction * CONTINUITY * volatility * math.sqrt(q[11]))
    mu = cost / (volatility * volatility) - 0.5
    if abs(2.0 * mu * math.log(level / spot)) > _EXPONENT_HIGHEST:
        return math.nan, 1
    if rebate > 0.0 and knock < 0.0 and mu * mu + 2.0 * rate / (volatility * volatility) < 0.0:
        return math.nan, 2
    eta = -direction
    terms = _terms(spot, strike, level, width, mu, growth, sign, eta)
    live = min(max(discount * _knocked_in(terms, sign, direction, strike > level), 0.0), vanilla)
    price = live if knock > 0.0 else vanilla - live
    if rebate > 0.0:
        price += rebate * _rebate(spot, level, years, volatility, mu, rate, eta, knock)
    return price, 0


@kernel
def _barriers(inputs: Floats, out: Floats) -> tuple[int, int]:
    for i in range(out.size):
        if np.isnan(inputs[:, i].sum()):
            out[i] = math.nan
            continue
        out[i], why = barrier_scalar(inputs[:, i])
        if why:
            return i, why
    return 0, 0


@warms
def _warm() -> None:
    barrier_price(1.0, 1.0, 2.0, 1.0, 0.5, 1.0, 1.0, 1.0)
