"""What a fixed cost changes where bands are wide: the second table, read.

The local solution (`keeper.quant.bands.local`) treats the delta as if it could move without end. Where the hedge is
left alone over much of the range from none to all, the optimum knows its ends: from the dynamic program with
interventions `scripts/bands/tabulate_fixed.py` made a table of by how much each of the four edges then differs, in
units of the local outer half width.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from keeper.quant.bands.exposure import Band, Exposure, Terms
from keeper.quant.compiled import kernel

Floats = NDArray[np.float64]

FADE = 1.0 / 3.0
"""Power with which the differences fade where aversion is above the table's or the fixed cost below."""


@dataclass(frozen=True, slots=True)
class FixedTable:
    """Differences of (lower, lower target, upper target, upper), as edges of the hedge of a written call.

    Shape (written | held, cost, aversion, fixed cost, variance, edge, moneyness).
    """

    differences: Floats
    log_costs: Floats
    log_aversions: Floats
    log_fixed: Floats
    log_variances: Floats
    moneyness: Floats


@functools.cache
def load() -> FixedTable:
    """The committed table."""
    path = resources.files("keeper.quant.bands") / "fixed.npz"
    with path.open("rb") as file, np.load(file) as stored:
        return FixedTable(
            differences=stored["differences"].astype(np.float64),
            log_costs=np.log(stored["cost_rates"]),
            log_aversions=np.log(stored["aversions"]),
            log_fixed=np.log(stored["fixed_costs"]),
            log_variances=np.log(stored["variances"]),
            moneyness=stored["moneyness"].astype(np.float64),
        )


def corrected(
    exposure: Exposure, terms: Terms, local: tuple[Floats, Floats, Floats, Floats]
) -> Band:
    """The band of four edges from (middle, outer, inner, half width without the fixed cost), as `local_band` gives.

    Whatever the table says, a fixed cost moves the triggers apart and the targets together, and edges stay in order.
    """
    centre, outer, inner, free = local
    wide = np.broadcast_arrays(
        exposure.spot, exposure.strike, exposure.variance, exposure.quantity, *terms.arrays()
    )
    spot, strike, variance, quantity, cost, aversion, fixed = (
        np.array(one).ravel() for one in wide
    )
    table = load()
    change = np.zeros((4, spot.size))
    _look_up(
        (spot, strike, variance, quantity, cost, aversion, fixed),
        table.differences,
        (table.log_costs, table.log_aversions, table.log_fixed, table.log_variances),
        table.moneyness,
        change,
    )
    held = quantity > 0.0
    # A held option's hedge is the negative of a written one's: its edges change places.
    change[:, held] = -change[::-1, held]
    with np.errstate(invalid="ignore"):
        lower, lower_target, upper_target, upper = (
            np.where(np.isfinite(outer), one.reshape(outer.shape) * outer, 0.0) for one in change
        )
    lower, upper = _apart(centre - outer + lower, centre + outer + upper, free, least=True)
    inner_lower, inner_upper = _apart(
        centre - inner + lower_target, centre + inner + upper_target, free, least=False
    )
    inner_lower = np.clip(inner_lower, lower, upper)
    return Band(lower, upper, inner_lower, np.clip(inner_upper, inner_lower, upper))


def _apart(low: Floats, high: Floats, half: Floats, *, least: bool) -> tuple[Floats, Floats]:
    """Both moved alike until they are 2 `half` apart at least, or at most (and never crossed)."""
    with np.errstate(invalid="ignore"):
        middle, now = 0.5 * (low + high), 0.5 * (high - low)
        wanted = np.maximum(now, half) if least else np.clip(now, 0.0, half)
        finite = np.isfinite(middle) & np.isfinite(wanted)
        return np.where(finite, middle - wanted, low), np.where(finite, middle + wanted, high)


@kernel
def _place(axis: Floats, at: float) -> tuple[int, float]:
    """Index and weight of `at` on `axis`, held inside it."""
    at = min(max(at, float(axis[0])), float(axis[-1]))
    index = min(int(np.searchsorted(axis, at, side="right")) - 1, axis.size - 2)
    return index, (at - axis[index]) / (axis[index + 1] - axis[index])


@kernel
def _look_up(
    given: tuple[Floats, Floats, Floats, Floats, Floats, Floats, Floats],
    differences: Floats,
    axes: tuple[Floats, Floats, Floats, Floats],
    moneyness: Floats,
    out: Floats,
) -> None:
    """Per element the four differences, multilinear in the five axes; 0 without a fixed cost or variance."""
    spots, strikes, variances, quantities, costs, aversions, fixed_costs = given
    for i in range(spots.size):
        size = strikes[i] * abs(quantities[i])
        if variances[i] <= 0.0 or fixed_costs[i] <= 0.0 or size <= 0.0:
            continue
        side = 0 if quantities[i] < 0.0 else 1
        log_aversion = math.log(max(aversions[i] * size, 1e-300))
        log_fixed = math.log(max(fixed_costs[i] / size, 1e-300))
        c, wc = _place(axes[0], math.log(max(costs[i], 1e-300)))
        a, wa = _place(axes[1], log_aversion)
        f, wf = _place(axes[2], log_fixed)
        v, wv = _place(axes[3], math.log(variances[i]))
        m, wm = _place(moneyness, math.log(spots[i] / strikes[i]) / math.sqrt(variances[i]))
        beyond = max(log_aversion - axes[1][-1], 0.0) + max(axes[2][0] - log_fixed, 0.0)
        fade = math.exp(-FADE * beyond)
        for corner in range(32):
            ic, ia, jf = corner & 1, corner >> 1 & 1, corner >> 2 & 1
            iv, im = corner >> 3 & 1, corner >> 4
            weight = fade * (wc if ic else 1.0 - wc) * (wa if ia else 1.0 - wa)
            weight *= (wf if jf else 1.0 - wf) * (wv if iv else 1.0 - wv)
            weight *= wm if im else 1.0 - wm
            for edge in range(4):
                out[edge, i] += (
                    weight * differences[side, c + ic, a + ia, f + jf, v + iv, edge, m + im]
                )
