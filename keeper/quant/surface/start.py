"""Where the solver begins: strictly inside the conditions, from nothing or from an earlier surface."""

from __future__ import annotations

from math import atanh, exp, log, tanh

import numpy as np
import numpy.typing as npt

from keeper.quant.compiled import kernel
from keeper.quant.surface.between import Smiles, smile_at

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MARGIN = 1e-3
"""Relative distance from each condition at which an earlier surface is taken up."""
PLAIN_CONVEXITY = 0.8
NEAREST = 4
"""Quotes around the money whose median is the first level."""


@kernel
def cold(k: Floats, volatility: Floats, start: Ints, years: Floats, y: Floats) -> None:
    """Plain symmetric smiles at the level of the quotes nearest to the money; fills `y` (smiles, 3)."""
    before = 0.0
    for i in range(years.shape[0]):
        distance = np.abs(k[start[i] : start[i + 1]])
        nearest = np.argsort(distance)[:NEAREST]
        level = np.median(volatility[start[i] : start[i + 1]][nearest])
        # At constant shape any strictly rising theta is free of arbitrage while psi <= 4.
        theta = max(level * level * years[i], before * (1.0 + MARGIN), 1e-12)
        before = theta
        y[i, 0] = log(theta)
        y[i, 1] = y[i, 2] = log(PLAIN_CONVEXITY) + 0.5 * log(theta)
    top = y[-1, 1]
    if top > log(3.0):
        # Total variances above 14, a mistake most likely; flatten all alike, which keeps the conditions.
        for i in range(years.shape[0]):
            y[i, 1] -= top - log(3.0)
            y[i, 2] -= top - log(3.0)


@kernel
def warm(smiles: Smiles, years: Floats, max_log_ratio: float, y: Floats) -> None:
    """An earlier surface at the expiries of today, moved off its bounds; fills `y` (smiles, 3).

    Each move keeps all conditions: rho towards 0 in one ratio mixes right and left with psi; right and left down in
    one ratio; then all up with the expiry's number, theta three times as fast as right and left.
    """
    n = years.shape[0]
    ceiling = tanh(0.5 * max_log_ratio * (1.0 - MARGIN))
    steepest = 0.0
    for i in range(n):
        a, b, c, _, _, _ = smile_at(smiles, years[i])
        y[i, 0], y[i, 1], y[i, 2] = a, b, c
        steepest = max(steepest, abs(b - c) / (b + c))
    mix = min(1.0 - MARGIN, ceiling / max(steepest, 1e-300))
    highest = 0.0
    for i in range(n):
        psi = 0.5 * (y[i, 1] + y[i, 2])
        for side in range(1, 3):
            slow = (1.0 + MARGIN / 3.0) ** (i + 1)
            y[i, side] = (mix * y[i, side] + (1.0 - mix) * psi) * slow * (1.0 - MARGIN)
            highest = max(highest, y[i, side])
    down = min(1.0, 4.0 * (1.0 - MARGIN) / highest)
    for i in range(n):
        y[i, 0] = log(y[i, 0]) + (i + 1) * log(1.0 + MARGIN)
        y[i, 1] = log(y[i, 1] * down)
        y[i, 2] = log(y[i, 2] * down)


@kernel
def inside(y: Floats, max_log_ratio: float) -> None:
    """Move a solution off its bounds, in place, so that the solver can begin from it again."""
    n = y.shape[0]
    theta, right, left = np.empty(n), np.empty(n), np.empty(n)
    for i in range(n):
        theta[i], right[i], left[i] = exp(y[i, 0]), exp(y[i, 1]), exp(y[i, 2])
    years = np.arange(1.0, n + 1.0)
    warm(Smiles(years, theta, right, left), years, max_log_ratio, y)


def max_log_ratio(max_rho: float) -> float:
    """Bound of |ln(right / left)| for |rho| <= max_rho."""
    return 2.0 * atanh(max_rho)
