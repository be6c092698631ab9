"""Why a strategy must not act, in one place: faults, pauses, what it needs and is not told."""

import math

from keeper.model.market import MarketState
from keeper.model.risk import RiskReport
from keeper.model.units import BPS
from strategies.parts.positions import nav_of

NOWHERE = "0x" + "00" * 20


def blocked(market: MarketState, risk: RiskReport) -> str:
    """Why nothing that is exposed to a price may be done now; empty if it may."""
    readings = market.readings
    if not market.tradable:
        return f"prices cannot be traded on: {market.faults[0]}"
    if readings.paused:
        return "the vault is paused"
    if readings.unhedged:
        return "a venue holds less than the vault opened there"
    if readings.price.price_wad <= 0:
        return "there is no price"
    nav = nav_of(market, risk)
    if nav is None or not nav > 0 or not math.isfinite(nav):
        return "the vault has no value to work with"
    return ""


def no_options(market: MarketState) -> str:
    """Why no series can be written; empty if one can."""
    options = market.readings.options
    limits = market.readings.mandate.terms.options
    if options.desk == NOWHERE or limits.max_series == 0:
        return "the vault writes no options"
    if options.value is None or not options.volatility_known:
        return "the desk cannot value options now"
    if any(p.fault and not p.awaiting for p in options.positions):
        return "the desk cannot mark a series it has written"
    measure, caps = market.readings.measure, market.readings.mandate.terms.caps
    if measure is not None and measure.priced and measure.nav > 0:
        unit = 10 ** (18 + market.readings.base.decimals - market.readings.asset.decimals)
        value = measure.delta_base * measure.price_wad / unit
        gap = abs(value - measure.nav * caps.delta_target_bps / BPS)
        if gap > measure.nav * caps.delta_band_bps / BPS:
            return "net delta is outside the mandate's band, where no series is written"
    return ""


def forecast(market: MarketState) -> float | None:
    """The volatility forecast, if it is one: between 1 % and 1,000 % a year."""
    found = market.outlook.volatility
    usable = found is not None and math.isfinite(found) and 0.01 <= found <= 10.0
    return found if usable else None
