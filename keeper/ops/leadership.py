"""Who leads of two keepers of one vault (K-10): one signs, the other stands by and takes over within seconds.

A leader believes in itself only as long as its last renewal lasts by its own clock, and a standby waits longer
than that: so at no time two of them sign. Should both do so all the same (a clock that stops), the chain takes one:
an intent is for one state of the vault, and for one nonce of one account.
"""

import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from typing import Protocol

from keeper.errors import ControlError

_BEATS_PER_TTL = 4


def steady_clock() -> float:
    """Seconds that also pass while the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Store(Protocol):
    """Where leadership is agreed on."""

    def hold(self, holder: str) -> bool:
        """Take or renew it; False while another's lasts. ControlError: nobody knows."""
        ...

    def release(self, holder: str) -> None:
        """Give it up at once."""
        ...

    def holder(self) -> str:
        """Who was the last to hold it; empty if nobody, or if it was given up."""
        ...


def new_holder() -> str:
    """A name for this process that no other ever has, and that says where to look for it."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"


class Leader:
    """This keeper's part in the election. `beat` is called over and over, from one thread."""

    def __init__(
        self,
        store: Store,
        ttl_s: float,
        *,
        holder: str | None = None,
        now: Callable[[], float] = steady_clock,
    ) -> None:
        self.holder = holder or new_holder()
        self._store = store
        self._ttl_s = ttl_s
        self._now = now
        self._until = float("-inf")
        self._one_at_a_time = threading.Lock()
        self.led = threading.Event()
        """Set while this keeper leads."""
        self.lost = threading.Event()
        """Set when it does not lead any more; a new term begins with `begin`."""
        self.problem = ""
        """Why the store was not reached, last time; empty if it was."""

    def begin(self) -> None:
        """Stand for election again."""
        with self._one_at_a_time:
            self.led.clear()
            self.lost.clear()

    def why_not(self) -> str | None:
        """Why this keeper may not act; None while it leads. Asked before every signature."""
        if self.lost.is_set() or not self.led.is_set():
            return "another keeper leads, or none is known to"
        if self._now() >= self._until:
            return "leadership was not renewed in time"
        return None

    def beat(self) -> None:
        """Take, renew or lose leadership. What was lost is not taken again before `begin`."""
        with self._one_at_a_time:
            self._beat()

    def _beat(self) -> None:
        if self.lost.is_set():
            return
        asked = self._now()  # before the store is: whatever it takes is not added to the lease
        try:
            held, self.problem = self._store.hold(self.holder), ""
        except ControlError as error:
            held, self.problem = None, str(error)
        if self.led.is_set() and (held is False or self._now() >= self._until):
            self.led.clear()
            self.lost.set()
        elif held and self._now() < asked + self._ttl_s:
            self._until = asked + self._ttl_s
            self.led.set()

    def resign(self) -> None:
        """Let another lead at once."""
        with self._one_at_a_time:
            self.led.clear()
            self.lost.set()
            try:
                self._store.release(self.holder)
            except ControlError as error:
                self.problem = str(error)


class Heart:
    """Beats for a leader in a thread of its own, whatever the rest of the process waits for."""

    def __init__(self, leader: Leader, ttl_s: float) -> None:
        self._leader = leader
        self._period_s = ttl_s / _BEATS_PER_TTL
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="leadership", daemon=True)

    def __enter__(self) -> "Heart":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        self._leader.resign()

    def _run(self) -> None:
        while not self._end.is_set():
            self._leader.beat()
            self._end.wait(self._period_s)
