"""The normal distribution and the elementary functions under it, small in relative error far into the tails.

Scalar kernels without branches: a loop that calls them becomes vector code, which calls to a mathematics library would
prevent. Polynomials and rational functions are minimax fits to 60-digit values (scripts/reference/quant_fits.py says
how); each docstring gives the largest relative error, in units of eps = 2^-52.
"""

from __future__ import annotations

import math

from keeper.quant.compiled import bits, fma, from_bits, inlined

INV_SQRT_2PI = 0.3989422804014327
_ROUNDER = 6755399441055744.0  # 1.5 * 2^52: adding it leaves the nearest integer in the low bits
_ROUNDER_BITS = 0x4338000000000000
_LOG2E = 1.4426950408889634
_LN2_HIGH = 0.6931471803691238  # 33 bits: products with an exponent are exact
_LN2_LOW = 1.9082149292705877e-10
_EXPONENT_ONE = 0x3FF0000000000000
_MANTISSA = 0x000FFFFFFFFFFFFF
_SQRT2 = 1.4142135623730951
_SQRT_HALF = 0.7071067811865476
SQRT_HALF_PI = 1.2533141373155003
_EXP_LOWEST, _EXP_HIGHEST = -708.0, 709.0


@inlined
def exp_sum(high: float, low: float) -> float:
    """exp(high + low) for |low| much under 1; under 1 eps; 0 below exp(-708), saturated above exp(709)."""
    clamped = high if high > _EXP_LOWEST else _EXP_LOWEST
    clamped = clamped if clamped < _EXP_HIGHEST else _EXP_HIGHEST
    shifted = fma(clamped, _LOG2E, _ROUNDER)
    power = shifted - _ROUNDER
    r = fma(power, -_LN2_LOW, fma(power, -_LN2_HIGH, clamped)) + low
    p = fma(r, 2.5100472505694996003e-8, 2.7620201591031548792e-7)
    p = fma(r, p, 2.7557268276905696187e-6)
    p = fma(r, p, 0.000024801521057868205199)
    p = fma(r, p, 0.00019841269863171556026)
    p = fma(r, p, 0.0013888888917367080562)
    p = fma(r, p, 0.0083333333333300381973)
    p = fma(r, p, 0.041666666666623820532)
    p = fma(r, p, 0.1666666666666666746)
    p = fma(r, p, 0.50000000000000010314)
    mantissa = fma(r * r, p, r)
    scale = from_bits(((bits(shifted) - _ROUNDER_BITS) << 52) + _EXPONENT_ONE)
    return fma(scale, mantissa, scale) if high > _EXP_LOWEST else 0.0


@inlined
def exponential(x: float) -> float:
    """exp(x); under 1 eps; 0 below exp(-708), saturated above exp(709)."""
    return exp_sum(x, 0.0)


@inlined
def log_ratio(a: float, b: float) -> float:
    """log(a / b) of positive normal numbers; within 2 eps however near their ratio is to 1.

    2 artanh((a - b) / (a + b)) after exact scaling by powers of two: where a is near b the difference is exact, so the
    digits are kept that rounding a / b would lose (log1p((a - b) / b) has the same virtue).
    """
    a_bits, b_bits = bits(a), bits(b)
    power = (a_bits >> 52) - (b_bits >> 52)
    numerator = from_bits((a_bits & _MANTISSA) | _EXPONENT_ONE)
    denominator = from_bits((b_bits & _MANTISSA) | _EXPONENT_ONE)
    above = numerator > _SQRT2 * denominator
    below = numerator < _SQRT_HALF * denominator
    numerator = 0.5 * numerator if above else numerator
    numerator = 2.0 * numerator if below else numerator
    power = power + (1 if above else 0) - (1 if below else 0)
    exponent = from_bits(power + _ROUNDER_BITS) - _ROUNDER
    y = (numerator - denominator) / (numerator + denominator)
    z = y * y
    p = fma(z, 0.14619164777186419874, 0.15331501721207418669)
    p = fma(z, p, 0.18182895746801428563)
    p = fma(z, p, 0.22222211043822486133)
    p = fma(z, p, 0.28571428626533335861)
    p = fma(z, p, 0.39999999999898273395)
    p = fma(z, p, 0.66666666666666697293)
    series = fma(y * z, p, y + y)
    return fma(exponent, _LN2_HIGH, fma(exponent, _LN2_LOW, series))


@inlined
def mills_parts(a: float) -> tuple[float, float]:
    """Numerator and denominator of `mills`, for callers that need no division or one for two.

    One rational function of degree (10, 11) with positive coefficients, so nothing cancels, on the whole half line.
    """
    p = fma(a, 8.334063248650998e-07, 2.444014332680639e-05)
    p = fma(a, p, 0.0003552505146552098)
    p = fma(a, p, 0.003317534284768532)
    p = fma(a, p, 0.021848795372317105)
    p = fma(a, p, 0.10550979632228913)
    p = fma(a, p, 0.3775706828593256)
    p = fma(a, p, 0.9892478486781179)
    p = fma(a, p, 1.8228258003394955)
    p = fma(a, p, 2.1504221762411624)
    p = fma(a, p, 1.2533141373155003)
    q = fma(a, 8.334063248650998e-07, 2.4440143326806417e-05)
    q = fma(a, q, 0.00035608392098006184)
    q = fma(a, q, 0.003341974428097982)
    q = fma(a, q, 0.022202379074045615)
    q = fma(a, q, 0.10877845033795697)
    q = fma(a, q, 0.3987173105256584)
    q = fma(a, q, 1.0883669999952785)
    q = fma(a, q, 2.160189233575119)
    q = fma(a, q, 2.96002561182437)
    q = fma(a, q, 2.513673214433789)
    q = fma(a, q, 1.0)
    return p, q


@inlined
def mills(a: float) -> float:
    """Mills' ratio (1 - cdf(a)) / pdf(a) for a >= 0: sqrt(pi / 2) erfcx(a / sqrt 2); within 4 eps, a <= 1e20."""
    p, q = mills_parts(a)
    return p / q


@inlined
def pdf(x: float) -> float:
    """Density exp(-x^2 / 2) / sqrt(2 pi); within 2 eps: what rounding x^2 loses is put back."""
    square = x * x
    lost = fma(x, x, -square)
    return INV_SQRT_2PI * exp_sum(-0.5 * square, -0.5 * lost)


@inlined
def cdf(x: float) -> float:
    """P(Z <= x); within 6 eps down to x = -37.6 (0 below)."""
    a = -x if x < 0.0 else x
    a = a if a < 40.0 else 40.0
    tail = pdf(a) * mills(a)
    return tail if x < 0.0 else 1.0 - tail


@inlined
def erfcx(x: float) -> float:
    """exp(x^2) erfc(x); within 4 eps for x >= 0 (relative to the doubled square's digits below)."""
    a = 1.4142135623730951 * (-x if x < 0.0 else x)
    a = a if a < 1e20 else 1e20
    upper = mills(a) / SQRT_HALF_PI
    square = x * x
    lost = fma(x, x, -square)
    return upper if x >= 0.0 else 2.0 * exp_sum(square, lost) - upper


@inlined
def tail_quantile_rough(log_tail: float) -> float:
    """u >= 0 with P(Z > u) = exp(log_tail), log_tail <= log(1/2); within 4.5e-4 (Abramowitz-Stegun 26.2.23)."""
    t = math.sqrt(-2.0 * log_tail)
    top = fma(t, fma(t, 0.010328, 0.802853), 2.515517)
    bottom = fma(t, fma(t, fma(t, 0.001308, 0.189269), 1.432788), 1.0)
    return t - top / bottom


@inlined
def inverse_cdf(probability: float) -> float:
    """x with cdf(x) = probability; within 4 eps of x or 1; infinite at 0 (and 1e-307) and 1, NaN outside.

    Two third-order steps on the logarithm of the tail from Hastings' start.
    """
    tail = probability if probability < 0.5 else 1.0 - probability
    usable = tail > 1e-307
    tail = tail if usable else 1e-307
    log_tail = log_ratio(tail, 1.0)
    u = tail_quantile_rough(log_tail)
    u = u if u > 0.0 else 0.0
    for _ in range(2):
        ratio = mills(u)
        # g = log(pdf(u) mills(u)) - log_tail; g' = -1 / mills; g'' / g' = 1 / mills - u
        miss = log_ratio(INV_SQRT_2PI * ratio, 1.0) - 0.5 * u * u - log_tail
        step = miss * ratio
        bend = 1.0 / ratio - u
        u = u + step / (1.0 + 0.5 * step * bend)
    u = -u if probability < 0.5 else u
    u = u if usable else (-math.inf if probability < 0.5 else math.inf)
    return u if 0.0 <= probability <= 1.0 else math.nan
