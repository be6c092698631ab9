"""The optimal no-trade region of one option, by dynamic programming (Hodges and Neuberger 1989).

The hedger has exponential utility, pays a share of every trade's value, and marks the last hedge at the
middle of the market. In units of the strike, with v the variance left, x = ln(S/K) and z the hedge held
per option, the certainty equivalent G of the liability less the hedge's gains obeys

    G_v = (G_xx - G_x) / 2 + a (G_x - z S)^2 / 2,    |G_z| <= cost S,    G(0, x, z) = +-max(S - 1, 0)

with a = aversion x strike x quantity. (Davis, Panas and Zariphopoulou 1993, whose exponential is taken out.)
With a fixed cost the second line becomes G(z) <= min over z' of G(z') + cost S |z - z'| + fixed.

The scheme is explicit in v and moves a window of z along the region: outside it G is linear in z. It is
exact work for a machine's minute, not for a tick: what the keeper uses is the table made of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keeper.errors import QuantityError
from keeper.quant.compiled import kernel

Floats = NDArray[np.float64]

MARGIN = 3  # cells the region may move in one step
WIDTH_SD = 7.0  # of the grid of x, each side
DIFFUSION_NUMBER = 0.4  # dv / dx^2, stable under 1


@dataclass(frozen=True, slots=True)
class Problem:
    """One option to hedge, without units."""

    cost_rate: float
    """Cost of a trade as a share of its value."""
    aversion: float
    """a: absolute aversion x strike x quantity."""
    written: bool
    """The option is owed (True) or held (False)."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """How fine the grid is; the defaults are those of the committed table."""

    cells_per_sd: float = 10.0
    """Cells of x in one standard deviation at the start of a stage, at least."""
    cells_per_sd_most: float = 32.0
    cells_per_band: float = 12.0
    """Cells of z in half the narrowest band."""
    reach: float = 1.0
    """The grid of z spans [-reach, 1 + reach]."""


@dataclass(frozen=True, slots=True)
class Region:
    """Where not to trade, at one variance left."""

    variance: float
    log_moneyness: Floats
    """x, shape (nx,)."""
    lower: Floats
    """Least hedge per option that is kept, signed as a hedge of a written call; NaN: beyond the grid."""
    upper: Floats
    value: Floats
    """Certainty equivalent of the liability and its hedging, from no hedge held, per strike."""


def solve(problem: Problem, variances: list[float], resolution: Resolution) -> list[Region]:
    """The no-trade region at each of `variances` (increasing, > 0).

    Raises QuantityError for variances that do not increase from above zero.
    """
    for index, (before, after) in enumerate(zip([0.0, *variances], variances, strict=False)):
        if not before < after < math.inf:
            raise QuantityError(
                "variances",
                f"{after} after {before}",
                "give increasing variances above zero",
                index,
            )
    hedge = _hedge_grid(problem, variances[-1], resolution)
    regions: list[Region] = []
    state: _State | None = None
    reached = 0.0
    for variance in variances:
        state = _stage(problem, resolution, hedge, state, max(reached, variance / 4), variance)
        steps = max(1, math.ceil((variance - reached) / (DIFFUSION_NUMBER * state.step**2)))
        _advance(
            state.values,
            state.first,
            state.last,
            state.x,
            hedge,
            (variance - reached) / steps,
            steps,
            problem.cost_rate,
            problem.aversion,
            1.0 if problem.written else -1.0,
        )
        lower, upper = _edges(
            state.values, state.first, state.last, state.x, hedge, problem.cost_rate
        )
        value = state.values[:, int(np.argmin(np.abs(hedge)))].copy()
        regions.append(Region(variance, state.x, lower, upper, value))
        reached = variance
    return regions


def narrow_half_band(problem: Problem, variance: float) -> float:
    """Leading-order half width at the money (Whalley and Wilmott 1997), per option."""
    gamma_squared = 1.0 / (2.0 * math.pi * variance)
    return float((1.5 * problem.cost_rate * gamma_squared / problem.aversion) ** (1.0 / 3.0))


@dataclass(slots=True)
class _State:
    x: Floats
    step: float
    values: Floats
    """G, shape (nx, nz)."""
    first: NDArray[np.int64]
    """Per x the first cell of z that is kept."""
    last: NDArray[np.int64]


def _hedge_grid(problem: Problem, variance: float, resolution: Resolution) -> Floats:
    step = min(0.05, narrow_half_band(problem, variance) / resolution.cells_per_band)
    count = math.ceil((1.0 + 2.0 * resolution.reach) / step)
    return np.linspace(-resolution.reach, 1.0 + resolution.reach, count + 1)


def _stage(
    problem: Problem,
    resolution: Resolution,
    hedge: Floats,
    before: _State | None,
    start: float,
    end: float,
) -> _State:
    """The grid from `start` to `end`, holding what `before` holds."""
    # Across one cell of x the delta must move by a fraction of the band, or the region is not seen.
    cells = 1.2 / narrow_half_band(problem, end)
    cells = min(max(cells, resolution.cells_per_sd), resolution.cells_per_sd_most)
    step = math.sqrt(start) / cells
    half = math.ceil(WIDTH_SD * math.sqrt(end) / step)
    x = step * np.arange(-half, half + 1, dtype=np.float64)
    sign = 1.0 if problem.written else -1.0
    if before is None:
        payoff = sign * _cell_mean_payoff(x, step)
        values = np.repeat(payoff[:, None], hedge.size, axis=1)
        first = np.zeros(x.size, dtype=np.int64)
        last = np.full(x.size, hedge.size - 1, dtype=np.int64)
        return _State(x, step, values, first, last)
    values = _resample(before, x, sign)
    first = np.interp(x, before.x, before.first).astype(np.int64)
    last = np.minimum(np.interp(x, before.x, before.last).astype(np.int64) + 1, hedge.size - 1)
    return _State(x, step, values, first, last)


def _cell_mean_payoff(x: Floats, step: float) -> Floats:
    """The payoff averaged over each cell, so that the kink costs no order of accuracy."""
    low, high = np.maximum(x - step / 2, 0.0), np.maximum(x + step / 2, 0.0)
    mean: Floats = (np.exp(high) - np.exp(low) - (high - low)) / step
    return mean


def _resample(before: _State, x: Floats, sign: float) -> Floats:
    """The values on another grid of x: cubic inside, beyond it as far in or out of the money."""
    from scipy.interpolate import CubicSpline  # type: ignore[import-untyped]

    excess = before.values - sign * np.maximum(np.exp(before.x) - 1.0, 0.0)[:, None]
    held = np.clip(x, before.x[0], before.x[-1])
    # The smooth part is the whole value; the kinked excess only serves beyond the old grid.
    inside = np.asarray(CubicSpline(before.x, before.values, axis=0)(held), dtype=np.float64)
    payoff = sign * np.maximum(np.exp(x) - 1.0, 0.0)
    scale = np.exp(x)[:, None] / np.exp(held)[:, None]
    low, high = x < before.x[0], x > before.x[-1]
    inside[low] = payoff[low, None] + excess[0] * scale[low]
    inside[high] = payoff[high, None] + excess[-1] * scale[high]
    return inside


@kernel
def _advance(
    values: Floats,
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    x: Floats,
    hedge: Floats,
    dv: float,
    steps: int,
    cost_rate: float,
    aversion: float,
    sign: float,
) -> None:
    """March `steps` of `dv`. At the ends of x the value is linear in the price."""
    nx, nz = values.shape
    dx, dz = x[1] - x[0], hedge[1] - hedge[0]
    diffusion, drift = 0.5 * dv / (dx * dx), -0.25 * dv / dx
    now, after = values, values.copy()
    for _ in range(steps):
        for i in range(1, nx - 1):
            spot = math.exp(x[i])
            lo, hi = max(first[i] - MARGIN, 0), min(last[i] + MARGIN, nz - 1)
            for j in range(lo, hi + 1):
                slope = now[i + 1, j] - now[i - 1, j]
                curve = now[i + 1, j] - 2.0 * now[i, j] + now[i - 1, j]
                gap = slope / (2.0 * dx) - sign * hedge[j] * spot
                after[i, j] = (
                    now[i, j] + diffusion * curve + drift * slope + 0.5 * dv * aversion * gap * gap
                )
            # Neighbours read this row over their own windows, which move by a margin at most.
            start = min(first[i - 1], first[i], first[i + 1]) - 3 * MARGIN
            end = max(last[i - 1], last[i], last[i + 1]) + 3 * MARGIN
            first[i], last[i] = _trade(
                after[i], lo, hi, cost_rate * spot * dz, max(start, 0), min(end, nz - 1)
            )
        for j in range(nz):
            after[0, j] = after[1, j] + math.exp(-dx) * (after[1, j] - after[2, j])
            after[nx - 1, j] = after[nx - 2, j] + math.exp(dx) * (
                after[nx - 2, j] - after[nx - 3, j]
            )
        now, after = after, now
    for i in range(1, nx - 1):
        cell_cost = cost_rate * math.exp(x[i]) * dz
        _trade(now[i], first[i], last[i], cell_cost, 0, nz - 1)
    now[0] = now[1] + math.exp(-dx) * (now[1] - now[2])
    now[nx - 1] = now[nx - 2] + math.exp(dx) * (now[nx - 2] - now[nx - 3])
    first[0], last[0], first[nx - 1], last[nx - 1] = first[1], last[1], first[nx - 2], last[nx - 2]
    values[:, :] = now


@kernel
def _trade(
    row: Floats, lo: int, hi: int, cell_cost: float, start: int, stop: int
) -> tuple[int, int]:
    """Outside the region it is best to trade to its edge: there the row is linear, from `start` to `stop`."""
    kept = lo
    while kept < hi and row[kept + 1] - row[kept] < -cell_cost:
        kept += 1
    end = hi
    while end > kept and row[end] - row[end - 1] > cell_cost:
        end -= 1
    for j in range(start, kept):
        row[j] = row[kept] + cell_cost * (kept - j)
    for j in range(end + 1, stop + 1):
        row[j] = row[end] + cell_cost * (j - end)
    return kept, end


@kernel
def _edges(
    values: Floats,
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    x: Floats,
    hedge: Floats,
    cost_rate: float,
) -> tuple[Floats, Floats]:
    """Where the slope in z reaches the cost, between the cells, by the parabola through the last three slopes."""
    nx, nz = values.shape
    dz = hedge[1] - hedge[0]
    lower, upper = np.full(nx, np.nan), np.full(nx, np.nan)
    for i in range(nx):
        if last[i] - first[i] < 5:
            continue  # too narrow to be seen on this grid
        cost = cost_rate * math.exp(x[i]) * dz
        if first[i] > 0:
            j = first[i]
            s0 = (values[i, j] - values[i, j + 1]) / cost
            s1 = (values[i, j + 1] - values[i, j + 2]) / cost
            s2 = (values[i, j + 2] - values[i, j + 3]) / cost
            lower[i] = hedge[j] + dz * (0.5 - _reach(s0, s1, s2))
        if last[i] < nz - 1:
            j = last[i]
            s0 = (values[i, j] - values[i, j - 1]) / cost
            s1 = (values[i, j - 1] - values[i, j - 2]) / cost
            s2 = (values[i, j - 2] - values[i, j - 3]) / cost
            upper[i] = hedge[j] - dz * (0.5 - _reach(s0, s1, s2))
    return lower, upper


@kernel
def _reach(s0: float, s1: float, s2: float) -> float:
    """Cells beyond the point of slope s0 (s1, s2 before it) at which the parabola reaches or nears 1."""
    b, c = 1.5 * s0 - 2.0 * s1 + 0.5 * s2, 0.5 * (s0 - 2.0 * s1 + s2)
    root = b * b + 4.0 * c * (1.0 - s0)
    if root >= 0.0 and b + math.sqrt(root) > 0.0:
        t = 2.0 * (1.0 - s0) / (b + math.sqrt(root))
    elif c < 0.0:
        t = -b / (2.0 * c)
    else:
        t = 0.5
    return min(max(t, -0.5), 1.5)
