"""Why nothing satisfies everything: a smallest set that excludes itself, and the least that would have to give.

The elastic programme gives every stated row a slack and minimises their sum, each relative to its bound; a row with
slack in the optimum has to give that much. The deletion filter (Chinneck and Dravnieks, 1991) goes through the rows
once and leaves out each whose absence does not make the rest possible: what is left is irreducible.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]
from scipy.optimize import Bounds, LinearConstraint, milp  # type: ignore[import-untyped]

from keeper.quant.allocation.problem import Infeasible, Relaxation
from keeper.quant.allocation.programme import Programme, Row

Floats = NDArray[np.float64]
NOTHING = 1e-7
LEAST_SCALE = 0.01
"""A bound nearer to zero counts as this large when giving in is compared."""


def explain(programme: Programme) -> Infeasible:
    """The conflict and the cheapest way out of a programme that has no solution."""
    relaxed = _elastic(programme, programme.rows)
    kept = list(programme.rows)
    for row in programme.rows:
        without = [other for other in kept if other is not row]
        if any(slack > NOTHING for slack in _elastic(programme, tuple(without))):
            kept = without
    gives = [
        Relaxation(row.name, row.stated, row.stated + row.sign * slack)
        for row, slack in zip(programme.rows, relaxed, strict=True)
        if slack > NOTHING
    ]
    return Infeasible(tuple(row.name for row in kept), tuple(gives))


def _elastic(programme: Programme, rows: tuple[Row, ...]) -> Floats:
    """Slack of each row in the least giving-in; all (nearly) zero if nothing has to give."""
    if not rows:
        return np.zeros(0)
    count, size = len(rows), programme.size
    coefficients = sparse.csr_matrix(np.array([row.coefficients for row in rows]))
    bounds = np.array([row.bound for row in rows])
    scale = np.maximum(np.abs(bounds), LEAST_SCALE)
    definitions, zeros = programme.excesses
    changes, held = programme.changes
    # Slacks are columns after all others, in units of their row's scale.
    slacks = sparse.csr_matrix(-np.diag(scale))
    integrality = np.zeros(size + count)
    if programme.problem.objective.discrete:
        integrality[programme.at_chosen : size] = 1
    found = milp(
        np.concatenate([np.zeros(size), np.ones(count)]),
        integrality=integrality,
        bounds=Bounds(
            np.concatenate([programme.lower, np.zeros(count)]),
            np.concatenate([programme.upper, np.full(count, np.inf)]),
        ),
        constraints=[
            LinearConstraint(sparse.hstack([coefficients, slacks], format="csr"), -np.inf, bounds),
            LinearConstraint(_wider(definitions, count), -np.inf, zeros),
            LinearConstraint(_wider(changes, count), held, held),
        ],
    )
    slack: Floats = found.x[size:] * scale
    return slack


def _wider(matrix: sparse.csr_matrix, columns: int) -> sparse.csr_matrix:
    return sparse.hstack([matrix, sparse.csr_matrix((matrix.shape[0], columns))], format="csr")
