"""How far exposure may be changed with the vault's own means before its health says stop."""

from keeper.model.ledger import Ledger
from keeper.model.market import MarketState
from keeper.model.risk import RiskReport
from keeper.model.units import BPS, WAD, wad_down


def least_health(market: MarketState, margin: float) -> int:
    """The mandate's minimum health with a margin (0.10 = 10 %) over it, WAD."""
    return market.readings.limits.min_health_wad * wad_down(1 + margin) // WAD


def room_for(market: MarketState, risk: RiskReport, gap: int, margin: float) -> int:
    """Base units that can be traded in the direction of `gap` with health kept over its least, rounded down.

    What is idle costs no health, nor does buying back base that is owed. Beyond that each unit is at worst a unit
    of new debt with nothing supplied against it:  W / (D + y p) >= h. Without a price there is none.
    """
    ledger, least = Ledger.of(market.readings), least_health(market, margin)
    if ledger.price_wad <= 0 or least <= 0:
        return 0
    asset_as_base = ledger.asset.idle * ledger.asset_scale // ledger.base_scale
    if risk.has_position and risk.health_wad < least:
        return ledger.base.idle if gap < 0 else min(asset_as_base, ledger.base.debt)
    free = ledger.base.idle if gap < 0 else max(asset_as_base, ledger.base.debt)
    spare = ledger.threshold_scaled() * WAD - ledger.debt_scaled() * BPS * least
    return free + max(0, spare // (ledger.base_scale * BPS * least))
