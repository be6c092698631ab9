"""The other pools of a Uniswap v3 pair: one per fee tier that its factory knows, read at one block."""

from keeper.chain.addresses import address
from keeper.chain.source import Source
from keeper.chain.views import View, in_batches
from keeper.errors import RpcError
from keeper.model.address import ZERO_ADDRESS
from keeper.model.block import BlockStamp
from keeper.model.market import PoolState

TIERS_PIPS = (100, 500, 3_000, 10_000)
"""Fee tiers of Uniswap's own factories."""
_FACTORY = View("factory", (), "address")
_TOKENS = (View("token0", (), "address"), View("token1", (), "address"))
_POOL = View("getPool", ("address", "address", "uint24"), "address")
_SLOT0 = View("slot0", (), "uint160", "int24", "uint16", "uint16", "uint16", "uint8", "bool")
_LIQUIDITY = View("liquidity", (), "uint128")


def pools_of_pair(source: Source, pool: PoolState, block: BlockStamp) -> tuple[PoolState, ...]:
    """The pool itself first, then every other of its pair that has liquidity in range, by rising fee.

    Only itself where it has no factory, as a pool that stands in for one in a test.
    """
    ends = in_batches(source, [v.call(pool.pool, block) for v in (_FACTORY, *_TOKENS)])
    if any(isinstance(answer, RpcError) for answer in ends):
        return (pool,)
    factory, first, second = (
        address(view.decode(answer, source.name, block)[0])
        for view, answer in zip((_FACTORY, *_TOKENS), ends, strict=True)
    )
    answers = in_batches(source, [_POOL.call(factory, block, first, second, t) for t in TIERS_PIPS])
    found = [
        (tier, address(_POOL.decode(answer, source.name, block)[0]))
        for tier, answer in zip(TIERS_PIPS, answers, strict=True)
    ]
    own = pool.pool.lower()
    others = [(t, at) for t, at in found if at != ZERO_ADDRESS and at.lower() != own]
    calls = [view.call(at, block) for _, at in others for view in (_SLOT0, _LIQUIDITY)]
    states = in_batches(source, calls)
    siblings = []
    for i, (tier, at) in enumerate(others):
        root, tick, *_ = _SLOT0.decode(states[2 * i], source.name, block)
        (liquidity,) = _LIQUIDITY.decode(states[2 * i + 1], source.name, block)
        siblings.append(PoolState(at, tier, tick, root, liquidity, pool.base_is_token0))
    return (pool, *(s for s in siblings if s.liquidity > 0 and s.sqrt_price_x96 > 0))
