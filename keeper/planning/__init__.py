"""Target to plan: what to move, in which order, how much, at what cost."""

from keeper.planning.plan import make_plan

__all__ = ["make_plan"]
