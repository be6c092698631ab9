"""One question put to several endpoints at once: who answered what, and who is still to answer."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

A = TypeVar("A")


class Round(Generic[A]):
    """Answers as they come. The asker leaves when it has enough; what comes later goes to `late`."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._waiting = set(names)
        self._answers: dict[str, A] = {}
        self._news = threading.Condition()
        self._late: Callable[[str, A], None] | None = None

    def put(self, name: str, answer: A) -> None:
        """One endpoint's answer, from the thread that asked it."""
        with self._news:
            late = self._late
            if late is None:
                self._answers[name] = answer
                self._waiting.discard(name)
                self._news.notify_all()
        if late is not None:
            late(name, answer)

    def wait(self, enough: Callable[[Mapping[str, A]], bool], patience_s: float) -> dict[str, A]:
        """The answers, once they are enough, all have come, or patience has ended."""
        end_s = time.monotonic() + patience_s
        with self._news:
            while self._waiting and not enough(self._answers):
                left_s = end_s - time.monotonic()
                if left_s <= 0 or not self._news.wait(left_s):
                    break
            return dict(self._answers)

    def close(self, late: Callable[[str, A], None]) -> dict[str, A]:
        """The answers so far; `late` gets those that come after, in their own threads."""
        with self._news:
            self._late = late
            return dict(self._answers)

    def waiting(self) -> tuple[str, ...]:
        """Who has not answered."""
        with self._news:
            return tuple(self._waiting)
