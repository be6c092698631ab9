"""The pool's price arithmetic and the amounts of a position, in both token orders."""

import math

import pytest

from keeper.localnet.protocols.uniswap import (
    MAX_TICK,
    RANGES,
    TICK_SPACING,
    Pair,
    PoolScale,
    Range,
    position_amounts,
)

ORDERS = [PoolScale(weth_is_token0=True), PoolScale(weth_is_token0=False)]
PRICES = [50.0, 194.0, 1_705.5, 2_000.0, 10_000.0]


@pytest.mark.parametrize("scale", ORDERS)
@pytest.mark.parametrize("price", PRICES)
def test_the_square_root_price_means_the_price(scale: PoolScale, price: float) -> None:
    assert scale.price_usd(scale.sqrt_price_x96(price)) == pytest.approx(price, rel=1e-9)


@pytest.mark.parametrize("scale", ORDERS)
def test_ticks_are_usable_ordered_and_around_the_price(scale: PoolScale) -> None:
    lower, upper = scale.ticks(1_900, 2_100)
    exact = math.log(scale.raw_ratio(2_000)) / math.log(1.0001)
    assert lower % TICK_SPACING == upper % TICK_SPACING == 0
    assert lower < exact < upper
    assert scale.ticks(0, math.inf) == (-MAX_TICK, MAX_TICK)


@pytest.mark.parametrize("scale", ORDERS)
@pytest.mark.parametrize("where", RANGES)
@pytest.mark.parametrize("price", PRICES)
def test_a_position_is_worth_what_was_asked(scale: PoolScale, where: Range, price: float) -> None:
    amounts = position_amounts(scale, price, where, 1_000_000)
    weth, usdc = amounts.amount0, amounts.amount1
    if not scale.weth_is_token0:
        weth, usdc = usdc, weth
    assert weth * price / 1e18 + usdc / 1e6 == pytest.approx(1_000_000, rel=1e-6)


def test_the_ranges_share_the_whole_pool() -> None:
    assert math.fsum(where.share for where in RANGES) == pytest.approx(1.0)


def test_a_pair_is_sorted_by_address() -> None:
    low, high = "0x" + "01" * 20, "0x" + "ff" * 20
    assert Pair(weth=high, usdc=low).sorted == (low, high)
    assert not Pair(weth=high, usdc=low).scale.weth_is_token0
    assert Pair(weth=low, usdc=high).scale.weth_is_token0
