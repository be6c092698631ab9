"""Heads come by websocket; when it fails, by polling; never twice, never from a queue."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from structlog.testing import capture_logs
from websockets.sync.server import Server, ServerConnection, serve

from keeper.chain.heads import Heads
from keeper.errors import EndpointError
from keeper.model.block import BlockStamp


def block(number: int) -> BlockStamp:
    return BlockStamp(number, f"0x{number:064x}", f"0x{number - 1:064x}", 1_000 + number, 7)


def message(number: int) -> str:
    stamp = block(number)
    header = {
        "number": hex(number),
        "hash": stamp.hash,
        "parentHash": stamp.parent_hash,
        "timestamp": hex(stamp.timestamp),
        "baseFeePerGas": "0x7",
    }
    return json.dumps({"method": "eth_subscription", "params": {"result": header}})


@contextlib.contextmanager
def node(handler: Callable[[ServerConnection], None]) -> Iterator[tuple[str, Server]]:
    with serve(handler, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}", server
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def heads_of(
    poll: Callable[[], BlockStamp], ws_url: str | None = None, interval_s: float = 0.05
) -> Iterator[Heads]:
    heads = Heads(poll, poll_interval_s=interval_s, ws_url=ws_url, timeout_s=1)
    try:
        yield heads
    finally:
        heads.close()


def soon(heads: Heads, number: int) -> BlockStamp:
    end = time.monotonic() + 5
    while time.monotonic() < end:
        head = heads.next()
        if head is not None and head.number == number:
            return head
    raise AssertionError(f"no head {number}")


def test_polling_gives_each_head_once() -> None:
    numbers = iter([1, 1, 2, 2, 3, 3, 3, 3, 3, 3])
    with heads_of(lambda: block(next(numbers)), interval_s=0.01) as heads:
        given = [heads.next() for _ in range(8)]
    assert [h.number for h in given if h] == [1, 2, 3]


def test_a_failing_poll_is_raised_and_does_not_make_it_ask_faster() -> None:
    asked: list[float] = []

    def refuse() -> BlockStamp:
        asked.append(time.monotonic())
        raise EndpointError("http://fake", "eth_getBlockByNumber", "could not connect")

    with heads_of(refuse) as heads:
        refusals = 0
        while refusals < 2:
            with contextlib.suppress(EndpointError):
                heads.next()
                continue
            refusals += 1
    assert asked[1] - asked[0] >= 0.05


def test_heads_come_by_websocket_with_all_a_tick_needs() -> None:
    def subscription(socket: ServerConnection) -> None:
        assert "newHeads" in str(socket.recv())
        socket.send(json.dumps({"id": 1, "result": "0x1"}))
        socket.send(message(41))
        socket.send(message(42))
        time.sleep(0.3)

    with node(subscription) as (url, _), heads_of(lambda: block(1), url, 30) as heads:
        head = soon(heads, 42)
        assert heads.subscribed
    assert head == block(42)


def test_a_dead_websocket_leaves_polling() -> None:
    with heads_of(lambda: block(9), "ws://127.0.0.1:9") as heads:
        assert soon(heads, 9) == block(9)
        assert not heads.subscribed


def test_an_endpoint_that_was_never_there_is_warned_of_once() -> None:
    with capture_logs() as logs, heads_of(lambda: block(9), "ws://127.0.0.1:9"):
        time.sleep(1.3)
    warned = [entry["event"] for entry in logs if entry["log_level"] == "warning"]
    assert warned == ["websocket not connected, polling meanwhile"]
    assert len(logs) > 1


def test_a_lost_subscription_is_made_again() -> None:
    connections = iter([7, 8])

    def drops(socket: ServerConnection) -> None:
        socket.recv()
        socket.send(json.dumps({"id": 1, "result": "0x1"}))
        socket.send(message(next(connections)))
        time.sleep(0.1)

    with node(drops) as (url, _), heads_of(lambda: block(1), url, 30) as heads:
        assert soon(heads, 8) == block(8)


@pytest.mark.parametrize(
    "url", ["ws://u:SECRET99@exa\u2100mple/", "ws://[SECRET99", "ws://h:SECRET99/"]
)
def test_an_address_that_cannot_be_used_leaves_polling_and_is_not_shown(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with heads_of(lambda: block(9), url) as heads:
        assert soon(heads, 9) == block(9)
        time.sleep(0.1)
    said = capsys.readouterr()
    assert "SECRET99" not in said.out + said.err


@pytest.mark.parametrize(
    "nonsense",
    ["[" * 100_000, "1" * 5_000, "{", "[]", '{"error": {"message": "no subscriptions"}}'],
)
def test_nonsense_on_the_websocket_leaves_polling(nonsense: str) -> None:
    def babble(socket: ServerConnection) -> None:
        socket.recv()
        socket.send(nonsense)
        time.sleep(0.1)

    with node(babble) as (url, _), heads_of(lambda: block(5), url) as heads:
        assert soon(heads, 5) == block(5)
