"""Scrambled Sobol points for the Brownian part of a simulation, through a Brownian bridge.

The first coordinates of a Sobol sequence are the most even; the bridge gives them the path's largest moves (its end,
its middle, ...), as Caflisch and Moskowitz (1995) propose. Owen's scrambling makes each replicate an unbiased estimate,
and their spread its standard error.
"""

from __future__ import annotations

import math
import warnings

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri  # type: ignore[import-untyped]
from scipy.stats import qmc  # type: ignore[import-untyped]

from keeper.errors import QuantityError

Floats = NDArray[np.float64]

MOST_DIMENSIONS = 21_201  # of the direction numbers of Joe and Kuo (2008)


def bridged_normals(paths: int, steps: int, factors: int, replicates: int, seed: int) -> Floats:
    """Independent standard normals of each step, shape (steps, factors, paths), in `replicates` scramblings.

    Raises QuantityError if there are more dimensions than direction numbers or the paths do not divide evenly.
    """
    if steps * factors > MOST_DIMENSIONS:
        raise QuantityError(
            "steps",
            f"{steps} of {factors} factors exceed {MOST_DIMENSIONS} dimensions",
            "take fewer",
        )
    if replicates < 2 or paths % replicates:
        raise QuantityError(
            "replicates",
            f"{paths} paths do not divide into {replicates}",
            "give a divisor, 2 or more",
        )
    each = paths // replicates
    normals = np.empty((steps, factors, paths))
    seeds = np.random.SeedSequence(seed).spawn(replicates)
    bridge = bridge_order(steps)
    for replicate, source in enumerate(seeds):
        engine = qmc.Sobol(steps * factors, scramble=True, seed=np.random.default_rng(source))
        with warnings.catch_warnings():  # balance is best at powers of two, not needed
            warnings.simplefilter("ignore", UserWarning)
            points = engine.random(each)
        z = ndtri(np.clip(points, 2.0**-54, 1.0 - 2.0**-53)).T.reshape(steps, factors, each)
        normals[:, :, replicate * each : (replicate + 1) * each] = _increments(z, bridge)
    return normals


def bridge_order(steps: int) -> list[tuple[int, int, int]]:
    """(point, known before it, known after it) in the order in which a bridge over 0 .. steps fills them.

    The end first (known before it: 0, after it: itself), then breadth first the middle of every gap.
    """
    order = [(steps, 0, steps)]
    gaps = [(0, steps)]
    for left, right in gaps:
        if right - left > 1:
            middle = (left + right) // 2
            order.append((middle, left, right))
            gaps += [(left, middle), (middle, right)]
    return order


def _increments(z: Floats, order: list[tuple[int, int, int]]) -> Floats:
    """Brownian increments over unit steps, from one normal for each point of the bridge."""
    steps = z.shape[0]
    walk = np.zeros((steps + 1, *z.shape[1:]))
    walk[steps] = math.sqrt(steps) * z[0]
    for k, (point, left, right) in enumerate(order[1:], start=1):
        share = (point - left) / (right - left)
        spread = math.sqrt((point - left) * (right - point) / (right - left))
        walk[point] = (1 - share) * walk[left] + share * walk[right] + spread * z[k]
    increments: Floats = np.diff(walk, axis=0)
    return increments
