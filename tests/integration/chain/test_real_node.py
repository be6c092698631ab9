"""A real node over HTTP, websocket and unix socket, and a chain that is really reorganised."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from keeper.chain.endpoint import Endpoint
from keeper.chain.heads import Heads
from keeper.chain.pool import EndpointPool
from keeper.chain.reorg import ReorgWatch
from keeper.chain.source import Call
from keeper.chain.subscription import Feed
from keeper.errors import ReadError
from keeper.localnet.anvil import anvil_binary, free_port
from keeper.model.block import BlockStamp

pytestmark = pytest.mark.chain
ROOT = Path(__file__).parents[3]


class RealNode:
    """One anvil with all its doors."""

    def __init__(self, port: int, ipc: Path) -> None:
        self.urls = (f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}", f"ipc:{ipc}")
        self.driver = Endpoint(self.urls[0], 10.0)

    def mine(self, blocks: int) -> None:
        self.driver.call("anvil_mine", [hex(blocks)])

    def answers(self) -> bool:
        try:
            return bool(self.driver.call("eth_chainId", []))
        except ReadError:
            return False


@pytest.fixture
def node(tmp_path: Path) -> Iterator[RealNode]:
    port, ipc = free_port(), tmp_path / "node.ipc"
    command = [str(anvil_binary(ROOT)), "--port", str(port), "--ipc", str(ipc), "--quiet"]
    command += ["--chain-id", "1", "--no-mining"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    found = RealNode(port, ipc)
    try:
        for _ in range(500):
            if found.answers() and ipc.exists():
                break
            time.sleep(0.02)
        yield found
    finally:
        found.driver.close()
        process.terminate()
        process.wait()


def pool_over(node: RealNode) -> EndpointPool:
    return EndpointPool([Endpoint(url, 10.0) for url in node.urls], chain_id=1)


def test_three_ways_to_one_node_agree(node: RealNode) -> None:
    """K-02: a head and a pinned balance, over HTTP, websocket and unix socket."""
    node.mine(5)
    account = node.driver.call("eth_accounts", [])[0]
    pool = pool_over(node)
    try:
        for number in range(5, 15):
            head = pool.head()
            assert head.number == number
            asked: Call = ("eth_getBalance", [account, {"blockHash": head.hash}])
            (balance,) = pool.agreed_batch([asked])
            assert int(balance, 16) == 10_000 * 10**18
            node.mine(1)
        assert all(s.errors == 0 and s.lies == 0 for s in pool.states())
    finally:
        pool.close()


def test_heads_are_announced_over_websocket_and_unix_socket(node: RealNode) -> None:
    pool = pool_over(node)
    names = [s.name for s in pool.states()]
    feeds = [Feed(names[i], node.urls[i]) for i in (1, 2)]
    heads = Heads(
        pool.head, poll_interval_s=20, feeds=feeds, announced=pool.announced, needed=pool.k
    )
    try:
        first = heads.next()
        while not heads.subscribed:
            heads.next()
        node.mine(1)
        found: BlockStamp | None = None
        for _ in range(10):
            found = found or heads.next()
        assert first is not None
        assert found is not None
        assert found.parent_hash == first.hash
    finally:
        heads.close()
        pool.close()


@pytest.mark.parametrize("depth", [1, 7])
def test_a_real_reorganisation_is_found_with_every_block_it_dropped(
    node: RealNode, depth: int
) -> None:
    node.mine(20)
    pool = pool_over(node)
    try:
        watch = ReorgWatch(pool)
        before = pool.head()
        watch.see(before)
        dropped = []
        block: BlockStamp = before
        for _ in range(depth):
            dropped.append(block.hash)
            header = pool.call("eth_getBlockByHash", [block.parent_hash, False])
            block = BlockStamp(block.number - 1, header["hash"], header["parentHash"], 0, 0)
        node.driver.call("anvil_reorg", [depth, []])
        node.mine(2)
        found = watch.see(pool.head())
        assert found is not None
        assert found.dropped_hashes == tuple(dropped)
        assert found.ancestor.hash == block.hash
        assert watch.canonical(before.number, before.hash) is False
        assert watch.canonical(block.number, block.hash) is True
    finally:
        pool.close()
