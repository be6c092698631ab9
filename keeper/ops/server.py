"""/live, /ready and /metrics over HTTP on loopback: reads only, and nothing secret is known here."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from keeper.errors import SettingError
from keeper.ops.health import Answer, Health

_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_PATIENCE_S = 5
_MOST_CLIENTS = 32
"""At a time; each takes a thread and a file of a process that needs its own."""
_OURS = frozenset({"127.0.0.1", "localhost", "[::1]"})
Page = Callable[[], tuple[int, str, bytes]]


@contextmanager
def serving(address: str, health: Health, metrics: Callable[[], bytes]) -> Iterator[str]:
    """Serve on `host:port` (port 0: any free one); the address in use. SettingError if it is taken."""
    host, _, port = address.rpartition(":")
    pages: dict[str, Page] = {
        "/live": lambda: _page(health.live()),
        "/ready": lambda: _page(health.ready()),
        "/metrics": lambda: (200, _TEXT, metrics()),
    }
    try:
        server = _server(host.strip("[]"), int(port), pages)
    except OSError as error:
        problem = f"cannot be listened on ({error.strerror})"
        raise SettingError("ops.listen", problem, "choose another port") from None
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    try:
        yield f"{host}:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _page(answer: Answer) -> tuple[int, str, bytes]:
    body = json.dumps({"ok": answer.good, "reasons": answer.reasons}).encode()
    return (200 if answer.good else 503), "application/json", body


def _server(host: str, port: int, pages: dict[str, Page]) -> "_Server":
    class Handler(BaseHTTPRequestHandler):
        timeout = _PATIENCE_S

        def do_GET(self) -> None:
            page = pages.get(self.path.partition("?")[0])
            code, kind, body = page() if page else (404, "text/plain", b"not here\n")
            if not _names_us(self.headers.get("Host", "localhost")):
                code, kind, body = 421, "text/plain", b"ask this machine by its own name\n"
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """The keeper's log is for the keeper."""

    class Server(_Server):
        address_family = 10 if ":" in host else 2

    return Server((host, port), Handler)


class _Server(ThreadingHTTPServer):
    """So many clients at a time, each for so long as a whole."""

    daemon_threads = True
    request_queue_size = 2 * _MOST_CLIENTS

    def __init__(self, *given: Any) -> None:
        self._due_s: dict[Any, float] = {}
        super().__init__(*given)

    def process_request(self, request: Any, client_address: Any) -> None:
        if len(self._due_s) >= _MOST_CLIENTS:
            self.shutdown_request(request)
            return
        self._due_s[request] = time.monotonic() + _PATIENCE_S
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._due_s.pop(request, None)

    def service_actions(self) -> None:
        """Also who sends a byte now and then ends in time."""
        for request, due_s in list(self._due_s.items()):
            if time.monotonic() >= due_s:
                with suppress(OSError):
                    request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that left is no news."""
        del client_address
        self._due_s.pop(request, None)


def _names_us(host: str) -> bool:
    """False for the name of somebody else's page that was made to lead here (DNS rebinding)."""
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    return name.lower() in _OURS
