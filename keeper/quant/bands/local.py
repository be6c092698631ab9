"""The region next to the frictionless hedge, to leading order, and with a fixed cost the two edges it has.

Near the delta the hedge's distance from it, z, wanders with the gamma: dz = Gamma S sigma dW. Holding it costs
aversion S^2 sigma^2 z^2 / 2 a year in certainty equivalent, trading costs cost S |dz| + fixed. The stationary
solution of that control problem is a cubic w'(z) with w' = cost S at the outer edge U (where to trade) and at
the inner edge u (where to), and the area between equal to the fixed cost. That gives

    u U (u + U) = 3 Gamma^2 cost S / aversion        (U - u)^3 (U + u) = 12 Gamma^2 fixed / aversion

With no fixed cost u = U is the band of Whalley and Wilmott (1997); with nothing but a fixed cost u = 0 and U is
that of Altarovici, Muhle-Karbe and Soner (2015).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from keeper.quant.compiled import kernel

Floats = NDArray[np.float64]

INVERSE_ROOT_TWO_PI = 1.0 / math.sqrt(2.0 * math.pi)


@kernel
def idle_half(spot: float, variance: float, cost_rate: float, aversion: float) -> float:
    """Half width at which a hedge of nothing is kept to the end: its risk to then costs less than the trade."""
    return cost_rate / (aversion * spot * variance)


@kernel
def narrow_half(spot: float, gamma: float, cost_rate: float, aversion: float) -> float:
    """Half width of Whalley and Wilmott, units of the underlying."""
    return float((1.5 * cost_rate * spot * gamma * gamma / aversion) ** (1.0 / 3.0))


@kernel
def edges(
    spot: float, gamma: float, cost_rate: float, aversion: float, fixed_cost: float
) -> tuple[float, float]:
    """Outer and inner half width (U, u), units of the underlying.

    With s = U + u and q the right side of the second equation the first is s^3 - s^(1/3) q^(2/3) = 4 p,
    increasing from its root at p = 0: Newton from above it converges monotonically.
    """
    p = 3.0 * gamma * gamma * cost_rate * spot / aversion
    q = 12.0 * gamma * gamma * fixed_cost / aversion
    if q <= 0.0:
        half = float((p / 2.0) ** (1.0 / 3.0))
        return half, half
    power = q ** (2.0 / 3.0)
    s = float((4.0 * p) ** (1.0 / 3.0)) + q**0.25
    for _ in range(60):
        root = s ** (1.0 / 3.0)
        step = (s * s * s - root * power - 4.0 * p) / (3.0 * s * s - power / (3.0 * root * root))
        s -= step
        if abs(step) <= 4e-16 * s:
            break
    apart = min((q / s) ** (1.0 / 3.0), s)
    return 0.5 * (s + apart), 0.5 * (s - apart)


def scale(x: Floats, variance: float, cost_rate: float, aversion: float) -> Floats:
    """Leading-order half width of one option with strike 1: the unit of the table.

    `x` is ln(S/K), `aversion` that of the whole: absolute aversion x strike x quantity.
    """
    return np.asarray([scale_scalar(float(one), variance, cost_rate, aversion) for one in x])


@kernel
def scale_scalar(x: float, variance: float, cost_rate: float, aversion: float) -> float:
    """As `scale`, for one x."""
    spot, root = math.exp(x), math.sqrt(variance)
    d1 = x / root + 0.5 * root
    gamma = INVERSE_ROOT_TWO_PI * math.exp(-0.5 * d1 * d1) / (spot * root)
    return narrow_half(spot, gamma, cost_rate, aversion) + idle_half(
        spot, variance, cost_rate, aversion
    )
