"""Options settled in the coin itself (inverse), and in money at the same index (linear, no quanto term).

An inverse option pays max(sign (F - K), 0) / F in coin at expiry. Without arbitrage it is worth exp(-rate years) B / F
coins today, B Black's undiscounted price in money and `rate` the coin's own (lending, staking) rate. A linear option,
settled in the money its index is quoted in, is Black's: no correlation between index and settlement enters either.

Sources: the change of numeraire (Geman, El Karoui and Rochet 1995); Alexander, Chen and Imeraj (2023), "Crypto quanto
and inverse options".
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from keeper.errors import QuantityError
from keeper.quant.black import Greeks, greeks
from keeper.quant.black_terms import INFINITY, SHARP, TINY, deviations, moneyness
from keeper.quant.compiled import (
    fma,
    get,
    kernel,
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
    POSITIVE_PRICE,
    PRICE,
    PRICE_HIGHEST,
    PRICE_LOWEST,
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

_FIELDS = ("forward", "strike", "years", "volatility", "sign", "rate")
_BOUNDS = (POSITIVE_PRICE, PRICE, YEARS, VOLATILITY, SIGN, RATE)


def linear_greeks(
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    volatility: ArrayLike,
    sign: ArrayLike,
    rate: ArrayLike = 0.0,
) -> Greeks:
    """Settled in money: price in that money, Greeks as `keeper.quant.black.greeks` (it is that function)."""
    return greeks(forward, strike, years, volatility, sign, rate)


def inverse_greeks(
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    volatility: ArrayLike,
    sign: ArrayLike,
    rate: ArrayLike = 0.0,
) -> Greeks:
    """Settled in coin: price in coins; delta, gamma and vanna are derivatives of coins to the forward in money.

    Units and errors as in `keeper.quant.black`, but a forward of 0 is refused: a put would pay coins without end.
    """
    shape, arrays = flat_inputs(_FIELDS, (forward, strike, years, volatility, sign, rate))
    out = np.empty((8, math.prod(shape)))
    f, k, t, v, s, r = arrays
    if _inverse(f, k, t, v, s, r, out):
        refuse(_FIELDS, arrays, _BOUNDS)
        _refuse_ratio(f, k)
        refuse_growth(arrays[5], arrays[2])
    return Greeks(*out.reshape((8, *shape)))


def _refuse_ratio(forward: Floats, strike: Floats) -> None:
    """A put pays strike / forward coins, which must be a number."""
    with np.errstate(over="ignore"):
        beyond = strike > forward * PRICE_HIGHEST
    if beyond.any():
        index = int(np.argmax(beyond))
        where = index if beyond.size > 1 else None
        raise QuantityError("strike", "is more than 1e250 forwards", PRICE.remedy, where)


@kernel
def _inverse(f: Floats, k: Floats, t: Floats, v: Floats, s: Floats, r: Floats, out: Floats) -> int:
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
    for i in range(out.shape[1]):
        forward, strike, years = get(f, i), get(k, i), get(t, i)
        volatility, sign, rate = get(v, i), get(s, i), get(r, i)
        growth = rate * years
        bad = bad_price(forward) | bad_price(strike) | bad_option(years, volatility, sign, growth)
        bad = bad | (forward < PRICE_LOWEST) | (strike > forward * PRICE_HIGHEST)
        wrong |= 1 if bad else 0
        poison = 0.0 * (forward + strike + years + volatility + sign + rate)
        unit = forward if not forward < PRICE_LOWEST else 1.0
        root = math.sqrt(years)
        d1, d2, density1, density2, _, likely2, worth = deviations(
            unit, strike, moneyness(unit, strike), volatility * root, sign
        )
        ratio = strike / unit
        width = volatility * root
        inverse = 1.0 / (width if not width < TINY else TINY)
        discount = exponential(-growth)
        value = fma(discount, worth / unit, poison)
        exercised = sign * ratio * likely2 / unit
        kink = (unit == strike) & (width < SHARP)
        gamma = (INFINITY if kink else ratio * density2 * inverse / unit) - 2.0 * exercised
        theta = -0.5 * density1 * volatility / (root if root > 0.0 else 1e-150)
        theta = -INFINITY if kink & (root == 0.0) & (volatility > 0.0) else theta
        vega = density1 * root
        slope = root * inverse  # 1 / volatility
        put0(o0, i, value)
        put1(o1, i, fma(discount, exercised, poison))
        put2(o2, i, fma(discount, gamma / unit, poison))
        put3(o3, i, fma(discount, vega, poison))
        put4(o4, i, fma(discount, theta, fma(rate, value, poison)))
        put5(o5, i, fma(-years, value, poison))
        vanna = -density2 * ratio * (0.5 * root if unit == strike else d1 * slope) / unit
        put6(o6, i, fma(discount, vanna, poison))
        put7(o7, i, fma(discount, vega * (d1 * d2) * slope, poison))
    return wrong


@warms
def _warm() -> None:
    inverse_greeks(1.0, 1.0, 1.0, 0.5, 1.0)
