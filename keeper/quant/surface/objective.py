"""What a surface is asked to do: stay within the quotes, robustly, and let neighbours speak where quotes are silent.

Residuals are differences of volatility over the quote's scale, under Huber's loss: quadratic up to `HUBER` scales,
linear beyond. A weak prior ties ln(convexity) and atanh(rho) of a smile to those of the smile before it (the first to
a plain smile), so that an expiry with one quote takes its shape from its neighbours; against two wide quotes it is
nothing.
"""

from __future__ import annotations

from math import exp, log, sqrt
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from keeper.quant.compiled import kernel
from keeper.quant.surface.constraints import log_sum
from keeper.quant.surface.smile import gradient, variance

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

HUBER = 2.5
"""In scales."""
PRIOR_FIRST = 0.05
PRIOR_NEXT = 0.2
"""Weights: a change of the shape by a factor e costs what a residual of so many scales costs."""
PRIOR_LOG_CONVEXITY = log(0.8)
"""A plain smile, symmetric."""
LN_2 = log(2.0)


class Data(NamedTuple):
    """Quotes in order of expiry, arrays (quotes,), and where each expiry's are."""

    k: Floats
    volatility: Floats
    weight: Floats
    """One over the scale."""
    start: Ints
    """(smiles + 1,): the quotes of smile i are start[i] to start[i + 1]."""
    years: Floats
    """(smiles,)."""


@kernel
def value(y: Floats, data: Data) -> float:
    """The objective at `y` (smiles, 3)."""
    k, volatility, weight, start, years = data
    total = 0.0
    x_before, z_before = PRIOR_LOG_CONVEXITY, 0.0
    for i in range(y.shape[0]):
        theta, right, left = exp(y[i, 0]), exp(y[i, 1]), exp(y[i, 2])
        per_year = 1.0 / years[i]
        for j in range(start[i], start[i + 1]):
            w = variance(theta, right, left, k[j])
            r = abs(sqrt(w * per_year) - volatility[j]) * weight[j]
            total += 0.5 * r * r if r <= HUBER else HUBER * (r - 0.5 * HUBER)
        x = log_sum(y[i, 1], y[i, 2]) - LN_2 - 0.5 * y[i, 0]
        z = 0.5 * (y[i, 1] - y[i, 2])
        tie = PRIOR_FIRST if i == 0 else PRIOR_NEXT
        total += 0.5 * tie * tie * ((x - x_before) ** 2 + (z - z_before) ** 2)
        x_before, z_before = x, z
    return total


@kernel
def normal_equations(y: Floats, data: Data, slope: Floats, band: Floats) -> None:
    """Gradient (smiles, 3) and Gauss-Newton matrix of the objective.

    `band` (3 smiles, 6) holds the lower half: element (i, j), i >= j, stands at [i, j - i + 5].
    """
    k, volatility, weight, start, years = data
    slope[:] = 0.0
    band[:] = 0.0
    for i in range(y.shape[0]):
        theta, right, left = exp(y[i, 0]), exp(y[i, 1]), exp(y[i, 2])
        per_year = 1.0 / years[i]
        g0 = g1 = g2 = h00 = h10 = h11 = h20 = h21 = h22 = 0.0
        for j in range(start[i], start[i + 1]):
            w, d0, d1, d2 = gradient(theta, right, left, k[j])
            v = sqrt(w * per_year)
            r = (v - volatility[j]) * weight[j]
            scaled = 0.5 * v / w * weight[j]
            d0, d1, d2 = d0 * theta * scaled, d1 * right * scaled, d2 * left * scaled
            robust = 1.0 if abs(r) <= HUBER else HUBER / abs(r)
            g0, g1, g2 = g0 + robust * r * d0, g1 + robust * r * d1, g2 + robust * r * d2
            h00, h10, h11 = h00 + robust * d0 * d0, h10 + robust * d1 * d0, h11 + robust * d1 * d1
            h20, h21, h22 = h20 + robust * d2 * d0, h21 + robust * d2 * d1, h22 + robust * d2 * d2
        slope[i, 0], slope[i, 1], slope[i, 2] = g0, g1, g2
        m = 3 * i
        band[m, 5], band[m + 1, 4], band[m + 1, 5] = h00, h10, h11
        band[m + 2, 3], band[m + 2, 4], band[m + 2, 5] = h20, h21, h22
    _add_prior(y, slope, band)


@kernel
def _add_prior(y: Floats, slope: Floats, band: Floats) -> None:
    rows = np.zeros((2, 6))  # derivatives of the ties in the six unknowns of two neighbours
    x_before, z_before = PRIOR_LOG_CONVEXITY, 0.0
    for i in range(y.shape[0]):
        p = 1.0 / (1.0 + exp(y[i, 2] - y[i, 1]))
        x = log_sum(y[i, 1], y[i, 2]) - LN_2 - 0.5 * y[i, 0]
        z = 0.5 * (y[i, 1] - y[i, 2])
        rows[0, :3] = -rows[0, 3:]
        rows[1, :3] = -rows[1, 3:]
        rows[0, 3], rows[0, 4], rows[0, 5] = -0.5, p, 1.0 - p
        rows[1, 3], rows[1, 4], rows[1, 5] = 0.0, 0.5, -0.5
        tie = (PRIOR_FIRST if i == 0 else PRIOR_NEXT) ** 2
        first = 3 if i == 0 else 0
        for row in range(2):
            residual = x - x_before if row == 0 else z - z_before
            for a in range(first, 6):
                m = 3 * (i - 1) + a
                slope[m // 3, m % 3] += tie * residual * rows[row, a]
                for b in range(first, a + 1):
                    band[m, b - a + 5] += tie * rows[row, a] * rows[row, b]
        x_before, z_before = x, z
