"""Target to plan: what to move, in which order, how much, at what cost; and what else is due."""

from keeper.planning.plan import make_plan
from keeper.planning.upkeep import due_work
from keeper.planning.written import unseen_series

__all__ = ["due_work", "make_plan", "unseen_series"]
