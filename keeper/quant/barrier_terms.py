"""The closed forms under barrier options, each with its derivatives, as kernels of scalars.

Haug's terms A to D are differences of two weighted probabilities, near - strike far, of one shape:

    near = spot e^(-qT) (H / S)^(2 mu + 2) cdf(eta z),    far = e^(-rT) (H / S)^(2 mu) cdf(eta (z - w)),

where the powers stand in C and D only, w = v sqrt(T), and near's density is `money` times far's: that of strike for A
and C, of the barrier for B and D. Written with this one density everything that cancels in the derivatives is left
out, and with Mills' ratio no power overflows: where a power is huge, the probability beside it is small.

A term's derivatives are in `Term`. Errors are a few eps of the spot, times 1 / w for delta and 1 / w^2 for gamma
(both times spot), and times mu and mu^2 where |mu| is large.
"""

from __future__ import annotations

import math

from keeper.quant.black_terms import moneyness, undiscounted
from keeper.quant.compiled import kernel
from keeper.quant.normal import INV_SQRT_2PI, mills

_SQRT_HALF = 0.7071067811865476
_FLAT = 1e-5
"""Below it the slope's own derivative is taken at its limit: the error is its square."""

Term = tuple[float, float, float, float, float, float]
"""(value, spot delta, spot^2 gamma, vega, change with years, change with the barrier's logarithm); the spot's Greeks
at a given barrier, the years' at a given volatility."""

Market = tuple[float, float, float, float, float, float, float]
"""(ln(S / K) / w + mu w, years, volatility, mu = (r - q) / v^2 - 1/2, rate r, dividend q, depth = ln(H / S))."""


@kernel
def cdf(z: float) -> float:
    """P(Z <= z), small in relative error; no loop here gains from the vector kernels, which compile slowly."""
    return 0.5 * math.erfc(-_SQRT_HALF * z)


@kernel
def weighted_cdf(exponent: float, z: float, density: float) -> float:
    """exp(exponent) cdf(z), given exp(exponent) pdf(z): in the tail the ratio of Mills times that."""
    if z < 0.0:
        return density * mills(min(-z, 1e20))
    return math.exp(exponent) * cdf(z)


@kernel
def combined(first: Term, share: float, second: Term) -> Term:
    """first + share second, derivative by derivative."""
    return (
        first[0] + share * second[0],
        first[1] + share * second[1],
        first[2] + share * second[2],
        first[3] + share * second[3],
        first[4] + share * second[4],
        first[5] + share * second[5],
    )


@kernel
def plain(
    spot: float,
    strike: float,
    years: float,
    volatility: float,
    sign: float,
    rate: float,
    cost: float,
) -> Term:
    """The option without barrier (A), limits included."""
    growth, discount = math.exp(cost * years), math.exp(-rate * years)
    x = moneyness(spot, strike) + cost * years
    value, delta, gamma, vega, theta, _, _ = undiscounted(
        spot * growth, strike, x, volatility, sign, math.sqrt(years)
    )
    value *= discount
    first = discount * growth * delta * spot
    second = discount * growth * (growth * gamma * spot) * spot
    return (
        value,
        first,
        second,
        discount * vega,
        cost * first - rate * value - discount * theta,
        0.0,
    )


@kernel
def pair(
    near: float,
    far: float,
    density: float,
    strike: float,
    money: float,
    eta: float,
    below: float,
    turns: float,
    market: Market,
) -> Term:
    """near - strike far with its derivatives. `below` is z - w, far's deviation; w dz is `turns` (1 for B, -1 for C
    and D, which have the powers) times dln S, and less that dln H (twice in C, where it cancels: money is strike)."""
    _, years, volatility, mu, rate, dividend, depth = market
    width = volatility * math.sqrt(years)
    reflected = 0.0 if turns > 0.0 else 1.0
    far_power = -2.0 * mu * reflected  # of the spot; of the barrier the opposite
    near_power = 1.0 - (2.0 * mu + 2.0) * reflected  # the spot itself included
    over = money - strike
    tilt = eta * turns / width * density
    bend = (near_power - 1.0) * money - strike * (far_power - 1.0)
    bend += over * (far_power - below * turns / width)
    value = near - strike * far
    first = near_power * near - strike * far_power * far + tilt * over
    second = near_power * (near_power - 1.0) * near - strike * far_power * (far_power - 1.0) * far
    lifted = eta * density / volatility * (strike * width - over * below)  # dz / dv = -(z - w) / v
    vega = lifted - (4.0 * mu + 2.0) * depth / volatility * reflected * value
    later = (2.0 * mu + 1.0) * width - below  # 2 T dz / dT
    by_years = strike * rate * far - dividend * near
    by_years += 0.5 * eta * density / years * (over * later + strike * width)
    by_barrier = strike * far_power * far - (near_power - 1.0) * near
    by_barrier -= tilt * over
    return value, first, second + tilt * bend, vega, by_years, by_barrier


@kernel
def crossed(spot: float, strike: float, level: float, sign: float, market: Market) -> Term:
    """B: of paths that end beyond the barrier rather than the strike; to be multiplied by `sign`."""
    _, years, volatility, mu, rate, dividend, depth = market
    width = volatility * math.sqrt(years)
    below = mu * width - depth / width
    density = _density(rate * years, below)
    near = weighted_cdf(-dividend * years, sign * (below + width), level * density / spot) * spot
    far = weighted_cdf(-rate * years, sign * below, density)
    return pair(near, far, density, strike, level, sign, below, 1.0, market)


@kernel
def mirrored(
    spot: float, strike: float, level: float, past: float, eta: float, market: Market
) -> Term:
    """C (past = ln(H / K)) or D (past = 0): what comes back after a touch, by reflection; to be multiplied by sign."""
    at_strike, years, volatility, mu, rate, dividend, depth = market
    width = volatility * math.sqrt(years)
    below = mu * width + (depth + past) / width
    if past == 0.0:
        density = _density(rate * years, mu * width - depth / width)
        money = level
    else:
        # of C the exponents add up to this, both parts of one sign wherever C is used
        density = _density(rate * years + 2.0 * depth / width * past / width, at_strike)
        money = strike
    exponent = 2.0 * mu * depth
    near = spot * weighted_cdf(
        exponent + 2.0 * depth - dividend * years, eta * (below + width), money * density / spot
    )
    far = weighted_cdf(exponent - rate * years, eta * below, density)
    return pair(near, far, density, strike, money, eta, below, -1.0, market)


@kernel
def _density(decay: float, z: float) -> float:
    return math.exp(-0.5 * z * z - decay) * INV_SQRT_2PI


@kernel
def rebate_at_expiry(eta: float, market: Market) -> Term:
    """Haug's E per unit: never knocked in."""
    _, years, volatility, mu, rate, _, depth = market
    width = volatility * math.sqrt(years)
    below, back = mu * width - depth / width, mu * width + depth / width
    density = _density(rate * years, below)
    stays = weighted_cdf(-rate * years, eta * below, density)
    returns = weighted_cdf(2.0 * mu * depth - rate * years, eta * back, density)
    steep = eta * density / width
    value = max(stays - returns, 0.0)
    first = 2.0 * (mu * returns + steep)
    second = -4.0 * mu * mu * returns - 2.0 * steep * (mu + below / width) - first
    vega = (4.0 * mu + 2.0) * depth / volatility * returns + 2.0 * steep * depth / volatility
    by_years = steep * depth / years - rate * value
    return value, first, second, vega, by_years, -first


@kernel
def rebate_at_hit(slope: float, eta: float, market: Market) -> Term:
    """Haug's F per unit, slope = sqrt(mu^2 + 2 r / v^2): both parts have the density of a path that ends at H."""
    _, years, volatility, mu, rate, _, depth = market
    width = volatility * math.sqrt(years)
    density = _density(rate * years, mu * width - depth / width)
    z = depth / width
    with_slope = weighted_cdf((mu + slope) * depth, eta * (z + slope * width), density)
    against = weighted_cdf((mu - slope) * depth, eta * (z - slope * width), density)
    steep = eta * density / width
    value = with_slope + against
    first = -(mu + slope) * with_slope - (mu - slope) * against - 2.0 * steep
    second = (mu + slope) ** 2 * with_slope + (mu - slope) ** 2 * against
    second += steep * (4.0 * mu - 2.0 * z / width) - first
    # d slope / dv = turn / slope: the difference beside it vanishes with the slope
    turn = -(mu * (2.0 * mu + 1.0) + 2.0 * rate / (volatility * volatility)) / volatility
    if slope * max(width, abs(depth)) > _FLAT:
        apart = (with_slope - against) / slope
    else:
        apart = 2.0 * (depth * math.exp(mu * depth) * cdf(eta * z) + eta * density * width)
    vega = depth * (turn * apart - (2.0 * mu + 1.0) / volatility * value - 2.0 * steep / volatility)
    return value, first, second, vega, -steep * depth / years, -first
