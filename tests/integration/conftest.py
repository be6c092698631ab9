"""One local mainnet for all integration tests; each test sees it as it was at the start."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from keeper.localnet.mainnet import start_local_mainnet, start_unforked
from keeper.localnet.rpc import rpc
from keeper.localnet.world import World

ROOT = Path(__file__).resolve().parents[2]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever uses the chain is marked so, and can be left out with `-m "not chain"`."""
    for item in items:
        if isinstance(item, pytest.Function) and {"local_mainnet", "world", "shared_world"} & set(
            item.fixturenames
        ):
            item.add_marker("chain")


@pytest.fixture(scope="session")
def local_mainnet() -> Iterator[World]:
    """The fork with WETH at 2,000 USD; shared, so change it only through `world`."""
    with start_local_mainnet(ROOT) as started:
        yield started


@pytest.fixture
def world(local_mainnet: World) -> Iterator[World]:
    """The shared fork, rolled back after the test."""
    yield from _rolled_back(local_mainnet)


@pytest.fixture(scope="session")
def unforked_mainnet() -> Iterator[World]:
    """The same without a fork: for tests in which several processes read at once."""
    with start_unforked(ROOT) as started:
        yield started


@pytest.fixture
def shared_world(unforked_mainnet: World) -> Iterator[World]:
    """The shared chain without a fork, rolled back after the test."""
    yield from _rolled_back(unforked_mainnet)


def _rolled_back(world: World) -> Iterator[World]:
    # what a test left in the pool would be valid again on the next one's chain, which looks the same
    rpc(world.w3, "anvil_dropAllTransactions")
    snapshot = rpc(world.w3, "evm_snapshot")
    yield world
    rpc(world.w3, "evm_revert", snapshot)
    rpc(world.w3, "anvil_dropAllTransactions")
