"""From a band's middle and half width to its edges, with a fixed cost to its four edges."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from keeper.quant.bands import local
from keeper.quant.bands.exposure import Band, Exposure
from keeper.quant.compiled import kernel

Floats = NDArray[np.float64]


def around_absolute(
    exposure: Exposure, centre: Floats, half: Floats, terms: tuple[Floats, Floats, Floats]
) -> Band:
    """The band of a closed form: its own centre and half width, a fixed cost as everywhere."""
    cost, aversion, fixed = terms
    shape = np.broadcast_shapes(exposure.spot.shape, cost.shape, half.shape)
    values = (exposure.spot, exposure.variance, exposure.gamma, cost, aversion, fixed, half)
    flat = [np.array(np.broadcast_to(one, shape)).ravel() for one in values]
    outer, inner = (one.reshape(shape) for one in _split(*flat))
    return Band(centre - outer, centre + outer, centre - inner, centre + inner)


@kernel
def widths(
    spot: Floats,
    variance: Floats,
    gamma: Floats,
    cost: Floats,
    aversion: Floats,
    fixed: Floats,
    ratio: Floats,
) -> tuple[Floats, Floats, Floats]:
    """(leading-order half width, outer, inner) per element; infinite where no variance is left."""
    unit, outer, inner = np.empty(spot.size), np.empty(spot.size), np.empty(spot.size)
    for i in range(spot.size):
        if variance[i] <= 0.0:
            unit[i] = outer[i] = inner[i] = np.inf
            continue
        narrow = local.narrow_half(spot[i], gamma[i], cost[i], aversion[i])
        idle = local.idle_half(spot[i], variance[i], cost[i], aversion[i])
        unit[i] = narrow + idle
        outer[i], inner[i] = _edges(
            spot[i],
            variance[i],
            gamma[i],
            cost[i],
            aversion[i],
            fixed[i],
            ratio[i],
            ratio[i] * idle,
        )
    return unit, outer, inner


@kernel
def _split(
    spot: Floats,
    variance: Floats,
    gamma: Floats,
    cost: Floats,
    aversion: Floats,
    fixed: Floats,
    half: Floats,
) -> tuple[Floats, Floats]:
    """(outer, inner) per element for half widths that are given."""
    outer, inner = np.empty(spot.size), np.empty(spot.size)
    for i in range(spot.size):
        if variance[i] <= 0.0:
            outer[i] = inner[i] = np.inf
            continue
        narrow = local.narrow_half(spot[i], gamma[i], cost[i], aversion[i])
        within = min(narrow, half[i])
        ratio = within / narrow if narrow > 0.0 else 1.0
        outer[i], inner[i] = _edges(
            spot[i], variance[i], gamma[i], cost[i], aversion[i], fixed[i], ratio, half[i] - within
        )
    return outer, inner


@kernel
def _edges(
    spot: float,
    variance: float,
    gamma: float,
    cost: float,
    aversion: float,
    fixed: float,
    ratio: float,
    idle: float,
) -> tuple[float, float]:
    """(outer, inner): the local solution scaled to the proportional width, beyond what is idle anyway.

    Nothing is traded that costs more than its whole risk to the end: that bounds the gap from below.
    """
    # A gamma scaled by ratio^1.5 has a proportional band scaled by ratio.
    u_outer, u_inner = local.edges(spot, gamma * ratio**1.5, cost, aversion, fixed)
    gap = max(u_outer - u_inner, (2.0 * fixed / (aversion * spot * spot * variance)) ** 0.5)
    inner = u_inner + idle
    return inner + gap, inner
