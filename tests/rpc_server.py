"""A JSON-RPC server on loopback whose answers a test writes: for every way an endpoint can fail."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[str, list[Any]], Any]
"""Result of a method; raise RpcFault for a JSON-RPC error."""


class RpcFault(Exception):  # noqa: N818 - stands for an answer
    def __init__(self, code: int, message: str, data: str = "") -> None:
        super().__init__(message)
        self.error = {"code": code, "message": message, **({"data": data} if data else {})}


def answering(answer: Answer) -> Callable[[bytes], bytes]:
    """A raw body handler that speaks JSON-RPC, batches included."""

    def one(request: dict[str, Any]) -> dict[str, Any]:
        head = {"jsonrpc": "2.0", "id": request["id"]}
        try:
            return {**head, "result": answer(request["method"], request["params"])}
        except RpcFault as fault:
            return {**head, "error": fault.error}

    def handle(body: bytes) -> bytes:
        request = json.loads(body)
        many = isinstance(request, list)
        return json.dumps([one(r) for r in request] if many else one(request)).encode()

    return handle


@contextlib.contextmanager
def rpc_server(
    handle: Callable[[bytes], bytes], status: int = 200, headers: dict[str, str] | None = None
) -> Iterator[str]:
    """The server's URL; it ends with the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # head and body are two writes: the second waited 40 ms

        def do_POST(self) -> None:
            body = handle(self.rfile.read(int(self.headers["Content-Length"])))
            with contextlib.suppress(ConnectionError):  # the client may have given up
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
