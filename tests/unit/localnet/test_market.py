"""What market may be asked for."""

import pytest

from keeper.errors import LocalnetError
from keeper.localnet.market import GENESIS_TIME, MarketSpec


@pytest.mark.parametrize("price", [50.0, 194.0, 10_000.0])
def test_any_price_of_history_is_taken(price: float) -> None:
    assert MarketSpec(price_usd=price).price_usd == price


@pytest.mark.parametrize("price", [0.0, -1.0, float("nan"), float("inf"), 2e6])
def test_a_price_that_is_none_is_refused(price: float) -> None:
    with pytest.raises(LocalnetError, match="initial price"):
        MarketSpec(price_usd=price)


def test_a_start_before_the_chain_is_refused() -> None:
    with pytest.raises(LocalnetError, match="start time"):
        MarketSpec(start_time=GENESIS_TIME)
