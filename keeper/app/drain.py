"""The polite end: nothing new, and patience with what is in flight."""

import threading
import time
from collections.abc import Callable
from typing import Protocol

import structlog

from keeper.errors import ReadError
from keeper.model.block import BlockStamp
from keeper.model.decision import Lane
from keeper.model.outcome import AttemptResult

POLL_S = 2.0
_log = structlog.get_logger(__name__)


class Followed(Protocol):
    """What has something in flight."""

    def in_flight(self, lane: Lane | None = None) -> int:
        """How many intents are neither mined nor given up."""
        ...

    def follow(self, block: BlockStamp) -> tuple[AttemptResult, ...]:
        """Look after them."""
        ...


def drain(
    lanes: Followed,
    head: Callable[[], BlockStamp],
    patience_s: float,
    *,
    now: Callable[[], float] = time.monotonic,
    wait: Callable[[float], object] = time.sleep,
    hurry: threading.Event | None = None,
) -> int:
    """Follow until nothing is in flight, for `patience_s` at most or until `hurry` is set.

    Returns how many intents are left: the journal keeps them, and the next start goes on with them.
    """
    end = now() + patience_s
    while lanes.in_flight() and now() < end and not (hurry and hurry.is_set()):
        try:
            lanes.follow(head())
        except ReadError as error:
            _log.warning("cannot follow", problem=str(error))
        if lanes.in_flight():
            wait(POLL_S)
    left = lanes.in_flight()
    if left:
        _log.warning("stopped with intents in flight; the next start goes on with them", left=left)
    return left
