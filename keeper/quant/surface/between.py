"""Between and beyond the expiries: again a smile, again free of arbitrage.

Between two expiries theta, right and left are linear in time. Right and left then do not fall, psi / theta, a ratio of
linear functions, does not rise, and psi right - 4 theta is convex along the segment, as both factors grow, so that it
stays below zero: no calendar and no butterfly arbitrage (after Corbetta, Cohort, Laachir and Martini, arXiv
1804.04924). Before the first all three are proportional to time: volatility at a strike is that of the first expiry.
Beyond the last theta is proportional to time and right and left to its square root, up to Lee's bound: level and
shape in standardised log-moneyness stay.
"""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from keeper.quant.compiled import kernel
from keeper.quant.surface.smile import curve, durrleman, variance

Floats = npt.NDArray[np.float64]
Triple = tuple[float, float, float]


class Smiles(NamedTuple):
    """A surface's smiles; arrays (expiries,)."""

    times: Floats
    theta: Floats
    right: Floats
    left: Floats


@kernel
def smile_at(smiles: Smiles, t: float) -> tuple[float, float, float, float, float, float]:
    """theta, right and left at time `t` > 0 and their derivatives in time (from the right at an expiry)."""
    times, theta, right, left = smiles
    n = times.shape[0]
    if t < times[0]:
        a, b, c = theta[0] / times[0], right[0] / times[0], left[0] / times[0]
        return a * t, b * t, c * t, a, b, c
    last = n - 1
    if t >= times[last]:
        ratio = t / times[last]
        level = theta[last] / times[last]
        ceiling = 4.0 / max(right[last], left[last])
        root = sqrt(ratio)
        if root >= ceiling:
            return level * t, right[last] * ceiling, left[last] * ceiling, level, 0.0, 0.0
        growth = 0.5 / (root * times[last])
        b, c = right[last], left[last]
        return level * t, b * root, c * root, level, b * growth, c * growth
    i = np.searchsorted(times, t, side="right") - 1
    span = times[i + 1] - times[i]
    u = (t - times[i]) / span
    return (
        theta[i] + u * (theta[i + 1] - theta[i]),
        right[i] + u * (right[i + 1] - right[i]),
        left[i] + u * (left[i + 1] - left[i]),
        (theta[i + 1] - theta[i]) / span,
        (right[i + 1] - right[i]) / span,
        (left[i + 1] - left[i]) / span,
    )


@kernel
def total_variances(smiles: Smiles, k: Floats, t: Floats, out: Floats) -> None:
    """Total variance at each (k, t); 0 at t = 0; all arrays of one length."""
    for j in range(k.shape[0]):
        if t[j] == 0.0:
            out[j] = 0.0
            continue
        a, b, c, _, _, _ = smile_at(smiles, t[j])
        out[j] = variance(a, b, c, k[j])


@kernel
def volatilities(smiles: Smiles, k: Floats, t: Floats, out: Floats) -> None:
    """Volatility at each (k, t); at t = 0 its limit, that of the first expiry at the same k."""
    for j in range(k.shape[0]):
        when = t[j] if t[j] > 0.0 else smiles.times[0]
        a, b, c, _, _, _ = smile_at(smiles, when)
        out[j] = sqrt(variance(a, b, c, k[j]) / when)


@kernel
def locals_at(smiles: Smiles, k: Floats, t: Floats, out: Floats) -> None:
    """Rows of `out` (5, n): variance, slope and curvature in k, slope in time, Durrleman's g."""
    for j in range(k.shape[0]):
        a, b, c, da, db, dc = smile_at(smiles, t[j])
        out[0, j], out[1, j], out[2, j] = curve(a, b, c, k[j])
        out[3, j] = _slope_in_time((a, b, c), (da, db, dc), k[j])
        out[4, j] = durrleman(a, b, c, k[j])


@kernel
def _slope_in_time(now: Triple, change: Triple, k: float) -> float:
    theta, right, left = now
    da, db, dc = change
    # Not by the gradient: its parts of opposite sign would cancel where both wings grow.
    a = theta + 0.5 * (right - left) * k
    s = sqrt(a * a + right * left * k * k)
    rise = da + 0.5 * (db - dc) * k
    product = 0.5 * k * k * (db * left + right * dc)
    return 0.5 * (rise + (a * rise + product) / s)


@kernel
def least_g(theta: float, right: float, left: float, k: Floats) -> float:
    """Least of Durrleman's g over `k`."""
    least = np.inf
    for j in range(k.shape[0]):
        g = durrleman(theta, right, left, k[j])
        if not g >= least:
            least = g
    return least
