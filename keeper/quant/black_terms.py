"""The one formula under every price and Greek of a European option, as a kernel without branches.

Written for the side out of the money. With low = min(F, K), high = max(F, K), s = v sqrt(T), h = -|ln(F / K)| / s and
t = s / 2, the option out of the money (the call where F < K, the put where F > K) is worth

    low cdf(h + t) - high cdf(h - t),    low pdf(h + t) = high pdf(h - t),

whichever it is; the other follows by parity. So one exponential and two Mills' ratios give everything, nothing
cancels in the money, and the limits T = 0, v = 0, F = 0 and K = 0 need no case: h goes to minus infinity.
(Black 1976; the symmetry is put-call duality.)
"""

from __future__ import annotations

from keeper.quant.compiled import fma, inlined
from keeper.quant.normal import INV_SQRT_2PI, exp_sum, log_ratio, mills_parts

_ZERO_MONEYNESS = 1e4
"""Stands for |ln(F / K)| where one of them is 0; any two positive prices the functions take are within 1,152."""
INFINITY = float("inf")
TINY = 1e-250
_TINY_ROOT = 1e-150
SHARP = 1e-50
"""Total deviations below this are the limit 0 for gamma and vanna at the money."""


@inlined
def moneyness(forward: float, strike: float) -> float:
    """ln(forward / strike); finite where one is 0, 0 where both are."""
    x = log_ratio(forward if forward > 0.0 else 1.0, strike if strike > 0.0 else 1.0)
    x = x if strike > 0.0 else _ZERO_MONEYNESS
    x = x if forward > 0.0 else -_ZERO_MONEYNESS
    return x if forward + strike > 0.0 else 0.0


@inlined
def near_terms(x: float, s: float, inverse: float) -> tuple[float, float, float]:
    """(p, m, density) of an option with total deviation s = v sqrt(T), inverse = 1 / s.

    p = h + t, m = t - h, density = pdf(p).
    """
    h = -x if x > 0.0 else x
    rough = h * inverse
    h = fma(fma(-rough, s, h), inverse, rough)  # x / s to half an ulp without a division
    p = fma(0.5, s, h)
    p = p if not p < -40.0 else -40.0
    p = p if not p > 40.0 else 40.0
    m = fma(0.5, s, -h)
    m = m if not m > 1e20 else 1e20
    square = p * p
    density = INV_SQRT_2PI * exp_sum(-0.5 * square, -0.5 * fma(p, p, -square))
    return p, m, density


@inlined
def tail_terms(p: float, m: float, density: float) -> tuple[float, float, float, float]:
    """(upper, rest, far, value): upper = cdf(p), rest = cdf(-p), far = cdf(-m) high / low, value = undiscounted price
    of the option out of the money in units of `low`."""
    top_p, bottom_p = mills_parts(p if p > 0.0 else -p)
    top_m, bottom_m = mills_parts(m)
    both = 1.0 / (bottom_p * bottom_m)
    ratio_p, ratio_m = top_p * bottom_m * both, top_m * bottom_p * both
    tail = density * ratio_p
    upper = tail if p < 0.0 else 1.0 - tail
    rest = 1.0 - tail if p < 0.0 else tail
    value = density * (ratio_p - ratio_m) if p < 0.0 else 1.0 - density * (ratio_p + ratio_m)
    return upper, rest, density * ratio_m, (0.0 if value < 0.0 else value)


@inlined
def deviation(volatility: float, root: float) -> float:
    """Total deviation volatility sqrt(years), no less than what can be divided by."""
    s = volatility * root
    return s if not s < TINY else TINY


@inlined
def price_of(forward: float, strike: float, sign: float, value: float) -> float:
    """The option's price from that of the one out of the money, by parity."""
    low = forward if forward < strike else strike
    intrinsic = sign * (forward - strike)
    return fma(low, value, 0.0 if intrinsic < 0.0 else intrinsic)


@inlined
def undiscounted(
    forward: float,
    strike: float,
    x: float,
    volatility: float,
    sign: float,
    root: float,
) -> tuple[float, float, float, float, float, float, float]:
    """(price, delta, gamma, vega, theta, vanna, volga) of the forward's option before discounting.

    `x` = ln(forward / strike), `root` = sqrt(years). theta is the change per year that passes.
    """
    s = deviation(volatility, root)
    inverse = 1.0 / s
    p, m, density = near_terms(x, s, inverse)
    upper, rest, far, value = tail_terms(p, m, density)
    return greek_terms(
        forward,
        strike,
        x,
        volatility,
        sign,
        root,
        s,
        inverse,
        p,
        m,
        density,
        upper,
        rest,
        far,
        value,
    )


@inlined
def greek_terms(
    forward: float,
    strike: float,
    x: float,
    volatility: float,
    sign: float,
    root: float,
    s: float,
    inverse: float,
    p: float,
    m: float,
    density: float,
    upper: float,
    rest: float,
    far: float,
    value: float,
) -> tuple[float, float, float, float, float, float, float]:
    """What `undiscounted` gives, from the terms above."""
    out = forward < strike  # the call is out of the money
    low = forward if out else strike
    high = strike if out else forward
    share = low / (high if high > 0.0 else 1.0)
    lower = far * share
    d1 = p if out else m
    d2 = -m if out else -p
    call_delta = upper if out else 1.0 - lower
    put_delta = -rest if out else -lower
    delta = call_delta if sign > 0.0 else put_delta
    weighted = low * density  # = forward pdf(d1) = strike pdf(d2)
    relative = density * (1.0 if out else share)  # pdf(d1)
    kink = (x == 0.0) & (low > 0.0)
    gamma = relative * inverse / (forward if forward > 0.0 else 1.0)
    gamma = INFINITY if kink & (s < SHARP) else gamma
    vega = weighted * root
    theta = -0.5 * weighted * volatility / (root if not root < _TINY_ROOT else _TINY_ROOT)
    theta = -INFINITY if kink & (root == 0.0) & (volatility > 0.0) else theta
    per_volatility = root * inverse
    vanna = -relative * (-0.5 * root if x == 0.0 else d2 * per_volatility)
    volga = vega * (d1 * d2) * per_volatility
    price = price_of(forward, strike, sign, value)
    return price, delta, gamma, vega, theta, vanna, volga


@inlined
def deviations(
    forward: float, strike: float, x: float, width: float, sign: float
) -> tuple[float, float, float, float, float, float, float]:
    """(d1, d2, pdf(d1), pdf(d2), cdf(sign d1), cdf(sign d2), undiscounted price); width = v sqrt(T)."""
    s = width if not width < TINY else TINY
    out = forward < strike
    low = forward if out else strike
    high = strike if out else forward
    p, m, density = near_terms(x, s, 1.0 / s)
    upper, rest, far, value = tail_terms(p, m, density)
    share = low / (high if high > 0.0 else 1.0)
    lower = far * share
    call = sign > 0.0
    price = price_of(forward, strike, sign, value)
    likely_p = upper if call == out else rest
    likely_m = lower if call == out else 1.0 - lower
    near, away = density, density * share
    if out:
        return p, -m, near, away, likely_p, likely_m, price
    return m, -p, away, near, likely_m, likely_p, price
