"""Fee tiers of a real Uniswap pair: found by its factory, and split over by quotes that the real quoter gives."""

from dataclasses import replace
from pathlib import Path

import pytest

from keeper.chain.endpoint import Endpoint
from keeper.chain.pool import EndpointPool
from keeper.chain.tiers import pools_of_pair
from keeper.localnet.protocols.uniswap import Pair
from keeper.localnet.rpc import send
from keeper.localnet.vaults import deploy_vault, deposit
from keeper.localnet.world import World
from keeper.model.market import PoolState
from keeper.planning.routes import route
from keeper.planning.slices import base_reserve
from tests.integration.keeper.kept import DOLLAR, Kept

ETHER = 10**18
DEAR_PIPS = 3_000
WIDEST = 887_220
"""Last usable tick of that tier."""


@pytest.fixture
def kept(world: World, tmp_path: Path) -> Kept:
    """A vault, and a second pool of its pair with as much liquidity as ten ether and their dollars give."""
    deployment = deploy_vault(world, keepers=[world.accounts.keeper])
    deposit(world, deployment, world.accounts.depositor, 10_000 * DOLLAR)
    pair = Pair(world.addresses.weth, world.addresses.usdc)
    provider = world.accounts.liquidity_provider
    manager = world.contract(
        "NonfungiblePositionManager", world.addresses.uniswap_position_manager
    ).functions
    own = world.contract("UniswapV3Pool", world.addresses.uniswap_pool).functions
    root = own.slot0().call()[0]
    send(
        world.w3,
        manager.createAndInitializePoolIfNecessary(*pair.sorted, DEAR_PIPS, root),
        provider,
    )
    weth = world.contract("WETH9", world.addresses.weth).functions
    send(world.w3, weth.deposit(), provider, value=2_000 * ETHER)
    most = (2_000 * ETHER, 4_000_000 * DOLLAR)
    amounts = most if pair.scale.weth_is_token0 else most[::-1]
    params = (*pair.sorted, DEAR_PIPS, -WIDEST, WIDEST, *amounts, 0, 0, provider, 2**40)
    send(world.w3, manager.mint(params), provider)
    return Kept(world, deployment, tmp_path)


def test_a_pairs_tiers_are_read_and_a_split_is_what_the_real_quoter_gives(kept: Kept) -> None:
    world = kept.world
    with kept.keeper() as keeper:
        readings = keeper.read()
    source = EndpointPool([Endpoint(world.http_url, 10.0)])
    try:
        found = pools_of_pair(source, readings.pool, readings.block)
        nowhere = replace(readings.pool, pool=readings.vault)
        assert pools_of_pair(source, nowhere, readings.block) == (nowhere,)
    finally:
        source.close()
    assert [pool.fee_pips for pool in found] == [readings.pool.fee_pips, DEAR_PIPS]
    assert found[0] == readings.pool
    dear = world.contract("UniswapV3Pool", found[1].pool).functions
    root, tick, *_ = dear.slot0().call()
    assert (found[1].sqrt_price_x96, found[1].tick) == (root, tick)
    assert found[1].liquidity == dear.liquidity().call() > 0

    # a sale that moves the cheap pool by 0.4 %: further than the dear one's fee is above its own
    large = int(base_reserve(readings.pool, 18) * 0.002 * ETHER)
    for amount, legs in ((ETHER, 1), (large, 2)):
        split = route(found, True, amount)
        assert (split.amount_in, len(split.legs)) == (amount, legs)
        assert split.expected_out >= quoted(world, readings.pool, amount)
        for leg in split.legs:
            assert leg.expected_out == quoted(world, leg.pool, leg.amount_in)


def quoted(world: World, pool: PoolState, amount: int) -> int:
    """What Uniswap's own quoter gives for base sold in this pool."""
    quoter = world.contract("QuoterV2", world.addresses.uniswap_quoter).functions
    addresses = (world.addresses.weth, world.addresses.usdc)
    return int(quoter.quoteExactInputSingle((*addresses, amount, pool.fee_pips, 0)).call()[0])
