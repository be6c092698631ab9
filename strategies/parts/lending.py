"""Lending venues as one list: the vault's own, from its readings, and those of the outlook."""

from dataclasses import dataclass

from keeper.model.exposure import ASSET, BASE, Kind
from keeper.model.market import MarketState, TokenPosition
from keeper.model.outlook import LendingRate
from keeper.model.units import BPS, Raw
from strategies.parts.positions import gross_of, price_of, unit

OWN = "lending"
"""The vault's own venue, as risk reports name it."""
RAY = 10**27
UNLIMITED = Raw(2**127)


@dataclass(frozen=True, slots=True)
class Offer:
    """Where assets may be lent; whole assets."""

    venue: str
    rate: float
    supplied: float
    withdrawable: float
    """What of it can come back now."""
    withdrawable_with_ours: float
    """All that the venue could pay out now."""
    least: float
    """What must stay: collateral of a debt."""
    most: float


@dataclass(frozen=True, slots=True)
class Place:
    """One token at one venue, whole tokens, with what is there already."""

    rate: LendingRate
    underlying: str
    price: float
    """Assets per whole token."""
    decimals: int
    supplied: float
    owed: float

    @property
    def available(self) -> float:
        """Whole tokens that can be withdrawn or borrowed now."""
        return max(0, self.rate.available) / unit(self.decimals)

    @property
    def cap(self) -> float:
        """Whole tokens that can still be supplied."""
        return max(0, self.rate.cap) / unit(self.decimals)


def places(market: MarketState) -> tuple[Place, ...]:
    """Every token at every venue that is known; the vault's own venue from its readings."""
    readings = market.readings
    own = (OWN, readings.lending_adapter.lower())
    tokens = {
        readings.asset.address.lower(): (ASSET, 1.0, readings.asset.decimals),
        readings.base.address.lower(): (BASE, price_of(market), readings.base.decimals),
    }
    found = [*_own_places(market)] if readings.venue_readable else []
    for rate in market.outlook.lending:
        if rate.venue.lower() in own or rate.token.lower() not in tokens or not _meant(rate):
            continue
        underlying, price, decimals = tokens[rate.token.lower()]
        supplied = _elsewhere(market, rate.venue, underlying, Kind.SUPPLY)
        owed = -_elsewhere(market, rate.venue, underlying, Kind.LOAN)
        found.append(Place(rate, underlying, price, decimals, supplied, owed))
    return tuple(found)


def asset_offers(market: MarketState) -> tuple[Offer, ...]:
    """Where the vault's asset may be lent, nothing owed there counted on."""
    every = places(market)
    indebted = {p.rate.venue for p in every if p.owed > 0}
    offers = []
    for place in every:
        if place.underlying != ASSET:
            continue
        free = min(place.supplied, place.available)
        collateral = place.supplied if place.rate.venue in indebted else 0.0
        offers.append(
            Offer(
                place.rate.venue,
                place.rate.supply_rate,
                place.supplied,
                free - min(free, collateral),
                place.available,
                collateral,
                place.supplied + place.cap,
            )
        )
    return tuple(offers)


def _meant(rate: LendingRate) -> bool:
    """Whether its numbers can be: rates under 1,000 % and fractions between 0 and 1."""
    rates = (rate.supply_rate, rate.borrow_rate)
    return all(-1 < r < 10 for r in rates) and 0 <= rate.ltv <= rate.threshold <= 1


def _elsewhere(market: MarketState, venue: str, underlying: str, kind: Kind) -> float:
    return sum(
        held.quantity
        for held in market.holdings
        if held.venue == venue and held.underlying == underlying and held.kind is kind
    )


def _own_places(market: MarketState) -> tuple[Place, ...]:
    r = market.readings
    return (
        _own(market, r.asset_position, ASSET, 1.0),
        _own(market, r.base_position, BASE, price_of(market)),
    )


def _own(market: MarketState, position: TokenPosition, underlying: str, price: float) -> Place:
    readings = market.readings
    decimals = (readings.asset if underlying == ASSET else readings.base).decimals
    supplied = position.supplied / unit(decimals)
    rate = LendingRate(
        OWN,
        position.token,
        position.supply_rate_ray / RAY,
        position.borrow_rate_ray / RAY,
        position.ltv_bps / BPS,
        position.liquidation_threshold_bps / BPS,
        position.available,
        _own_cap(market, position, price, decimals),
    )
    return Place(rate, underlying, price, decimals, supplied, position.debt / unit(decimals))


def _own_cap(market: MarketState, position: TokenPosition, price: float, decimals: int) -> Raw:
    """What the mandate still lets be lent at the vault's venue."""
    readings = market.readings
    if position.frozen_or_paused or price <= 0:
        return Raw(0)
    most = gross_of(market) * readings.mandate.terms.caps.max_venue_bps / BPS
    lent = readings.asset_position.supplied / unit(readings.asset.decimals)
    lent += readings.base_position.supplied / unit(readings.base.decimals) * price_of(market)
    return Raw(min(UNLIMITED, max(0, int((most - lent) / price * unit(decimals)))))
