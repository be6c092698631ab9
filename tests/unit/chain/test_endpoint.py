"""Every way an endpoint can fail has a name, and no name shows a secret."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from keeper.chain.endpoint import Endpoint, public_name
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
    "garbage", [b"<html>busy</html>", b"", b"\xff\xfe", b"[]", b"{}", b'"text"', b'{"error": 7}']
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


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:pass@node.example/v3/0123secret", "https://node.example"),
        ("http://10.0.0.1:8545/?key=abc", "http://10.0.0.1:8545"),
        ("wss://node.example:443/ws/secret", "wss://node.example:443"),
    ],
)
def test_only_host_and_port_of_an_endpoint_are_ever_shown(url: str, shown: str) -> None:
    assert public_name(url) == shown
