"""Which columns of a file are which: exchanges and oracles name the same things differently."""

from collections.abc import Sequence
from dataclasses import dataclass

from keeper.localnet.paths.bars import BarKind

_TIME = ("t", "timestamp", "time", "time_period_start")
_ROUND_TIME = ("updatedat",)
_ANSWER = ("answer",)


@dataclass(frozen=True, slots=True)
class Columns:
    """Indexes into a row, with the names the file gives them."""

    kind: BarKind
    time: int
    prices: tuple[int, ...]
    """open, high, low, close; or the one price."""
    names: tuple[str, ...]

    def name(self, index: int) -> str:
        """The file's own name of a column."""
        return self.names[index]


def find_columns(header: Sequence[str]) -> Columns | None:
    """The columns to read, or None if the header names no usable set. Other columns are ignored."""
    names = tuple(name.strip() for name in header)
    places = {name.lower(): i for i, name in reversed(list(enumerate(names)))}

    def first(*wanted: str) -> int | None:
        return next((places[name] for name in wanted if name in places), None)

    answer, updated = first(*_ANSWER), first(*_ROUND_TIME)
    if answer is not None and updated is not None:
        return Columns(BarKind.ROUNDS, updated, (answer,), names)
    time = first(*_TIME)
    ohlc = [first(part, f"price_{part}") for part in ("open", "high", "low", "close")]
    if time is None or ohlc[3] is None:
        return None
    whole = tuple(place for place in ohlc if place is not None)
    if len(whole) == 4:
        return Columns(BarKind.OHLC, time, whole, names)
    return Columns(BarKind.CLOSE, time, (ohlc[3],), names)
