"""Whatever carries a request: whole answers within one deadline, of a bounded size, each to its own question."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from keeper.chain import wire
from keeper.chain.endpoint import Endpoint
from keeper.chain.refusal import retry_after_s
from keeper.chain.watchdog import Watchdog
from keeper.errors import EndpointError, RateLimitedError, RpcError
from tests.rpc_server import RpcFault, answering, rpc_server

ECHO = answering(lambda method, params: [method, *params])

Talk = Callable[[Callable[[], bytes | None], Callable[[bytes], None]], None]
"""What a server does with a connection: given how to receive a request, and how to send."""


def honest(receive: Callable[[], bytes | None], send: Callable[[bytes], None]) -> None:
    while (request := receive()) is not None:
        send(ECHO(request))


@contextmanager
def websocket_server(talk: Talk) -> Iterator[str]:
    def handle(connection: ServerConnection) -> None:
        def receive() -> bytes | None:
            with suppress(ConnectionClosed):
                said = connection.recv()
                return said.encode() if isinstance(said, str) else said
            return None

        with suppress(ConnectionClosed, OSError):
            talk(receive, lambda data: connection.send(data.decode()))

    with serve(handle, "127.0.0.1", 0, close_timeout=0.1) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def ipc_server(talk: Talk, path: Path) -> Iterator[str]:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen()

    def serve_all() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=one, args=(connection,), daemon=True).start()

    def one(connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines, suppress(OSError):
            talk(lambda: lines.readline() or None, connection.sendall)

    thread = threading.Thread(target=serve_all, daemon=True)
    thread.start()
    try:
        yield f"ipc:{path}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@contextmanager
def asked(url: str, timeout_s: float = 2.0, **options: Any) -> Iterator[Endpoint]:
    endpoint = Endpoint(url, timeout_s, **options)
    try:
        yield endpoint
    finally:
        endpoint.close()


@pytest.fixture(params=["websocket", "ipc"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    def started(talk: Talk) -> Any:
        if request.param == "ipc":
            return ipc_server(talk, tmp_path / "node.ipc")
        return websocket_server(talk)

    return started


def test_calls_and_batches_go_over_one_connection(server: Any) -> None:
    connections = []

    def counted(receive: Any, send: Any) -> None:
        connections.append(1)
        honest(receive, send)

    with server(counted) as url, asked(url) as endpoint:
        assert endpoint.call("a", [1]) == ["a", 1]
        assert endpoint.batch([("a", []), ("b", [])]) == [["a"], ["b"]]
    assert len(connections) == 1


def test_several_threads_do_not_wait_for_each_other(server: Any) -> None:
    """The first answer comes only after the second request: on one connection neither would."""
    both = threading.Barrier(2, timeout=5)

    def together(receive: Any, send: Any) -> None:
        while (request := receive()) is not None:
            both.wait()
            send(ECHO(request))

    with server(together) as url, asked(url, 5.0) as endpoint:
        found: list[Any] = []
        threads = [
            threading.Thread(target=lambda i=i: found.append(endpoint.call("a", [i])))
            for i in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(found) == [["a", 0], ["a", 1]]


def test_a_connection_that_ended_between_requests_is_made_again(server: Any) -> None:
    ended = threading.Semaphore(0)

    def once(receive: Any, send: Any) -> None:
        send(ECHO(receive()))
        ended.release()

    with server(once) as url, asked(url) as endpoint:
        for i in range(3):
            assert endpoint.call("a", [i]) == ["a", i]
            ended.acquire(timeout=5)
            _until(lambda: not _usable(endpoint))


def _usable(endpoint: Endpoint) -> bool:
    """The kept connection has not yet been seen to end."""
    line: Any = endpoint._wire._free[-1]
    found = line._socket
    if isinstance(found, socket.socket):
        return found.recv(1, socket.MSG_PEEK) != b""
    found.recv_events_thread.join(5)
    return False


def _until(condition: Callable[[], bool]) -> None:
    for _ in range(500):
        if condition():
            return
        threading.Event().wait(0.01)
    raise AssertionError("never")


@pytest.mark.parametrize("cut", [0, 1, 20])
def test_a_connection_cut_in_the_middle_of_an_answer_is_no_answer(cut: int, tmp_path: Path) -> None:
    def partial(receive: Any, send: Any) -> None:
        send(ECHO(receive())[:cut])

    with (
        ipc_server(partial, tmp_path / "node.ipc") as url,
        asked(url) as endpoint,
        pytest.raises(EndpointError, match="ended the connection"),
    ):
        endpoint.call("a", [])


def test_a_websocket_cut_in_the_middle_of_a_message_is_no_answer() -> None:
    """A frame that says 100 bytes and brings 10."""

    def cut(connection: ServerConnection) -> None:
        connection.recv()
        connection.socket.sendall(b"\x81\x64" + b'{"jsonrpc"')
        connection.socket.shutdown(socket.SHUT_RDWR)

    with serve(cut, "127.0.0.1", 0, close_timeout=0.1) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        with asked(url) as endpoint, pytest.raises(EndpointError, match="ended the connection"):
            endpoint.call("a", [])
        server.shutdown()
        thread.join()


def test_an_answer_in_pieces_is_put_together(tmp_path: Path) -> None:
    def pieces(receive: Any, send: Any) -> None:
        while (request := receive()) is not None:
            for byte in ECHO(request):
                send(bytes([byte]))

    with ipc_server(pieces, tmp_path / "node.ipc") as url, asked(url) as endpoint:
        for nasty in ('"}', "\\", '\\"', "{[", "é", "a}b]"):
            assert endpoint.call("a", [nasty]) == ["a", nasty]


def test_a_slow_drip_is_given_up_at_the_deadline(server: Any) -> None:
    end = threading.Event()

    def drip(receive: Any, send: Any) -> None:
        receive()
        while not end.wait(0.02):
            send(b" ")

    with server(drip) as url, asked(url, 0.3) as endpoint:
        with pytest.raises(EndpointError, match=r"did not answer within|not JSON-RPC"):
            endpoint.call("a", [])
        end.set()


def test_an_answer_that_comes_late_is_not_the_next_ones(server: Any) -> None:
    go = threading.Event()
    first = iter([True])

    def late(receive: Any, send: Any) -> None:
        while (request := receive()) is not None:
            if next(first, False):
                go.wait(5)
            send(ECHO(request))

    with server(late) as url, asked(url, 0.2) as endpoint:
        with pytest.raises(EndpointError, match="did not answer"):
            endpoint.call("a", [1])
        go.set()
        assert endpoint.call("a", [2]) == ["a", 2]


def test_an_answer_that_comes_twice_spoils_at_most_the_next_one(server: Any) -> None:
    def twice(receive: Any, send: Any) -> None:
        while (request := receive()) is not None:
            send(ECHO(request))
            send(ECHO(request))

    with server(twice) as url, asked(url) as endpoint:
        answers = []
        for i in range(6):
            with suppress(EndpointError):
                answers.append(endpoint.call("a", [i]) == ["a", i])
        assert all(answers)
        assert len(answers) >= 3


def test_an_answer_without_end_is_cut(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MAX_ANSWER_BYTES", 2**20)

    def endless(receive: Any, send: Any) -> None:
        receive()
        send(b"[" + b"1," * 2**20)

    with (
        server(endless) as url,
        asked(url, 5.0) as endpoint,
        pytest.raises(EndpointError, match="answered more than 1 MiB"),
    ):
        endpoint.call("a", [])


@pytest.mark.parametrize("url", ["ipc:/nowhere/node.ipc", "/nowhere/node.ipc", "ws://127.0.0.1:9"])
def test_nobody_there_is_named(url: str) -> None:
    with asked(url) as endpoint, pytest.raises(EndpointError, match="could not connect"):
        endpoint.call("a", [])


def test_truncated_json_is_no_answer() -> None:
    with (
        rpc_server(lambda body: ECHO(body)[:-3]) as url,
        asked(url) as endpoint,
        pytest.raises(EndpointError, match="not JSON-RPC"),
    ):
        endpoint.call("a", [])


def test_too_many_requests_are_not_followed_by_more() -> None:
    """A 429 without a time: nothing is asked for a while, and the error says for how long."""
    asked_for = []

    def refuse(body: bytes) -> bytes:
        asked_for.append(body)
        return b"{}"

    with (
        rpc_server(refuse, status=429, headers={"Retry-After": "30"}) as url,
        asked(url) as endpoint,
    ):
        for _ in range(3):
            with pytest.raises(RateLimitedError) as caught:
                endpoint.call("a", [])
            assert 25 < caught.value.retry_after_s <= 30
    assert len(asked_for) == 1


def test_a_limit_in_the_answer_is_honoured_with_its_time() -> None:
    def limited(_method: str, _params: list[Any]) -> Any:
        raise RpcFault(-32005, "limit", {"rate": {"backoff_seconds": 20}})  # type: ignore[arg-type]

    with rpc_server(answering(limited)) as url, asked(url) as endpoint:
        with pytest.raises(RpcError, match="limit"):
            endpoint.call("a", [])
        with pytest.raises(RateLimitedError):
            endpoint.call("a", [])


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        ("7", 7.0),
        ("999999999999", 3_600.0),
        ("soon", None),
        ("-5", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 21 Oct 9999 07:28:00 GMT", 3_600.0),
    ],
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    assert retry_after_s(header) == seconds


def test_each_method_has_its_own_patience() -> None:
    end = threading.Event()

    def slow(body: bytes) -> bytes:
        if json.loads(body)["method"] == "slow":
            end.wait(5)
        return ECHO(body)

    with rpc_server(slow) as url, asked(url, 30.0, timeouts_s={"slow": 0.1}) as endpoint:
        assert endpoint.call("fast", []) == ["fast"]
        with pytest.raises(EndpointError, match=r"within 0\.1 s"):
            endpoint.call("slow", [])
        end.set()


def test_the_watchdog_is_one_thread_for_all_requests() -> None:
    before = threading.active_count()
    dog = Watchdog()
    cuts: list[str] = []
    late = threading.Event()

    def cut() -> None:
        cuts.append("late")
        late.set()

    with dog.over(60, lambda: cuts.append("early")) as early:
        for _ in range(50):
            with dog.over(60, lambda: cuts.append("early")):
                pass
        assert threading.active_count() == before + 1
        with dog.over(0.01, cut) as watch:
            assert late.wait(5)
        seen = len(cuts)
        assert watch.late
        assert not early.late
    assert set(cuts) == {"late"}
    assert len(cuts) == seen  # nothing is cut after its end


def test_the_watchdog_cuts_again_what_was_only_about_to_connect() -> None:
    dog = Watchdog()
    times = threading.Semaphore(0)
    with dog.over(0.01, times.release):
        assert times.acquire(timeout=5)
        assert times.acquire(timeout=5)
