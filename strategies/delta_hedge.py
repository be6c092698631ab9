"""Hedge the delta of the whole book, options included, no more often than is worth its cost."""

from dataclasses import dataclass
from typing import Annotated

from keeper.model.decision import Target
from keeper.model.market import MarketState
from keeper.model.parameters import Range, check_ranges
from keeper.model.risk import RiskReport
from strategies.parts.hedging import Hedge, hedge
from strategies.parts.needs import Need


@dataclass(frozen=True, slots=True)
class DeltaHedge:
    """Keep the whole book's delta inside the optimal no-trade band around `target_delta`.

    The band is Hodges and Neuberger's for the book's gamma, its life and the forecast volatility, at the cost of a
    trade and of its gas; outside it the hedge goes to the inner edge, not to the middle.

    Earns: nothing; it takes away the price's part of what the rest of the book earns or loses.
    Risks: gaps larger than the band between two ticks, and what the hedge costs.
    Loses: its costs, always; more where volatility turns out above the forecast and the band was too wide.
    """

    target_delta: Annotated[float, Range(-1e9, 1e9, "whole base tokens")] = 0.0
    aversion: Annotated[float, Range(0.01, 1_000, "relative risk aversion")] = 5.0
    """Of wealth: higher makes bands narrower and costs greater."""
    cost_rate: Annotated[float, Range(0.0, 0.10, "of a trade's value")] = 0.0008
    """Fee, half spread and impact together."""
    gas: Annotated[float, Range(0, 1e7, "gas of one trade")] = 600_000
    least_band: Annotated[float, Range(0.0, 1.0, "of NAV, each side")] = 0.005
    """Accepted however narrow the optimum is; it is the whole band of a book without options."""
    health_margin: Annotated[float, Range(0.0, 10.0, "over the mandate's minimum")] = 0.10
    """Plans keep health this fraction over it (0.10 = 10 %)."""
    venue: str = ""
    """Perpetual venue to hedge at; empty: spot and the vault's own lending venue."""

    def __post_init__(self) -> None:
        check_ranges(self)

    def __call__(self, market: MarketState, risk: RiskReport) -> Target:
        """Where the hedge should be, or why it is left."""
        terms = Hedge(
            self.target_delta,
            self.aversion,
            self.cost_rate,
            self.gas,
            self.least_band,
            self.health_margin,
            self.venue,
        )
        return hedge(market, risk, terms)

    @property
    def needs(self) -> tuple[Need, ...]:
        """Beyond the readings."""
        return (Need.FORECAST, Need.FUNDING) if self.venue else (Need.FORECAST,)

    @property
    def claims(self) -> tuple[str, ...]:
        """What it alone may change."""
        return (f"perpetual {self.venue}",) if self.venue else ()
