"""JSON-RPC requests over a websocket: one connection, one request at a time."""

import time
from contextlib import suppress
from socket import SHUT_RDWR

from websockets.exceptions import PayloadTooBig, WebSocketException
from websockets.protocol import State
from websockets.sync.client import ClientConnection, connect

from keeper.chain import wire
from keeper.chain.watchdog import watchdog
from keeper.chain.wire import NoAnswer, too_large, too_late


class WebsocketLine:
    """Connects when asked, and again when the connection was lost in between."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._socket: ClientConnection | None = None

    def close(self) -> None:
        """Cut the connection: nobody waits for a closing handshake."""
        self._cut()
        self._socket = None

    def ask(self, body: bytes, timeout_s: float) -> bytes:
        """The next message as bytes; NoAnswer when there is none in time, or it is too large."""
        end_s = time.monotonic() + timeout_s
        try:
            with watchdog.over(timeout_s, self._cut) as watch:
                socket = self._open(end_s)
                socket.send(body.decode())
                answer = socket.recv(timeout=max(0.0, end_s - time.monotonic()))
        except TimeoutError:
            raise too_late(timeout_s) from None
        except PayloadTooBig:
            raise too_large() from None
        except (OSError, ValueError, WebSocketException) as error:
            if watch.late:
                raise too_late(timeout_s) from None
            if _was_too_large(error):
                raise too_large() from None
            what = "could not connect" if self._socket is None else "ended the connection"
            raise NoAnswer(what) from None
        return answer.encode() if isinstance(answer, str) else bytes(answer)

    def _open(self, end_s: float) -> ClientConnection:
        if self._socket is None or self._socket.state is not State.OPEN:
            self._socket = None
            self._socket = connect(
                self._url,
                open_timeout=max(0.001, end_s - time.monotonic()),
                close_timeout=0.1,
                proxy=None,
                compression=None,
                max_size=wire.MAX_ANSWER_BYTES,
            )
        return self._socket

    def _cut(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                self._socket.socket.shutdown(SHUT_RDWR)


def _was_too_large(error: Exception) -> bool:
    sent = getattr(error, "sent", None)
    return sent is not None and sent.code == 1009
