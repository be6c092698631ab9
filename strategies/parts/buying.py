"""Options bought elsewhere and held: how many there are, and when they are renewed."""

from keeper.model.decision import OptionTarget
from keeper.model.market import MarketState
from strategies.parts.positions import free_asset, held_series, to_base_units
from strategies.parts.series import DAY, Chosen
from strategies.parts.targets import SeriesKey, series_key

BUYING_ROOM = 0.10
"""Part of what is idle that is kept when options are bought: offers are over the model's price, and both move."""


def to_spend(market: MarketState) -> float:
    """Whole assets that options may be bought for."""
    return free_asset(market) * (1 - BUYING_ROOM)


def held_units(market: MarketState, is_call: bool, least_days: float) -> int:
    """Base units of options held of one kind with at least so long to go."""
    return sum(one.quantity for one in _long(market, is_call) if _days(market, one) >= least_days)


def near_expiry(market: MarketState, is_call: bool, least_days: float) -> frozenset[SeriesKey]:
    """Series held of one kind that have less than that to go: to be sold."""
    near = (one for one in _long(market, is_call) if _days(market, one) < least_days)
    return frozenset(series_key(one) for one in near)


def all_held(market: MarketState, is_call: bool) -> frozenset[SeriesKey]:
    """Every series held of one kind."""
    return frozenset(series_key(one) for one in _long(market, is_call))


def more_of(market: MarketState, series: Chosen, tokens: float, reason: str) -> OptionTarget:
    """The series with `tokens` whole options more than are held of it."""
    added = max(0, to_base_units(market, tokens))
    held = sum(
        one.quantity
        for one in _long(market, series.is_call)
        if (one.strike_wad, one.expiry) == (series.strike_wad, series.expiry)
    )
    return series.target(held + added, reason)


def _long(market: MarketState, is_call: bool) -> list[OptionTarget]:
    return [one for one in held_series(market) if one.quantity > 0 and one.is_call is is_call]


def _days(market: MarketState, series: OptionTarget) -> float:
    return (series.expiry - market.readings.block.timestamp) / DAY
