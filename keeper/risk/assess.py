"""The report itself: amounts exact, ratios as float estimates."""

from keeper.model.exposure import RiskInputs
from keeper.model.ledger import Ledger
from keeper.model.market import MarketState, PriceFault
from keeper.model.risk import RiskReport
from keeper.model.risk_report import CollateralTarget
from keeper.model.units import INFINITE_HEALTH, Raw, Wad
from keeper.risk.liquidation import NEVER, liquidation_distance
from keeper.risk.tempo import collateral_target


def assess(market: MarketState, inputs: RiskInputs | None = None) -> RiskReport:
    """Value and danger of the vault at the block of the readings.

    Health is always the venue's own figure. A vault whose venue cannot be read is reported with health 0 and
    a position, because nothing better may be assumed of it. QuantityError for a forecast that cannot be meant.
    """
    readings = market.readings
    collateral = collateral_target(readings, inputs or RiskInputs())
    ledger = Ledger.of(readings)
    if not readings.venue_readable:
        return _unreadable(ledger, collateral)
    usable = readings.price.fault is PriceFault.NONE and readings.price.price_wad > 0
    asset, base = ledger.asset, ledger.base
    has_position = bool(asset.supplied or asset.debt or base.supplied or base.debt)
    distance = liquidation_distance(ledger, usable) if has_position else NEVER
    gross, scale = ledger.gross_scaled(), ledger.asset_scale
    nav = (gross - ledger.owed_scaled()) // scale if usable else None
    return RiskReport(
        None if nav is None else Raw(nav),
        readings.account.health_wad if has_position else INFINITE_HEALTH,
        ledger.net_delta(),
        Raw(ledger.collateral_scaled() // scale if usable else 0),
        Raw(-(-ledger.debt_scaled() // scale) if usable else 0),
        _leverage(gross, nav, scale),
        distance.price_wad,
        distance.fall,
        distance.rise,
        has_position,
        collateral,
    )


def _leverage(gross_scaled: int, nav: int | None, scale: int) -> float:
    """Gross assets / NAV; 0 for an empty vault or an unusable price, infinite without equity."""
    if nav is None or gross_scaled == 0:
        return 0.0
    return gross_scaled / (nav * scale) if nav > 0 else float("inf")


def _unreadable(ledger: Ledger, collateral: CollateralTarget | None) -> RiskReport:
    return RiskReport(
        nav=None,
        health_wad=Wad(0),
        net_delta=ledger.net_delta(),
        gross_collateral=Raw(0),
        debt=Raw(0),
        leverage=0.0,
        liquidation_price_wad=None,
        fall_to_liquidation=None,
        rise_to_liquidation=None,
        has_position=True,
        collateral=collateral,
    )
