"""A JSON-RPC proxy on loopback that passes everything on and lets faults loose on what passes.

What a fault does depends on the seed, the endpoint and how many requests of its kind passed before: never on the clock.
"""

import contextlib
import json
import threading
from collections.abc import Iterator, Sequence
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import urlsplit

from tests.chaos.headline import HeadLine

Request = dict[str, Any]
Answer = dict[str, Any]


class Vanish(Exception):  # noqa: N818 - what happens to the answer
    """The connection ends without an answer."""


class HttpStatus(Exception):  # noqa: N818 - what is answered instead
    """An HTTP status instead of JSON-RPC."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Fault(Protocol):
    """One thing that goes wrong between a keeper and one endpoint, while it is active."""

    struck: int
    """How often it did: a fault that never struck proves nothing."""

    def arrive(self) -> None:
        """A connection's bytes come in, one call or a batch; raises Vanish or HttpStatus to end it there."""
        ...

    def before(self, request: Request) -> Request | Answer:
        """The request as the node gets it, or an answer the node is never asked for."""
        ...

    def after(self, request: Request, answer: Answer) -> Answer:
        """The answer as the keeper gets it."""
        ...

    def body(self, text: bytes) -> bytes:
        """The bytes on the wire."""
        ...


class Passing:
    """A fault that changes nothing; real ones override what they spoil."""

    struck = 0

    def arrive(self) -> None:
        return

    def before(self, request: Request) -> Request | Answer:
        return request

    def after(self, request: Request, answer: Answer) -> Answer:
        del request
        return answer

    def body(self, text: bytes) -> bytes:
        return text


class Proxy:
    """Between one keeper and one node. `faults` is changed between blocks by the campaign."""

    def __init__(self, node_url: str) -> None:
        self.faults: Sequence[Fault] = ()
        self.counts: dict[str, int] = {}
        """Requests by method since the start."""
        self.url = ""
        self.seen_raw: dict[str, None] = {}
        """Every signed transaction that came by, as pools elsewhere may keep it."""
        self.heads = HeadLine(node_url)
        """The websocket beside."""
        self._node = urlsplit(node_url)
        self._local = threading.local()
        self._lock = threading.Lock()

    def answer(self, body: bytes) -> bytes:
        """Bytes to answer with; raises Vanish or HttpStatus."""
        asked = json.loads(body)
        with (
            self._lock
        ):  # one request after the other, or the faults' draws would depend on threads
            for fault in self.faults:
                fault.arrive()
            many = isinstance(asked, list)
            answers = [self._one(request) for request in (asked if many else [asked])]
            text = json.dumps(answers if many else answers[0]).encode()
            for fault in self.faults:
                text = fault.body(text)
            return text

    def _one(self, request: Request) -> Answer:
        self.counts[request["method"]] = self.counts.get(request["method"], 0) + 1
        if request["method"] == "eth_sendRawTransaction":
            self.seen_raw[request["params"][0]] = None
        passed: Request | Answer = request
        for fault in self.faults:
            passed = fault.before(passed)
            if "method" not in passed:
                return {"jsonrpc": "2.0", "id": request["id"], **passed}
        answer = self.forward(passed)
        for fault in self.faults:
            answer = fault.after(passed, answer)
        return {**answer, "id": request["id"]}

    @property
    def quiet(self) -> threading.Lock:
        """Held, nothing of the keeper's is at the node: one that is asked while it mines may lock itself up."""
        return self._lock

    def mend(self) -> None:
        """The websocket works again."""
        self.heads.mend()

    def forward(self, request: Request) -> Answer:
        """What the node says; as it is."""
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = HTTPConnection(str(self._node.hostname), self._node.port, timeout=30)
            self._local.connection = connection
        connection.request("POST", "/", json.dumps(request), {"Content-Type": "application/json"})
        answer: Answer = json.loads(connection.getresponse().read())
        return answer


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Callers hang up and nodes end: that is what is tested."""


@contextlib.contextmanager
def proxy(node_url: str) -> Iterator[Proxy]:
    """A running proxy; it ends with the block."""
    between = Proxy(node_url)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1  # head and body in one packet

        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                said, status = between.answer(asked), 200
            except HttpStatus as instead:
                said, status = b"", instead.status
            except Vanish:
                self.close_connection = True
                return
            with contextlib.suppress(ConnectionError):
                self.send_response(status)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)
                self.wfile.flush()

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = _Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    between.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield between
    finally:
        between.heads.close()
        server.shutdown()
        thread.join()
        server.server_close()
