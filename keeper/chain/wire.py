"""How a request reaches an endpoint and its answer comes back, whatever carries them."""

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, TypeVar, runtime_checkable
from weakref import WeakSet

from keeper.chain.urls import scheme_of

MAX_ANSWER_BYTES = 16 * 2**20

T = TypeVar("T")


class NoAnswer(Exception):  # noqa: N818 - a fact about the wire, renamed at the edge that knows the method
    """There is no answer; says why in words that follow "the endpoint"."""


class TooMany(NoAnswer):
    """The endpoint takes no more requests for now."""

    def __init__(self, said: str, retry_after_s: float | None) -> None:
        super().__init__(said)
        self.retry_after_s = retry_after_s


def too_late(timeout_s: float) -> NoAnswer:
    """The deadline over the whole answer passed."""
    return NoAnswer(f"did not answer within {timeout_s:g} s")


def too_large() -> NoAnswer:
    """More than is read."""
    return NoAnswer(f"answered more than {MAX_ANSWER_BYTES // 2**20} MiB")


class Line(Protocol):
    """One connection, for one request at a time."""

    def ask(self, body: bytes, timeout_s: float) -> bytes:
        """The answer's bytes, whole, within `timeout_s`; else NoAnswer."""
        ...

    def close(self) -> None:
        """End the connection; from another thread, also under a request."""
        ...


@runtime_checkable
class SplitLine(Line, Protocol):
    """A line whose asker may do something else before it waits."""

    def send(self, body: bytes, timeout_s: float) -> None:
        """Ask; NoAnswer where that is not possible."""
        ...

    def receive(self) -> bytes:
        """The answer's bytes, until `timeout_s` from the sending; else NoAnswer."""
        ...


class Asked:
    """A request under way."""

    def __init__(self, line: SplitLine, done_with: Callable[[Line], None]) -> None:
        self._line: SplitLine | None = line
        self._done_with = done_with

    def read(self, read: Callable[[bytes], T]) -> T:
        """What `read` makes of the answer, once; as `Wire.ask`."""
        line, self._line = self._line, None
        if line is None:
            raise NoAnswer("was read before")
        try:
            found = read(line.receive())
        except BaseException:
            line.close()
            raise
        self._done_with(line)
        return found

    def __del__(self) -> None:
        """An answer that nobody waits for would be taken for that of another request."""
        if self._line is not None:
            self._line.close()


class Wire:
    """Lines to one address: a request has one to itself, so any thread may ask and none waits for another."""

    def __init__(self, make: Callable[[], Line]) -> None:
        self._make = make
        self._free: deque[Line] = deque()
        self._lines: WeakSet[Line] = WeakSet()
        self._guard = threading.Lock()
        self._closed = False

    def ask(self, body: bytes, timeout_s: float, read: Callable[[bytes], T]) -> T:
        """What `read` makes of the answer.

        A line that failed or whose answer could not be read is not used again: the answer may still come
        on it, and would be taken for that of the next request.
        """
        line = self._taken()
        try:
            found = read(line.ask(body, timeout_s))
        except BaseException:
            line.close()
            raise
        self._done_with(line)
        return found

    def begin(self, body: bytes, timeout_s: float) -> "Asked | None":
        """Ask without waiting; None where a line must wait for its answer, and nothing was asked."""
        line = self._taken()
        if not isinstance(line, SplitLine):
            self._done_with(line)
            return None
        try:
            line.send(body, timeout_s)
        except BaseException:
            line.close()
            raise
        return Asked(line, self._done_with)

    def _taken(self) -> Line:
        """A line for one request."""
        try:
            return self._free.pop()
        except IndexError:
            line = self._make()
            with self._guard:
                self._lines.add(line)
            return line

    def _done_with(self, line: Line) -> None:
        self._free.append(line)
        if self._closed:  # meanwhile, or before: nobody else will end it
            self._end(self._free)

    def close(self) -> None:
        """Close every line, those in use too; one that is opened for a request still under way ends with it."""
        self._closed = True
        with self._guard:
            lines = list(self._lines)
        self._free.clear()
        for line in lines:
            line.close()

    @staticmethod
    def _end(free: deque[Line]) -> None:
        with suppress(IndexError):
            while True:
                free.pop().close()


def open_wire(url: str) -> Wire:
    """A wire by the scheme of the address; a path or `ipc:` is a unix socket. Nothing is connected yet."""
    scheme = scheme_of(url)
    if scheme in {"ws", "wss"}:
        from keeper.chain.websocket import WebsocketLine

        return Wire(lambda: WebsocketLine(url))
    if scheme == "ipc":
        from keeper.chain.ipc import IpcLine

        return Wire(lambda: IpcLine(url))
    from keeper.chain.plain import PlainLine, is_plain

    if is_plain(url):
        return Wire(lambda: PlainLine(url))
    from keeper.chain.transport import HttpLine

    return Wire(lambda: HttpLine(url))
