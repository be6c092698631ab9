"""One smile: total variance of eSSVI at log-moneyness, its derivatives, and Durrleman's condition.

A smile is three numbers: `theta` (total variance at the money), `right` = psi (1 + rho) and `left` = psi (1 - rho),
twice the slopes of total variance far to the right and far to the left. With k = ln(strike / forward), a = theta +
(right - left) k / 2 and s = sqrt(a^2 + right left k^2) total variance is w = (a + s) / 2: the SSVI of Gatheral and
Jacquier (2014) with theta phi = psi. In this form nothing cancels, and the conditions against arbitrage are nearly
linear.
"""

from __future__ import annotations

from math import sqrt

from keeper.quant.compiled import inlined, kernel


@inlined
def variance(theta: float, right: float, left: float, k: float) -> float:
    """Total variance at log-moneyness `k`."""
    product = right * left * k * k
    a = theta + 0.5 * (right - left) * k
    s = sqrt(a * a + product)
    # Far out on the shallow side a is negative and a + s would cancel.
    return 0.5 * (a + s) if a >= 0.0 else 0.5 * product / (s - a)


@kernel
def gradient(
    theta: float, right: float, left: float, k: float
) -> tuple[float, float, float, float]:
    """Total variance and its derivatives in theta, right and left."""
    a = theta + 0.5 * (right - left) * k
    s = sqrt(a * a + right * left * k * k)
    w = variance(theta, right, left, k)
    if s == 0.0:
        return w, 0.5, 0.25 * abs(k), 0.25 * abs(k)
    return (
        w,
        0.5 + 0.5 * a / s,
        0.25 * k * (1.0 + (a + left * k) / s),
        0.25 * k * ((right * k - a) / s - 1.0),
    )


@kernel
def curve(theta: float, right: float, left: float, k: float) -> tuple[float, float, float]:
    """Total variance, its slope and its curvature in log-moneyness."""
    half = 0.5 * (right - left)
    product = right * left
    a = theta + half * k
    s = sqrt(a * a + product * k * k)
    w = variance(theta, right, left, k)
    if s == 0.0:
        return w, half, 0.0
    return w, 0.5 * (half + (a * half + product * k) / s), 0.5 * product * (theta / s) ** 2 / s


@kernel
def durrleman(theta: float, right: float, left: float, k: float) -> float:
    """g(k) of Durrleman: the risk-neutral density at k is g times a positive number, so g >= 0 is no butterfly
    arbitrage.

    g = (1 - k w' / (2 w))^2 - (w' / 2)^2 (1 / w + 1 / 4) + w'' / 2 (Gatheral and Jacquier 2014, equation 2.1).
    """
    w, slope, curvature = curve(theta, right, left, k)
    return (
        (1.0 - 0.5 * k * slope / w) ** 2 - 0.25 * slope * slope * (1.0 / w + 0.25) + 0.5 * curvature
    )
