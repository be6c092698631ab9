"""/live, /ready and /metrics over HTTP on loopback: reads only, and nothing secret is known here."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from keeper.errors import SettingError
from keeper.ops.health import Answer, Health

_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_PATIENCE_S = 5
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


def _server(host: str, port: int, pages: dict[str, Page]) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        timeout = _PATIENCE_S  # a client that says nothing holds no thread for ever

        def do_GET(self) -> None:
            page = pages.get(self.path.partition("?")[0])
            code, kind, body = page() if page else (404, "text/plain", b"not here\n")
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """The keeper's log is for the keeper."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        address_family = 10 if ":" in host else 2

    return Server((host, port), Handler)
