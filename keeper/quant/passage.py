"""When a price that wanders and jumps touches a barrier: first passage of Merton's jump-diffusion (1976).

The log price drifts, diffuses, and jumps by normal amounts at the times of a Poisson process. How often it jumps within
the horizon is Poisson, and between jumps the diffusion is Brownian, whose passage and whose bridges are known in closed
form (Metwally and Atiya 2002). So the probability is a sum over the number of jumps n:

- none: the closed form;
- one: Gauss and Legendre's rule over the time of the jump, the place before it and the place after it;
- more: Sobol points for times and places, the chance that a jump lands beyond the barrier taken exactly each time and
  the points drawn only from where it does not; the last jump by quadrature again.

Points are fixed: equal inputs give equal bits. Watching is without pause, so the figure is an upper bound for a venue
that looks once a block.
"""

from __future__ import annotations

import functools
import itertools
import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special  # type: ignore[import-untyped]
from scipy.stats import qmc  # type: ignore[import-untyped]

from keeper.errors import QuantityError
from keeper.quant import inputs
from keeper.quant.inputs import Bound, Floats

LEAST_CHANCE = 1e-12
"""Numbers of jumps less likely than this, together, are left out."""
POINTS = 16_384
"""Sobol points over all numbers of jumps above one, shared out by how likely each number is."""
FEWEST_POINTS = 32
PANEL_NODES, TIME_NODES = 14, 14
"""Of Gauss and Legendre's rule."""
JUMPS_HIGHEST = 100.0
"""Of jump_intensity x years."""
_SHARPEST = 1e-7
"""A volatility or deviation of 0 is taken as this part of the other lengths."""
_SD = 7.5
"""Reach of a normal density, in deviations."""
_ROOT_TWO_PI = math.sqrt(2.0 * math.pi)
_FIELDS = (
    "log_distance",
    "drift",
    "volatility",
    "years",
    "jump_intensity",
    "jump_mean",
    "jump_deviation",
)
_BOUNDS = (
    Bound(-700.0, 700.0, "give ln(price / barrier), within 700"),
    Bound(-1e6, 1e6, "give a finite annual fraction (0.05 for 5 %)"),
    inputs.VOLATILITY,
    inputs.YEARS,
    Bound(0.0, 1e9, "give the expected number of jumps a year"),
    Bound(-10.0, 10.0, "give the mean of the logarithm of a jump (-0.05 for 5 % down)"),
    Bound(0.0, 5.0, "give the standard deviation of the logarithm of a jump"),
)


def touch_probability(
    log_distance: ArrayLike,
    drift: ArrayLike,
    volatility: ArrayLike,
    years: ArrayLike,
    jump_intensity: ArrayLike = 0.0,
    jump_mean: ArrayLike = 0.0,
    jump_deviation: ArrayLike = 0.0,
) -> Floats:
    """P(the barrier is touched or jumped over within `years`); all inputs broadcast, the result has their shape.

    log_distance: ln(price / barrier): above 0 for a barrier below the price, below 0 for one above it; 0 is touched.
    drift: of the price, a year, jumps included (0: a martingale), so that the log price between jumps drifts by
    drift - volatility^2 / 2 - jump_intensity (exp(jump_mean + jump_deviation^2 / 2) - 1).
    volatility: of the diffusion alone, annualised. jump_intensity: jumps a year. jump_mean, jump_deviation: of the
    logarithm of a jump, below 0 where prices fall.

    NaN where an input is NaN. The closed form is exact to rounding, the part of one jump to 1e-6 of itself; what the
    Sobol points leave of the whole is a standard deviation of 1e-3 to 2e-3 of it from 0.1 to 10 expected jumps (less
    where jumps are rarer), and 2e-2 at thirty; some milliseconds each where jumps are rare, a second at thirty.

    Raises QuantityError naming the field, also for more than 100 expected jumps, where a diffusion of the same variance
    serves.
    """
    given = (log_distance, drift, volatility, years, jump_intensity, jump_mean, jump_deviation)
    shape, columns = inputs.flat_inputs(_FIELDS, given)
    inputs.refuse(_FIELDS, columns, _BOUNDS)
    expected = columns[4] * columns[3]
    _refuse_many(expected)
    out = np.empty(expected.size)
    for index in range(out.size):
        out[index] = _one(*(float(column[index]) for column in columns))
    return out.reshape(shape)


def _refuse_many(expected: Floats) -> None:
    many = expected > JUMPS_HIGHEST
    if many.any():
        index = int(np.argmax(many))
        raise QuantityError(
            "jump_intensity",
            f"times years is {expected[index]:.6g} jumps",
            f"give at most {JUMPS_HIGHEST:g}, or their variance as volatility",
            index if many.size > 1 else None,
        )


def _one(
    log_distance: float,
    drift: float,
    volatility: float,
    years: float,
    intensity: float,
    mean: float,
    deviation: float,
) -> float:
    """Everything mirrored to a barrier below and scaled to a horizon of 1."""
    if math.isnan(log_distance + drift + volatility + years + intensity + mean + deviation):
        return math.nan
    if log_distance == 0.0:
        return 1.0
    side = math.copysign(1.0, log_distance)
    jumps = intensity * years
    lift = intensity * math.expm1(mean + 0.5 * deviation * deviation) if jumps > 0.0 else 0.0
    slope = side * (drift - 0.5 * volatility * volatility - lift) * years
    distance, spread = abs(log_distance), volatility * math.sqrt(years)
    spread = max(spread, _SHARPEST * distance)
    still = float(_touch(np.asarray(distance), slope, spread, np.asarray(1.0)))
    if jumps <= 0.0:
        return still
    jump = (side * mean, max(deviation, _SHARPEST * (abs(mean) + distance)))
    total, left, chance, n = math.exp(-jumps) * still, -math.expm1(-jumps), math.exp(-jumps), 0
    while left > LEAST_CHANCE:
        n += 1
        chance *= jumps / n
        if chance > LEAST_CHANCE * 1e-3 or n < jumps:
            one = _after_one if n == 1 else functools.partial(_after_many, n, _points_for(chance))
            total += chance * one(distance, slope, spread, jump)
        left = min(left - chance, 2.0 * chance * jumps / n if n > 2.0 * jumps else left)
    return min(1.0, max(total, 0.0))


def _points_for(chance: float) -> int:
    wanted = max(FEWEST_POINTS, POINTS * min(1.0, chance))
    return int(2 ** math.ceil(math.log2(wanted)))


def _touch(height: Floats, slope: float, spread: float, time: Floats) -> Floats:
    """P(a Brownian motion at `height` > 0 above the barrier touches it within `time`): Harrison 1985, (1.8.11)."""
    root = spread * np.sqrt(time)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        direct = special.ndtr((-height - slope * time) / root)
        # The exponent can be huge where the tail is nothing: their logarithms are added first.
        tail = special.log_ndtr((slope * time - height) / root) - 2.0 * slope * height / spread**2
        both = direct + np.exp(np.minimum(tail, 0.0))
    result: Floats = np.where(time > 0.0, np.minimum(both, 1.0), 0.0)
    return result


def _last_jump(
    height: Floats, slope: float, spread: float, jump: tuple[float, float], left: Floats
) -> Floats:
    """P(touched) of one more jump from `height` > 0 now, then only diffusion for the time `left`; any equal shapes."""
    mean, deviation = jump
    beyond = special.ndtr((-height - mean) / deviation)
    reach = 9.0 * spread * np.sqrt(left) + max(-slope, 0.0) * left
    centre = height + mean
    low = np.maximum(centre - _SD * deviation, 0.0)
    high = np.maximum(low, np.minimum(centre + _SD * deviation, reach))
    middle = np.clip(centre, low, high)
    nodes, weights = _legendre(PANEL_NODES)
    total: Floats = beyond
    for left_end, right_end in ((low, middle), (middle, high)):
        width = (right_end - left_end)[..., None]
        landed = left_end[..., None] + width * nodes
        z = (landed - centre[..., None]) / deviation
        density = np.exp(-0.5 * z * z) / (_ROOT_TWO_PI * deviation)
        touched = _touch(landed, slope, spread, left[..., None])
        total = total + np.sum(density * touched * width * weights, axis=-1)
    return total


def _after_one(distance: float, slope: float, spread: float, jump: tuple[float, float]) -> float:
    """P(touched) if there is one jump, at a time uniform in (0, 1)."""
    nodes, weights = _legendre(TIME_NODES)
    # What happens near both ends goes with the root of the time: an angle as variable is smooth there.
    time = 0.5 - 0.5 * np.cos(math.pi * nodes)
    of_time = 0.5 * math.pi * np.sin(math.pi * nodes) * weights
    centre, root = distance + slope * time, spread * np.sqrt(time)
    low = np.maximum(centre - _SD * root, 0.0)
    high = np.maximum(centre + _SD * root, low)
    # Around -mean it is decided in the width of a deviation whether the jump goes beyond: panels of their own.
    inner = [np.full(time.size, -jump[0] + k * _SD * jump[1]) for k in (-1.0, 1.0)]
    ends = np.sort(np.clip([low, *inner, centre, high], low, high), axis=0)
    nodes, weights = _legendre(PANEL_NODES)
    total = _touch(np.asarray(distance), slope, spread, time)
    for left, right in itertools.pairwise(ends):
        width = (right - left)[:, None]
        height = left[:, None] + width * nodes
        z = (height - centre[:, None]) / root[:, None]
        mirrored = -np.expm1(-2.0 * height * distance / root[:, None] ** 2)
        density = np.exp(-0.5 * z * z) / (_ROOT_TWO_PI * root[:, None]) * mirrored
        rest = np.broadcast_to(1.0 - time[:, None], height.shape)
        found = _last_jump(height, slope, spread, jump, rest)
        total = total + np.sum(density * found * width * weights, axis=1)
    return float(total @ of_time)


def _after_many(
    n: int, points: int, distance: float, slope: float, spread: float, jump: tuple[float, float]
) -> float:
    """P(touched) if there are n >= 2 jumps, by Sobol points for all of them but the last's landing."""
    units = _sobol(3 * n - 1, points)
    mean, deviation = jump
    height, now = np.full(points, distance), np.zeros(points)
    alive, touched = np.ones(points), np.zeros(points)
    for k in range(n):
        # The next of the n - k uniform times that remain.
        step = (1.0 - now) * -np.expm1(special.log1p(-units[3 * k]) / (n - k))
        now = now + step
        before = height + slope * step + spread * np.sqrt(step) * special.ndtri(units[3 * k + 1])
        bridge = np.exp(-2.0 * height * np.maximum(before, 0.0) / (spread**2 * step))
        touched += alive * bridge
        alive *= 1.0 - bridge
        height = np.maximum(before, 0.0)
        if k == n - 1:
            touched += alive * _last_jump(height, slope, spread, jump, 1.0 - now)
            break
        beyond = special.ndtr((-height - mean) / deviation)
        touched += alive * beyond
        alive *= 1.0 - beyond
        z = special.ndtri(beyond + (1.0 - beyond) * units[3 * k + 2])
        height = np.maximum(height + mean + deviation * np.minimum(z, _SD), 0.0)
    return float(np.mean(touched))


@functools.cache
def _legendre(count: int) -> tuple[Floats, Floats]:
    """Nodes and weights of Gauss and Legendre's rule on (0, 1)."""
    nodes, weights = np.polynomial.legendre.leggauss(count)  # type: ignore[no-untyped-call]
    return 0.5 * (nodes + 1.0), 0.5 * weights


@functools.lru_cache(maxsize=256)
def _sobol(dimensions: int, points: int) -> NDArray[np.float64]:
    """Scrambled Sobol points, (dimensions, points), strictly inside the unit cube; the same ones always."""
    drawn = qmc.Sobol(dimensions, scramble=True, seed=20_240_101 + dimensions).random(points)
    inside: Floats = np.ascontiguousarray(np.clip(drawn, 2.0**-54, 1.0 - 2.0**-53).T)
    return inside
