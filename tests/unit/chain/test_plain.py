"""HTTP over a socket of our own: whatever a server may answer by RFC 9112 is read, all else is no answer."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from keeper.chain import wire
from keeper.chain.endpoint import Endpoint
from keeper.chain.plain import PlainLine, is_plain
from keeper.chain.transport import HttpLine
from keeper.chain.wire import Asked, NoAnswer, TooMany, Wire
from keeper.errors import EndpointError
from tests.rpc_server import answering, rpc_server

BODY = b'{"answer": 42}'


@contextmanager
def server(
    *answers: bytes, keep: bool = True, ended: threading.Semaphore | None = None
) -> Iterator[tuple[str, list[bytes], list[int]]]:
    """Gives these answers to the requests in turn; the requests, and how many came on each connection.

    `ended` is released by every connection that was closed from here.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    said, requests, counts = iter(answers), [], []

    def connection(line: socket.socket) -> None:
        counts.append(0)
        with line, suppress(OSError, StopIteration):
            while request := received(line):
                requests.append(request)
                counts[-1] += 1
                line.sendall(next(said))
                if not keep:
                    break
        if ended is not None:
            ended.release()

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(
                    target=connection, args=(listener.accept()[0],), daemon=True
                ).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", requests, counts
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def received(line: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        more = line.recv(65536)
        if not more:
            return b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    size = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
    while len(body) < size:
        body += line.recv(65536)
    return head + b"\r\n\r\n" + body


def sized(body: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join(
        (b"HTTP/1.1 200 OK", *headers, b"Content-Length: %d" % len(body), b"", body)
    )


CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5;name=value\r\n" + BODY[:5] + b"\r\n9\r\n" + BODY[5:] + b"\r\n0\r\nTrailer: x\r\n\r\n"
)


@pytest.mark.parametrize("make", [PlainLine, HttpLine])
@pytest.mark.parametrize(
    "answer",
    [
        sized(BODY),
        sized(BODY, b"X-Empty:", b"no-colon: a:b", b"SET-cookie: x"),
        CHUNKED,
        b"HTTP/1.1 100 Continue\r\n\r\n" + sized(BODY),
    ],
    ids=["length", "headers", "chunks", "continue"],
)
def test_an_answer_is_read_and_its_connection_used_again(
    make: Callable[[str], Any], answer: bytes
) -> None:
    with server(answer, answer, answer) as (url, requests, counts):
        line = make(url)
        assert [line.ask(b"[%d]" % i, 10.0) for i in range(3)] == [BODY] * 3
        line.close()
    assert counts == [3]
    assert [r.rpartition(b"\r\n\r\n")[2] for r in requests] == [b"[0]", b"[1]", b"[2]"]


@pytest.mark.parametrize("make", [PlainLine, HttpLine])
@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.0 200 OK\r\n\r\n" + BODY,
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + BODY,
        sized(BODY, b"Connection: close"),
        sized(BODY),
    ],
    ids=["1.0", "no length", "closes", "ends without a word"],
)
def test_a_connection_that_ends_is_made_again(make: Callable[[str], Any], answer: bytes) -> None:
    ended = threading.Semaphore(0)
    with server(answer, answer, keep=False, ended=ended) as (url, _, counts):
        line = make(url)
        for _ in range(2):
            assert line.ask(b"[]", 10.0) == BODY
            assert ended.acquire(timeout=10)  # its end is there before the next request
        line.close()
    assert counts == [1, 1]


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (b"", "ended the connection"),
        (b"HTTP/1.1 200", "ended the connection"),
        (sized(BODY)[:-1], "ended the connection"),
        (CHUNKED[:-8], "ended the connection"),
        (b"hello\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 20\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1_0\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"x" * 100_000, "not HTTP"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://x\r\nContent-Length: 0\r\n\r\n", "HTTP 302"),
        (b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", "HTTP 500"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "more than 16 MiB"),
    ],
)
def test_anything_else_is_no_answer(answer: bytes, problem: str) -> None:
    with server(answer, keep=False) as (url, _, _):
        line = PlainLine(url)
        with pytest.raises(NoAnswer, match=problem):
            line.ask(b"[]", 10.0)
        line.close()


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\n", CHUNKED[:60], sized(BODY)[:-2]])
def test_one_deadline_is_over_the_whole_answer(start: bytes) -> None:
    with server(start) as (url, _, _):
        line = PlainLine(url)
        with pytest.raises(NoAnswer, match=r"did not answer within 0\.1 s"):
            line.ask(b"[]", 0.1)
        line.close()


def test_chunks_and_streams_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MAX_ANSWER_BYTES", 8)
    head = b"HTTP/1.1 200 OK\r\n"
    chunks = head + b"Transfer-Encoding: chunked\r\n\r\n" + b"5\r\nabcde\r\n" * 2
    for answer in (chunks, head + b"\r\n" + b"x" * 9):
        with server(answer) as (url, _, _):
            line = PlainLine(url)
            with pytest.raises(NoAnswer, match="answered more than"):
                line.ask(b"[]", 10.0)
            line.close()


def test_an_answer_in_crumbs_is_none() -> None:
    """Cutting each crumb off costs more than the answer is worth, and time of the one interpreter."""
    crumbs = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * 60_000
    with server(crumbs + b"0\r\n\r\n") as (url, _, _):
        line = PlainLine(url)
        with pytest.raises(NoAnswer, match="not HTTP"):
            line.ask(b"[]", 60.0)
        line.close()


def test_what_comes_besides_the_answer_is_not_the_next_one() -> None:
    with server(sized(BODY) + sized(b"[1]"), sized(BODY)) as (url, _, counts):
        line = PlainLine(url)
        assert line.ask(b"[]", 10.0) == BODY
        assert line.ask(b"[]", 10.0) == BODY
        line.close()
    assert counts == [1, 1]


def test_credentials_of_the_address_go_with_the_request() -> None:
    with server(sized(BODY)) as (url, requests, _):
        line = PlainLine(url.replace("//", "//us%40er:pa%3Ass@") + "/path?key=1")
        line.ask(b"[]", 10.0)
        line.close()
    assert requests[0].startswith(b"POST /path?key=1 HTTP/1.1\r\n")
    assert b"\r\nAuthorization: Basic dXNAZXI6cGE6c3M=\r\n" in requests[0]  # us@er:pa:ss


def test_too_many_requests_say_for_how_long() -> None:
    refusal = b"HTTP/1.1 429 No\r\nRETRY-after: 7\r\nContent-Length: 0\r\n\r\n"
    with server(refusal) as (url, _, _):
        line = PlainLine(url)
        with pytest.raises(TooMany) as caught:
            line.ask(b"[]", 10.0)
        line.close()
    assert caught.value.retry_after_s == 7.0


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("http://127.0.0.1:8545", True),
        ("http://localhost/a?b", True),
        ("http://[::1]:8545", True),
        ("https://127.0.0.1:8545", False),
        ("http://127.0.0.1:port", False),
        ("http://", False),
        ("http://127.0.0.1/a b", False),
    ],
)
def test_only_plain_addresses_are_asked_so(url: str, plain: bool) -> None:
    assert is_plain(url) is plain


def test_an_address_behind_a_proxy_is_not_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", "/nowhere")
    assert is_plain("http://node.example:8545")
    monkeypatch.setenv("http_proxy", "http://proxy:1")
    assert not is_plain("http://node.example:8545")
    assert is_plain("http://127.0.0.1:8545")


# Asked now, waited for later


def test_several_may_be_under_way_and_each_has_its_own_answer() -> None:
    with rpc_server(answering(lambda method, params: [method, *params])) as url:
        endpoint = Endpoint(url)
        waits = [endpoint.begin([("a", [i]), ("b", [])]) for i in range(3)]
        assert endpoint.call("c", []) == ["c"]
        assert all(waits)
        assert [w() for w in reversed(waits) if w] == [[["a", i], ["b"]] for i in (2, 1, 0)]
        endpoint.close()


def test_a_request_that_nobody_waits_for_ends_its_connection() -> None:
    """Its answer would be taken for that of the next request on it."""
    with server(sized(b"[1]"), sized(b"[2]")) as (url, _, counts):
        line_of = Wire(lambda: PlainLine(url))
        asked = line_of.begin(b"[]", 10.0)
        assert isinstance(asked, Asked)
        del asked
        assert line_of.ask(b"[]", 10.0, bytes) in (b"[1]", b"[2]")
        line_of.close()
    assert len(counts) == 2


def test_what_goes_wrong_later_is_the_endpoints_fault() -> None:
    with server(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello") as (url, _, _):
        endpoint = Endpoint(url)
        waits = endpoint.begin([("a", [])])
        assert waits is not None
        with pytest.raises(EndpointError, match="not JSON-RPC"):
            waits()
        endpoint.close()


def test_an_endpoint_that_does_not_batch_is_asked_one_by_one_all_the_same() -> None:
    single = answering(lambda method, _: method)
    refusal = b'{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"no batches"}}'
    with rpc_server(lambda b: refusal if b.startswith(b"[") else single(b)) as url:
        endpoint = Endpoint(url)
        waits = endpoint.begin([("a", []), ("b", [])])
        assert waits is not None
        assert waits() == ["a", "b"]
        endpoint.close()


def test_only_a_line_of_two_halves_is_asked_without_waiting() -> None:
    class Whole:
        def ask(self, body: bytes, timeout_s: float) -> bytes:
            return json.dumps([json.loads(body), timeout_s]).encode()

        def close(self) -> None: ...

    line = Whole()
    lines = Wire(lambda: line)
    assert lines.begin(b"[]", 1.0) is None
    assert lines.ask(b"[]", 1.0, json.loads) == [[], 1.0]
