"""Keep the health of a leveraged vault inside a band."""

from dataclasses import dataclass

from keeper.model.decision import Lane, Target
from keeper.model.market import MarketState
from keeper.model.risk import RiskReport
from keeper.model.units import Wad, wad_down, wad_float


@dataclass(frozen=True, slots=True)
class CollateralGuard:
    """Below `low` bring health up to `target`, at once; above `high` bring it down to `target`, when calm.

    Between `low` and `high` nothing is done, so that each action is followed by a stretch of rest.
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
        health = f"health {wad_float(risk.health_wad):.4f}"
        if risk.health_wad < wad_down(self.low):
            return self._towards(Lane.PROTECTIVE, f"{health} is under {self.low}")
        if risk.health_wad <= wad_down(self.high):
            return _hold(f"{health} is inside {self.low} to {self.high}")
        waits = self._why_not_relever(market)
        if waits:
            return _hold(f"{health} is over {self.high}; {waits}")
        return self._towards(Lane.ROUTINE, f"{health} is over {self.high}")

    def _towards(self, lane: Lane, why: str) -> Target:
        reason = f"{why}: bring it to {self.target}"
        return Target(lane, Wad(wad_down(self.target)), None, reason)

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


def _hold(reason: str) -> Target:
    return Target(Lane.ROUTINE, None, None, reason)
