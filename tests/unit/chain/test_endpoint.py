"""Every way an endpoint can fail has a name, and no name shows a secret."""

import itertools
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from keeper.chain import wire
from keeper.chain.endpoint import Endpoint
from keeper.errors import EndpointError, RpcError
from tests.rpc_server import RpcFault, answering, rpc_server


@contextmanager
def endpoint_to(
    handle: Callable[[bytes], bytes], *, status: int = 200, timeout_s: float = 2.0
) -> Iterator[Endpoint]:
    with rpc_server(handle, status) as url:
        endpoint = Endpoint(url, timeout_s)
        try:
            yield endpoint
        finally:
            endpoint.close()


def _slowly(_body: bytes) -> bytes:
    time.sleep(0.4)
    return b"{}"


def test_gives_the_result_of_a_call() -> None:
    with endpoint_to(answering(lambda method, params: [method, *params])) as endpoint:
        assert endpoint.call("eth_x", [1]) == ["eth_x", 1]


def test_a_refused_connection_is_named() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: refused
        endpoint = Endpoint(f"http://127.0.0.1:{unused.getsockname()[1]}", 1)
        with pytest.raises(EndpointError, match="could not connect"):
            endpoint.call("eth_chainId", [])
        endpoint.close()


def test_a_slow_answer_is_given_up_after_the_timeout() -> None:
    with (
        endpoint_to(_slowly, timeout_s=0.1) as endpoint,
        pytest.raises(EndpointError, match=r"eth_chainId did not answer within 0\.1 s"),
    ):
        endpoint.call("eth_chainId", [])


@pytest.mark.parametrize(
    "garbage",
    [
        b"<html>busy</html>",
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'"text"',
        b'{"error": 7}',
        b"null",
        b"[1,2]",
        b"[null,null]",
        b'["a","b"]',
        b"[{},{}]",
        b"[" * 100_000,
        b'{"result":' * 50_000 + b"1" + b"}" * 50_000,
        b'{"jsonrpc":"2.0","id":1,"result":' + b"1" * 5_000 + b"}",
    ],
    ids=itertools.count(),
)
@pytest.mark.parametrize("batched", [False, True])
def test_garbage_is_not_taken_for_an_answer(garbage: bytes, batched: bool) -> None:
    with endpoint_to(lambda _: garbage) as endpoint:
        calls: list[tuple[str, list[Any]]] = [("eth_chainId", []), ("eth_blockNumber", [])]
        with pytest.raises(EndpointError, match="not JSON-RPC"):
            endpoint.batch(calls) if batched else endpoint.call(*calls[0])


@pytest.mark.parametrize("status", [401, 429, 502])
def test_an_http_error_is_named_by_its_status(status: int) -> None:
    with (
        endpoint_to(lambda _: b"no", status=status) as endpoint,
        pytest.raises(EndpointError, match=f"HTTP {status}"),
    ):
        endpoint.call("eth_chainId", [])


def test_a_json_rpc_error_keeps_code_message_and_data() -> None:
    def revert(_method: str, _params: list[Any]) -> Any:
        raise RpcFault(3, "execution reverted", "0xdeadbeef")

    with endpoint_to(answering(revert)) as endpoint, pytest.raises(RpcError) as caught:
        endpoint.call("eth_call", [])
    assert (caught.value.code, caught.value.data) == (3, "0xdeadbeef")


@pytest.mark.parametrize("result", [["[" * 500], ['"[' * 500, "\\"], [[] for _ in range(500)]])
def test_many_brackets_are_not_depth(result: list[Any]) -> None:
    with endpoint_to(answering(lambda *_: result)) as endpoint:
        assert endpoint.call("eth_x", []) == result


def _odd_fails(method: str, _params: list[Any]) -> Any:
    if method == "odd":
        raise RpcFault(-32000, "odd")
    return method


def test_a_batch_keeps_its_order_and_its_refusals_in_their_places() -> None:
    with endpoint_to(answering(_odd_fails)) as endpoint:
        first, second, third = endpoint.batch([("a", []), ("odd", []), ("b", [])])
    assert (first, third) == ("a", "b")
    assert isinstance(second, RpcError)


def test_an_endpoint_that_does_not_batch_is_asked_one_by_one() -> None:
    single = answering(_odd_fails)
    refusal = b'{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"no batches"}}'
    with endpoint_to(lambda b: refusal if b.startswith(b"[") else single(b)) as endpoint:
        assert endpoint.batch([("a", []), ("b", [])]) == ["a", "b"]


def _answers(change: Callable[[list[dict[str, Any]]], list[Any]]) -> Callable[[bytes], bytes]:
    """A batch in which every result is the method's name, changed."""

    def handle(body: bytes) -> bytes:
        requests = json.loads(body)
        return json.dumps(
            change([{"jsonrpc": "2.0", "id": r["id"], "result": r["method"]} for r in requests])
        ).encode()

    return handle


def test_answers_of_a_batch_find_their_calls_by_id() -> None:
    with endpoint_to(_answers(lambda answers: answers[::-1])) as endpoint:
        assert endpoint.batch([("a", []), ("b", [])]) == ["a", "b"]


@pytest.mark.parametrize(
    "change",
    [
        lambda answers: [{**a, "id": a["id"] + 900} for a in answers],
        lambda answers: [answers[0], answers[0]],
        lambda answers: [*answers, answers[0]],
        lambda answers: [answers[0]],
        lambda answers: [{**a, "id": str(a["id"])} for a in answers],
        lambda answers: [{**a, "id": [a["id"]]} for a in answers],
        lambda answers: [{**a, "id": True} for a in answers],
    ],
)
def test_a_batch_answered_under_other_ids_is_refused(change: Any) -> None:
    with (
        endpoint_to(_answers(change)) as endpoint,
        pytest.raises(EndpointError, match=r"answered another request|not JSON-RPC"),
    ):
        endpoint.batch([("a", []), ("b", [])])


@pytest.mark.parametrize("number", [b"99999", b'"1"', b"null", b"true", b"1.0"])
def test_the_answer_to_another_call_is_refused(number: bytes) -> None:
    answer = b'{"jsonrpc":"2.0","id":' + number + b',"result":"someone else\'s"}'
    with (
        endpoint_to(lambda _: answer) as endpoint,
        pytest.raises(EndpointError, match="answered another request"),
    ):
        endpoint.call("eth_chainId", [])


def test_an_answer_that_comes_again_is_not_the_next_calls() -> None:
    first: list[bytes] = []

    def repeats(body: bytes) -> bytes:
        first.append(answering(lambda *_: "0x1")(body))
        return first[0]

    with endpoint_to(repeats) as endpoint:
        endpoint.call("eth_chainId", [])
        with pytest.raises(EndpointError, match="answered another request"):
            endpoint.call("eth_chainId", [])


def _refused(message: Any, data: Any = None, code: Any = -32000, **url: Any) -> RpcError:
    def handle(body: bytes) -> bytes:
        error = {"code": code, "message": message, "data": data}
        return json.dumps({"id": json.loads(body)["id"], "error": error}).encode()

    with rpc_server(handle) as address:
        endpoint = Endpoint(
            address.replace("http://", "http://" + url.get("user", "")) + url.get("path", "")
        )
        with pytest.raises(RpcError) as caught:
            endpoint.call("eth_call", [])
        endpoint.close()
    return caught.value


@pytest.mark.parametrize("message", ["bad \ud800", "two\nlines \x1b[31m", "x" * 5_000, {"a": 1}, 7])
def test_the_endpoints_words_are_made_fit_for_a_log(message: Any) -> None:
    said = _refused(message).message
    assert said.isprintable()
    assert 0 < len(said.encode()) <= 400


@pytest.mark.parametrize("data", ["\ud800", "0xzz", 7, [], "0x" + "00" * 20_000])
def test_data_of_an_error_that_is_no_data_is_left_out(data: Any) -> None:
    assert _refused("no", data).data == ""


@pytest.mark.parametrize("code", ["3", None, True, 2**40])
def test_a_code_that_is_none_is_zero(code: Any) -> None:
    assert _refused("no", code=code).code == 0


def test_a_key_of_the_address_is_not_repeated_in_the_endpoints_words() -> None:
    """The journal keeps these words as they are."""
    said = _refused(
        "project SECRET99KEY of TOKENUSER over quota; k=QSECRET77",
        user="TOKENUSER:@",
        path="/v3/SECRET99KEY?a=1&k=QSECRET77",
    )
    assert str(said).count("***") == 3
    assert "SECRET" not in str(said)
    assert "TOKENUSER" not in str(said)


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: "]
)
def test_an_answer_that_drips_is_given_up_at_the_deadline(head: bytes) -> None:
    """Each byte comes in time, and the answer as a whole does not."""
    end = threading.Event()

    def drip(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(head)
            while not end.wait(0.05):
                try:
                    connection.sendall(b" ")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,))
        thread.start()
        endpoint = Endpoint(f"http://127.0.0.1:{listener.getsockname()[1]}", 0.3)
        before = time.monotonic()
        try:
            with pytest.raises(EndpointError, match=r"did not answer within 0\.3 s"):
                endpoint.call("eth_chainId", [])
        finally:
            end.set()
            thread.join()
        endpoint.close()
    assert time.monotonic() - before < 2


def test_after_an_answer_that_came_too_late_the_next_call_is_answered() -> None:
    slow = iter([0.4, 0.0])

    def handle(body: bytes) -> bytes:
        time.sleep(next(slow))
        return answering(lambda *_: "0x1")(body)

    with endpoint_to(handle, timeout_s=0.2) as endpoint:
        with pytest.raises(EndpointError, match="did not answer"):
            endpoint.call("eth_chainId", [])
        assert endpoint.call("eth_chainId", []) == "0x1"


def test_an_answer_without_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MAX_ANSWER_BYTES", 2**20)
    with (
        endpoint_to(lambda _: b" " * (2**20 + 1)) as endpoint,
        pytest.raises(EndpointError, match="answered more than 1 MiB"),
    ):
        endpoint.call("eth_chainId", [])


@pytest.mark.parametrize(
    "url",
    ["http://u:SECRET99@exa\u2100mple/", "http://u:SECRET99/x@127.0.0.1:9/", "http://[SECRET99"],
)
def test_an_address_that_cannot_be_used_is_a_fault_without_the_address(url: str) -> None:
    endpoint = Endpoint(url, 1)
    with pytest.raises(EndpointError) as caught:
        endpoint.call("eth_chainId", [])
    assert "SECRET99" not in str(caught.value)
    endpoint.close()
