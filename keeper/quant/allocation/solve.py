"""The best weights by HiGHS, and what holds them back."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse  # type: ignore[import-untyped]
from scipy.optimize import Bounds, LinearConstraint, linprog, milp  # type: ignore[import-untyped]

from keeper.errors import QuantityError
from keeper.quant.allocation.infeasible import explain
from keeper.quant.allocation.problem import (
    Allocation,
    Binding,
    Candidate,
    Infeasible,
    Problem,
)
from keeper.quant.allocation.programme import Programme, Row

Floats = NDArray[np.float64]
TOUCHES = 1e-7
"""A constraint is at its bound when it is nearer than this."""
DUST = 1e-9
"""A weight under this is none."""


def allocate(problem: Problem) -> Allocation | Infeasible:
    """The weights that reach the goal best, or why there are none.

    Shadow prices are those of the linear programme with the choice of candidates as it came out: what one unit more
    of a bound is worth without choosing anew. QuantityError where the goal has no end (a candidate that earns without
    any limit on it).
    """
    programme = Programme(problem)
    chosen = _choose(programme) if problem.objective.discrete else None
    if chosen is None and problem.objective.discrete:
        return explain(programme)
    lower, upper = programme.lower.copy(), programme.upper.copy()
    if chosen is not None:
        lower[programme.at_chosen :] = upper[programme.at_chosen :] = chosen
    solved = _solve(programme, lower, upper)
    if solved is None:
        return explain(programme)
    return _told(programme, solved)


def expected_shortfall(losses: ArrayLike, confidence: float) -> float:
    """Mean of the worst (1 - confidence) part of equally likely losses, the one at the edge counted in part."""
    worst = np.sort(np.asarray(losses, dtype=np.float64))[::-1]
    count = worst.size * (1 - confidence)
    if worst.size == 0 or not count > 0:
        raise QuantityError("losses", "none lies beyond the confidence", "give more scenarios")
    whole = int(np.floor(count + 1e-12))
    total = float(worst[:whole].sum())
    if whole < worst.size:
        total += (count - whole) * float(worst[whole])
    return total / count


@dataclass(frozen=True, slots=True)
class _Solved:
    x: Floats
    prices: Floats
    """Of the stated rows: what the goal falls by for one unit more of each bound."""


def _choose(programme: Programme) -> Floats | None:
    """Which candidates are in the best choice; None if there is none."""
    rows = np.array([row.coefficients for row in programme.rows])
    bounds = np.array([row.bound for row in programme.rows])
    definitions, zeros = programme.excesses
    changes, held = programme.changes
    integrality = np.zeros(programme.size)
    integrality[programme.at_chosen :] = 1
    found = milp(
        programme.goal,
        integrality=integrality,
        bounds=Bounds(programme.lower, programme.upper),
        constraints=[
            LinearConstraint(sparse.csr_matrix(rows), -np.inf, bounds),
            LinearConstraint(definitions, -np.inf, zeros),
            LinearConstraint(changes, held, held),
        ],
    )
    if found.x is None:
        _refuse_endless(found.status)
        return None
    chosen: Floats = np.round(found.x[programme.at_chosen :])
    return chosen


def _solve(programme: Programme, lower: Floats, upper: Floats) -> _Solved | None:
    rows = sparse.csr_matrix(np.array([row.coefficients for row in programme.rows]))
    definitions, zeros = programme.excesses
    changes, held = programme.changes
    bounds = np.array([row.bound for row in programme.rows])
    found = linprog(
        programme.goal,
        A_ub=sparse.vstack([rows, definitions], format="csr"),
        b_ub=np.concatenate([bounds, zeros]),
        A_eq=changes,
        b_eq=held,
        bounds=np.column_stack([lower, upper]),
        method="highs",
    )
    if found.status != 0:
        _refuse_endless(found.status)
        return None
    return _Solved(found.x, -found.ineqlin.marginals[: len(programme.rows)])


def _refuse_endless(status: int) -> None:
    if status == 3:
        problem = "the goal has no end: nothing bounds a candidate that serves it"
        raise QuantityError("objective", problem, "state a limit on it")


def _told(programme: Programme, solved: _Solved) -> Allocation:
    problem, n = programme.problem, programme.n
    weights = np.where(np.abs(solved.x[:n]) < DUST, 0.0, solved.x[:n])
    mean = np.array([c.expected_return for c in problem.candidates])
    losses = problem.losses
    enough = losses.shape[0] * (1 - problem.objective.es_confidence) >= 1 - 1e-9
    names = sorted({name for c in problem.candidates for name, _ in c.exposures})
    exposures = tuple(
        (
            name,
            float(sum(w * dict(c.exposures).get(name, 0.0) for w, c in _pairs(problem, weights))),
        )
        for name in names
    )
    binding = [
        _binding(row, solved, price)
        for row, price in zip(programme.rows, solved.prices, strict=True)
        if _touches(row, solved.x)
    ]
    binding.sort(key=lambda one: (-abs(one.shadow_price), one.constraint))
    cost = sum(abs(w - c.held) * c.cost for w, c in _pairs(problem, weights))
    return Allocation(
        weights=tuple((c.name, float(w)) for w, c in _pairs(problem, weights)),
        expected_return=float(mean @ weights),
        cost=float(cost),
        expected_shortfall=expected_shortfall(losses @ weights, problem.objective.es_confidence)
        if enough
        else None,
        exposures=exposures,
        binding=tuple(one for one in binding if abs(one.shadow_price) > DUST),
    )


def _pairs(problem: Problem, weights: Floats) -> list[tuple[float, Candidate]]:
    return list(zip((float(w) for w in weights), problem.candidates, strict=True))


def _touches(row: Row, x: Floats) -> bool:
    return bool(row.bound - float(row.coefficients @ x) <= TOUCHES * max(1.0, abs(row.bound)))


def _binding(row: Row, solved: _Solved, price: float) -> Binding:
    value = row.sign * float(row.coefficients @ solved.x)
    return Binding(row.name, value, row.stated, float(price))
