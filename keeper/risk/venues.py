"""Every venue that may liquidate: health, the prices that do it, and how likely they come before the keeper.

A venue liquidates where its buffer is used up. Both kinds of buffer are linear in every price:

    lending   sum over tokens of (supplied x threshold - debt) x price
    margin    cash + sum over perpetuals of quantity x (price - entry) - maintenance x |quantity| x price

so that each price, the others unchanged, has at most one root; a positive root on the side where the buffer shrinks
is the liquidation price in that direction.
"""

import math
from dataclasses import dataclass

from keeper.model.exposure import ASSET, BASE, Exposure, Kind, MarginVenue, RiskInputs
from keeper.model.ledger import Ledger
from keeper.model.market import Readings
from keeper.model.risk_report import Jumps, LiquidationRisk, VenueRisk, Wait
from keeper.model.units import BPS, INFINITE_HEALTH, WAD
from keeper.risk.exposures import LENDING
from keeper.risk.passage import (
    NO_JUMPS,
    expected_time,
    jump_probability,
    log_distance,
    median_time,
)
from keeper.risk.tempo import SECONDS_A_YEAR


@dataclass(frozen=True, slots=True)
class Buffer:
    """constant + sum of slope x price over the underlyings, in assets."""

    constant: float
    slopes: tuple[tuple[str, float], ...]

    def root(self, underlying: str, prices: dict[str, float]) -> float | None:
        """The positive price at which the buffer is 0, other prices unchanged; None if there is none."""
        slope = dict(self.slopes)[underlying]
        rest = self.constant + sum(s * prices[u] for u, s in self.slopes if u != underlying)
        if slope == 0.0:
            return None
        at = -rest / slope
        return at if at > 0.0 and math.isfinite(at) else None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What distances are measured with."""

    prices: dict[str, float]
    volatilities: dict[str, float | None]
    wait: Wait
    horizon_days: float
    jumps: Jumps = NO_JUMPS
    """Of base; other underlyings only diffuse."""


def lending_risk(readings: Readings, outlook: Outlook | None) -> VenueRisk:
    """The lending venue; without an outlook (no usable price) only its own health."""
    ledger = Ledger.of(readings)
    if not readings.venue_readable:
        return VenueRisk(LENDING, False, None, 0.0, 0.0, ())
    owed = ledger.asset.debt or ledger.base.debt
    wad = readings.account.health_wad
    health = None if wad >= INFINITE_HEALTH or not owed else wad / WAD
    if outlook is None:
        return VenueRisk(LENDING, True, health, 0.0, 0.0, ())
    scale = ledger.asset_scale * 10**readings.asset.decimals
    slopes = tuple(
        (
            name,
            (h.supplied * h.liquidation_threshold_bps - h.debt * BPS) / (BPS * 10**h.decimals),
        )
        for name, h in ((ASSET, ledger.asset), (BASE, ledger.base))
    )
    found = liquidations(Buffer(0.0, slopes), outlook) if owed else ()
    return VenueRisk(
        LENDING,
        True,
        health,
        ledger.collateral_scaled() / scale,
        ledger.debt_scaled() / scale,
        found,
    )


def margin_risk(venue: MarginVenue, exposures: tuple[Exposure, ...], outlook: Outlook) -> VenueRisk:
    """A perpetuals venue: cash there carries every position there."""
    here = [e for e in exposures if e.venue == venue.id]
    perpetuals = [e for e in here if e.kind is Kind.PERPETUAL]
    cash = sum(e.quantity for e in here if e.underlying == ASSET)
    entries = sum(e.quantity * e.entry for e in perpetuals)
    slopes: dict[str, float] = {}
    for e in here:
        if e.underlying != ASSET and e.kind is not Kind.OPTION:
            kept = venue.maintenance * abs(e.quantity) if e.kind is Kind.PERPETUAL else 0.0
            slopes[e.underlying] = slopes.get(e.underlying, 0.0) + e.quantity - kept
    notional = sum(abs(e.quantity) * outlook.prices[e.underlying] for e in perpetuals)
    needed = venue.maintenance * notional
    buffer = Buffer(cash - entries, tuple(slopes.items()))
    equity = needed + buffer.constant + sum(s * outlook.prices[u] for u, s in buffer.slopes)
    return VenueRisk(
        venue.id,
        True,
        equity / needed if needed > 0.0 else None,
        equity,
        notional,
        liquidations(buffer, outlook) if notional > 0.0 else (),
    )


def liquidations(buffer: Buffer, outlook: Outlook) -> tuple[LiquidationRisk, ...]:
    """Every price that uses the buffer up; all of them reached if it is used up already."""
    left = buffer.constant + sum(s * outlook.prices[u] for u, s in buffer.slopes)
    found = []
    for underlying, slope in buffer.slopes:
        at = buffer.root(underlying, outlook.prices)
        if slope == 0.0 or (at is None and left > 0.0):
            continue
        price = outlook.prices[underlying]
        found.append(_risk(underlying, slope > 0.0, price if at is None else at, left, outlook))
    return tuple(found)


def _risk(
    underlying: str, falls: bool, at: float, left: float, outlook: Outlook
) -> LiquidationRisk:
    price, volatility = outlook.prices[underlying], outlook.volatilities.get(underlying)
    distance = log_distance(price, at) if left > 0.0 else 0.0
    move = abs(at / price - 1.0) if left > 0.0 else 0.0
    rising = not falls
    horizon = outlook.horizon_days / 365.0
    known = volatility is not None and volatility > 0.0
    v = volatility if volatility is not None and known else 0.0
    wait = outlook.wait.seconds / SECONDS_A_YEAR
    jumps = outlook.jumps if underlying == BASE else NO_JUMPS
    return LiquidationRisk(
        underlying=underlying,
        direction="rise" if rising else "fall",
        price=at,
        move=move,
        sigmas=distance / (v * math.sqrt(horizon)) if known and horizon > 0.0 else None,
        expected_time=expected_time(distance, v, rising=rising) if known else None,
        median_time=median_time(distance, v, rising=rising) if known else None,
        probability=jump_probability(distance, v, wait, jumps, rising=rising) if known else None,
        probability_horizon=(
            jump_probability(distance, v, horizon, jumps, rising=rising) if known else None
        ),
    )


def outlook_of(readings: Readings, inputs: RiskInputs, wait: Wait) -> Outlook:
    """Today's prices and the forecast volatilities; the asset's own is not forecast."""
    prices = {ASSET: 1.0, BASE: readings.price.price_wad / WAD}
    volatilities: dict[str, float | None] = {ASSET: None, BASE: inputs.volatility}
    for other in inputs.underlyings:
        prices[other.id], volatilities[other.id] = other.price, other.volatility
    return Outlook(prices, volatilities, wait, inputs.policy.horizon_days, inputs.jumps)
