"""Is this process alive (or must it be restarted), and is it ready (does it keep the vault just now)?"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from keeper.clock import Clock
from keeper.model.block import BlockStamp


@dataclass(frozen=True, slots=True)
class Answer:
    """Yes, or every reason against it."""

    reasons: tuple[str, ...]

    @property
    def good(self) -> bool:
        """True without reasons."""
        return not self.reasons


class Health:
    """Marked by the loop, asked by the server's threads."""

    def __init__(
        self,
        clock: Clock,
        monotonic: Callable[[], float],
        *,
        max_head_age_s: float,
        max_silence_s: float,
        forbidden: Callable[[], tuple[str, ...]] = lambda: (),
    ) -> None:
        """max_silence_s: a loop that did nothing for so long hangs. forbidden: what people or leadership say."""
        self._clock, self._monotonic = clock, monotonic
        self._max_head_age_s, self._max_silence_s = max_head_age_s, max_silence_s
        self._forbidden = forbidden
        self._lock = threading.Lock()
        self._marked = monotonic()
        self._head: BlockStamp | None = None
        self._failed: dict[str, str] = {}

    def mark(self) -> None:
        """The loop goes round."""
        with self._lock:
            self._marked = self._monotonic()

    def ticked(self, block: BlockStamp | None, failure: str = "", vault: str = "") -> None:
        """A tick ended; `failure` says why it could not be done, if it could not; `vault` is named among several."""
        with self._lock:
            self._marked = self._monotonic()
            self._head = block or self._head
            self._failed[vault] = failure

    def live(self) -> Answer:
        """Not alive: restart it."""
        with self._lock:
            silent_s = self._monotonic() - self._marked
        if silent_s > self._max_silence_s:
            return Answer((f"the loop has done nothing for {silent_s:.0f} s",))
        return Answer(())

    def ready(self) -> Answer:
        """Not ready: it does not keep the vault just now, for reasons a restart does not mend."""
        with self._lock:
            head, failed = self._head, dict(self._failed)
        reasons = list(self.live().reasons) + list(self._forbidden())
        if head is None:
            reasons.append("no tick has been done yet")
        elif (age_s := self._clock() - head.timestamp) > self._max_head_age_s:
            reasons.append(f"the newest head is {age_s:.0f} s old")
        for vault, failure in failed.items():
            of = f" of {vault}" if vault else ""
            reasons += [f"the last tick{of} was not done: {failure}"] if failure else []
        return Answer(tuple(reasons))
