"""New heads as they come: by websocket where there is one, by polling where there is not or it fails."""

import json
import threading
import time
from collections.abc import Callable

import structlog
import tenacity
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from keeper.chain.endpoint import parsed
from keeper.chain.reader import stamp
from keeper.chain.urls import public_name
from keeper.errors import EndpointError
from keeper.model.block import BlockStamp

_log = structlog.get_logger(__name__)
_SUBSCRIBE = json.dumps(
    {"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]}
)
_LOSSES = (OSError, ValueError, WebSocketException, EndpointError)
"""A ValueError is of an address that cannot be used; its text would show the address."""
_SILENCE_FACTOR = 5
_LONGEST_WAIT_S = 1.0
"""Whoever waits for a head also looks for a stop signal."""


class Heads:
    """The newest head not yet given; heads that pass while nobody asks are skipped, not queued."""

    def __init__(
        self,
        poll: Callable[[], BlockStamp],
        *,
        poll_interval_s: float,
        ws_url: str | None = None,
        timeout_s: float = 10.0,
    ) -> None:
        self._poll = poll
        self._interval_s = poll_interval_s
        self._timeout_s = timeout_s
        self._ws_url = ws_url
        self._news = threading.Condition()
        self._newest: BlockStamp | None = None
        self._given: str | None = None
        self._poll_due = 0.0
        self._connected = self._was_connected = False
        self._told = False
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        if ws_url:
            self._thread = threading.Thread(target=self._listen, name="heads", daemon=True)
            self._thread.start()

    @property
    def subscribed(self) -> bool:
        """True while heads come by websocket."""
        return self._connected

    def next(self) -> BlockStamp | None:
        """The newest head not given before, or None when none came for a second or one interval.

        Without a live subscription the head is asked for; raises ReadError when that fails.
        """
        with self._news:
            patience = min(self._interval_s, _LONGEST_WAIT_S)
            self._news.wait_for(lambda: self._fresh(self._newest), timeout=patience)
            head = self._newest
        if not self._fresh(head) and time.monotonic() >= self._poll_due:
            self._postpone()  # before asking: a refusal must not make us ask faster
            head = self._poll()  # a silent subscription is checked too: it may be dead
        if head is None or not self._fresh(head):
            return None
        self._given = head.hash
        self._postpone()
        return head

    def _fresh(self, head: BlockStamp | None) -> bool:
        return head is not None and head.hash != self._given

    def _postpone(self) -> None:
        silence = self._interval_s * (_SILENCE_FACTOR if self._connected else 1)
        self._poll_due = time.monotonic() + silence

    def close(self) -> None:
        """Stop listening."""
        self._closing.set()
        with self._news:
            self._news.notify_all()
        if self._thread:
            self._thread.join(timeout=self._timeout_s)

    def _listen(self) -> None:
        """Subscribe again whenever the connection ends, more and more slowly, until closed."""
        reconnect = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_LOSSES),
            wait=tenacity.wait_exponential_jitter(multiplier=0.5, max=30.0, jitter=0.5),
            stop=tenacity.stop_when_event_set(self._closing),
            sleep=self._pause,
            before_sleep=self._lost,
        )
        while not self._closing.is_set():
            try:
                reconnect(self._subscribe_once)
            except tenacity.RetryError:
                return

    def _pause(self, seconds: float) -> None:
        self._closing.wait(seconds)

    def _lost(self, state: tenacity.RetryCallState) -> None:
        outcome = state.outcome
        error = type(outcome.exception()).__name__ if outcome else "closed"
        name = public_name(self._ws_url or "")
        say = _log.debug if self._told else _log.warning  # the same trouble is one line
        what = "lost" if self._was_connected else "not connected"
        say(f"websocket {what}, polling meanwhile", endpoint=name, error=error)
        self._told = True

    def _subscribe_once(self) -> None:
        try:
            with connect(
                self._ws_url or "", open_timeout=self._timeout_s, close_timeout=1, proxy=None
            ) as socket:
                socket.send(_SUBSCRIBE)
                self._receive(socket)
        finally:
            self._connected = False

    def _receive(self, socket: Connection) -> None:
        while not self._closing.is_set():
            try:
                message = socket.recv(timeout=0.5)
            except TimeoutError:
                continue
            self._take(message)

    def _take(self, message: str | bytes) -> None:
        name = public_name(self._ws_url or "")
        try:
            answer = parsed(message if isinstance(message, str) else message.decode())
        except ValueError as error:
            raise EndpointError(name, "eth_subscribe", "answered no JSON") from error
        if not isinstance(answer, dict) or "error" in answer:
            raise EndpointError(name, "eth_subscribe", "refused the subscription")
        if "result" in answer:
            if self._told:
                _log.info("websocket connected", endpoint=name)
            self._connected = self._was_connected = True
            self._told = False
            return
        params = answer.get("params")
        header = params.get("result") if isinstance(params, dict) else None
        head = stamp(header, name, "eth_subscribe")
        with self._news:
            self._newest = head
            self._news.notify_all()
