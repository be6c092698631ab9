"""What is wanted, what there is to choose from, and what comes of it; weights and limits are parts of NAV."""

import math
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from keeper.errors import QuantityError

Floats = NDArray[np.float64]
FEWEST_IN_TAIL = 1.0
"""Scenarios that must lie beyond the confidence, or the tail is one of nothing."""


class Goal(StrEnum):
    """What is made best among everything that is allowed."""

    RETURN = "return"
    """Greatest expected return after the cost of getting there."""
    RISK = "risk"
    """Least expected shortfall; state a least return beside it, or it holds nothing."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One strategy at one venue; everything per unit of NAV given to it."""

    name: str
    expected_return: float
    """A year, after its own costs."""
    losses: tuple[float, ...]
    """In each scenario over the horizon; negative: gains. The same scenarios for every candidate."""
    venue: str = ""
    """Where its money is; empty: the vault itself, which has no cap."""
    exposures: tuple[tuple[str, float], ...] = ()
    """By name: `delta` as value of base over NAV, `vega` over NAV, ..."""
    collateral: float = 0.0
    """Collateral x liquidation threshold that it has at its venue."""
    debt: float = 0.0
    """Owed there."""
    least: float = 0.0
    most: float = 1.0
    held: float = 0.0
    """Its weight now."""
    cost: float = 0.0
    """Of changing its weight, of what is changed."""

    def __post_init__(self) -> None:
        numbers = (
            self.expected_return,
            self.collateral,
            self.debt,
            self.least,
            self.most,
            self.held,
            self.cost,
            *(value for _, value in self.exposures),
        )
        if not all(math.isfinite(x) for x in (*numbers, *self.losses)):
            raise QuantityError(self.name, "has a number that is not finite", "correct it")
        if not 0 <= self.least <= self.most:
            problem = f"has weights from {self.least} to {self.most}"
            raise QuantityError(self.name, problem, "give 0 <= least <= most")
        if min(self.cost, self.held, self.collateral, self.debt) < 0:
            problem = "has a negative cost, weight, collateral or debt"
            raise QuantityError(self.name, problem, "correct it")


@dataclass(frozen=True, slots=True)
class Objective:
    """The goal and every constraint; None is no limit."""

    goal: Goal = Goal.RETURN
    es_limit: float | None = None
    """Expected shortfall of the whole over the scenarios' horizon."""
    es_confidence: float = 0.99
    least_return: float | None = None
    """A year."""
    least_health: float | None = None
    """Collateral x threshold / debt at every venue."""
    most_per_venue: float | None = None
    reserve: float = 0.0
    """Left idle."""
    bands: tuple[tuple[str, float, float], ...] = ()
    """(exposure, least, most) of the whole: ("delta", -0.02, 0.02) is delta-neutral within 2 % of NAV."""
    most_turnover: float | None = None
    """Sum of all changes of weight."""
    most_chosen: int | None = None
    least_weight: float = 0.0
    """A candidate is chosen with so much, or not at all."""

    def __post_init__(self) -> None:
        if not 0 < self.es_confidence < 1:
            raise QuantityError(
                "es_confidence", f"{self.es_confidence} is not in (0, 1)", "give 0.99"
            )
        if not 0 <= self.reserve <= 1:
            raise QuantityError("reserve", f"{self.reserve} is not in [0, 1]", "give a part of NAV")
        if self.least_health is not None and not self.least_health >= 1:
            raise QuantityError("least_health", f"{self.least_health} is under 1", "give 1.6")
        for name, least, most in self.bands:
            if not least <= most:
                raise QuantityError(name, f"its band is {least} to {most}", "give least <= most")
        if self.most_chosen is not None and self.most_chosen < 0:
            raise QuantityError("most_chosen", f"{self.most_chosen} is negative", "give a count")
        limits = (self.es_limit, self.most_per_venue, self.most_turnover, self.least_weight)
        if any(limit is not None and not limit >= 0 for limit in limits):
            raise QuantityError("limits", "one is negative or no number", "give parts of NAV")

    @property
    def discrete(self) -> bool:
        """Whether choosing is part of it, which takes integers."""
        return self.most_chosen is not None or self.least_weight > 0


@dataclass(frozen=True, slots=True)
class Problem:
    """Candidates and the objective."""

    candidates: tuple[Candidate, ...]
    objective: Objective = field(default_factory=Objective)

    def __post_init__(self) -> None:
        names = [c.name for c in self.candidates]
        if not names:
            raise QuantityError("candidates", "there are none", "give at least one")
        if len(set(names)) != len(names):
            raise QuantityError("candidates", "two have one name", "name each differently")
        counts = {len(c.losses) for c in self.candidates}
        if len(counts) != 1:
            problem = f"have {min(counts)} to {max(counts)} scenarios"
            raise QuantityError("candidates", problem, "give all of them the same scenarios")
        needs_tail = self.objective.es_limit is not None or self.objective.goal is Goal.RISK
        beyond = counts.pop() * (1 - self.objective.es_confidence)
        if needs_tail and beyond < FEWEST_IN_TAIL * (1 - 1e-9):
            problem = f"{beyond:.2f} scenarios lie beyond the confidence"
            raise QuantityError("losses", problem, "give more scenarios or a lower confidence")

    @property
    def losses(self) -> Floats:
        """(scenarios, candidates)."""
        return np.array([c.losses for c in self.candidates], dtype=np.float64).T


@dataclass(frozen=True, slots=True)
class Binding:
    """One constraint at its bound."""

    constraint: str
    value: float
    bound: float
    shadow_price: float
    """What the goal would gain, a year (in shortfall for Goal.RISK), for one unit more of the bound."""


@dataclass(frozen=True, slots=True)
class Allocation:
    """The best weights, and what holds them back."""

    weights: tuple[tuple[str, float], ...]
    expected_return: float
    """A year, before the cost of changing."""
    cost: float
    """Of changing, once."""
    expected_shortfall: float | None
    """None without scenarios."""
    exposures: tuple[tuple[str, float], ...]
    binding: tuple[Binding, ...]
    """Dearest first."""


@dataclass(frozen=True, slots=True)
class Relaxation:
    """One constraint and how far it would have to give in the cheapest way out."""

    constraint: str
    bound: float
    needed: float
    """The bound it would need."""


@dataclass(frozen=True, slots=True)
class Infeasible:
    """Nothing satisfies everything."""

    conflict: tuple[str, ...]
    """Constraints that exclude each other; without any one of them the rest of these can be met."""
    relaxation: tuple[Relaxation, ...]
    """The least total giving-in (each relative to its bound) that makes everything possible."""
