"""The mirror of a pool's arithmetic against the real pool's bytecode, through its own quoter."""

from typing import Any

import pytest

from keeper.localnet.world import World
from keeper.quant import impact
from keeper.quant import uniswap_v3 as v3

SIZES = [1, 10**6, 10**12, 10**15, 3 * 10**18, 77 * 10**18 + 1, 2_500 * 10**18, 40_000 * 10**18]


def read_pool(contract: Any) -> impact.Pool:
    """The pool with every initialised tick, found through its bitmap."""
    price, tick, *_ = contract.functions.slot0().call()
    spacing = contract.functions.tickSpacing().call()
    net: dict[int, int] = {}
    for word in range(v3.MIN_TICK // spacing // 256, v3.MAX_TICK // spacing // 256 + 1):
        bitmap = contract.functions.tickBitmap(word).call()
        for bit in range(256):
            if bitmap >> bit & 1:
                at = (word * 256 + bit) * spacing
                net[at] = contract.functions.ticks(at).call()[1]
    liquidity = contract.functions.liquidity().call()
    return impact.Pool(price, tick, liquidity, contract.functions.fee().call(), spacing, net)


@pytest.mark.parametrize("weth_in", [True, False])
def test_quotes_are_the_quoters_to_the_last_unit(world: World, weth_in: bool) -> None:
    a = world.addresses
    quoter = world.contract("QuoterV2", a.uniswap_quoter).functions
    contract = world.contract("UniswapV3Pool", a.uniswap_pool)
    pool = read_pool(contract)
    token_in, token_out = (a.weth, a.usdc) if weth_in else (a.usdc, a.weth)
    zero_for_one = contract.functions.token0().call() == token_in
    crossed = 0
    for size in SIZES:
        amount = size if weth_in else max(1, size * 2_000 // 10**12)
        order = (token_in, token_out, amount, pool.fee_pips, 0)
        out, after, *_ = quoter.quoteExactInputSingle(order).call()
        ours = impact.swap(pool, amount, zero_for_one=zero_for_one)
        assert (ours.amount_out, ours.after.sqrt_price_x96) == (out, after)
        if out:
            paid, after, *_ = quoter.quoteExactOutputSingle((*order[:2], out, *order[3:])).call()
            back = impact.swap(pool, out, zero_for_one=zero_for_one, exact_in=False)
            assert (back.amount_in, back.after.sqrt_price_x96) == (paid, after)
        crossed += ours.ticks_crossed
    assert crossed > 2  # the sizes reach over several ticks
