"""What one part's own positions lose in a standard stress."""

from keeper.model.decision import Target
from keeper.model.exposure import Kind
from keeper.model.market import MarketState
from keeper.model.risk import RiskReport
from keeper.model.units import WAD
from strategies.parts.claims import claims_perpetual, series_claim
from strategies.parts.positions import (
    LEAST_YEARS,
    SECONDS_A_YEAR,
    held_series,
    price_of,
    to_base_units,
    unit,
)
from strategies.parts.smiles import implied


def stress_loss(
    market: MarketState,
    risk: RiskReport,
    claims: tuple[str, ...],
    target: Target,
    stress: tuple[float, float],
) -> float | None:
    """Whole assets lost at worst, of what the target makes of the claimed options and perpetuals and of the base it
    buys or sells, when the price goes up or down by the first part and volatility up by the second; at least 0.

    None where a volatility is not known.
    """
    price, base = price_of(market), unit(market.readings.base.decimals)
    linear = sum(_perpetuals(market, claims, target).values())
    if target.net_delta is not None:
        linear += target.net_delta - risk.net_delta
    worst = 0.0
    for move in (stress[0], -stress[0]):
        changed = _options(market, claims, target, price * (1 + move), 1 + stress[1])
        before = _options(market, claims, target, price, 1.0)
        if changed is None or before is None:
            return None
        worst = max(worst, before - changed - linear / base * price * move)
    return worst


def _perpetuals(market: MarketState, claims: tuple[str, ...], target: Target) -> dict[str, int]:
    """Base units at each claimed venue after the target."""
    venues = {h.venue for h in market.holdings if h.kind is Kind.PERPETUAL}
    held = {
        venue: to_base_units(
            market,
            sum(
                h.quantity for h in market.holdings if h.venue == venue and h.kind is Kind.PERPETUAL
            ),
        )
        for venue in venues
        if claims_perpetual(claims, venue)
    }
    return held | {one.venue: one.quantity for one in target.perpetuals or ()}


def _options(
    market: MarketState, claims: tuple[str, ...], target: Target, price: float, shock: float
) -> float | None:
    """Value of the claimed options after the target, at a price and with volatilities times `shock`."""
    import numpy as np

    from keeper.quant import black

    now, base = market.readings.block.timestamp, unit(market.readings.base.decimals)
    series = target.options if target.options is not None else held_series(market)
    rows = []
    for one in series:
        if series_claim(one) not in claims:
            continue
        years = max(LEAST_YEARS, (one.expiry - now) / SECONDS_A_YEAR)
        sides = [(one.quantity, one.strike_wad)]
        if one.second_strike_wad:
            sides.append((-one.quantity, one.second_strike_wad))
        for quantity, strike in sides:
            volatility = implied(market.outlook, now, years, strike / WAD)
            volatility = volatility or market.outlook.volatility
            if volatility is None:
                return None
            sign = 1.0 if one.is_call else -1.0
            rows.append((quantity / base, strike / WAD, years, volatility * shock, sign))
    if not rows:
        return 0.0
    amounts, *terms = (np.array(column) for column in zip(*rows, strict=True))
    return float(amounts @ black.price(price, *terms))
