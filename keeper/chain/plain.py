"""HTTP/1.1 over a socket of our own, for the nodes nearby: a general client takes longer than such a node's answer.

One POST at a time over one kept connection (RFC 9112). Anything but a plain http address without a proxy goes
through `keeper.chain.transport`.
"""

import base64
import select
import socket
import time
from contextlib import suppress
from urllib.parse import unquote
from urllib.request import getproxies

from keeper.chain import wire
from keeper.chain.refusal import refuse_status
from keeper.chain.urls import split
from keeper.chain.wire import NoAnswer, too_large, too_late

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_CHUNK = 256 * 2**10
_MOST_HEAD_BYTES = 64 * 2**10
_ENDED = "ended the connection"
_FOREIGN = "answered something that is not HTTP"
_MOST_CHUNKS = 16_384
"""Of an answer: cutting off a crumb takes as long as cutting off what is worth sending."""
_BARE = frozenset({204, 304})
"""Statuses whose answers have no body."""


def is_plain(url: str) -> bool:
    """True for an address this can ask: http, no character to be escaped, no proxy on the way, no netrc to consult."""
    parts = split(url)
    if parts is None or parts.scheme != "http" or not parts.hostname or " " in url:
        return False
    try:
        _ = parts.port
    except ValueError:
        return False
    if parts.hostname in LOOPBACK:
        return True
    if not getproxies().keys().isdisjoint({"http", "all"}):
        return False
    from requests.utils import get_netrc_auth

    return get_netrc_auth(url) is None


class PlainLine:
    """Connects when asked, and again when the other side ended the connection in between."""

    def __init__(self, url: str) -> None:
        parts = split(url)
        if parts is None or not parts.hostname:
            raise ValueError("no http address")
        self._place = parts.hostname, parts.port or 80
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        head = [
            f"POST {path} HTTP/1.1",
            f"Host: {parts.netloc.rpartition('@')[2]}",
            "User-Agent: gimbal",
            "Content-Type: application/json",
            "Accept: */*",
            "Accept-Encoding: identity",
        ]
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            head.append(f"Authorization: Basic {base64.b64encode(pair.encode()).decode()}")
        self._head = ("\r\n".join(head) + "\r\nContent-Length: ").encode()
        self._socket: socket.socket | None = None
        self._timeout_s = self._end_s = 0.0

    def close(self) -> None:
        """Cut the connection; a request under way ends."""
        found, self._socket = self._socket, None
        if found is not None:
            with suppress(OSError):
                found.shutdown(socket.SHUT_RDWR)
            found.close()

    def ask(self, body: bytes, timeout_s: float) -> bytes:
        """The body of the answer; NoAnswer when there is none in time, or it is too large."""
        self.send(body, timeout_s)
        return self.receive()

    def send(self, body: bytes, timeout_s: float) -> None:
        """Ask without waiting for the answer; `receive` does, until `timeout_s` from now."""
        self._timeout_s, self._end_s = timeout_s, time.monotonic() + timeout_s
        try:
            line = self._open(timeout_s)
        except TimeoutError:
            raise too_late(timeout_s) from None
        except OSError as error:
            raise NoAnswer("could not connect") from error
        try:
            line.settimeout(timeout_s)
            # head and body together: one packet to a node nearby
            line.sendall(b"%b%d\r\n\r\n%b" % (self._head, len(body), body))
        except TimeoutError:
            raise too_late(timeout_s) from None
        except OSError:
            raise NoAnswer(_ENDED) from None

    def receive(self) -> bytes:
        """The body of the answer to what was sent; NoAnswer as `ask`."""
        line = self._socket
        if line is None:
            raise NoAnswer(_ENDED)
        answer = _Answer(line, self._end_s)
        try:
            found = answer.read()
        except TimeoutError:
            raise too_late(self._timeout_s) from None
        except (OSError, ValueError) as error:
            raise NoAnswer(_ENDED if isinstance(error, OSError) else _FOREIGN) from None
        if answer.last:
            self.close()
        refuse_status(answer.status, answer.headers.get(b"retry-after", b"").decode("latin-1"))
        return found

    def _open(self, timeout_s: float) -> socket.socket:
        # readable before anything was asked: ended, or an answer nobody waits for
        if self._socket is not None and _readable(self._socket):
            self.close()
        if self._socket is None:
            fresh = socket.create_connection(self._place, timeout_s)
            fresh.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket = fresh
        return self._socket


class _EndError(ConnectionError):
    """The other side said all it will."""


class _Answer:
    """One answer as it comes in."""

    def __init__(self, line: socket.socket, end_s: float) -> None:
        self._line = line
        self._end_s = end_s
        self._kept = b""
        self._version = b""
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        """By name in lower case; of a name that comes twice the first."""

    @property
    def last(self) -> bool:
        """True if the connection ends with this answer, or brought more than it."""
        said = self.headers.get(b"connection", b"").lower()
        keeps = self._version == b"HTTP/1.1" or b"keep-alive" in said
        return b"close" in said or not keeps or bool(self._kept)

    def read(self) -> bytes:
        """The body, whole. ValueError for what is not HTTP, OSError for an early end."""
        self._read_head()
        while 100 <= self.status < 200:  # on the way to the answer
            self._read_head()
        if self.status in _BARE:
            return b""
        if b"chunked" in self.headers.get(b"transfer-encoding", b"").lower():
            return self._chunks()
        length = self.headers.get(b"content-length")
        if length is not None:
            return self._exactly(_size(length, 10))
        return self._to_the_end()

    def _read_head(self) -> None:
        while (end := self._kept.find(b"\r\n\r\n")) < 0:
            if len(self._kept) > _MOST_HEAD_BYTES:
                raise ValueError("a head without end")
            self._more()
        head, self._kept = self._kept[:end], self._kept[end + 4 :]
        first, *lines = head.split(b"\r\n")
        version, _, rest = first.partition(b" ")
        code = rest.partition(b" ")[0]
        if not version.startswith(b"HTTP/1.") or len(code) != 3 or not code.isdigit():
            raise ValueError("no status")
        self._version, self.status = version, int(code)
        self.headers = {}
        for line in lines:
            name, _, value = line.partition(b":")
            self.headers.setdefault(name.strip().lower(), value.strip())

    def _exactly(self, size: int) -> bytes:
        if size > wire.MAX_ANSWER_BYTES:
            raise too_large()
        if len(self._kept) >= size:  # small answers are all here
            found, self._kept = self._kept[:size], self._kept[size:]
            return found
        parts, left = [self._kept], size - len(self._kept)
        self._kept = b""
        while left > 0:
            parts.append(self._received(min(left, _CHUNK)))
            left -= len(parts[-1])
        return b"".join(parts)

    def _chunks(self) -> bytes:
        parts: list[bytes] = []
        whole = 0
        while size := _size(self._line_of_text().partition(b";")[0].strip(), 16):
            whole += size
            if whole > wire.MAX_ANSWER_BYTES:
                raise too_large()
            parts.append(self._exactly(size))
            if self._exactly(2) != b"\r\n" or len(parts) > _MOST_CHUNKS:
                raise ValueError("a chunk without end, or crumbs")
        while self._line_of_text():  # trailers
            pass
        return b"".join(parts)

    def _line_of_text(self) -> bytes:
        while (end := self._kept.find(b"\r\n")) < 0:
            if len(self._kept) > _MOST_HEAD_BYTES:
                raise ValueError("a line without end")
            self._more()
        found, self._kept = self._kept[:end], self._kept[end + 2 :]
        return found

    def _to_the_end(self) -> bytes:
        """Without a length the end of the connection is the end of the answer."""
        parts, whole = [self._kept], len(self._kept)
        self.headers[b"connection"] = b"close"
        with suppress(_EndError):
            while whole <= wire.MAX_ANSWER_BYTES:
                parts.append(self._received(_CHUNK))
                whole += len(parts[-1])
            raise too_large()
        return b"".join(parts)

    def _more(self) -> None:
        self._kept += self._received(_CHUNK)

    def _received(self, most: int) -> bytes:
        """Some bytes; TimeoutError after the deadline over the whole answer, _EndError at the end."""
        left_s = self._end_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        self._line.settimeout(left_s)
        found = self._line.recv(most)
        if not found:
            raise _EndError
        return found


def _size(text: bytes, base: int) -> int:
    """A length without sign, blanks or underscores, which `int` would take."""
    if not text.isalnum() or len(text) > 16:
        raise ValueError("no length")
    return int(text, base)


def _readable(line: socket.socket) -> bool:
    poll = select.poll()
    poll.register(line, select.POLLIN)
    return bool(poll.poll(0))
