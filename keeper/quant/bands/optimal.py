"""The optimal band, read from a table of it."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from keeper.quant.bands.exposure import Band, Exposure, Terms
from keeper.quant.bands.fixed import corrected
from keeper.quant.bands.widen import widths
from keeper.quant.compiled import kernel

Floats = NDArray[np.float64]


MOST_COST = 0.3
"""Share of value that a trade with its fixed cost is taken to cost at most."""


def hodges_neuberger(exposure: Exposure, terms: Terms) -> Band:
    """The no-trade region that an exponential utility finds best (Hodges and Neuberger 1989), per element.

    The proportional part comes of the dynamic program of `keeper.quant.bands.dynamic`, tabulated for written and held
    options over cost, aversion x strike x quantity, variance left and moneyness, and interpolated linearly. Beyond
    the table its edge is taken, in units of the leading-order width, which itself keeps its form.

    A fixed cost splits each edge in two (see `keeper.quant.bands.local`), and moves the middle as a proportional
    cost would that costs as much on a trade from the outer edge to the inner: what moves it is the volatility that
    hedging costs add to the liability (Leland 1985), whatever they are made of.

    What that leaves of the optimum where bands are wide is a second table (`keeper.quant.bands.fixed`), of the dynamic
    program with interventions.

    At expiry the band is all there is: nothing is left to hedge.
    """
    centre, outer, inner, free = local_band(exposure, terms)
    _, _, fixed = terms.arrays()
    if not np.any(fixed > 0):
        return Band(centre - outer, centre + outer, centre - inner, centre + inner)
    return corrected(exposure, terms, (centre, outer, inner, free))


def local_band(exposure: Exposure, terms: Terms) -> tuple[Floats, Floats, Floats, Floats]:
    """(middle, outer and inner half width, half width without the fixed cost), before the second table."""
    parts = (exposure.spot, exposure.strike, exposure.variance, exposure.quantity, exposure.gamma)
    wide = np.broadcast_arrays(*parts, *terms.arrays())
    shape = wide[0].shape
    spot, strike, variance, quantity, gamma, cost, aversion, fixed = (
        np.array(one).ravel() for one in wide
    )
    middle, half = ratios(spot, strike, variance, quantity, cost, aversion)
    unit, outer, inner = widths(spot, variance, gamma, cost, aversion, fixed, half)
    free = outer
    if np.any(fixed > 0):
        _, free, _ = widths(spot, variance, gamma, cost, aversion, np.zeros_like(fixed), half)
        with np.errstate(invalid="ignore", divide="ignore"):
            whole = np.where(fixed > 0, cost + fixed / (spot * (outer - inner)), cost)
        whole = np.minimum(np.where(np.isfinite(whole), whole, cost), MOST_COST)
        middle, _ = ratios(spot, strike, variance, quantity, whole, aversion)
        unit, _, _ = widths(spot, variance, gamma, whole, aversion, fixed, half)
    with np.errstate(invalid="ignore"):
        # Towards more hedge per option: a written one is hedged by holding, a held one by being short.
        shift = np.where(np.isfinite(unit), -np.sign(quantity) * middle * unit, 0.0)
    centre: Floats = shift.reshape(shape) - exposure.delta
    return centre, outer.reshape(shape), inner.reshape(shape), free.reshape(shape)


def ratios(
    spot: Floats,
    strike: Floats,
    variance: Floats,
    quantity: Floats,
    cost_rate: Floats,
    aversion: Floats,
) -> tuple[Floats, Floats]:
    """The table's (middle, half width) over the leading-order half width; vectors of one length."""
    table = load()
    return _look_up(
        spot,
        strike,
        variance,
        quantity,
        cost_rate,
        aversion,
        table.middle,
        table.half,
        table.log_costs,
        table.log_aversions,
        table.log_variances,
        table.moneyness,
    )


@dataclass(frozen=True, slots=True)
class Table:
    """Middle (from the delta) and half width of the region over the leading-order half width.

    Shape (written | held, cost, aversion, variance, moneyness).
    """

    middle: Floats
    half: Floats
    log_costs: Floats
    log_aversions: Floats
    log_variances: Floats
    moneyness: Floats


@functools.cache
def load() -> Table:
    """The committed table, made by `scripts/bands/tabulate.py`."""
    path = resources.files("keeper.quant.bands") / "table.npz"
    with path.open("rb") as file, np.load(file) as stored:
        return Table(
            middle=stored["middle"].astype(np.float64),
            half=stored["half"].astype(np.float64),
            log_costs=np.log(stored["cost_rates"]),
            log_aversions=np.log(stored["aversions"]),
            log_variances=np.log(stored["variances"]),
            moneyness=stored["moneyness"].astype(np.float64),
        )


@kernel
def _look_up(
    spot: Floats,
    strike: Floats,
    variance: Floats,
    quantity: Floats,
    cost_rate: Floats,
    aversion: Floats,
    middles: Floats,
    halves: Floats,
    log_costs: Floats,
    log_aversions: Floats,
    log_variances: Floats,
    moneyness: Floats,
) -> tuple[Floats, Floats]:
    """Per element the table's ratios, multilinear in its four axes."""
    middle, half = np.zeros(spot.size), np.ones(spot.size)
    for i in range(spot.size):
        if variance[i] <= 0.0:
            continue
        side = 0 if quantity[i] < 0.0 else 1
        total = aversion[i] * strike[i] * abs(quantity[i])
        c, wc = _place(log_costs, math.log(max(cost_rate[i], 1e-300)))
        a, wa = _place(log_aversions, math.log(max(total, 1e-300)))
        v, wv = _place(log_variances, math.log(variance[i]))
        m, wm = _place(moneyness, math.log(spot[i] / strike[i]) / math.sqrt(variance[i]))
        sum_middle, sum_half = 0.0, 0.0
        for corner in range(16):
            ic, ia, iv, im = corner & 1, corner >> 1 & 1, corner >> 2 & 1, corner >> 3
            weight = (
                (wc if ic else 1.0 - wc)
                * (wa if ia else 1.0 - wa)
                * (wv if iv else 1.0 - wv)
                * (wm if im else 1.0 - wm)
            )
            sum_middle += weight * middles[side, c + ic, a + ia, v + iv, m + im]
            sum_half += weight * halves[side, c + ic, a + ia, v + iv, m + im]
        middle[i] = sum_middle
        half[i] = sum_half
    return middle, half


@kernel
def _place(axis: Floats, at: float) -> tuple[int, float]:
    """Index and weight of `at` on `axis`, held inside it."""
    at = min(max(at, float(axis[0])), float(axis[-1]))
    index = min(int(np.searchsorted(axis, at, side="right")) - 1, axis.size - 2)
    return index, (at - axis[index]) / (axis[index + 1] - axis[index])
