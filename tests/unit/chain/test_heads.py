"""Heads come by websocket; when it fails, by polling; never twice, never from a queue."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from keeper.chain.heads import Heads
from keeper.chain.subscription import Feed, Subscription
from keeper.errors import EndpointError
from keeper.model.block import BlockStamp
from tests.unit.chain.nodes import nodes, pool_of


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


def test_a_head_that_could_not_be_used_is_given_once_more_unless_a_newer_one_came() -> None:
    numbers = iter((1, 1, 1, 1, 2))
    with heads_of(lambda: block(next(numbers, 2)), interval_s=0.01) as heads:

        def given() -> int | None:
            head = heads.next()
            return head.number if head else None

        assert [given() for _ in range(2)] == [1, None]
        heads.again()
        assert [given() for _ in range(2)] == [1, None]
        heads.again()
        assert [given() for _ in range(2)] == [2, None]


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


def announces(*numbers: int, then: threading.Event) -> Callable[[ServerConnection], None]:
    def talk(socket: ServerConnection) -> None:
        socket.recv()
        socket.send(json.dumps({"id": 1, "result": "0x1"}))
        for number in numbers:
            socket.send(message(number))
        then.wait(5)

    return talk


def test_a_head_that_k_endpoints_announce_is_not_asked_for() -> None:
    """K-02: the second announcement decides, not the first."""
    end = threading.Event()
    pool = pool_of(nodes())
    asked: list[int] = []

    def poll() -> BlockStamp:
        asked.append(1)
        raise EndpointError("e", "eth_getBlockByNumber", "could not connect")

    with node(announces(41, 42, then=end)) as (one, _), node(announces(42, then=end)) as (two, _):
        feeds = (Feed("node0", one), Feed("node1", two))
        heads = Heads(
            poll, poll_interval_s=30, feeds=feeds, announced=pool.announced, needed=pool.k
        )
        heads._poll_due = time.monotonic() + 30
        try:
            head = None
            while head is None:
                with contextlib.suppress(EndpointError):
                    head = heads.next()
            assert head == block(42)
            assert heads.subscribed
        finally:
            end.set()
            heads.close()
    pool.close()


def test_a_head_that_one_endpoint_announces_is_asked_of_all_at_once() -> None:
    """The poll is not due for half a minute: the rumour makes it due."""
    end = threading.Event()
    pool = pool_of(nodes())
    with node(announces(42, then=end)) as (url, _):
        heads = Heads(
            lambda: block(42),
            poll_interval_s=30,
            feeds=(Feed("node0", url),),
            announced=pool.announced,
            needed=pool.k,
        )
        heads._poll_due = time.monotonic() + 30
        try:
            assert soon(heads, 42) == block(42)
            assert not heads.subscribed
        finally:
            end.set()
            heads.close()
    pool.close()


def test_invented_heads_do_not_set_the_pace() -> None:
    """A rumour that nobody confirms is asked for eight times, and no faster than four times a second."""
    asked: list[float] = []

    def poll() -> BlockStamp:
        asked.append(time.monotonic())
        return block(1)

    heads = Heads(poll, poll_interval_s=0.004, announced=lambda _name, _head: None)
    heads._given = block(1)
    heads._poll_due = time.monotonic() + 30
    heads._heard("liar", block(10**6))
    for _ in range(40):
        heads.next()
        heads._poll_due = time.monotonic() + 30
    assert len(asked) == 8
    heads.close()


def test_inventing_a_new_head_each_time_does_not_set_the_pace_either() -> None:
    """The others' daily budgets would be spent by one endpoint that counts up."""
    asked: list[int] = []

    def poll() -> BlockStamp:
        asked.append(1)
        return block(1)

    heads = Heads(poll, poll_interval_s=0.004, announced=lambda _name, _head: None)
    heads._given = block(1)
    for turn in range(40):
        heads._poll_due = time.monotonic() + 30
        heads._heard("liar", block(10**6 + turn))
        heads.next()
    assert len(asked) <= 8
    heads.close()


def test_an_endpoint_that_floods_is_no_longer_listened_to() -> None:
    """Each message costs the one interpreter that decides on protection as well."""
    heard: list[int] = []

    def flood(socket: ServerConnection) -> None:
        socket.recv()
        with contextlib.suppress(ConnectionClosed):
            for number in range(1, 100_000):
                socket.send(message(number))

    with node(flood) as (url, _):
        seen = threading.Event()

        def listen(_name: str, head: BlockStamp) -> None:
            heard.append(head.number)
            seen.set()

        feed = Subscription(Feed("flood", url), listen, 1.0)
        assert seen.wait(5)
        end = time.monotonic() + 5
        while feed._told is False and time.monotonic() < end:
            time.sleep(0.01)
        feed.stop()
        feed.join()
    assert feed._told, "it was left"
    assert len(heard) < 10_000


def test_heads_come_by_unix_socket(tmp_path: Path) -> None:
    """In pieces, as streams may cut them."""
    path = tmp_path / "node.ipc"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen()

    def talk() -> None:
        connection, _ = listener.accept()
        with connection:
            assert b"newHeads" in connection.recv(65_536)
            said = (json.dumps({"id": 1, "result": "0x1"}) + message(42) + message(43)).encode()
            for start in range(0, len(said), 7):
                connection.sendall(said[start : start + 7])
            connection.recv(1)

    thread = threading.Thread(target=talk)
    thread.start()
    heads = Heads(lambda: block(1), poll_interval_s=30, feeds=(Feed("node", f"ipc:{path}"),))
    try:
        assert soon(heads, 43) == block(43)
    finally:
        heads.close()
        thread.join()
        listener.close()
