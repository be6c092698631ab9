"""What planning knows of the desk beyond the lens: auctions, volatility marks, and which series the book has.

The simulated book brings a series into being when it is written, observes volatility by itself and settles at expiry:
of the chores of options nothing is left to do.
"""

from functools import lru_cache
from typing import TYPE_CHECKING

from keeper.backtest.option_market import Terms
from keeper.backtest.spec import ASSET_ADDRESS, BASE_ADDRESS
from keeper.model.desk import (
    Auction,
    DeskState,
    SeriesStatus,
    VolatilityFault,
    VolatilityMark,
    VolatilityReading,
)
from keeper.model.series import Series
from keeper.model.units import BPS, WAD, Bps, Raw, Wad

if TYPE_CHECKING:
    from keeper.backtest.world import World

BOOK, AUCTION = "0x" + "b0" * 20, "0x" + "ac" * 20
SETTLEMENT_ORACLE, VOLATILITY_ORACLE = "0x" + "5e" * 20, "0x" + "01" * 20
TENORS_S = tuple(days * 86_400 for days in (1, 7, 30, 90))
NEVER_S = 10**9
"""Between observations: nobody is asked for one."""


@lru_cache(maxsize=4_096)
def series_id(terms: Terms) -> str:
    """The book's id of a series, decimal."""
    return Series(
        BASE_ADDRESS,
        ASSET_ADDRESS,
        SETTLEMENT_ORACLE,
        terms.expiry,
        terms.is_call,
        Wad(terms.strike_wad),
        Wad(terms.second_strike_wad),
    ).id


def terms_of(series: Series) -> Terms:
    """The other way."""
    return Terms(series.is_call, series.strike_wad, series.expiry, series.second_strike_wad)


def desk_state(world: "World") -> DeskState:
    """At the world's time; the market's level of volatility stands for the surface, without skew."""
    desk = world.desk
    auctions = tuple(
        Auction(
            a.number,
            series_id(a.terms),
            a.sale,
            a.began,
            a.ends,
            Raw(a.left),
            Raw(a.escrow),
            Wad(a.start_wad if a.sale else a.end_wad),
        )
        for a in desk.auctions.values()
    )
    known = tuple(SeriesStatus(asked, True) for asked in desk.asked)
    return DeskState(BOOK, AUCTION, SETTLEMENT_ORACLE, _volatility(world), auctions, known)


def _volatility(world: "World") -> VolatilityReading:
    market, now, spot = world.desk.market, world.time, world.oracle.price_wad / WAD
    levels = [market.volatility(spot, now + tenor, spot, now) for tenor in TENORS_S]
    known = [level for level in levels if level is not None]
    usable = len(known) == len(TENORS_S)
    lowest = min(known, default=0.0)
    realised = market.realised
    floor = lowest if realised is None else realised * world.desk.spec.floor_ratio_bps / BPS
    return VolatilityReading(
        oracle=VOLATILITY_ORACLE,
        fault=VolatilityFault.NONE if usable else VolatilityFault.FLOOR_UNKNOWN,
        floor_wad=Wad(round(min(floor, lowest) * 10**6) * 10**12),
        half_spread_bps=Bps(world.desk.spec.half_spread_bps),
        observed_at=now,
        interval_s=NEVER_S,
        slack_s=1,
        marks=tuple(
            VolatilityMark(tenor, round(level * 10**6), 0, Bps(0))
            for tenor, level in zip(TENORS_S, known, strict=False)
        ),
    )
