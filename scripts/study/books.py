"""The strategies under study: what each starts with, and the few candidates its parameters are chosen from.

All of it was declared before any result was seen, but for both books of basis and funding: their rule was changed after
the first results of these years were seen (decision 65). The first candidate of each is the strategy's own defaults.
"""

from dataclasses import dataclass

from keeper.model.decision import Lane, Target
from keeper.model.market import MarketState
from keeper.model.ports import Strategy
from keeper.model.risk import RiskReport
from strategies.basis_funding import BasisFunding
from strategies.cash_secured_put import CashSecuredPut
from strategies.collar import Collar
from strategies.collateral_guard import CollateralGuard
from strategies.composite import Composite
from strategies.covered_call import CoveredCall
from strategies.delta_hedge import DeltaHedge
from strategies.drawdown_throttle import DrawdownThrottle
from strategies.gamma_scalping import GammaScalping
from strategies.idle_yield import IdleYield
from strategies.protective_put import ProtectivePut
from strategies.short_strangle import ShortStrangle
from strategies.volatility_arbitrage import VolatilityArbitrage
from strategies.volatility_target import VolatilityTarget

PERP = "perp"
FUNDING_FROM = 2020
"""Before it no funding is known, so nothing that trades the perpetual is run."""


@dataclass(frozen=True, slots=True)
class Still:
    """Hold what there is."""

    def __call__(self, market: MarketState, risk: RiskReport) -> Target:
        """Nothing, ever."""
        del market, risk
        return Target(Lane.ROUTINE, None, None, "what there is is held")


@dataclass(frozen=True, slots=True)
class Book:
    """One strategy as it is run."""

    name: str
    candidates: tuple[Strategy, ...]
    """The first: the defaults."""
    share: float
    """Of the opening value held as ether, the rest as dollars."""
    perpetual: bool = False
    """Trades it, so it is run from 2020."""
    options: bool = False
    health: float | None = None
    """Levered to this instead of holding `share`."""


def _hedged(inner: Strategy) -> Strategy:
    return Composite((inner, DeltaHedge(venue=PERP)))


BOOKS: tuple[Book, ...] = (
    Book("hold ether", (Still(),), 1.0),
    Book("hold half", (Still(),), 0.5),
    Book(
        "covered call",
        (
            CoveredCall(),
            CoveredCall(delta=0.10),
            CoveredCall(delta=0.35),
        ),
        1.0,
        options=True,
    ),
    Book(
        "cash-secured put",
        (
            CashSecuredPut(),
            CashSecuredPut(delta=0.10),
            CashSecuredPut(delta=0.35),
        ),
        0.0,
        options=True,
    ),
    Book("short strangle, filtered", (ShortStrangle(),), 0.3, options=True),
    Book("short strangle, no filter", (ShortStrangle(least_edge=-0.5),), 0.3, options=True),
    Book(
        "short strangle, filtered, delta hedged",
        (
            _hedged(ShortStrangle()),
            _hedged(ShortStrangle(least_edge=0.10)),
            _hedged(ShortStrangle(tenor_days=28)),
        ),
        0.3,
        perpetual=True,
        options=True,
    ),
    Book(
        "short strangle, no filter, delta hedged",
        (_hedged(ShortStrangle(least_edge=-0.5)),),
        0.3,
        perpetual=True,
        options=True,
    ),
    Book(
        "volatility arbitrage, delta hedged",
        (
            _hedged(VolatilityArbitrage()),
            _hedged(VolatilityArbitrage(enter=0.05, leave=0.02)),
            _hedged(VolatilityArbitrage(enter=0.12, leave=0.05)),
        ),
        0.3,
        perpetual=True,
        options=True,
    ),
    Book(
        "gamma scalping",
        (
            GammaScalping(venue=PERP),
            GammaScalping(venue=PERP, least_edge=0.0),
            GammaScalping(venue=PERP, least_edge=0.10),
        ),
        0.0,
        perpetual=True,
        options=True,
    ),
    Book("collar", (Collar(), Collar(floor=0.90), Collar(floor=0.75)), 0.9, options=True),
    Book(
        "protective put",
        (ProtectivePut(), ProtectivePut(floor=0.90), ProtectivePut(floor=0.70)),
        0.9,
        options=True,
    ),
    Book(
        "basis and funding",
        (
            BasisFunding(),
            BasisFunding(hold_days=15),
            BasisFunding(hold_days=60),
        ),
        0.0,
        perpetual=True,
    ),
    Book(
        "basis and funding, patient",
        (BasisFunding(hold_days=180),),
        0.0,
        perpetual=True,
    ),
    Book("half ether, delta hedged", (DeltaHedge(venue=PERP),), 0.5, perpetual=True),
    Book("idle yield", (IdleYield(),), 0.0),
    Book(
        "levered ether, guarded",
        (CollateralGuard(), CollateralGuard(1.40, 1.70, 2.20)),
        0.0,
        health=1.8,
    ),
    Book("mix: calls and puts", (Composite((CoveredCall(), CashSecuredPut())),), 0.5, options=True),
    Book(
        "mix: basis, strangle, idle yield",
        (Composite((BasisFunding(share=0.3), ShortStrangle(), IdleYield())),),
        0.15,
        perpetual=True,
        options=True,
    ),
    Book("covered call, volatility target", (VolatilityTarget(CoveredCall()),), 1.0, options=True),
    Book(
        "cash-secured put, drawdown throttle",
        (DrawdownThrottle(CashSecuredPut()),),
        0.0,
        options=True,
    ),
)
