"""Building, restoring, forking and ending the local mainnet."""

import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from web3.types import Wei

from keeper.errors import LocalnetError
from keeper.localnet.anvil import Anvil, AnvilOptions
from keeper.localnet.cache import cache_dir
from keeper.localnet.mainnet import built_protocols, connect, start_local_mainnet
from keeper.localnet.market import MarketSpec, advance_to
from keeper.localnet.rpc import rpc

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.chain


def test_the_protocols_are_deployed_once_and_then_restored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The compiled Chainlink contracts are shared: compiling them is another cache's test.
    compiled = next(cache_dir(ROOT).glob("chainlink-*"), None)
    if compiled is not None:
        (tmp_path / compiled.name).symlink_to(compiled)
    monkeypatch.setenv("GIMBAL_CACHE_DIR", str(tmp_path))
    said: list[str] = []
    first = built_protocols(ROOT, said.append)
    second = built_protocols(ROOT, said.append)
    assert len(said) == 1
    assert first == second
    assert first.state.stat().st_size > 1_000_000


def test_a_market_is_made_at_any_price_and_time_of_history() -> None:
    """The start of 12 March 2020: 194 USD, three years before these protocols stood on mainnet."""
    spec = MarketSpec(price_usd=194.0, start_time=1_583_971_200)
    with start_local_mainnet(ROOT, market=spec, block_interval_s=1) as world:
        assert world.w3.eth.get_block("latest")["timestamp"] == spec.start_time
        feed = world.contract("EACAggregatorProxy", world.addresses.eth_usd_feed)
        assert feed.functions.latestAnswer().call() == 194 * 10**8
        assert feed.functions.latestRoundData().call()[3] >= spec.start_time - 1
        oracle = world.contract("AaveOracle", world.addresses.aave_oracle)
        assert oracle.functions.getAssetPrice(world.addresses.weth).call() == 194 * 10**8
        quoter = world.contract("QuoterV2", world.addresses.uniswap_quoter)
        order = (world.addresses.weth, world.addresses.usdc, 10**18, 500, 0)
        assert quoter.functions.quoteExactInputSingle(order).call()[0] == pytest.approx(
            194e6, rel=1e-3
        )


def test_the_clock_can_be_moved_to_the_first_time_of_a_path_with_fresh_answers() -> None:
    spec = MarketSpec()
    with start_local_mainnet(ROOT, market=spec, auto_mine=False, block_interval_s=1) as world:
        wanted = spec.start_time + 7_200
        advance_to(world, wanted)
        assert wanted <= world.w3.eth.get_block("latest")["timestamp"] <= wanted + 2
        for feed in (world.addresses.eth_usd_feed, world.addresses.usdc_usd_feed):
            updated_at = (
                world.contract("EACAggregatorProxy", feed).functions.latestRoundData().call()[3]
            )
            assert updated_at >= wanted


def test_what_happens_on_the_fork_stays_there() -> None:
    with start_local_mainnet(ROOT) as world:
        upstream = connect(world.upstream_url)
        before = upstream.eth.block_number
        rpc(world.w3, "anvil_mine", 5)
        assert world.w3.eth.block_number == before + 5
        assert upstream.eth.block_number == before


def test_without_auto_mining_a_transaction_waits_for_its_block_at_the_wanted_base_fee() -> None:
    with start_local_mainnet(ROOT, auto_mine=False, base_fee_wei=30 * 10**9) as world:
        w3, people = world.w3, world.accounts
        pending = w3.eth.send_transaction(
            {"from": people.developer, "to": people.noise, "value": Wei(1)}
        )
        height = w3.eth.block_number
        rpc(w3, "evm_mine")
        assert w3.eth.get_transaction_receipt(pending)["blockNumber"] == height + 1
        assert w3.eth.get_block("latest")["baseFeePerGas"] == 30 * 10**9


def test_both_nodes_end_with_the_block_even_if_it_fails() -> None:
    urls: list[str] = []

    def fail_inside() -> None:
        with start_local_mainnet(ROOT) as world:
            urls.extend((world.http_url, world.upstream_url))
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        fail_inside()
    assert len(urls) == 2
    assert not any(_answers(int(url.rsplit(":", 1)[1])) for url in urls)


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        node = Anvil(ROOT, AnvilOptions(port=port), log_dir=tmp_path, name="second")
        with pytest.raises(LocalnetError, match=f"port {port} is in use"):
            node.start()


def test_a_state_that_cannot_be_loaded_gives_anvils_own_words(tmp_path: Path) -> None:
    broken = tmp_path / "state.json"
    broken.write_text("{")
    node = Anvil(ROOT, AnvilOptions(load_state=broken), log_dir=tmp_path, name="broken")
    with pytest.raises(LocalnetError, match="starting anvil"):
        node.start()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
def test_a_node_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from keeper.localnet.anvil import Anvil, AnvilOptions\n"
        "node = Anvil(Path(sys.argv[1]), AnvilOptions(), log_dir=Path(sys.argv[2]), name='orphan')\n"
        "node.start()\n"
        "print(node.port, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, str(ROOT), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    port = int(run.stdout)
    waiting = threading.Event()
    for _ in range(100):
        if not _answers(port):
            break
        waiting.wait(0.05)
    assert not _answers(port)
    # The killed parent left its working directory; the next start clears it.
    assert list(tmp_path.glob("orphan-*/"))
    with Anvil(ROOT, AnvilOptions(), log_dir=tmp_path, name="next"):
        assert not list(tmp_path.glob("orphan-*/"))


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
