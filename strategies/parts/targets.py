"""Targets as strategies write them."""

from keeper.model.decision import Lane, OptionTarget, Target
from keeper.model.market import MarketState
from strategies.parts.positions import held_series


def hold(reason: str) -> Target:
    """Leave everything alone."""
    return Target(Lane.ROUTINE, None, None, reason)


SeriesKey = tuple[bool, int, int, int, bool]


def with_series(
    market: MarketState,
    wanted: tuple[OptionTarget, ...],
    reason: str,
    closed: frozenset[SeriesKey] = frozenset(),
) -> Target:
    """The series that are held already, less those to be closed, and of each wanted one what is wanted of it in all."""
    named = closed | {series_key(one) for one in wanted}
    kept = tuple(one for one in held_series(market) if series_key(one) not in named)
    return Target(Lane.ROUTINE, None, None, reason, options=(*kept, *wanted))


def series_key(series: OptionTarget) -> SeriesKey:
    """What makes it this series on this side; what is written and what is bought of one series are two positions."""
    long = series.quantity > 0
    return series.is_call, series.strike_wad, series.second_strike_wad, series.expiry, long
