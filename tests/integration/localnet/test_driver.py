"""The driver moves a real chain along a path, fast, and the same way each time."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from keeper.errors import LocalnetError
from keeper.localnet.driver import BlockRecord, Driver
from keeper.localnet.paths.build import ScenarioSpec, build_path
from keeper.localnet.paths.path import PricePath
from keeper.localnet.rpc import rpc
from keeper.localnet.world import World


@pytest.fixture(autouse=True)
def automine_again(world: World) -> Iterator[None]:
    """The driver mines on demand; the shared chain does not."""
    yield
    rpc(world.w3, "evm_setAutomine", True)


def short(name: str, seed: int = 1, blocks: int = 40, begin: int = 40) -> PricePath:
    """A piece of a scenario."""
    path = build_path(ScenarioSpec(name, seed))
    cut = slice(begin, begin + blocks)
    arrays = {
        field: getattr(path, field)[cut].copy()
        for field in ("times", "market_price", "oracle_online", "base_fee_wei")
    }
    return replace(path, start_time=int(path.times[begin]), **arrays)


def run(world: World, path: PricePath) -> list[BlockRecord]:
    with Driver(world, path) as driver:
        driver.prime()
        return [driver.step() for _ in range(len(path))]


def test_priming_brings_oracle_pool_and_averages_to_the_first_price(world: World) -> None:
    path = short("crash", begin=300)
    with Driver(world, path) as driver:
        record = driver.prime()
        assert driver.blocks_left == len(path)
    assert record.failures == ()
    assert record.oracle_price == pytest.approx(path.market_price[0], abs=1e-8)
    assert record.pool_price == pytest.approx(path.market_price[0], rel=0.0006)
    assert record.oracle_updated_at == record.timestamp
    pool = world.contract("UniswapV3Pool", world.addresses.uniswap_pool)
    ticks = pool.functions.observe([600, 0]).call()[0]
    assert (ticks[1] - ticks[0]) / 600 == pytest.approx(pool.functions.slot0().call()[1], abs=2)


def test_blocks_carry_the_paths_times_prices_and_fees(world: World) -> None:
    path = short("crash")
    with Driver(world, path) as driver:
        primed = driver.prime()
        records = [driver.step() for _ in range(len(path))]
        shift = driver.shift_s
    assert [r.timestamp for r in records] == (path.times + shift).tolist()
    assert [r.base_fee_wei for r in records] == path.base_fee_wei.tolist()
    assert [r.number for r in records] == [primed.number + 1 + i for i in range(len(path))]
    for record, price in zip(records, path.market_price, strict=True):
        assert record.oracle_price == pytest.approx(price, rel=0.0051)
        assert record.pool_price == pytest.approx(price, rel=0.002)
    assert not [f for r in records for f in r.failures]


def test_the_same_path_gives_the_same_chain(world: World) -> None:
    path = short("gap", begin=40, blocks=20)
    snapshot = rpc(world.w3, "evm_snapshot")
    first = run(world, path)
    rpc(world.w3, "evm_revert", snapshot)
    second = run(world, path)
    assert [(r.pool_price, r.oracle_price, r.transactions) for r in first] == [
        (r.pool_price, r.oracle_price, r.transactions) for r in second
    ]


def test_the_oracle_is_silent_while_the_path_says_so(world: World) -> None:
    path = short("oracle_stall", begin=60, blocks=12)
    assert 0 < int((~path.oracle_online).sum()) < len(path)
    records = run(world, path)
    for record, before in zip(records[1:], records, strict=False):
        if not path.oracle_online[record.index]:
            assert record.oracle_updated_at == before.oracle_updated_at
            assert "oracle_transmitter" not in record.transactions


def test_a_waiting_transaction_is_mined_with_the_next_block(world: World) -> None:
    """As a keeper's is: sent between two steps, in the very next block."""
    path = short("calm", blocks=3)
    with Driver(world, path) as driver:
        driver.prime()
        driver.step()
        sent = world.w3.eth.send_transaction(
            {
                "from": world.w3.to_checksum_address(world.accounts.developer),
                "to": world.w3.to_checksum_address(world.accounts.keeper),
                "value": world.w3.to_wei(1, "wei"),
                # The node's own default is made for the fee it expects, not for the path's.
                "maxFeePerGas": world.w3.to_wei(50, "gwei"),
                "maxPriorityFeePerGas": world.w3.to_wei(1, "gwei"),
            }
        )
        record = driver.step()
    assert world.w3.eth.get_transaction_receipt(sent)["blockNumber"] == record.number


def test_goes_on_after_others_mined(world: World) -> None:
    path = short("calm", blocks=4)
    with Driver(world, path) as driver:
        driver.prime()
        before = driver.step()
        rpc(world.w3, "evm_mine")
        after = driver.step()
    assert after.number == before.number + 2
    assert after.timestamp > before.timestamp
    assert after.failures == ()


def test_refuses_steps_before_priming_and_after_the_end(world: World) -> None:
    path = short("calm", blocks=2)
    with Driver(world, path) as driver:
        with pytest.raises(LocalnetError, match="prime"):
            driver.step()
        driver.prime()
        driver.step()
        driver.step()
        with pytest.raises(LocalnetError, match="end"):
            driver.step()


def test_a_path_of_another_year_is_moved_to_the_chains_clock(world: World) -> None:
    """Jumping years would let interest accrue on every position."""
    path = short("calm", blocks=2)
    far = replace(
        path,
        start_time=path.start_time + 10**9,
        times=np.asarray(path.times + 10**9, dtype=np.int64),
    )
    now = world.w3.eth.get_block("latest")["timestamp"]
    with Driver(world, far) as driver:
        driver.prime()
        record = driver.step()
    assert record.timestamp - now < 3_600
