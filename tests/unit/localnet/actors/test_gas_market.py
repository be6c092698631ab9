"""The gas market follows the path and never goes under what a chain allows."""

import pytest

from keeper.localnet.actors.gas_market import GasMarket


@pytest.mark.parametrize(
    ("scale", "path_fee", "fee"), [(1.0, 20, 20), (2.5, 20, 50), (0.0, 10**9, 7), (1.0, 1, 7)]
)
def test_follows_the_path(scale: float, path_fee: int, fee: int) -> None:
    assert GasMarket(scale).decide(path_fee) == fee
