"""The solver: a primal-dual interior-point method whose every iterate is strictly free of arbitrage.

Gauss-Newton steps on the objective less mu times the sum of the logarithms of the slacks, with multipliers of their
own (Nocedal and Wright 2006, chapter 19). Slacks are functions of the unknowns, not variables, and a step that would
make one vanish is shortened: whatever stops the solver, its answer has no arbitrage. A smile meets only its
neighbours in the conditions, so the matrix has a band of five and a step costs a few microseconds.
"""

from __future__ import annotations

from math import log, sqrt
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from keeper.quant.compiled import kernel
from keeper.quant.surface.constraints import PER_PAIR, PER_SMILE, gradients, slacks
from keeper.quant.surface.objective import Data, normal_equations, value

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MU_LAST = 1e-9
"""Complementarity at which the solver may stop; a slack ends at about this over its multiplier."""
DECREMENT = 1e-8
"""Relative improvement of the objective that a further step promises, at which the solver stops."""
SHRINK = 0.01
"""A slack keeps this part of itself in a step, at least."""
MAX_ITERATIONS = 100
MAX_HALVINGS = 30

CONVERGED, STALLED, EXHAUSTED = 0, 1, 2
"""Stalled: no step improves, by rounding; the answer is as good as it gets. Exhausted: `MAX_ITERATIONS` done."""


class Rows(NamedTuple):
    """Derivatives of the slacks: see `gradients`."""

    of_smile: Floats
    of_pair: Floats


@kernel
def solve(y: Floats, data: Data, max_log_ratio: float, mu: float) -> tuple[int, int]:
    """Improve `y` (smiles, 3), strictly feasible, in place; returns iterations and how it ended."""
    n = y.shape[0]
    m = PER_SMILE * n + PER_PAIR * (n - 1)
    slack, slack_new, change = np.empty(m), np.empty(m), np.empty(m)
    rows = Rows(np.empty((n, PER_SMILE, 3)), np.empty((max(n - 1, 0), PER_PAIR, 6)))
    slope, step, y_new = np.empty((n, 3)), np.empty((n, 3)), np.empty((n, 3))
    band = np.empty((3 * n, 6))
    slacks(y, max_log_ratio, slack)
    dual = mu / slack
    objective = value(y, data)
    for iteration in range(MAX_ITERATIONS):
        normal_equations(y, data, slope, band)
        gradients(y, rows.of_smile, rows.of_pair)
        _add_barrier(mu / slack, dual / slack, rows, slope, band)
        if not _factor(band):
            return iteration, STALLED
        _solve_band(band, slope, step)
        decrement = -np.sum(step * slope)
        gap = np.sum(slack * dual) / m
        tolerance = DECREMENT * (1e-3 + objective)
        if decrement < tolerance and gap < 10.0 * MU_LAST:
            return iteration, CONVERGED
        if decrement < 0.1 * tolerance and mu > MU_LAST:
            mu = max(MU_LAST, 0.1 * mu)
            continue
        _change_of_slacks(step, rows, change)
        barrier = objective - mu * _sum_of_logs(slack)
        alpha = _longest(slack, change)
        moved = False
        for _ in range(MAX_HALVINGS):
            y_new[:] = y + alpha * step
            least = slacks(y_new, max_log_ratio, slack_new)
            if least > 0.0 and np.all(slack_new >= 0.5 * SHRINK * slack):
                objective_new = value(y_new, data)
                better = objective_new - mu * _sum_of_logs(slack_new)
                if better <= barrier - 1e-4 * alpha * decrement + 1e-13 * abs(barrier):
                    moved = True
                    break
            alpha *= 0.5
        if not moved:
            if mu <= MU_LAST:
                return iteration, STALLED
            mu = max(MU_LAST, 0.1 * mu)
            continue
        _update_duals(mu, slack, slack_new, change, dual)
        y[:] = y_new
        slack, slack_new = slack_new, slack
        objective = objective_new
        gap = np.sum(slack * dual) / m
        mu = max(MU_LAST, min(mu, (0.1 if alpha > 0.7 else 0.5) * gap))
    return MAX_ITERATIONS, EXHAUSTED


@kernel
def _add_barrier(
    pushes: Floats, stiffnesses: Floats, rows: Rows, slope: Floats, band: Floats
) -> None:
    """Gradient of the barrier and the matrix of the primal-dual step, on top of the objective's."""
    of_smile, of_pair = rows
    n = of_smile.shape[0]
    for i in range(n):
        for c in range(PER_SMILE):
            j = PER_SMILE * i + c
            stiff, push = stiffnesses[j], pushes[j]
            g = of_smile[i, c]
            for a in range(3):
                slope[i, a] -= push * g[a]
                for b in range(a + 1):
                    band[3 * i + a, b - a + 5] += stiff * g[a] * g[b]
    for i in range(n - 1):
        for c in range(PER_PAIR):
            j = PER_SMILE * n + PER_PAIR * i + c
            stiff, push = stiffnesses[j], pushes[j]
            g = of_pair[i, c]
            for a in range(6):
                row = 3 * i + a
                slope[row // 3, row % 3] -= push * g[a]
                for b in range(a + 1):
                    band[row, b - a + 5] += stiff * g[a] * g[b]


@kernel
def _factor(band: Floats) -> bool:
    """Cholesky in place; False if the matrix is not positive definite (or not a number)."""
    for i in range(band.shape[0]):
        for j in range(max(0, i - 5), i + 1):
            total = band[i, j - i + 5]
            for m in range(max(0, i - 5, j - 5), j):
                total -= band[i, m - i + 5] * band[j, m - j + 5]
            if i == j:
                if not total > 0.0:
                    return False
                band[i, 5] = sqrt(total)
            else:
                band[i, j - i + 5] = total / band[j, 5]
    return True


@kernel
def _solve_band(band: Floats, slope: Floats, step: Floats) -> None:
    """step = -(L L^T)^-1 slope."""
    x = step.reshape(-1)
    x[:] = -slope.reshape(-1)
    n = x.shape[0]
    for i in range(n):
        for j in range(max(0, i - 5), i):
            x[i] -= band[i, j - i + 5] * x[j]
        x[i] /= band[i, 5]
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, min(n, i + 6)):
            x[i] -= band[j, i - j + 5] * x[j]
        x[i] /= band[i, 5]


@kernel
def _change_of_slacks(step: Floats, rows: Rows, change: Floats) -> None:
    of_smile, of_pair = rows
    n = step.shape[0]
    flat = step.reshape(-1)
    for i in range(n):
        for c in range(PER_SMILE):
            g = of_smile[i, c]
            change[PER_SMILE * i + c] = g[0] * step[i, 0] + g[1] * step[i, 1] + g[2] * step[i, 2]
    for i in range(n - 1):
        for c in range(PER_PAIR):
            total = 0.0
            for a in range(6):
                total += of_pair[i, c, a] * flat[3 * i + a]
            change[PER_SMILE * n + PER_PAIR * i + c] = total


@kernel
def _longest(slack: Floats, change: Floats) -> float:
    """Longest step to first order that leaves each slack its part, at most 1."""
    alpha = 1.0
    for j in range(slack.shape[0]):
        if alpha * change[j] < -(1.0 - SHRINK) * slack[j]:
            alpha = -(1.0 - SHRINK) * slack[j] / change[j]
    return alpha


@kernel
def _update_duals(
    mu: float, slack: Floats, slack_new: Floats, change: Floats, dual: Floats
) -> None:
    alpha = 1.0
    for j in range(slack.shape[0]):
        move = (mu - dual[j] * change[j]) / slack[j] - dual[j]
        if alpha * move < -(1.0 - SHRINK) * dual[j]:
            alpha = -(1.0 - SHRINK) * dual[j] / move
    for j in range(slack.shape[0]):
        move = (mu - dual[j] * change[j]) / slack[j] - dual[j]
        centre = mu / slack_new[j]
        dual[j] = min(max(dual[j] + alpha * move, 1e-6 * centre), 1e6 * centre)


@kernel
def _sum_of_logs(slack: Floats) -> float:
    total = 0.0
    for j in range(slack.shape[0]):
        total += log(slack[j])
    return total
