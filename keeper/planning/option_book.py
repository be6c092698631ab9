"""The vault's written options against what is wanted of them, series by series."""

from dataclasses import dataclass

from keeper.model.decision import Target
from keeper.model.desk import Auction, DeskState
from keeper.model.market import OptionPosition, Readings
from keeper.model.series import Series
from keeper.model.units import BPS, WAD
from keeper.planning.written import wanted_by_series


@dataclass(frozen=True, slots=True)
class Line:
    """One series; base units."""

    series_id: str
    series: Series | None
    """None for one that is held and not wanted."""
    wanted: int
    sold: int
    unsold: int
    """Written and waiting in auctions."""
    sales: tuple[Auction, ...]
    purchases: tuple[Auction, ...]
    position: OptionPosition | None

    @property
    def written(self) -> int:
        """Sold and unsold."""
        return self.sold + self.unsold

    @property
    def buying(self) -> int:
        """Still wanted by purchases that are open."""
        return sum(a.left for a in self.purchases)


def lines_of(readings: Readings, state: DeskState, target: Target) -> tuple[Line, ...]:
    """Every live series that is held or wanted: the held ones first, in the order of the readings."""
    wanted = wanted_by_series(target, readings, state)
    held = {p.series_id: p for p in readings.options.positions if not p.awaiting}
    now = readings.block.timestamp
    return tuple(
        _line(series_id, wanted.get(series_id), held.get(series_id), state)
        for series_id in dict.fromkeys((*held, *wanted))
        if series_id in held or wanted[series_id][0].expiry > now
    )


def _line(
    series_id: str,
    wanted: tuple[Series, int] | None,
    position: OptionPosition | None,
    state: DeskState,
) -> Line:
    mine = tuple(a for a in state.auctions if a.series_id == series_id)
    series, size = wanted or (None, 0)
    return Line(
        series_id=series_id,
        series=series,
        wanted=size,
        sold=int(position.sold) if position else 0,
        unsold=int(position.written - position.sold) if position else 0,
        sales=tuple(a for a in mine if a.sells),
        purchases=tuple(a for a in mine if not a.sells),
        position=position,
    )


def scale_of(readings: Readings) -> int:
    """Raw base x price WAD over this is raw asset, as the desk has it."""
    return int(WAD * 10**readings.base.decimals // 10**readings.asset.decimals)


def matters(change: int, whole: int, readings: Readings, min_trade: int, resize_bps: int) -> bool:
    """True if a change of a series is large enough to be made: of the series, and in value."""
    if change <= 0:
        return False
    value = change * readings.price.price_wad // scale_of(readings)
    return change * BPS >= whole * resize_bps and value >= min_trade
