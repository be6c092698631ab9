"""From an objective in words and numbers to weights of strategies and venues, with the reasons.

answer = allocate(Problem(candidates, Objective(es_limit=0.03, most_per_venue=0.40)))
match answer:
    case Allocation(): answer.weights, answer.binding     # what to hold, and what holds it back
    case Infeasible(): answer.conflict, answer.relaxation # why not, and the least that would have to give
"""

from keeper.quant.allocation.infeasible import explain
from keeper.quant.allocation.problem import (
    Allocation,
    Binding,
    Candidate,
    Goal,
    Infeasible,
    Objective,
    Problem,
    Relaxation,
)
from keeper.quant.allocation.solve import allocate, expected_shortfall

__all__ = [
    "Allocation",
    "Binding",
    "Candidate",
    "Goal",
    "Infeasible",
    "Objective",
    "Problem",
    "Relaxation",
    "allocate",
    "expected_shortfall",
    "explain",
]
