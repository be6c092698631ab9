"""Every reorganisation is found by parent hash, whatever heads were missed, or the keeper stops (K-12)."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.chain.reorg import ReorgWatch
from keeper.chain.source import Call
from keeper.errors import DeepReorganisationError, EndpointError, ReadError
from keeper.model.block import BlockStamp
from tests.unit.chain.nodes import header


class Chain:
    """A chain that grows and is rewritten; remembers every block, as nodes do for a while."""

    name = "chain"

    def __init__(self, length: int = 200) -> None:
        self.blocks: list[BlockStamp] = []
        self.by_hash: dict[str, BlockStamp] = {}
        self.made = 0
        self.requests: list[list[Call]] = []
        self.extend(length)

    def extend(self, count: int) -> BlockStamp:
        for _ in range(count):
            number = len(self.blocks)
            parent = self.blocks[-1].hash if self.blocks else "0x" + "00" * 32
            self.made += 1
            block = BlockStamp(number, f"0x{self.made:064x}", parent, 12 * number, 7)
            self.blocks.append(block)
            self.by_hash[block.hash] = block
        return self.blocks[-1]

    def rewrite(self, depth: int, grow: int = 0) -> BlockStamp:
        """Replaces the last `depth` blocks by `depth + grow` others."""
        del self.blocks[len(self.blocks) - depth :]
        return self.extend(depth + grow)

    def head(self) -> BlockStamp:
        return self.blocks[-1]

    def call(self, method: str, params: list[Any]) -> Any:
        return self.agreed_batch([(method, params)])[0]

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        return self.agreed_batch(calls)

    def agreed_batch(self, calls: Sequence[Call]) -> list[Any]:
        self.requests.append(list(calls))
        return [self._answer(method, params[0]) for method, params in calls]

    def _answer(self, method: str, which: str) -> Any:
        if method == "eth_getBlockByHash":
            found = self.by_hash.get(which)
        else:
            number = int(which, 16)
            found = self.blocks[number] if number < len(self.blocks) else None
        return header(found) if found else None


def watching(depth: int = 64, length: int = 200) -> tuple[Chain, ReorgWatch]:
    chain = Chain(length)
    watch = ReorgWatch(chain, depth)
    assert watch.see(chain.head()) is None
    return chain, watch


steps = st.lists(
    st.tuples(st.integers(0, 8), st.integers(0, 12), st.booleans()), min_size=1, max_size=12
)


@given(steps)
def test_what_is_dropped_is_what_was_seen_and_is_no_longer_of_the_chain(
    moves: list[tuple[int, int, bool]],
) -> None:
    """Whether heads were seen or missed in between, and however they were rewritten."""
    chain, watch = watching(depth=16, length=40)
    seen = {b.number: b for b in chain.blocks[-17:]}
    for dropped, grown, looked in moves:
        chain.rewrite(min(dropped, 8), grown)
        if not looked:
            continue
        gone = {n: b for n, b in seen.items() if n >= len(chain.blocks) or chain.blocks[n] != b}
        if len(gone) == len(seen):
            with pytest.raises(DeepReorganisationError):
                watch.see(chain.head())
            return
        if seen.get(chain.head().number) == chain.head():
            assert watch.see(chain.head()) is None  # behind what is known, and of it
            continue
        found = watch.see(chain.head())
        assert (found.dropped if found else ()) == tuple(
            gone[n] for n in sorted(gone, reverse=True)
        )
        if found:
            assert found.ancestor == chain.blocks[min(gone) - 1]
            assert found.adopted[-1] == chain.head()
        kept = chain.blocks[-17:]
        seen = {n: b for n, b in seen.items() if n not in gone} | {b.number: b for b in kept}
        seen = {n: seen[n] for n in sorted(seen)[-17:]}
        for block in kept:
            assert watch.canonical(block.number, block.hash.upper().replace("X", "x")) is True
        for number, block in gone.items():
            assert watch.canonical(number, block.hash) is not True


@pytest.mark.parametrize("depth", [1, 2, 7, 64])
def test_a_reorganisation_up_to_the_depth_is_followed(depth: int) -> None:
    chain, watch = watching()
    before = chain.blocks[-depth:]
    found = watch.see(chain.rewrite(depth, grow=1))
    assert found is not None
    assert found.depth == depth
    assert found.dropped_hashes == tuple(b.hash for b in reversed(before))
    assert found.ancestor == chain.blocks[-depth - 2]
    assert watch.see(chain.extend(1)) is None


@pytest.mark.parametrize("missed", [0, 3, 64, 65, 130])
def test_a_reorganisation_deeper_than_the_depth_stops_the_keeper(missed: int) -> None:
    """K-12: it is no ReadError, which would only skip the tick; and it is found again."""
    chain, watch = watching()
    chain.rewrite(65, grow=missed)
    for _ in range(2):
        with pytest.raises(DeepReorganisationError, match="the keeper stops"):
            watch.see(chain.head())
    assert not issubclass(DeepReorganisationError, ReadError)


@pytest.mark.parametrize(("missed", "requests"), [(0, 0), (1, 1), (5, 1), (63, 1), (200, 2)])
def test_missed_blocks_are_fetched_together(missed: int, requests: int) -> None:
    chain, watch = watching()
    chain.requests.clear()
    assert watch.see(chain.extend(missed + 1)) is None
    assert len(chain.requests) == requests
    for block in chain.blocks[-65:]:
        assert watch.canonical(block.number, block.hash)


def test_what_is_not_kept_is_unknown_and_not_false() -> None:
    chain, watch = watching(depth=8)
    old = chain.blocks[-20]
    assert watch.canonical(old.number, old.hash) is None
    assert watch.canonical(chain.head().number + 1, old.hash) is None


def test_a_head_of_the_past_changes_nothing() -> None:
    chain, watch = watching()
    assert watch.see(chain.blocks[-3]) is None
    assert watch.tip == chain.head()


def test_a_missed_block_that_cannot_be_read_changes_nothing() -> None:
    chain, watch = watching()
    tip, lost = watch.tip, chain.extend(2)
    gap = chain.blocks.pop(-2)
    chain.blocks.insert(-1, BlockStamp(gap.number + 7, gap.hash, gap.parent_hash, 1, 7))
    with pytest.raises(EndpointError, match="other blocks"):
        watch.see(lost)
    assert watch.tip == tip
    chain.blocks[-2] = gap
    assert watch.see(lost) is None
    assert watch.tip == lost


def test_near_the_first_block_there_is_less_to_keep() -> None:
    chain = Chain(1)
    watch = ReorgWatch(chain, 64)
    assert watch.see(chain.head()) is None
    chain.extend(3)
    assert watch.see(chain.head()) is None
    found = watch.see(chain.rewrite(3, grow=1))
    assert found is not None
    assert found.ancestor.number == 0


def test_missed_blocks_count_only_as_parents_of_the_head() -> None:
    """The chain is rewritten between a head and the question for what was missed below it."""
    chain, watch = watching()
    side = chain.extend(5)
    below = chain.blocks[-4:-1]
    chain.rewrite(4)
    assert watch.see(side) is None
    assert all(watch.canonical(b.number, b.hash) for b in below)
    found = watch.see(chain.extend(1))
    assert found is not None
    assert found.dropped == (side, *reversed(below))
