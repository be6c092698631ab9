"""Digital options: cash-or-nothing and asset-or-nothing, price and Greeks in closed form.

Units, inputs, errors and limits as in `keeper.quant.black`. Where forward and strike are one and the deviation
v sqrt(T) is 0, the price is the mean of both sides and the Greeks are their limits: delta, gamma, vanna and theta
infinite, vega finite.

Source: Reiner and Rubinstein (1991), "Unscrambling the binary code"; Haug (2007), section 4.19.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from keeper.quant.black import Greeks
from keeper.quant.black_terms import SHARP, deviations, moneyness
from keeper.quant.compiled import kernel, warms
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

_FIELDS = ("forward", "strike", "years", "volatility", "sign", "rate")
_BOUNDS = (PRICE, PRICE, YEARS, VOLATILITY, SIGN, RATE)


def cash_digital_greeks(
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    volatility: ArrayLike,
    sign: ArrayLike,
    rate: ArrayLike = 0.0,
) -> Greeks:
    """Pays 1 at expiry if sign (F - K) > 0: worth exp(-rate years) cdf(sign d2)."""
    return _greeks((forward, strike, years, volatility, sign, rate), asset=False)


def asset_digital_greeks(
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    volatility: ArrayLike,
    sign: ArrayLike,
    rate: ArrayLike = 0.0,
) -> Greeks:
    """Pays F at expiry if sign (F - K) > 0: worth exp(-rate years) F cdf(sign d1)."""
    return _greeks((forward, strike, years, volatility, sign, rate), asset=True)


def _greeks(values: tuple[ArrayLike, ...], *, asset: bool) -> Greeks:
    shape, arrays = flat_inputs(_FIELDS, values)
    out = np.empty((8, math.prod(shape)))
    f, k, t, v, s, r = arrays
    if _digital(f, k, t, v, s, r, asset, out):
        refuse(_FIELDS, arrays, _BOUNDS)
        refuse_growth(arrays[5], arrays[2])
    return Greeks(*out.reshape((8, *shape)))


@kernel
def digital_terms(
    forward: float, strike: float, years: float, volatility: float, sign: float, asset: bool
) -> tuple[float, float, float, float, float, float, float]:
    """(price, delta, gamma, vega, theta, vanna, volga) before discounting; inputs in bounds."""
    width = volatility * math.sqrt(years)
    d1, d2, density1, density2, likely1, likely2, _ = deviations(
        forward, strike, moneyness(forward, strike), width, sign
    )
    # own: the deviation under which the payoff's measure counts; other: its derivative's
    own, other, density, likely, unit = d2, d1, density2, likely2, 1.0
    if asset:
        own, other, density, likely, unit = d1, d2, density1, likely1, forward
    price = unit * likely
    side = sign * density
    held = likely if asset else 0.0
    if forward == strike and forward > 0.0 and width < SHARP:
        away = side if asset else -side  # of gamma, vega and theta
        vega = 0.5 * away * unit * math.sqrt(years)
        theta = -math.inf * away if volatility > 0.0 else 0.0
        if years > 0.0:
            theta = -0.25 * away * unit * volatility / math.sqrt(years)
        return price, side * math.inf, away * math.inf, vega, theta, -side * math.inf, 0.0
    if density == 0.0 or forward == 0.0:
        return price, held, 0.0, 0.0, 0.0, 0.0, 0.0
    delta = held + side * unit / (forward * width)
    curve = d2 if asset else d1 / forward
    gamma = -side * curve / (forward * width * width)
    vega = -side * unit * other / volatility
    theta = 0.5 * side * unit * other / years
    cross = 1.0 - d1 * d2
    vanna = -side / volatility * (d2 + cross / width if asset else cross / (forward * width))
    volga = -side * unit / (volatility * volatility) * (own * other * other - d1 - d2)
    return price, delta, gamma, vega, theta, vanna, volga


@kernel
def _digital(
    f: Floats, k: Floats, t: Floats, v: Floats, s: Floats, r: Floats, asset: bool, out: Floats
) -> int:
    wrong = 0
    for i in range(out.shape[1]):
        growth = r[i] * t[i]
        total = f[i] + k[i] + t[i] + v[i] + s[i] + r[i]
        if bad_price(f[i]) | bad_price(k[i]) | bad_option(t[i], v[i], s[i], growth):
            wrong = 1
        if math.isnan(total):
            out[:, i] = math.nan
            continue
        price, delta, gamma, vega, theta, vanna, volga = digital_terms(
            f[i], k[i], t[i], v[i], s[i], asset
        )
        discount = exponential(-growth)
        out[0, i] = discount * price
        out[1, i] = discount * delta
        out[2, i] = discount * gamma
        out[3, i] = discount * vega
        out[4, i] = discount * theta + r[i] * out[0, i]
        out[5, i] = -t[i] * out[0, i]
        out[6, i] = discount * vanna
        out[7, i] = discount * volga
    return wrong


@warms
def _warm() -> None:
    cash_digital_greeks(1.0, 1.0, 1.0, 0.5, 1.0)
    asset_digital_greeks(1.0, 1.0, 1.0, 0.5, 1.0)
