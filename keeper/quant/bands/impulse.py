"""The optimal policy where every trade also has a fixed cost: by dynamic programming, for one option.

The problem of `keeper.quant.bands.dynamic` with G(z) <= min over z' of G(z') + cost S |z - z'| + fixed. There are
four edges: the hedge is traded when it leaves the outer two, to the nearer of the inner two. G is no longer convex
in z, so the whole grid of z is kept, and coarser: it serves as the measure of the closed approximation that is used
online (`keeper.quant.bands.local`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keeper.quant.bands.dynamic import DIFFUSION_NUMBER, WIDTH_SD, Problem, narrow_half_band
from keeper.quant.compiled import kernel

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ImpulseRegion:
    """The four edges at one variance left, as hedges per option of a written call, shape (nx,)."""

    variance: float
    log_moneyness: Floats
    lower: Floats
    lower_target: Floats
    upper_target: Floats
    upper: Floats
    """At the grid's end: the hedge is left alone even there."""


def solve_with_fixed_cost(
    problem: Problem,
    fixed: float,
    variances: list[float],
    cells_per_sd: int = 24,
    *,
    hedge: Floats | None = None,
) -> tuple[list[ImpulseRegion], float]:
    """Regions at each of `variances` (increasing), and the certainty equivalent at the last, at the money.

    `fixed` is per option and strike. One grid of x serves all variances: the first must not be too small a part
    of the last. `hedge` is the grid of hedges, by default a part of the narrowest band apart.
    """
    total = variances[-1]
    step = math.sqrt(total) / cells_per_sd
    half = math.ceil(WIDTH_SD * math.sqrt(total) / step)
    x = step * np.arange(-half, half + 1, dtype=np.float64)
    if hedge is None:
        hedge = hedge_grid(min(0.02, narrow_half_band(problem, total) / 8.0), reach=1.0)
    sign = 1.0 if problem.written else -1.0
    values = np.repeat(sign * np.maximum(np.exp(x) - 1.0, 0.0)[:, None], hedge.size, axis=1)
    edges = np.empty((4, x.size))
    regions, reached = [], 0.0
    for variance in variances:
        steps = max(1, math.ceil((variance - reached) / (DIFFUSION_NUMBER * step**2)))
        _march(
            values,
            edges,
            x,
            hedge,
            (variance - reached) / steps,
            steps,
            problem.cost_rate,
            fixed,
            problem.aversion,
            sign,
        )
        regions.append(ImpulseRegion(variance, x, *edges.copy()))
        reached = variance
    start = int(np.argmin(np.abs(hedge)))
    return regions, float(values[half, start])


def hedge_grid(most: float, reach: float) -> Floats:
    """Hedges from -reach to 1 + reach, `most` apart at most."""
    return np.linspace(-reach, 1.0 + reach, math.ceil((1.0 + 2.0 * reach) / most) + 1)


@kernel
def _march(
    values: Floats,
    edges: Floats,
    x: Floats,
    hedge: Floats,
    dv: float,
    steps: int,
    cost_rate: float,
    fixed: float,
    aversion: float,
    sign: float,
) -> None:
    nx, nz = values.shape
    dx, dz = x[1] - x[0], hedge[1] - hedge[0]
    diffusion, drift = 0.5 * dv / (dx * dx), -0.25 * dv / dx
    now, after = values, values.copy()
    for _ in range(steps):
        for i in range(1, nx - 1):
            spot = math.exp(x[i])
            for j in range(nz):
                slope = now[i + 1, j] - now[i - 1, j]
                curve = now[i + 1, j] - 2.0 * now[i, j] + now[i - 1, j]
                gap = slope / (2.0 * dx) - sign * hedge[j] * spot
                after[i, j] = (
                    now[i, j] + diffusion * curve + drift * slope + 0.5 * dv * aversion * gap * gap
                )
            _intervene(after[i], hedge, cost_rate * spot * dz, fixed, edges[:, i])
        after[0] = after[1] + math.exp(-dx) * (after[1] - after[2])
        after[nx - 1] = after[nx - 2] + math.exp(dx) * (after[nx - 2] - after[nx - 3])
        now, after = after, now
    values[:, :] = now
    edges[:, 0], edges[:, nx - 1] = edges[:, 1], edges[:, nx - 2]


@kernel
def _intervene(row: Floats, hedge: Floats, cell_cost: float, fixed: float, edges: Floats) -> None:
    """Where a trade is worth its fixed cost the value is that after it; and where that begins."""
    least = 0
    for j in range(row.size):
        if row[j] < row[least]:
            least = j
    low, high = least, least
    while low > 0 and row[low - 1] - row[low] <= cell_cost:
        low -= 1
    while high < row.size - 1 and row[high + 1] - row[high] <= cell_cost:
        high += 1
    first, last = low, high
    while first > 0 and row[first - 1] <= row[low] + cell_cost * (low - first + 1) + fixed:
        first -= 1
    while (
        last < row.size - 1 and row[last + 1] <= row[high] + cell_cost * (last + 1 - high) + fixed
    ):
        last += 1
    for j in range(first):
        row[j] = row[low] + cell_cost * (low - j) + fixed
    for j in range(last + 1, row.size):
        row[j] = row[high] + cell_cost * (j - high) + fixed
    edges[0], edges[1], edges[2], edges[3] = hedge[first], hedge[low], hedge[high], hedge[last]
