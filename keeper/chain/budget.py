"""How many requests an endpoint may get: so many a second, so many a day, and none while it asks for a pause."""

import threading
import time
from collections.abc import Callable

_DAY_S = 86_400.0
_PAUSE_S = 1.0
"""After a refusal that names no time; doubled by each further one in a row."""
_LONGEST_PAUSE_S = 60.0
_LONGEST_OWN_PAUSE_S = 8.0
"""Where the endpoint names no time: a longer one, at every endpoint at once, would be blindness in a fall."""
_PATIENCE_S = 1.0
"""A wait up to this is borne instead of refused: a tick with two requests more than the second allows goes on."""
_SHORTEST_WAIT_S = 0.001
"""A wait too short for a float to count would never end."""


class _Bucket:
    """Fills evenly up to a period's worth; a spending may overdraw it by its own size."""

    def __init__(self, per_period: float, period_s: float, now_s: float) -> None:
        self._rate = per_period / period_s
        self._capacity = self._left = per_period
        self._at_s = now_s

    def wait_s(self, calls: int, now_s: float) -> float:
        """Seconds until `calls` fit; more calls than the capacity fit when it is full."""
        self._left = min(self._capacity, self._left + (now_s - self._at_s) * self._rate)
        self._at_s = now_s
        return max(0.0, (min(calls, self._capacity) - self._left) / self._rate)

    def take(self, calls: int) -> None:
        self._left -= calls


class RateBudget:
    """Requests left, counted call by call (a batch counts as many). Any thread may spend."""

    def __init__(
        self,
        per_second: float | None = None,
        per_day: float | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        now = clock()
        limits = ((per_second, 1.0), (per_day, _DAY_S))
        self._buckets = [_Bucket(limit, period, now) for limit, period in limits if limit]
        self._clock = clock
        self._sleep = sleep
        self._guard = threading.Lock()
        self._open_s = now
        self._refusals = 0

    @property
    def bounded(self) -> bool:
        """False while any number of requests may be made at once."""
        return bool(self._buckets) or self._refusals > 0

    def spend(self, calls: int, *, urgent: bool = False) -> float:
        """Takes `calls`; 0 if that was possible, at once or after a wait of up to a second.

        Else how many seconds to wait, and nothing is taken. An urgent spending always succeeds.
        """
        if not self.bounded:
            return 0.0
        while True:
            with self._guard:
                wait_s = 0.0 if urgent else self._wait_s(calls)
                if wait_s <= 0:
                    for bucket in self._buckets:
                        bucket.take(calls)
                    return 0.0
            if wait_s > _PATIENCE_S:
                return wait_s
            self._sleep(max(wait_s, _SHORTEST_WAIT_S))

    def wait_s(self, calls: int = 1) -> float:
        """Seconds until `calls` may be spent."""
        with self._guard:
            return self._wait_s(calls)

    def pause(self, retry_after_s: float | None) -> float:
        """The endpoint refused for too many requests: none before `retry_after_s`. Returns how long that is."""
        with self._guard:
            if self._clock() - self._open_s > _LONGEST_PAUSE_S:  # long ago: no longer in a row
                self._refusals = 0
            self._refusals += 1
            own_s = min(_PAUSE_S * 2 ** min(self._refusals - 1, 10), _LONGEST_OWN_PAUSE_S)
            wait_s = own_s if retry_after_s is None else max(retry_after_s, 0.0)
            self._open_s = max(self._open_s, self._clock() + wait_s)
            return self._open_s - self._clock()

    def served(self) -> None:
        """It answered: what it refused before is no row any more."""
        with self._guard:
            if self._refusals and self._clock() >= self._open_s:
                self._refusals = 0

    def _wait_s(self, calls: int) -> float:
        now = self._clock()
        waits = [bucket.wait_s(calls, now) for bucket in self._buckets]
        return max([self._open_s - now, *waits])
