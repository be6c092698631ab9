"""The vault's own past: how far a share is below its highest, and how much its value moves."""

import math

YEAR_S, DAY_S, MEMORY_S = 365 * 86_400, 86_400, 30 * 86_400
STEP_S = 3_600
"""Values nearer together than this say more of the oracle than of the vault."""


class ShareTrack:
    """Value of a share over time. Drawdown is from the highest value seen, volatility over about a month."""

    def __init__(self) -> None:
        self.peak = 0.0
        self.value = 0.0
        self.since = 0
        """Unix seconds of the first value; 0 before it."""
        self._last: tuple[int, float] | None = None
        self._variance: float | None = None
        self._counted_s = 0

    def see(self, at: int, value: float) -> None:
        """A value at a time; times that go back, and what is no value, are left out."""
        if not (math.isfinite(value) and value > 0):
            return
        if self._last is not None and at <= self._last[0]:
            self.value = value if at == self._last[0] else self.value
            return
        self.peak, self.value = max(self.peak, value), value
        if self._last is None:
            self._last, self.since = (at, value), at
            return
        before_at, before = self._last
        seconds = at - before_at
        if seconds < STEP_S:
            return
        squared = math.log(value / before) ** 2 * YEAR_S / seconds
        self._counted_s += seconds
        weight = min(1.0, seconds / min(MEMORY_S, self._counted_s))
        old = squared if self._variance is None else self._variance
        self._variance = old + weight * (squared - old)
        self._last = (at, value)

    @property
    def drawdown(self) -> float | None:
        """1 - value / highest; None before the first value."""
        return max(0.0, 1.0 - self.value / self.peak) if self.peak > 0 else None

    @property
    def volatility(self) -> float | None:
        """Annualised; None in the first day."""
        if self._variance is None or self._counted_s < DAY_S:
            return None
        return math.sqrt(self._variance)
