"""The vault that the keeper's integration tests keep."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from keeper.localnet.rpc import rpc
from keeper.localnet.world import World
from tests.integration.keeper.kept import Kept, open_kept


@pytest.fixture
def kept(world: World, tmp_path: Path) -> Kept:
    """A vault at health 1.5 with WETH at 2,000 USD and next to nothing idle."""
    return open_kept(world, tmp_path)


@pytest.fixture
def shared(shared_world: World, tmp_path: Path) -> Kept:
    """The same vault on a chain that several processes may read at once."""
    return open_kept(shared_world, tmp_path)


@pytest.fixture
def held_back(world: World) -> Iterator[None]:
    """Blocks only when the test mines them: what is sent waits in the pool."""
    rpc(world.w3, "evm_setAutomine", False)
    yield
    rpc(world.w3, "anvil_dropAllTransactions")  # a rolled back chain keeps its pool
    rpc(world.w3, "evm_setAutomine", True)
