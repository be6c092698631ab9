"""European options with one barrier, watched all the time, in closed form: all eight knock types, with rebate.

Price, delta, gamma, vega and theta in one pass; units as in `keeper.quant.black`, Greeks to the spot. Errors are a few
eps of the greatest of spot, strike, barrier and rebate for the price; for spot x delta that over w = v sqrt(T), for
spot^2 x gamma over w^2, and mu and mu^2 times as much where mu = (rate - carry_yield) / v^2 is large.

Sources: Merton (1973); Reiner and Rubinstein (1991), "Breaking down the barriers", in the notation of Haug (2007),
section 4.17.1. Barriers watched at intervals: Broadie, Glasserman and Kou (1997), "A continuity correction for discrete
barrier options".
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from keeper.errors import QuantityError
from keeper.quant.barrier_terms import (
    Market,
    Term,
    combined,
    crossed,
    mirrored,
    plain,
    rebate_at_expiry,
    rebate_at_hit,
)
from keeper.quant.compiled import kernel, warms
from keeper.quant.inputs import (
    GROWTH_HIGHEST,
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
from keeper.quant.normal import log_ratio

CONTINUITY = 0.5825971579390106
"""-zeta(1/2) / sqrt(2 pi): how far, in deviations of one interval, a barrier watched at intervals stands off."""
_EXPONENT_HIGHEST = 1e6
_SHARP = 1e-20
"""Deviations below this are the limit 0: no double is as near to another as to tell."""
_LEVEL_LOWEST, _LEVEL_HIGHEST = 1e-300, 1e300
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


class BarrierGreeks(NamedTuple):
    """Price and sensitivities: float64 arrays of one shape. Beyond a touched barrier what is left has them."""

    price: Floats
    delta: Floats
    gamma: Floats
    vega: Floats
    theta: Floats


def barrier_greeks(
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
) -> BarrierGreeks:
    """Call (sign +1) or put (-1), barrier above (direction +1) or below (-1), knocked in (+1) or out (-1).

    The rebate is paid when the option is knocked out, or at expiry if it never was knocked in. A spot at or beyond the
    barrier has touched it. `interval_years` > 0: the barrier is watched that often, at expiry at least; vega counts
    that a barrier stands off further with more volatility. NaN gives NaN.
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
    if np.any(np.abs(arrays[8] * arrays[3]) > GROWTH_HIGHEST):
        refuse_growth(arrays[8], arrays[3])
    _refuse_carry(arrays)
    out = np.empty((5, math.prod(shape)))
    at, why = _barriers(np.stack(arrays), out)
    if why:
        problem, remedy = (
            ("is too low beside the carry", "give 0 for its deterministic limit, or more"),
            (
                "makes the discounting of a rebate at the hit complex",
                "give 0 as rebate, or rate >= 0",
            ),
        )[why - 1]
        where = at if out.shape[1] > 1 else None
        raise QuantityError(("volatility", "rate")[why - 1], problem, remedy, where)
    return BarrierGreeks(*out.reshape((5, *shape)))


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
    """The price of `barrier_greeks` alone."""
    return barrier_greeks(
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
    ).price


def _refuse_carry(arrays: list[Floats]) -> None:
    spot, years, rate, carry_yield = arrays[0], arrays[3], arrays[8], arrays[9]
    growth = (rate - carry_yield) * years
    high = np.maximum(np.abs(growth), np.abs(carry_yield * years))
    wrong = (high > GROWTH_HIGHEST) | (growth + np.log(spot) > GROWTH_HIGHEST)
    if wrong.any():
        index = int(np.argmax(wrong))
        problem = f"makes the spot {spot[index]:.6g} grow by a factor exp({growth[index]:.6g})"
        raise QuantityError("carry_yield", problem, RATE.remedy, index if growth.size > 1 else None)


@kernel
def _certain(
    vanilla: Term,
    spot: float,
    level: float,
    years: float,
    direction: float,
    knock: float,
    rate: float,
    cost: float,
    rebate: float,
) -> Term:
    """Without volatility (or time) the path is known."""
    touches = direction * (spot * math.exp(cost * years) - level) >= 0.0
    if touches == (knock > 0.0):
        return vanilla
    if not touches:
        value = rebate * math.exp(-rate * years)
        return value, 0.0, 0.0, 0.0, -rate * value, 0.0
    power = rate / cost
    value = rebate * math.exp(power * log_ratio(spot, level))
    return value, power * value, power * (power - 1.0) * value, 0.0, 0.0, -power * value


@kernel
def _knocked(
    vanilla: Term,
    spot: float,
    strike: float,
    level: float,
    past: float,
    sign: float,
    direction: float,
    knock: float,
    market: Market,
) -> Term:
    """The option without rebate: knocked in it is A, C, A - B + D or B - C + D; knocked out A less that, with nothing
    added that is taken off again. `past` = ln(H / K)."""
    nothing = combined(vanilla, -1.0, vanilla)
    total = nothing
    begin, turn = (nothing, sign) if knock > 0.0 else (vanilla, -sign)
    within = direction * past > 0.0  # the strike lies on the spot's side of the barrier
    if sign * direction > 0.0:
        if not within:
            return vanilla if knock > 0.0 else nothing
        total = combined(begin, turn, crossed(spot, strike, level, sign, market))
        total = combined(total, -turn, mirrored(spot, strike, level, past, -direction, market))
        total = combined(total, turn, mirrored(spot, strike, level, 0.0, -direction, market))
    elif within:
        total = combined(begin, turn, mirrored(spot, strike, level, past, -direction, market))
    else:
        begin = vanilla if knock > 0.0 else nothing
        total = combined(begin, -turn, crossed(spot, strike, level, sign, market))
        total = combined(total, turn, mirrored(spot, strike, level, 0.0, -direction, market))
    return min(max(total[0], 0.0), vanilla[0]), total[1], total[2], total[3], total[4], total[5]


@kernel
def _option(q: Floats) -> tuple[Term, int]:
    """(price and Greeks, 0) of one option whose inputs, in the order of `barrier_greeks`, are in bounds; or why not."""
    spot, strike, level, years, volatility, sign = q[0], q[1], q[2], q[3], q[4], q[5]
    direction, knock, rate, dividend, rebate = q[6], q[7], q[8], q[9], q[10]
    cost = rate - dividend
    vanilla = plain(spot, strike, years, volatility, sign, rate, cost)
    if direction * (spot - level) >= 0.0:
        return (vanilla if knock > 0.0 else (rebate, 0.0, 0.0, 0.0, 0.0, 0.0)), 0
    width = volatility * math.sqrt(years)
    if width < _SHARP or volatility < _SHARP:
        found = _certain(vanilla, spot, level, years, direction, knock, rate, cost, rebate)
        return found, 0
    lull = math.sqrt(min(q[11], years))
    shift = direction * CONTINUITY * volatility * lull
    depth = log_ratio(level, spot) + shift
    past = log_ratio(level, strike) + shift if strike > 0.0 else 1e4
    level *= math.exp(shift)
    if (
        not _LEVEL_LOWEST < level < _LEVEL_HIGHEST
    ):  # of absurd volatilities; out of reach as well there
        level = min(max(level, _LEVEL_LOWEST), _LEVEL_HIGHEST)
        depth = log_ratio(level, spot)
        past = log_ratio(level, strike) if strike > 0.0 else 1e4
    mu = cost / (volatility * volatility) - 0.5
    slope = mu * mu + 2.0 * rate / (volatility * volatility)
    if abs(2.0 * mu * depth) > _EXPONENT_HIGHEST:
        return vanilla, 1
    if rebate > 0.0 and knock < 0.0 and slope < 0.0:
        return vanilla, 2
    at_strike = (past - depth) / width + mu * width
    market = (at_strike, years, volatility, mu, rate, dividend, depth)
    total = _knocked(vanilla, spot, strike, level, past, sign, direction, knock, market)
    if rebate > 0.0 and knock > 0.0:
        total = combined(total, rebate, rebate_at_expiry(-direction, market))
    elif rebate > 0.0:
        total = combined(total, rebate, rebate_at_hit(math.sqrt(slope), -direction, market))
    moves = total[5] * direction * CONTINUITY
    by_years = total[4] + (0.5 * moves * volatility / lull if 0.0 < years < q[11] else 0.0)
    return (total[0], total[1], total[2], total[3] + moves * lull, by_years, total[5]), 0


@kernel
def _barriers(inputs: Floats, out: Floats) -> tuple[int, int]:
    for i in range(out.shape[1]):
        if np.isnan(inputs[:, i].sum()):
            out[:, i] = math.nan
            continue
        found, why = _option(inputs[:, i])
        if why:
            return i, why
        spot = inputs[0, i]
        out[0, i], out[1, i] = found[0], found[1] / spot
        out[2, i] = found[2] / spot / spot
        out[3, i], out[4, i] = found[3], -found[4]
    return 0, 0


@warms
def _warm() -> None:
    barrier_greeks(1.0, 1.0, 2.0, 1.0, 0.5, 1.0, 1.0, 1.0)
