"""A websocket in front of a node that can be cut: bytes pass both ways until the line is."""

import contextlib
import socket
import threading
from urllib.parse import urlsplit

_CHUNK = 65_536


class HeadLine:
    """Listens from the first use on. `cut` ends every connection and refuses new ones until `mend`."""

    def __init__(self, node_url: str) -> None:
        node = urlsplit(node_url)
        self._node = (str(node.hostname), int(node.port or 80))
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._down = False
        self.cuts = 0
        """Connections that were ended or refused."""

    @property
    def url(self) -> str:
        """Where a subscription connects."""
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", 0))
            threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()
        return f"ws://127.0.0.1:{self._listener.getsockname()[1]}"

    def cut(self) -> None:
        """End what is connected, in the middle of whatever it says."""
        with self._lock:
            self._down = True
            ended, self._open = self._open, set()
        self.cuts += len(ended) // 2
        for line in ended:
            _end(line)

    def mend(self) -> None:
        """Take connections again."""
        self._down = False

    def close(self) -> None:
        """End everything."""
        self.cut()
        if self._listener is not None:
            _end(self._listener)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                caller, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                if self._down:
                    self.cuts += 1
                    _end(caller)
                    continue
                node = socket.create_connection(self._node)
                self._open |= {caller, node}
            for source, sink in ((caller, node), (node, caller)):
                threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(_CHUNK):
                sink.sendall(data)
        for line in (source, sink):
            _end(line)
        with self._lock:
            self._open -= {source, sink}


def _end(line: socket.socket) -> None:
    with contextlib.suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
    line.close()
