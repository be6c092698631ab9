"""A subscription to new heads at one endpoint, over websocket or unix socket, made again whenever it ends."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import structlog
import tenacity
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from keeper.chain.endpoint import parsed
from keeper.chain.ipc import Frames
from keeper.chain.stamps import stamp
from keeper.chain.urls import ipc_path, public_name, scheme_of
from keeper.errors import EndpointError
from keeper.model.block import BlockStamp

_log = structlog.get_logger(__name__)
_METHOD = "eth_subscribe"
_SUBSCRIBE = json.dumps({"jsonrpc": "2.0", "id": 1, "method": _METHOD, "params": ["newHeads"]})
_LOSSES = (OSError, ValueError, WebSocketException, EndpointError)
"""A ValueError is of an address that cannot be used; its text would show the address."""
_LOOK_S = 0.5
"""Between two looks at whether to stop."""
_CHUNK = 64 * 2**10
_LARGEST = 2**20
_MOST_A_SECOND = 500
"""Messages that are listened to: no chain makes so many blocks, and each costs the interpreter that decides as well."""


@dataclass(frozen=True, slots=True)
class Feed:
    """Where an endpoint announces heads."""

    name: str
    """Of the endpoint, as in its pool."""
    url: str


class _Stream(Protocol):
    def send(self, message: str) -> None: ...

    def recv(self, timeout: float) -> str | bytes:
        """The next message; TimeoutError when there is none in time, OSError at the end."""
        ...


class Subscription:
    """Tells of every head an endpoint announces, from a thread of its own, until closed."""

    def __init__(
        self, feed: Feed, on_head: Callable[[str, BlockStamp], None], timeout_s: float
    ) -> None:
        self._feed = feed
        self._on_head = on_head
        self._timeout_s = timeout_s
        self._shown = public_name(feed.url)
        self._what = "unix socket" if scheme_of(feed.url) == "ipc" else "websocket"
        self._closing = threading.Event()
        self.connected = False
        """True while heads come."""
        self._was_connected = self._told = False
        self._thread = threading.Thread(target=self._listen, name="heads", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening; `join` waits for it."""
        self._closing.set()

    def join(self) -> None:
        """Wait until it has stopped."""
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
        say = _log.debug if self._told else _log.warning  # the same trouble is one line
        how = "lost" if self._was_connected else "not connected"
        say(f"{self._what} {how}, polling meanwhile", endpoint=self._shown, error=error)
        self._told = True

    def _subscribe_once(self) -> None:
        try:
            with _stream(self._feed.url, self._timeout_s) as stream:
                stream.send(_SUBSCRIBE)
                self._receive(stream)
        finally:
            self.connected = False

    def _receive(self, stream: _Stream) -> None:
        began_s, taken = time.monotonic(), 0
        while not self._closing.is_set():
            try:
                message = stream.recv(timeout=_LOOK_S)
            except TimeoutError:
                continue
            if time.monotonic() - began_s > 1.0:
                began_s, taken = time.monotonic(), 0
            taken += 1
            if taken > _MOST_A_SECOND:
                raise EndpointError(self._shown, _METHOD, "says more than can be listened to")
            self._take(message)

    def _take(self, message: str | bytes) -> None:
        try:
            answer = parsed(message if isinstance(message, str) else message.decode())
        except ValueError as error:
            raise EndpointError(self._shown, _METHOD, "answered no JSON") from error
        if not isinstance(answer, dict) or "error" in answer:
            raise EndpointError(self._shown, _METHOD, "refused the subscription")
        if "result" in answer:
            if self._told:
                _log.info(f"{self._what} connected", endpoint=self._shown)
            self.connected = self._was_connected = True
            self._told = False
            return
        params = answer.get("params")
        header = params.get("result") if isinstance(params, dict) else None
        self._on_head(self._feed.name, stamp(header, self._shown, _METHOD))


@contextmanager
def _stream(url: str, timeout_s: float) -> Iterator[_Stream]:
    if scheme_of(url) == "ipc":
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(timeout_s)
            line.connect(ipc_path(url))
            yield _IpcStream(line)
        return
    with connect(url, open_timeout=timeout_s, close_timeout=1, proxy=None) as found:
        yield found


class _IpcStream:
    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._frames = Frames()

    def send(self, message: str) -> None:
        self._line.sendall(message.encode() + b"\n")

    def recv(self, timeout: float) -> bytes:
        self._line.settimeout(timeout)
        while (frame := self._frames.next()) is None:
            data = self._line.recv(_CHUNK)
            if not data:
                raise ConnectionError("ended")
            self._frames.feed(data)
            if self._frames.pending > _LARGEST:
                raise ValueError("too large")
        return frame
