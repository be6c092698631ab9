"""An objective stated, and strategies to reach it with: the weights are solved for, and solved again."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any

from keeper.model.decision import NO_DECISION, Lane, Target
from keeper.model.market import MarketState
from keeper.model.parameters import Range, check_ranges, require
from keeper.model.ports import Strategy
from keeper.model.risk import RiskReport
from strategies.composite import Composite
from strategies.parts.asking import asked
from strategies.parts.gates import forecast
from strategies.parts.needs import Need
from strategies.parts.targets import hold
from strategies.parts.weighted import Weighted
from strategies.parts.wrapping import claims_of, must_be_strategy

NO_LIMIT = 10.0
"""Of NAV or a year, either way: what is stated so far out bounds nothing."""


@dataclass(frozen=True, slots=True)
class Objective:
    """Give each of `parts` the weight that makes the goal best within the constraints (a linear programme with
    expected shortfall), and run them as a composite. `guards` come first and `hedges` last, unweighted. Where nothing
    satisfies everything the vault holds still but for its guards, and the reason says what excludes what.

    The parts' scenarios are losses at one volatility, `made_at`: where there is a forecast they are scaled to it, in
    steps of `step`, and the weights are solved for again whenever it has come to another step. So the limit on
    expected shortfall is kept in storms by smaller weights, and not by a number from calmer years.

    Earns: what its parts do, in the proportion that the stated returns and scenarios ask for.
    Risks: those numbers: the solver is exactly as right as they are, and trusts whatever looks best in them.
    Loses: when the parts lose together in a way no scenario has, and costs where weights change often.
    """

    parts: tuple[Strategy, ...]
    """To choose from."""
    names: tuple[str, ...]
    """What each is called, for reasons and constraints."""
    expected_returns: tuple[float, ...]
    """Of each, a year, per unit of NAV given to it, after costs."""
    losses: tuple[tuple[float, ...], ...]
    """Of each, per unit of NAV, in every scenario: the same scenarios for all."""
    guards: tuple[Strategy, ...] = ()
    """Always there, before the parts: protection."""
    hedges: tuple[Strategy, ...] = ()
    """Always there, after the parts."""
    venues: tuple[str, ...] = ()
    """Where each part's money is, in order; empty text for the vault itself."""
    deltas: tuple[float, ...] = ()
    """Value of base over NAV of each part at full weight."""
    collaterals: tuple[float, ...] = ()
    """Collateral x threshold of each at its venue, per unit of NAV."""
    debts: tuple[float, ...] = ()
    """Owed there."""
    least: tuple[float, ...] = ()
    """Weight of each part, at least."""
    most: tuple[float, ...] = ()
    """And at most."""
    goal: str = "return"
    """`return`: greatest expected return; `risk`: least expected shortfall, with a least return."""
    es_limit: Annotated[float, Range(0.0, NO_LIMIT, "of NAV")] = NO_LIMIT
    """Expected shortfall over the scenarios' horizon, at most; 10 bounds nothing, as in those below."""
    es_confidence: Annotated[float, Range(0.5, 0.9999)] = 0.99
    least_return: Annotated[float, Range(-NO_LIMIT, NO_LIMIT, "a year")] = -NO_LIMIT
    least_health: Annotated[float, Range(1.0, 100.0, "ratio")] = 1.0
    """Collateral x threshold / debt at every venue; 1 bounds nothing."""
    most_per_venue: Annotated[float, Range(0.0, NO_LIMIT, "of NAV")] = NO_LIMIT
    reserve: Annotated[float, Range(0.0, 1.0, "of NAV")] = 0.0
    least_delta: Annotated[float, Range(-NO_LIMIT, NO_LIMIT, "of NAV")] = -NO_LIMIT
    most_delta: Annotated[float, Range(-NO_LIMIT, NO_LIMIT, "of NAV")] = NO_LIMIT
    least_weight: Annotated[float, Range(0.0, 1.0, "of NAV")] = 0.0
    """A part has so much, or nothing."""
    made_at: Annotated[float, Range(0.0, 10.0, "volatility a year")] = 0.0
    """Of base, in the scenarios; 0: they are not scaled."""
    step: Annotated[float, Range(0.01, 1.0, "of the forecast")] = 0.20
    """Forecasts nearer together than this are one."""
    tolerance: Annotated[float, Range(0.0, 10.0, "of the weighted size")] = 0.25
    """How much too large a holding may be before it is reduced."""

    def __post_init__(self) -> None:
        for one in (*self.parts, *self.guards, *self.hedges):
            must_be_strategy(self, one)
        check_ranges(self)
        count = len(self.parts)
        require(self, count > 0, "a part to choose", parts=count)
        for name in ("names", "expected_returns", "losses"):
            given = len(getattr(self, name))
            require(self, given == count, f"{name} of every part", **{name: given})
        for name in ("venues", "deltas", "collaterals", "debts", "least", "most"):
            given = len(getattr(self, name))
            require(self, given in (0, count), f"{name} of every part or of none", **{name: given})
        # whatever the weights are, the parts must not claim one thing: said at once, and not when they change
        Composite((*self.guards, *self.parts, *self.hedges))
        require(self, self.goal in ("return", "risk"), "return or risk as its goal", goal=self.goal)
        solved(self._problem(1.0))

    @property
    def claims(self) -> tuple[str, ...]:
        """Those of everything in it."""
        every = (*self.guards, *self.parts, *self.hedges)
        return tuple(claim for one in every for claim in claims_of(one))

    @property
    def claimants(self) -> tuple[tuple[str, str], ...]:
        """(claim, name of the part that claims it)."""
        return self._together(dict.fromkeys(self.names, 1.0)).claimants

    @property
    def needs(self) -> tuple[Need, ...]:
        """A forecast where scenarios are scaled by it; and what is in it needs."""
        return (Need.FORECAST,) if self.made_at > 0 else ()

    def scale(self, market: MarketState) -> float:
        """By which losses are multiplied: forecast / `made_at`, up to the next whole step; 1 without either."""
        expected = forecast(market)
        if self.made_at <= 0 or expected is None:
            return 1.0
        # rounded up: between two steps risk is seen as the greater one
        steps = math.ceil(round(math.log(expected / self.made_at) / math.log1p(self.step), 9))
        return float((1 + self.step) ** steps)

    def answer(self, scale: float = 1.0) -> Any:
        """`keeper.quant.allocation.Allocation`, or `Infeasible`."""
        return solved(self._problem(scale))

    def __call__(self, market: MarketState, risk: RiskReport) -> Target:
        """What the weighted parts want together.

        Protection is no matter of weights: where a guard wants it nothing is solved for first, and where the solver
        fails the guards are heard all the same.
        """
        from keeper.quant.allocation import Allocation

        if self._guards_protect(market, risk):
            return self._together(dict.fromkeys(self.names, 1.0))(market, risk)
        if self.made_at > 0 and forecast(market) is None:
            return self._only_guards(market, risk, "there is no forecast to scale the scenarios by")
        try:
            answer = self.answer(self.scale(market))
        except Exception as error:  # noqa: BLE001 - of the solver's libraries; guards must act
            why = f"{NO_DECISION}: no weights ({type(error).__name__}: {error})"
            return self._only_guards(market, risk, why)
        if not isinstance(answer, Allocation):
            return self._only_guards(market, risk, f"{NO_DECISION}: {described(answer)}")
        return self._together(dict(answer.weights))(market, risk)

    def _together(self, weights: Mapping[str, float]) -> Composite:
        weighted = (
            Weighted(part, weights[name], self.tolerance, name)
            for name, part in zip(self.names, self.parts, strict=True)
        )
        return Composite((*self.guards, *weighted, *self.hedges))

    def _guards_protect(self, market: MarketState, risk: RiskReport) -> bool:
        answers = (asked(guard, market, risk) for guard in self.guards)
        return any(one.lane is Lane.PROTECTIVE and not one.hold for one in answers)

    def _only_guards(self, market: MarketState, risk: RiskReport, why: str) -> Target:
        if not self.guards:
            return hold(why)
        target = Composite(self.guards)(market, risk)
        return hold(f"{why}; {target.reason}") if target.hold else target

    def _problem(self, scale: float) -> Any:
        from keeper.quant.allocation import Candidate, Goal, Problem
        from keeper.quant.allocation import Objective as Stated

        def of(name: str, at: int, default: Any) -> Any:
            given = getattr(self, name)
            return given[at] if given else default

        candidates = tuple(
            Candidate(
                name,
                self.expected_returns[i],
                tuple(loss * scale for loss in self.losses[i]),
                venue=of("venues", i, ""),
                exposures=(("delta", of("deltas", i, 0.0)),) if self.deltas else (),
                collateral=of("collaterals", i, 0.0),
                debt=of("debts", i, 0.0),
                least=of("least", i, 0.0),
                most=of("most", i, 1.0),
            )
            for i, name in enumerate(self.names)
        )
        banded = self.deltas and (self.least_delta > -NO_LIMIT or self.most_delta < NO_LIMIT)
        stated = Stated(
            goal=Goal(self.goal),
            es_limit=_limit(self.es_limit),
            es_confidence=self.es_confidence,
            least_return=None if self.least_return <= -NO_LIMIT else self.least_return,
            least_health=self.least_health if self.least_health > 1 else None,
            most_per_venue=_limit(self.most_per_venue),
            reserve=self.reserve,
            bands=(("delta", self.least_delta, self.most_delta),) if banded else (),
            least_weight=self.least_weight,
        )
        return Problem(candidates, stated)


def _limit(value: float) -> float | None:
    return None if value >= NO_LIMIT else value


@lru_cache(maxsize=64)
def solved(problem: Any) -> Any:
    """The allocator's answer; the same problem is solved once."""
    from keeper.quant.allocation import allocate

    return allocate(problem)


def described(answer: Any) -> str:
    """Why there are no weights."""
    ways = ", ".join(
        f"{one.constraint} from {one.bound:.4g} to {one.needed:.4g}" for one in answer.relaxation
    )
    return (
        f"the objective is infeasible, these exclude each other: {', '.join(answer.conflict)}; "
        f"possible with {ways}"
    )
