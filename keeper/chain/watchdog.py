"""One thread that cuts whatever is not done by its deadline: a timeout of a socket begins anew with every byte."""

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_REPEAT_S = 0.05
"""Between two cuts of the same work: a connection may only have been about to be made."""


class _Watch:
    __slots__ = ("cut", "due_s", "late")

    def __init__(self, cut: Callable[[], None], due_s: float) -> None:
        self.cut = cut
        self.due_s = due_s
        self.late = False


class Watchdog:
    """Cuts overdue work. Watching costs a lock and no thread switch, as long as deadlines do not come closer."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._watches: set[_Watch] = set()
        self._wakes_s = math.inf
        self._thread: threading.Thread | None = None

    @contextmanager
    def over(self, timeout_s: float, cut: Callable[[], None]) -> Iterator[_Watch]:
        """Calls `cut` after `timeout_s`, and again until the block ends; `late` of what is given tells of it.

        After the block `cut` is not called any more, not even by a call that had begun.
        """
        watch = _Watch(cut, time.monotonic() + timeout_s)
        with self._news:
            self._watches.add(watch)
            if self._thread is None or not self._thread.is_alive():  # a fork keeps no threads
                self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
                self._wakes_s = math.inf
                self._thread.start()
            elif watch.due_s < self._wakes_s:
                self._news.notify()
        try:
            yield watch
        finally:
            with self._news:
                self._watches.discard(watch)

    def _run(self) -> None:
        with self._news:
            while True:
                now = time.monotonic()
                for watch in self._watches:
                    if watch.due_s <= now:
                        watch.late, watch.due_s = True, now + _REPEAT_S
                        with suppress(OSError):
                            watch.cut()
                # asleep until the earliest deadline it knows, even if that work is done long before:
                # later deadlines then need not wake it
                self._wakes_s = min((w.due_s for w in self._watches), default=math.inf)
                idle = self._wakes_s == math.inf
                self._news.wait(None if idle else max(0.0, self._wakes_s - now))


watchdog = Watchdog()
"""Of the whole process."""
