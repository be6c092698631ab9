"""The root of Black's formula in the volatility, as kernels without branches.

Everything is about the option out of the money in units of low = min(F, K): its worth is c in (0, 1), q = 1 - c, and
y = |ln(F / K)|. With total deviation s, a = y / s, t = s / 2, p = t - a, m = t + a and Mills' ratio R,

    c = pdf(p) (R(-p) - R(m)),    q = pdf(p) (R(p) + R(m)),    dc/ds = pdf(p).

R(a - t) - R(a + t) is summed as a series in t where t is small, for the difference would cancel; with that the
relative error of s stays at a few eps times its condition for one minute and for a century, at the money and 38
deviations out. The objectives and the third-order Householder step are those of Jaeckel (2015), "Let's be rational".
"""

from __future__ import annotations

import math

from keeper.quant.compiled import fma, inlined
from keeper.quant.normal import (
    INV_SQRT_2PI,
    exponential,
    log_ratio,
    mills,
    mills_parts,
    tail_quantile_rough,
)

LOG_INV_SQRT_2PI = -0.9189385332046728
SERIES_BELOW = 0.25
FAR = 1.6
LOG_HALF = -0.6931471805599453


@inlined
def spread(a: float, t: float, ratio: float) -> float:
    """R(a - t) - R(a + t) for small t, ratio = R(a): -2 (t R' + t^3 R''' / 6 + ...), R^(n+1) = a R^(n) + n R^(n-1)."""
    d1 = fma(a, ratio, -1.0)
    d2 = fma(a, d1, ratio)
    d3 = fma(a, d2, 2.0 * d1)
    d4 = fma(a, d3, 3.0 * d2)
    d5 = fma(a, d4, 4.0 * d3)
    d6 = fma(a, d5, 5.0 * d4)
    d7 = fma(a, d6, 6.0 * d5)
    d8 = fma(a, d7, 7.0 * d6)
    d9 = fma(a, d8, 8.0 * d7)
    d10 = fma(a, d9, 9.0 * d8)
    d11 = fma(a, d10, 10.0 * d9)
    d12 = fma(a, d11, 11.0 * d10)
    d13 = fma(a, d12, 12.0 * d11)
    d14 = fma(a, d13, 13.0 * d12)
    d15 = fma(a, d14, 14.0 * d13)
    z = t * t
    total = fma(z * (1.0 / 210.0), d15, d13)
    total = fma(z * (1.0 / 156.0), total, d11)
    total = fma(z * (1.0 / 110.0), total, d9)
    total = fma(z * (1.0 / 72.0), total, d7)
    total = fma(z * (1.0 / 42.0), total, d5)
    total = fma(z * (1.0 / 20.0), total, d3)
    total = fma(z * (1.0 / 6.0), total, d1)
    return -2.0 * t * total


@inlined
def refined(s: float, y: float, log_c: float, log_q: float) -> float:
    """One Householder step of third order towards the deviation whose option is worth c = exp(log_c) = 1 - exp(log_q).

    Objectives: 1 / log c, nearly a parabola in s, and log q where p >= 0 and the difference for c would cancel.
    """
    per_s = 1.0 / s
    rough = y * per_s
    a = fma(fma(-rough, s, y), per_s, rough)  # y / s without a division
    t = 0.5 * s
    p, m = t - a, t + a
    small = t * (a + 0.8) < SERIES_BELOW
    beyond = (p >= 0.0) & (not small)
    top, bottom = mills_parts(a if small else (p if p > 0.0 else -p))
    top_m, bottom_m = mills_parts(m)
    both = 1.0 / (bottom * bottom_m)
    first, second = top * bottom_m * both, top_m * bottom * both
    # `share` is c or q in units of pdf(p): d log c / ds = 1 / share, d log q / ds = -1 / share
    share = first + second if beyond else first - second
    share = spread(a, t, first) if small else share
    level = log_ratio(share, 1.0) - 0.5 * p * p + LOG_INV_SQRT_2PI
    target = log_q if beyond else log_c
    inverses = 1.0 / (share * level * target)
    slope = (-1.0 if beyond else 1.0) * (inverses * level * target)
    inverse = 0.0 if beyond else inverses * share * target  # 1 / level
    ahead = (target - level) * share
    move = -ahead if beyond else ahead * (inverses * share * level * level)
    bend = -p * m * per_s
    twist = fma(bend, bend, -fma(m, m, -2.0 * a * p) * (per_s * per_s))
    scale = slope * fma(2.0, inverse, 1.0)
    second_order = bend - scale
    third_order = fma(-3.0 * bend, scale, twist) + 2.0 * slope * slope * fma(
        3.0 * inverse, 1.0 + inverse, 1.0
    )
    top = fma(0.5 * second_order, move, 1.0)
    return s + move * top / fma(move, fma(third_order * (1.0 / 6.0), move, second_order), 1.0)


@inlined
def positive(y: float) -> float:
    """y, or where it is 0 the smallest number whose logarithm serves as well."""
    return y if y > 1e-290 else 1e-290


@inlined
def normal_moneyness(log_worth: float) -> float:
    """a with pdf(a) / a - cdf(-a) = exp(log_worth), within 3e-4: strike distance over deviation in Bachelier's model.

    A fit of a / w, w = log(1 + exp(-log_worth)), as a rational function of sqrt(w).
    """
    power = exponential(-log_worth)
    w = log_ratio(1.0 + power, 1.0)
    w = w if log_worth > -36.0 else -log_worth
    w = power if log_worth > 36.0 else w
    x = math.sqrt(w)
    top = fma(x, 0.019386881745, 0.0352021009545)
    top = fma(x, fma(x, top, 0.00949746514398), 0.398816020181)
    bottom = fma(x, 0.0137516512287, 0.0235102658302)
    bottom = fma(x, fma(x, fma(x, bottom, 0.110220107525), 0.0173360375083), 1.0)
    return w * top / bottom


@inlined
def bachelier(y: float, log_c: float) -> float:
    """y / s as Bachelier's model has it: the first of three steps to a guess."""
    return normal_moneyness(log_c - 0.5 * y - log_ratio(positive(y), 1.0))


@inlined
def corrected(a: float, y: float, log_c: float) -> float:
    """The deviation s from Bachelier's y / s, its price corrected to second order in s: the second step."""
    worth = log_c - 0.5 * y - log_ratio(positive(y), 1.0)
    t = 0.5 * positive(y) / a
    base = fma(a, a, 3.0)
    worth = fma(0.5 * t, t, worth) - log_ratio(fma(t, t, base), base)
    return positive(y) / normal_moneyness(worth)


@inlined
def guessed(near: float, y: float, c: float, log_c: float, log_q: float) -> float:
    """A deviation within 3 %: the third step.

    Where the corrected one is coarse, cdf(-|p|) (1 -+ R(m) / R(|p|)) = c or q is solved for p by one substitution into
    the ratio.
    """
    above = c > 0.5 - INV_SQRT_2PI * mills(math.sqrt(2.0 * y))  # more than the option with p = 0
    side = 0.5 * near - positive(y) / near
    side = side if above else -side
    side = side if side > 0.0 else 0.0
    top, bottom = mills_parts(side)
    top_m, bottom_m = mills_parts(math.sqrt(fma(side, side, 2.0 * y)))
    whole, part = top * bottom_m, top_m * bottom
    log_tail = (log_q if above else log_c) - log_ratio(whole + (part if above else -part), whole)
    side = tail_quantile_rough(log_tail if log_tail < LOG_HALF else LOG_HALF)
    side = side if side > 0.0 else 0.0
    m = math.sqrt(fma(side, side, 2.0 * y))
    far = m + side if above else 2.0 * y / (m + side)
    return far if near > FAR else near
