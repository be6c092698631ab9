"""Make the second table of hedge bands, for fixed costs: `python -m scripts.bands.tabulate_fixed` (ten minutes).

For every cost, aversion, fixed cost, side and variance left one dynamic program with interventions
(`keeper.quant.bands.impulse`) gives the four edges. Stored is by how much they differ from those that the first table
and the local solution give (`keeper.quant.bands.optimal.local_band`), in units of the outer half width of these: small,
and nothing where bands are narrow. What the grid of hedges cannot hold takes the nearest neighbour's value, first in
moneyness, then in variance.
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from keeper.quant.bands import dynamic, impulse
from keeper.quant.bands.exposure import Exposure, Terms
from keeper.quant.bands.local import INVERSE_ROOT_TWO_PI
from keeper.quant.bands.optimal import local_band

Floats = NDArray[np.float64]

COST_RATES = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
AVERSIONS = tuple(10.0 ** (k / 2) for k in range(5))
FIXED_COSTS = (1e-5, 1e-4, 1e-3, 1e-2)
"""Of one trade, a share of strike x quantity."""
VARIANCES = tuple(4.0**-k * 0.5 for k in range(5, -1, -1))
MONEYNESS = tuple(0.5 * k for k in range(-5, 6))
"""ln(S/K) over the square root of the variance left."""
CELLS_PER_SD = 24
RESOLVED = 4.0
"""Cells of x, at least, over which the delta at the money moves by the outer half width; narrower bands stay."""
LARGEST = 0.75
"""Of a difference: in the far wings the unit is small and the grid coarse beside it."""
TABLE = Path(__file__).resolve().parents[2] / "keeper" / "quant" / "bands" / "fixed.npz"


def cell(problem: dynamic.Problem, fixed: float, variance: float) -> Floats:
    """Differences of the four edges, those of a written call's hedge, shape (4, moneyness); NaN where unseen."""
    centre, outer, inner, _ = local_band(*_asked(problem, fixed, variance))
    sign = 1.0 if problem.written else -1.0
    here = np.array(
        [sign * centre - outer, sign * centre - inner, sign * centre + inner, sign * centre + outer]
    )
    widest = float(outer[len(MONEYNESS) // 2])
    if widest < RESOLVED * INVERSE_ROOT_TWO_PI / CELLS_PER_SD:
        return np.zeros((4, len(MONEYNESS)))
    grid = impulse.hedge_grid(float(np.clip(widest / 24.0, 0.004, 0.02)), reach=1.5)
    regions, _ = impulse.solve_with_fixed_cost(problem, fixed, [variance], CELLS_PER_SD, hedge=grid)
    region, x = regions[0], np.asarray(MONEYNESS) * math.sqrt(variance)
    edges = (region.lower, region.lower_target, region.upper_target, region.upper)
    there = np.array([np.interp(x, region.log_moneyness, edge) for edge in edges])
    there[(there <= grid[2]) | (there >= grid[-3])] = np.nan
    result: Floats = np.clip((there - here) / outer, -LARGEST, LARGEST)
    result[:, np.isnan(result).any(axis=0)] = np.nan
    return result


def _asked(problem: dynamic.Problem, fixed: float, variance: float) -> tuple[Exposure, Terms]:
    spots = np.exp(np.asarray(MONEYNESS) * math.sqrt(variance))
    quantity = -1.0 if problem.written else 1.0
    exposure = Exposure.of_options(spots, 1.0, variance, 1.0, quantity)
    return exposure, Terms(problem.cost_rate, problem.aversion, fixed)


def filled(values: Floats) -> Floats:
    """`values` (variances, 4, moneyness) with the unseen taken from the nearest seen; 0 where nothing is."""
    result = values.copy()
    for part in result:
        seen = np.flatnonzero(np.isfinite(part[0]))
        if seen.size:
            part[:] = part[
                :, seen[np.argmin(abs(np.arange(part.shape[1])[:, None] - seen), axis=1)]
            ]
    seen = np.flatnonzero(np.isfinite(result[:, 0, 0]))
    if seen.size == 0:
        return np.zeros_like(result)
    nearest: Floats = result[seen[np.argmin(abs(np.arange(len(result))[:, None] - seen), axis=1)]]
    return nearest


def main(arguments: list[str] | None = None) -> int:
    """Write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--output", type=Path, default=TABLE)
    output: Path = parser.parse_args(arguments).output
    axes = (2, len(COST_RATES), len(AVERSIONS), len(FIXED_COSTS))
    table = np.empty((*axes, len(VARIANCES), 4, len(MONEYNESS)))
    for index in np.ndindex(*axes):
        side, c, a, f = index
        problem = dynamic.Problem(COST_RATES[c], AVERSIONS[a], written=side == 0)
        cells = [cell(problem, FIXED_COSTS[f], variance) for variance in VARIANCES]
        table[index] = filled(np.array(cells))
        print(
            f"written {side == 0} cost {COST_RATES[c]} aversion {AVERSIONS[a]:.3g} {f}", flush=True
        )
    np.savez_compressed(
        output,
        differences=table.astype(np.float16),
        cost_rates=np.asarray(COST_RATES),
        aversions=np.asarray(AVERSIONS),
        fixed_costs=np.asarray(FIXED_COSTS),
        variances=np.asarray(VARIANCES),
        moneyness=np.asarray(MONEYNESS),
    )
    print(f"{output}: {output.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
