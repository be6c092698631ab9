"""Make the committed table of optimal hedge bands: `python -m scripts.bands.tabulate` (some ten minutes).

For every cost, aversion and side one dynamic program (`keeper.quant.bands.dynamic`) gives the region at all
variances left. Stored are its middle, from the Black-Scholes delta, and its half width, both in units of the
half width that theory gives to leading order (`keeper.quant.bands.local.scale`): smooth, near one, and
right by themselves where the table ends. What the grid cannot see (a region narrower than a few cells, or wider than
the grid) takes the nearest neighbour's value, first in moneyness, then in variance.
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr  # type: ignore[import-untyped]

from keeper.quant.bands import dynamic
from keeper.quant.bands.local import scale

Floats = NDArray[np.float64]

COST_RATES = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
AVERSIONS = tuple(10.0 ** (k / 2) for k in range(6))
VARIANCES = tuple(2.0**-k for k in range(11, 0, -1))
MONEYNESS = tuple(0.5 * k for k in range(-6, 7))
"""ln(S/K) over the square root of the variance left."""
TABLE = Path(__file__).resolve().parents[2] / "keeper" / "quant" / "bands" / "table.npz"


def resolution(problem: dynamic.Problem) -> dynamic.Resolution:
    """The grid of one cell of the table: it reaches past the widest region that matters."""
    idle = problem.cost_rate / (problem.aversion * VARIANCES[5])
    return dynamic.Resolution(reach=min(max(2.0 * idle, 1.0), 4.0))


def cell(problem: dynamic.Problem) -> Floats:
    """Middle and half width over the scale, shape (2, variances, moneyness); NaN where unseen."""
    result = np.full((2, len(VARIANCES), len(MONEYNESS)), np.nan)
    for v, region in enumerate(dynamic.solve(problem, list(VARIANCES), resolution(problem))):
        root = math.sqrt(region.variance)
        x = np.asarray(MONEYNESS) * root
        lower = np.interp(x, region.log_moneyness, region.lower)
        upper = np.interp(x, region.log_moneyness, region.upper)
        delta = ndtr(np.asarray(MONEYNESS) + root / 2)
        unit = scale(x, region.variance, problem.cost_rate, problem.aversion)
        result[0, v] = ((lower + upper) / 2 - delta) / unit
        result[1, v] = (upper - lower) / 2 / unit
    return result


def filled(values: Floats) -> Floats:
    """`values` (2, variances, moneyness) with the unseen taken from the nearest seen."""
    result = values.copy()
    for part, rest in zip(result, (0.0, 1.0), strict=True):
        for row in part:
            seen = np.flatnonzero(np.isfinite(row))
            if seen.size:
                row[:] = row[seen[np.argmin(abs(np.arange(row.size)[:, None] - seen), axis=1)]]
        seen = np.flatnonzero(np.isfinite(part[:, 0]))
        if seen.size == 0:
            part[:] = rest
        else:
            part[:] = part[seen[np.argmin(abs(np.arange(len(part))[:, None] - seen), axis=1)]]
    return result


def main(arguments: list[str] | None = None) -> int:
    """Write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--output", type=Path, default=TABLE)
    output: Path = parser.parse_args(arguments).output
    shape = (2, 2, len(COST_RATES), len(AVERSIONS), len(VARIANCES), len(MONEYNESS))
    table, unseen = np.empty(shape), 0
    for side, written in enumerate((True, False)):
        for c, cost_rate in enumerate(COST_RATES):
            for a, aversion in enumerate(AVERSIONS):
                values = cell(dynamic.Problem(cost_rate, aversion, written))
                unseen += int(np.isnan(values[0]).sum())
                table[:, side, c, a] = filled(values)
                print(f"written {written} cost {cost_rate} aversion {aversion:.3g}", flush=True)
    np.savez_compressed(
        output,
        middle=table[0].astype(np.float16),
        half=table[1].astype(np.float16),
        cost_rates=np.asarray(COST_RATES),
        aversions=np.asarray(AVERSIONS),
        variances=np.asarray(VARIANCES),
        moneyness=np.asarray(MONEYNESS),
    )
    print(f"{output}: {output.stat().st_size} bytes, {unseen} of {table[0].size} cells unseen")
    return 0


if __name__ == "__main__":
    sys.exit(main())
