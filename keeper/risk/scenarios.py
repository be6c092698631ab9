"""What might happen: a grid of prices and volatilities, and the ways markets break."""

from dataclasses import dataclass

import numpy as np

from keeper.model.exposure import RiskPolicy
from keeper.risk.book import Moves

SPOTS = (-0.40, -0.30, -0.20, -0.10, -0.05, 0.0, 0.05, 0.10, 0.20, 0.30, 0.40)
VOLATILITIES = (-0.30, 0.0, 0.50)
DAY = 1.0 / 365.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """One move of the market; fields as of `Moves`. `extreme` counts for margin in part only."""

    name: str
    spot: float = 0.0
    volatility: float = 0.0
    days: float = 1.0
    skew: float = 0.0
    correlation: float = float("nan")
    depeg: float = 0.0
    funding: float = 0.0
    rates: float = 0.0
    extreme: bool = False


def standard_scenarios(policy: RiskPolicy) -> tuple[Scenario, ...]:
    """33 of price x volatility over the horizon, and 16 of time, skew, correlation, depeg, funding and rates."""
    days = policy.horizon_days
    grid = tuple(
        Scenario(f"spot {spot:+.0%} vol {volatility:+.0%}", spot, volatility, days)
        for volatility in VOLATILITIES
        for spot in SPOTS
    )
    return (
        *grid,
        Scenario("crash", -0.60, 1.50, days, extreme=True),
        Scenario("melt-up", 1.00, 1.00, days, extreme=True),
        Scenario("a week passes", days=7.0),
        Scenario("a month passes", days=30.0),
        Scenario("skew steepens", days=days, skew=-0.30),
        Scenario("skew flattens", days=days, skew=0.30),
        Scenario("all falls as one", -0.30, 0.50, days, correlation=1.0),
        Scenario("hedges decouple", -0.30, 0.50, days, correlation=0.0),
        Scenario("hedges turn against", -0.20, 0.50, days, correlation=-1.0),
        Scenario("depeg", days=days, depeg=policy.depeg),
        Scenario("depeg and crash", -0.30, 0.50, days, depeg=policy.depeg),
        Scenario("depeg of a tenth as much", days=days, depeg=policy.depeg / 10.0),
        Scenario("longs pay funding", days=7.0, funding=1.0),
        Scenario("shorts pay funding", days=7.0, funding=-1.0),
        Scenario("rate spike", days=7.0, rates=1.0),
        Scenario("rate spike and crash", -0.30, 0.50, 7.0, rates=1.0),
    )


def moves_of(scenarios: tuple[Scenario, ...]) -> Moves:
    """As arrays, in order."""
    rows = [
        (
            s.spot,
            s.volatility,
            s.days * DAY,
            s.skew,
            s.correlation,
            s.depeg,
            s.funding,
            s.rates,
        )
        for s in scenarios
    ]
    return Moves(*np.array(rows, dtype=np.float64).reshape(-1, 8).T.copy())
