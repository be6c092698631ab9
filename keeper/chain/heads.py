"""New heads as they come: by subscription where there is one, by polling where there is not or it fails."""

import threading
import time
from collections.abc import Callable, Sequence

from keeper.chain.subscription import Feed, Subscription
from keeper.chain.urls import public_name
from keeper.model.block import BlockStamp

_SILENCE_FACTOR = 5
_LONGEST_WAIT_S = 1.0
"""Whoever waits for a head also looks for a stop signal."""
_SETTLE_S = 0.1
"""After one endpoint announced a head the others may do so too: asking them can wait this long."""
_RUMOUR_PAUSE_S = 0.25
_RUMOUR_POLLS = 8
"""Times rumours are asked for between two heads: an endpoint that invents heads must not set the pace."""


class Heads:
    """The newest head not yet given; heads that pass while nobody asks are skipped, not queued.

    `announced` says what an endpoint's announcement amounts to: the head, or None while too few have it.
    `needed` announcing endpoints make polling the exception.
    """

    def __init__(
        self,
        poll: Callable[[], BlockStamp],
        *,
        poll_interval_s: float,
        ws_url: str | None = None,
        timeout_s: float = 10.0,
        feeds: Sequence[Feed] = (),
        announced: Callable[[str, BlockStamp], BlockStamp | None] | None = None,
        needed: int = 1,
    ) -> None:
        self._poll = poll
        self._interval_s = poll_interval_s
        self._announced = announced or (lambda _name, head: head)
        self._needed = needed
        self._news = threading.Condition()
        self._newest: BlockStamp | None = None
        self._given: BlockStamp | None = None
        self._rumour: int | None = None
        self._rumour_polls = 0
        self._rumour_due = 0.0
        self._poll_due = 0.0
        self._again = False
        own = (Feed(public_name(ws_url), ws_url),) if ws_url else ()
        self._feeds = [Subscription(feed, self._heard, timeout_s) for feed in (*feeds, *own)]

    @property
    def subscribed(self) -> bool:
        """True while enough endpoints announce heads."""
        return bool(self._feeds) and sum(f.connected for f in self._feeds) >= self._needed

    def next(self) -> BlockStamp | None:
        """The newest head not given before, or None when none came for a second or one interval.

        Without enough live subscriptions the head is asked for; raises ReadError when that fails.
        """
        patience = min(self._interval_s, _LONGEST_WAIT_S)
        with self._news:
            self._news.wait_for(lambda: self._fresh(self._newest) or self._rumoured(), patience)
            if self._rumoured() and not self._fresh(self._newest):
                pause = max(_SETTLE_S, self._rumour_due - time.monotonic())
                self._news.wait_for(lambda: self._fresh(self._newest), min(pause, patience))
            head = self._newest
        if self._again and not self._fresh(head):
            self._given = None
        self._again = False
        if not self._fresh(head) and self._due():
            self._postpone()  # before asking: a refusal must not make us ask faster
            head = self._poll()  # a silent subscription is checked too: it may be dead
        if head is None or not self._fresh(head):
            return None
        self._given, self._rumour_polls = head, 0
        self._postpone()
        return head

    def again(self) -> None:
        """The head given last could not be used: after a wait it is given once more, if no newer one came."""
        self._again = True

    def _due(self) -> bool:
        now = time.monotonic()
        if self._rumoured() and now >= self._rumour_due:
            self._rumour_polls += 1
            self._rumour_due = now + min(self._interval_s / 4, _RUMOUR_PAUSE_S)
            return True
        return now >= self._poll_due

    def _rumoured(self) -> bool:
        """True while a head is announced that too few have, and that has not been asked for in vain."""
        above = self._rumour is not None and (
            self._given is None or self._rumour > self._given.number
        )
        return above and self._rumour_polls < _RUMOUR_POLLS

    def _fresh(self, head: BlockStamp | None) -> bool:
        return head is not None and (self._given is None or head.hash != self._given.hash)

    def _postpone(self) -> None:
        silence = self._interval_s * (_SILENCE_FACTOR if self.subscribed else 1)
        self._poll_due = time.monotonic() + silence

    def close(self) -> None:
        """Stop listening."""
        for feed in self._feeds:
            feed.stop()
        with self._news:
            self._news.notify_all()
        for feed in self._feeds:
            feed.join()

    def _heard(self, name: str, head: BlockStamp) -> None:
        agreed = self._announced(name, head)
        with self._news:
            if agreed is not None:
                self._newest = agreed
            else:
                self._rumour = head.number
            self._news.notify_all()
