"""The report itself: amounts exact, ratios as float estimates."""

from dataclasses import replace

from keeper.model.exposure import RiskInputs
from keeper.model.ledger import Ledger
from keeper.model.market import MarketState, PriceFault
from keeper.model.risk import RiskReport
from keeper.model.units import INFINITE_HEALTH, Raw, Wad
from keeper.risk.liquidation import NEVER, liquidation_distance
from keeper.risk.tempo import collateral_target


def assess(market: MarketState, inputs: RiskInputs | None = None) -> RiskReport:
    """Value and danger of the vault at the block of the readings.

    Health is always the venue's own figure. A vault whose venue cannot be read is reported with health 0 and
    a position, because nothing better may be assumed of it. QuantityError for a forecast that cannot be meant.
    """
    measured = _measured(market)
    collateral = collateral_target(market.readings, inputs or RiskInputs())
    return measured if collateral is None else replace(measured, collateral=collateral)


def _measured(market: MarketState) -> RiskReport:
    """What needs no forecast."""
    readings = market.readings
    ledger = Ledger.of(readings)
    usable = readings.price.fault is PriceFault.NONE and readings.price.price_wad > 0
    if not readings.venue_readable:
        return _unreadable(ledger)
    has_position = any(h.supplied or h.debt for h in (ledger.asset, ledger.base))
    distance = liquidation_distance(ledger, usable) if has_position else NEVER
    nav = ledger.nav_down() if usable else None
    return RiskReport(
        nav=nav,
        health_wad=readings.account.health_wad if has_position else INFINITE_HEALTH,
        net_delta=ledger.net_delta(),
        gross_collateral=Raw(ledger.collateral_scaled() // ledger.asset_scale if usable else 0),
        debt=Raw(-(-ledger.debt_scaled() // ledger.asset_scale) if usable else 0),
        leverage=_leverage(ledger, nav),
        liquidation_price_wad=distance.price_wad,
        fall_to_liquidation=distance.fall,
        rise_to_liquidation=distance.rise,
        has_position=has_position,
    )


def _leverage(ledger: Ledger, nav: int | None) -> float:
    """Gross assets / NAV; 0 for an empty vault or an unusable price, infinite without equity."""
    gross = ledger.gross_scaled()
    if nav is None or gross == 0:
        return 0.0
    return gross / (nav * ledger.asset_scale) if nav > 0 else float("inf")


def _unreadable(ledger: Ledger) -> RiskReport:
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
    )
