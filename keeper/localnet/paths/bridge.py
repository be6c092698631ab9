"""Brownian bridges: seeded noise that is pinned at both ends and kept inside a range."""

from itertools import pairwise

import numpy as np

from keeper.localnet.paths.path import Floats

YEAR_S = 365 * 86_400


def reflect(values: Floats, low: float, high: float) -> Floats:
    """Fold values back into [low, high], as a walk between two mirrors would be."""
    if high <= low:
        return np.full_like(values, low)
    width = high - low
    folded = np.mod(values - low, 2 * width)
    return np.clip(low + np.minimum(folded, 2 * width - folded), low, high)


def bridge(
    times: Floats,
    start: tuple[float, float],
    end: tuple[float, float],
    volatility: float,
    rng: np.random.Generator,
) -> Floats:
    """Log prices at `times`, of a Brownian bridge from `start` to `end`, both (time in s, log price).

    `times` increase and lie in [start time, end time]. `volatility` is annualised, as a fraction; 0 gives a line.
    """
    (t0, x0), (t1, x1) = start, end
    if t1 <= t0:
        return np.full(len(times), x1)
    share = (times - t0) / (t1 - t0)
    line = x0 + (x1 - x0) * share
    if volatility == 0.0 or len(times) == 0:
        return line
    steps = np.diff(np.concatenate(([t0], times, [t1])))
    walk = np.cumsum(rng.standard_normal(len(steps)) * np.sqrt(steps / YEAR_S)) * volatility
    return np.asarray(line + walk[:-1] - walk[-1] * share, dtype=np.float64)


def through_pins(
    times: Floats, pins: list[tuple[int, float]], volatility: float, rng: np.random.Generator
) -> Floats:
    """Log prices at `times`, passing exactly through `pins` (index, log price); first and last index are pinned."""
    out = np.empty(len(times))
    out[pins[0][0]] = pins[0][1]
    for (i, xi), (j, xj) in pairwise(pins):
        inner = times[i + 1 : j]
        out[i + 1 : j] = bridge(inner, (times[i], xi), (times[j], xj), volatility, rng)
        out[j] = xj
    return out
