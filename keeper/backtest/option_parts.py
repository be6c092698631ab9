"""What the desk keeps of options: series, auctions, fills, Greeks, and what an option pays."""

from dataclasses import dataclass
from typing import NamedTuple

from keeper.backtest.option_market import Terms


class Greeks(NamedTuple):
    """Of the whole book, in whole base and whole assets."""

    delta: float
    gamma: float
    vega: float
    theta: float
    vanna: float
    volga: float


NO_GREEKS = Greeks(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(slots=True)
class Series:
    """What the vault has written of one series, base units."""

    terms: Terms
    written: int = 0
    unsold: int = 0

    @property
    def sold(self) -> int:
        """Held by others."""
        return self.written - self.unsold


@dataclass(slots=True)
class Auction:
    """One sale or purchase that is running; prices are WAD of the asset per whole base."""

    number: int
    terms: Terms
    sale: bool
    left: int
    start_wad: int
    end_wad: int
    began: int
    ends: int
    escrow: int = 0
    bidders_done: int = 0

    def price_wad(self, time: int) -> int:
        """On the straight line between start and end."""
        gone = min(time, self.ends) - self.began
        span = max(1, self.ends - self.began)
        return self.start_wad + (self.end_wad - self.start_wad) * gone // span


@dataclass(frozen=True, slots=True)
class Fill:
    """One trade in options."""

    time: int
    key: str
    quantity: int
    """Base units of what the vault holds more; negative: it sold."""
    price_wad: int
    paid: int
    """Asset units the vault paid; negative: it received."""
    spread: int
    """What the trade did to NAV at the mid mark."""


def intrinsic_wad(terms: Terms, price_wad: int) -> int:
    """Payoff of one whole base in the asset, WAD."""
    strike, second = terms.strike_wad, terms.second_strike_wad
    if terms.is_call:
        top = min(price_wad, second) if second else price_wad
        return max(0, top - strike)
    return max(0, strike - max(price_wad, second))


def payoff_up(terms: Terms, amount: int, price_wad: int, scale: int) -> int:
    """What is owed on options sold, in the collateral's token, rounded up: the remainder of payoffs stays there."""
    owed = intrinsic_wad(terms, price_wad)
    if terms.is_call:
        return -(-amount * owed // price_wad)
    return -(-amount * owed // scale)
