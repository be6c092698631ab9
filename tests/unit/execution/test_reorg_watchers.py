"""Two look for reorganisations, one for the chain and one for intents: they never contradict each other (K-01, K-12).

ReorgWatch knows which blocks are gone; the follower asks by mined nonce and receipt. An intent goes back to its way
exactly when the block it was included in is one that the watch calls dropped.
"""

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.chain.reorg import ReorgWatch
from keeper.model.block import BlockStamp
from keeper.model.intent_state import IntentState
from tests.unit.execution.model_chain import ModelChain
from tests.unit.execution.test_reorganisations import World

IN_CHAIN = (IntentState.INCLUDED, IntentState.CONFIRMED)


class Blocks:
    """The model chain as the watch reads it."""

    name = "model"

    def __init__(self, chain: ModelChain) -> None:
        self._chain = chain

    def head(self) -> BlockStamp:
        return self._chain.head

    def call(self, method: str, params: list[Any]) -> Any:
        return self._chain.call(method, params)

    def batch(self, calls: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        return self.agreed_batch(calls)

    def agreed_batch(self, calls: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        found = {hex(b.stamp.number): b.stamp.hash for b in self._chain.blocks}
        return [
            self._chain.call("eth_getBlockByHash", [found.get(params[0], params[0])])
            for _, params in calls
        ]


steps = st.lists(st.integers(0, 6), min_size=1, max_size=8)


@settings(max_examples=60)
@given(steps, st.booleans())
def test_an_intent_is_reopened_exactly_when_its_block_is_dropped(
    depths: list[int], forgets: bool
) -> None:
    """A step is a new block (0) or a reorganisation of so many."""
    world = World()
    watch = ReorgWatch(Blocks(world.chain), depth=7)
    intent = world.submit(life_s=10**6)
    watch.see(world.chain.head)
    for depth in depths:
        before = world.book.intents[intent.id]
        head = world.chain.reorganise(depth, forgets=forgets) if depth else world.chain.mine()
        found = watch.see(head)
        world.executor.follow(head)
        after = world.book.intents[intent.id]
        if before.state not in IN_CHAIN:
            continue
        dropped = found is not None and before.block_hash in found.dropped_hashes
        still = after.state in (*IN_CHAIN, IntentState.FINALISED)
        assert (still and after.block_hash == before.block_hash) is not dropped
        if still:
            assert after.block_number is not None
            assert after.block_hash is not None
            assert watch.canonical(after.block_number, after.block_hash)
