"""Who looks on while a backtest runs; nothing here changes what it does unless `opened` does."""

from collections.abc import Callable
from dataclasses import dataclass

from keeper.backtest.world import World
from keeper.loop import TickRecord


@dataclass(frozen=True, slots=True)
class Watch:
    """What is called, and when."""

    opened: Callable[[World], None] | None = None
    """With the world at its first price, before anything happens in it: the place to set what is known of it."""
    ticked: Callable[[TickRecord], None] | None = None
    """With all that a tick saw and decided."""
    stepped: Callable[[World], None] | None = None
    """With the world after the events of one time, its transactions and its tick."""
