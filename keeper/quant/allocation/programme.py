"""The problem as a linear programme with named rows.

Columns: a weight for each candidate, what is added to it and what is taken from it, and for expected shortfall the
value at risk z with one excess u for each scenario (Rockafellar and Uryasev, 2000):

    ES(w) = min over z of  z + sum of u / ((1 - confidence) scenarios),   u >= losses w - z,  u >= 0.

Where choosing is part of the objective each candidate has one more column, 0 or 1.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]

from keeper.quant.allocation.problem import Candidate, Goal, Problem

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Row:
    """coefficients x <= bound, times `sign` as its owner said it (-1: at least)."""

    name: str
    coefficients: Floats
    bound: float
    sign: float = 1.0

    @property
    def stated(self) -> float:
        """The bound as it was stated."""
        return self.sign * self.bound


@dataclass(frozen=True)
class Programme:
    """Minimise goal x over the rows, the definitions and lower <= x <= upper."""

    problem: Problem
    rows: tuple[Row, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", tuple(self._stated()))

    @property
    def n(self) -> int:
        """Candidates."""
        return len(self.problem.candidates)

    @cached_property
    def tail(self) -> bool:
        """Whether expected shortfall is part of it."""
        objective = self.problem.objective
        return objective.es_limit is not None or objective.goal is Goal.RISK

    @property
    def scenarios(self) -> int:
        """In the tail's part; 0 without it."""
        return len(self.problem.candidates[0].losses) if self.tail else 0

    @property
    def at_tail(self) -> int:
        """Column of the value at risk."""
        return 3 * self.n

    @property
    def at_chosen(self) -> int:
        """First of the columns that are 0 or 1."""
        return 3 * self.n + (1 + self.scenarios if self.tail else 0)

    @property
    def size(self) -> int:
        """Columns."""
        return self.at_chosen + (self.n if self.problem.objective.discrete else 0)

    @cached_property
    def goal(self) -> Floats:
        """What is minimised."""
        found = np.zeros(self.size)
        found[self.n : 3 * self.n] = np.tile(self._of("cost"), 2)
        if self.problem.objective.goal is Goal.RISK:
            return found + self.shortfall
        found[: self.n] = -self._of("expected_return")
        return found

    @cached_property
    def shortfall(self) -> Floats:
        """Expected shortfall as a row."""
        found = np.zeros(self.size)
        if self.tail:
            found[self.at_tail] = 1.0
            share = 1.0 / ((1 - self.problem.objective.es_confidence) * self.scenarios)
            found[self.at_tail + 1 : self.at_chosen] = share
        return found

    @cached_property
    def lower(self) -> Floats:
        """Of every column."""
        found = np.zeros(self.size)
        if self.tail:
            found[self.at_tail] = -np.inf
        return found

    @cached_property
    def upper(self) -> Floats:
        """Of every column."""
        found = np.full(self.size, np.inf)
        if self.problem.objective.discrete:
            found[self.at_chosen :] = 1.0
        return found

    @cached_property
    def excesses(self) -> tuple[sparse.csr_matrix, Floats]:
        """Losses w - z - u <= 0 for each scenario, and what is chosen: 0 <= w <= most x chosen."""
        blocks = []
        if self.tail:
            left = sparse.csr_matrix(self.problem.losses)
            middle = sparse.csr_matrix((self.scenarios, 2 * self.n))
            z = sparse.csr_matrix(-np.ones((self.scenarios, 1)))
            u = -sparse.identity(self.scenarios, format="csr")
            parts = [left, middle, z, u]
            if self.problem.objective.discrete:
                parts.append(sparse.csr_matrix((self.scenarios, self.n)))
            blocks.append(sparse.hstack(parts, format="csr"))
        if self.problem.objective.discrete:
            blocks.append(sparse.csr_matrix(self._chosen()))
        if not blocks:
            return sparse.csr_matrix((0, self.size)), np.zeros(0)
        matrix = sparse.vstack(blocks, format="csr")
        return matrix, np.zeros(matrix.shape[0])

    @cached_property
    def changes(self) -> tuple[sparse.csr_matrix, Floats]:
        """Weight - added + taken = held."""
        one = sparse.identity(self.n, format="csr")
        rest = sparse.csr_matrix((self.n, self.size - 3 * self.n))
        return sparse.hstack([one, -one, one, rest], format="csr"), self._of("held")

    def _of(self, name: str) -> Floats:
        return np.array([getattr(c, name) for c in self.problem.candidates], dtype=np.float64)

    def _chosen(self) -> Floats:
        """Weight <= most x chosen, and weight >= least weight x chosen; a least of its own needs no choosing."""
        least_weight = self.problem.objective.least_weight
        found = np.zeros((2 * self.n, self.size))
        for i, candidate in enumerate(self.problem.candidates):
            found[2 * i, i], found[2 * i, self.at_chosen + i] = 1.0, -candidate.most
            found[2 * i + 1, i] = -1.0
            found[2 * i + 1, self.at_chosen + i] = min(least_weight, candidate.most)
        return found

    def _stated(self) -> list[Row]:
        """Every constraint that somebody stated, and may have to give in on."""
        objective = self.problem.objective
        rows = [self._weights("invested", np.ones(self.n), 1 - objective.reserve)]
        if objective.es_limit is not None:
            rows.append(Row("expected shortfall", self.shortfall, objective.es_limit))
        if objective.least_return is not None:
            mean = -self._of("expected_return")
            rows.append(self._weights("return", mean, -objective.least_return, -1.0))
        rows += [row for venue in self._venues() for row in self._at(venue)]
        for name, least, most in objective.bands:
            exposure = np.array([dict(c.exposures).get(name, 0.0) for c in self.problem.candidates])
            rows.append(self._weights(f"most {name}", exposure, most))
            rows.append(self._weights(f"least {name}", -exposure, -least, -1.0))
        if objective.most_turnover is not None:
            changed = np.zeros(self.size)
            changed[self.n : 3 * self.n] = 1.0
            rows.append(Row("turnover", changed, objective.most_turnover))
        if objective.most_chosen is not None:
            chosen = np.zeros(self.size)
            chosen[self.at_chosen :] = 1.0
            rows.append(Row("chosen", chosen, float(objective.most_chosen)))
        return rows + [
            row for i, c in enumerate(self.problem.candidates) for row in self._own(i, c)
        ]

    def _weights(self, name: str, row: Floats, bound: float, sign: float = 1.0) -> Row:
        wide = np.zeros(self.size)
        wide[: self.n] = row
        return Row(name, wide, bound, sign)

    def _venues(self) -> list[str]:
        return sorted({c.venue for c in self.problem.candidates if c.venue})

    def _at(self, venue: str) -> list[Row]:
        objective, rows = self.problem.objective, []
        here = np.array([c.venue == venue for c in self.problem.candidates], dtype=np.float64)
        if objective.most_per_venue is not None:
            rows.append(self._weights(f"at {venue}", here, objective.most_per_venue))
        debt = here * self._of("debt")
        if objective.least_health is not None and debt.any():
            # Collateral x threshold >= health x debt.
            needed = objective.least_health * debt - here * self._of("collateral")
            rows.append(self._weights(f"health at {venue}", needed, 0.0))
        return rows

    def _own(self, i: int, candidate: Candidate) -> list[Row]:
        mine = np.zeros(self.n)
        mine[i] = 1.0
        rows = [self._weights(f"most {candidate.name}", mine, candidate.most)]
        if candidate.least > 0:
            name = f"least {candidate.name}"
            rows.append(self._weights(name, -mine, -candidate.least, -1.0))
        return rows
