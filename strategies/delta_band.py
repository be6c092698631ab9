"""Keep the vault's net exposure to the base token inside a band."""

import math
from dataclasses import dataclass

from keeper.model.decision import Lane, Target
from keeper.model.market import MarketState
from keeper.model.risk import RiskReport
from keeper.model.units import Raw, wad_float
from strategies.parts.room import least_health, room_for


@dataclass(frozen=True, slots=True)
class DeltaBand:
    """Outside `target_delta` +- `band` bring net delta back to `target_delta`.

    Both are in whole base tokens and not in a share of NAV: exposure in tokens moves by interest, deposits
    and trades only, so a rise in price alone never causes a trade. Back to the target and not to the band's
    edge: what a rebalance costs is mostly fixed (gas), and from the edge the next block's interest would
    already trade again.
    """

    target_delta: float = 0.0
    """Wanted net delta, whole base tokens; negative is short."""
    band: float = 1.0
    """Accepted distance from it, whole base tokens."""
    health_margin: float = 0.10
    """Plans keep health this fraction over the mandate's minimum (0.10 = 10 %)."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.target_delta) and 0 < self.band < math.inf):
            raise ValueError(
                "delta_band needs a finite target_delta and a positive band: "
                f"target_delta {self.target_delta}, band {self.band}"
            )
        if not 0 <= self.health_margin < math.inf:
            raise ValueError(f"health_margin must not be negative: {self.health_margin}")

    def __call__(self, market: MarketState, risk: RiskReport) -> Target:
        """What the vault's exposure asks for."""
        readings = market.readings
        if not market.tradable:
            return _hold(f"prices cannot be traded on: {market.faults[0]}")
        if readings.paused:
            return _hold("the vault is paused")
        unit = 10**readings.base.decimals
        wanted, band = round(self.target_delta * unit), round(self.band * unit)
        now = f"net delta {risk.net_delta / unit:.4f}"
        gap = wanted - risk.net_delta
        if abs(gap) <= band:
            return _hold(f"{now} is within {self.band} of {self.target_delta}")
        step = min(abs(gap), room_for(market, risk, gap, self.health_margin))
        if step <= 0:
            least = wad_float(least_health(market, self.health_margin))
            return _hold(
                f"{now} is off {self.target_delta}, and health "
                f"{wad_float(risk.health_wad):.4f} leaves no room over {least:.4f}"
            )
        reached = risk.net_delta + (step if gap > 0 else -step)
        part = "" if step == abs(gap) else ", as far as health allows"
        reason = f"{now} is off {self.target_delta} by more than {self.band}: bring it back{part}"
        return Target(Lane.ROUTINE, None, Raw(reached), reason)


def _hold(reason: str) -> Target:
    return Target(Lane.ROUTINE, None, None, reason)
