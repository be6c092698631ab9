"""JSON-RPC over a unix socket: answers follow each other without a length, so their ends are found by brackets."""

import re
import select
import socket
import time
from contextlib import suppress

from keeper.chain import wire
from keeper.chain.urls import ipc_path
from keeper.chain.wire import NoAnswer, too_large, too_late

_CHUNK = 64 * 2**10
_OUTSIDE = re.compile(rb'["\[\]{}]')
_INSIDE = re.compile(rb'["\\]')


class Frames:
    """Cuts a stream of bytes into JSON arrays and objects; each byte is looked at once."""

    def __init__(self) -> None:
        self._kept = bytearray()
        self._seen = 0
        self._depth = 0
        self._in_string = False

    def feed(self, data: bytes) -> None:
        """More bytes of the stream."""
        self._kept += data

    @property
    def pending(self) -> int:
        """Bytes of a frame that is not whole yet."""
        return len(self._kept)

    def next(self) -> bytes | None:
        """The next whole frame, or None while it is not whole. ValueError for what opens with no bracket."""
        while True:
            pattern = _INSIDE if self._in_string else _OUTSIDE
            found = pattern.search(self._kept, self._seen)
            if found is None:
                self._seen = len(self._kept)
                if self._depth == 0 and self._kept.strip():
                    raise ValueError("no JSON array or object")
                return None
            mark = found[0]
            if mark == b"\\":
                if found.end() == len(self._kept):  # what it escapes is still to come
                    self._seen = found.start()
                    return None
                self._seen = found.end() + 1
                continue
            self._seen = found.end()
            if self._took(mark):
                return self._cut()

    def _took(self, mark: bytes) -> bool:
        """Moves over one mark; True if it ends the frame."""
        if mark == b'"':
            self._in_string = not self._in_string
            opens = self._depth == 0
        else:
            opens = self._depth == 0 and bytes(self._kept[: self._seen - 1]).strip() != b""
            self._depth += 1 if mark in b"[{" else -1
        if opens or self._depth < 0:
            raise ValueError("no JSON array or object")
        return mark in b"]}" and self._depth == 0

    def _cut(self) -> bytes:
        frame = bytes(self._kept[: self._seen]).strip()
        del self._kept[: self._seen]
        self._seen = 0
        return frame


class IpcLine:
    """Connects when asked, and again when the other side ended the connection in between."""

    def __init__(self, url: str) -> None:
        self._path = ipc_path(url)
        self._socket: socket.socket | None = None

    def close(self) -> None:
        """Cut the connection."""
        found, self._socket = self._socket, None
        if found is not None:
            with suppress(OSError):
                found.shutdown(socket.SHUT_RDWR)
            found.close()

    def ask(self, body: bytes, timeout_s: float) -> bytes:
        """The next JSON value; NoAnswer when there is none in time, or it is too large."""
        end_s = time.monotonic() + timeout_s
        try:
            line = self._open(timeout_s)
            line.settimeout(_left_s(end_s))
            line.sendall(body + b"\n")
            return self._answer(line, end_s)
        except TimeoutError:
            raise too_late(timeout_s) from None
        except ValueError:
            raise NoAnswer("answered something that is not JSON-RPC") from None
        except OSError as error:
            what = "could not connect" if self._socket is None else "ended the connection"
            raise NoAnswer(what) from error

    def _answer(self, line: socket.socket, end_s: float) -> bytes:
        frames = Frames()
        while True:
            line.settimeout(_left_s(end_s))
            data = line.recv(_CHUNK)
            if not data:
                raise NoAnswer("ended the connection")
            frames.feed(data)
            frame = frames.next()
            if frame is not None:
                return frame
            if frames.pending > wire.MAX_ANSWER_BYTES:
                raise too_large()

    def _open(self, timeout_s: float) -> socket.socket:
        # readable before anything was asked: ended, or an answer nobody waits for
        if self._socket is not None and _readable(self._socket):
            self.close()
        if self._socket is None:
            fresh = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                fresh.settimeout(timeout_s)
                fresh.connect(self._path)
            except OSError:
                fresh.close()
                raise
            self._socket = fresh
        return self._socket


def _readable(line: socket.socket) -> bool:
    poll = select.poll()
    poll.register(line, select.POLLIN)
    return bool(poll.poll(0))


def _left_s(end_s: float) -> float:
    left = end_s - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
