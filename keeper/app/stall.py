"""A head that stops moving: nothing fails, and nothing would be said."""

from collections.abc import Callable

_SLOWEST_S = 3_600.0


class StallWatch:
    """Says when no head has come for too long, and again after twice the time, up to hourly."""

    def __init__(self, patience_s: float, monotonic: Callable[[], float]) -> None:
        self._patience_s = patience_s
        self._now = monotonic
        self.moved()

    def moved(self) -> None:
        """A new head came."""
        self._since = self._now()
        self._due_s = self._pause_s = self._patience_s

    def overdue_s(self) -> float | None:
        """Seconds without a head when that is to be said now, else None."""
        waited = self._now() - self._since
        if waited < self._due_s:
            return None
        self._pause_s = min(2 * self._pause_s, max(_SLOWEST_S, self._patience_s))
        self._due_s = waited + self._pause_s
        return waited
