"""Keep the health of a leveraged vault inside a band."""

import math
from dataclasses import dataclass

from keeper.model.decision import Lane, Target
from keeper.model.market import MarketState
from keeper.model.risk import RiskReport
from keeper.model.units import Wad, wad_down, wad_float


@dataclass(frozen=True, slots=True)
class CollateralGuard:
    """Below `low` bring health up to `target`, at once; above `high` bring it down to `target`, when calm.

    Between `low` and `high` nothing is done, so that each action is followed by a stretch of rest. The three are
    what is kept in any case: the health that risk asks for may raise each of them, and lowers none.
    """

    low: float = 1.25
    """Health (ratio, not per cent) below which the vault is deleveraged on the protective lane."""
    target: float = 1.45
    """Health to act towards."""
    high: float = 1.80
    """Health above which the vault is re-levered on the routine lane."""
    relever: bool = True
    """False leaves a vault that is safer than `high` as it is."""
    calm_deviation_bps: int = 50
    """Re-levering waits while oracle and pool average are further apart than this (bps)."""
    volatility_adjusted: bool = True
    """True raises low, target and high to what the forecast volatility, congestion and the price's age ask for
    (`RiskReport.collateral`, never under the mandate's minimum) where that is more; without a forecast they stay."""

    def __post_init__(self) -> None:
        if not 1 < self.low < self.target < self.high < float("inf"):
            raise ValueError(
                "collateral_guard needs 1 < low < target < high: "
                f"low {self.low}, target {self.target}, high {self.high}"
            )
        if self.calm_deviation_bps < 0:
            raise ValueError(f"calm_deviation_bps must not be negative: {self.calm_deviation_bps}")

    def __call__(self, market: MarketState, risk: RiskReport) -> Target:
        """What the vault's health asks for."""
        if not market.readings.venue_readable:
            return _hold("the lending venue cannot be read, health is unknown")
        if not risk.has_position:
            return _hold("no position")
        low, target, high = self._band(risk)
        raised = " (raised for the risk of the wait)" if target > self.target else ""
        health = f"health {wad_float(risk.health_wad):.4f}"
        goal = f"bring it to {target}{raised}"
        if risk.health_wad < wad_down(low):
            return _towards(Lane.PROTECTIVE, target, f"{health} is under {low}: {goal}")
        if risk.health_wad <= wad_down(high):
            return _hold(f"{health} is inside {low} to {high}")
        waits = self._why_not_relever(market)
        if waits:
            return _hold(f"{health} is over {high}; {waits}")
        return _towards(Lane.ROUTINE, target, f"{health} is over {high}: {goal}")

    def _band(self, risk: RiskReport) -> tuple[float, float, float]:
        """Low, target and high: each the greater of the parameter and what risk asks for, rounded up to 1e-4.

        Rounded so that the last bits of a logarithm, which differ between machines, change no plan.
        """
        asked = risk.collateral
        if not self.volatility_adjusted or asked is None:
            return self.low, self.target, self.high
        low, target, high = (
            math.ceil(value * 1e4) / 1e4 for value in (asked.low, asked.target, asked.high)
        )
        return max(self.low, low), max(self.target, target), max(self.high, high)

    def _why_not_relever(self, market: MarketState) -> str:
        if not self.relever:
            return "re-levering is switched off"
        if not market.tradable:
            return f"prices cannot be traded on: {market.faults[0]}"
        if market.readings.paused:
            return "the vault is paused"
        apart = market.readings.price.deviation_bps
        if apart > self.calm_deviation_bps:
            return f"the market is not calm: sources {apart} bps apart"
        return ""


def _towards(lane: Lane, health: float, reason: str) -> Target:
    return Target(lane, Wad(wad_down(health)), None, reason)


def _hold(reason: str) -> Target:
    return Target(Lane.ROUTINE, None, None, reason)
