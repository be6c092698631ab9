"""Reorganisations, found by parent hash: what was seen of the chain, and what of it no longer is."""

from collections.abc import Sequence
from dataclasses import dataclass

from keeper.chain.source import Call, Source
from keeper.chain.stamps import stamp
from keeper.errors import (
    DeepReorganisationError,
    EndpointError,
    ReorganisedError,
    RpcError,
)
from keeper.model.block import BlockStamp

DEFAULT_DEPTH = 64
_BY_HASH = "eth_getBlockByHash"
_BY_NUMBER = "eth_getBlockByNumber"


@dataclass(frozen=True, slots=True)
class Reorganisation:
    """Blocks that were seen as the chain's and no longer are."""

    head: BlockStamp
    """The new head."""
    ancestor: BlockStamp
    """The newest block of both chains."""
    dropped: tuple[BlockStamp, ...]
    """No longer of the chain, newest first."""
    adopted: tuple[BlockStamp, ...]
    """In their place and above, oldest first, up to the new head; the newest of them where many were missed."""

    @property
    def depth(self) -> int:
        """How many blocks were dropped."""
        return len(self.dropped)

    @property
    def dropped_hashes(self) -> tuple[str, ...]:
        """Newest first."""
        return tuple(block.hash for block in self.dropped)


class ReorgWatch:
    """The chain's last blocks as they were seen, linked by parent hash. One thread."""

    def __init__(self, source: Source, depth: int = DEFAULT_DEPTH) -> None:
        if depth < 1:
            raise ValueError("depth is at least 1")
        self._source = source
        self.depth = depth
        """Deepest reorganisation that is followed, blocks."""
        self._chain: dict[int, BlockStamp] = {}
        self._tip: BlockStamp | None = None

    @property
    def tip(self) -> BlockStamp | None:
        """The newest block seen."""
        return self._tip

    def see(self, head: BlockStamp) -> Reorganisation | None:
        """Follow the chain to `head`; what of the blocks seen so far that drops, None if nothing.

        Missed blocks are fetched, so that each block's parent is seen. A head that is already known as part
        of the chain changes nothing. Raises DeepReorganisationError when `head` shares none of the last
        `depth` blocks, and ReadError when a missed block cannot be read: nothing is changed then, and the
        next head finds it again.
        """
        tip = self._tip
        if tip is None:
            self._take(self._with_parents(head))
            return None
        if self._chain.get(head.number) == head:
            return None
        if head.number - tip.number > self.depth:
            return self._across(head)
        adopted = self._back_to_known(head, tip)
        ancestor = self._chain[adopted[0].number - 1]
        dropped = self._above(ancestor.number)
        self._take([b for b in self._chain.values() if b.number <= ancestor.number] + adopted)
        return Reorganisation(head, ancestor, dropped, tuple(adopted)) if dropped else None

    def canonical(self, block_number: int, block_hash: str) -> bool | None:
        """True if that block is of the chain as last seen, False if another is; None if it is not kept."""
        found = self._chain.get(block_number)
        return None if found is None else found.hash == block_hash.lower()

    def _take(self, blocks: Sequence[BlockStamp]) -> None:
        """The chain is these blocks, oldest first; as many as are needed are kept."""
        self._chain = {block.number: block for block in blocks[-(self.depth + 1) :]}
        self._tip = blocks[-1]

    def _with_parents(self, head: BlockStamp) -> list[BlockStamp]:
        """Up to `depth` ancestors of a head, in one request, and the head, oldest first."""
        numbers = range(head.number - 1, max(-1, head.number - 1 - self.depth), -1)
        found = [head]
        for block in self._numbered(numbers):
            if block.hash != found[-1].parent_hash:  # it was reorganised in the meantime
                raise ReorganisedError(head.hash)
            found.append(block)
        return found[::-1]

    def _back_to_known(self, head: BlockStamp, tip: BlockStamp) -> list[BlockStamp]:
        """From the first block whose parent is known up to `head`, oldest first."""
        oldest = min(self._chain)
        newer = [head]
        # by number and in one request; they count as far as each is the parent of the one above
        for block in self._numbered(range(head.number - 1, tip.number, -1)):
            if block.hash != newer[-1].parent_hash:
                break
            newer.append(block)
        while not self._knows_parent(newer[-1]):
            if newer[-1].number <= oldest:
                raise DeepReorganisationError(head.hash, head.number, self.depth)
            newer.append(self._parent(newer[-1]))
        return newer[::-1]

    def _knows_parent(self, block: BlockStamp) -> bool:
        parent = self._chain.get(block.number - 1)
        return parent is not None and parent.hash == block.parent_hash

    def _across(self, head: BlockStamp) -> Reorganisation | None:
        """After more blocks than are kept: is what was kept still of the chain?"""
        kept = self._above(-1)
        found = self._numbered([block.number for block in kept])
        ancestor = next((b for b, now in zip(kept, found, strict=True) if b == now), None)
        if ancestor is None:
            raise DeepReorganisationError(head.hash, head.number, self.depth)
        dropped = self._above(ancestor.number)
        newest = self._with_parents(head)
        self._take(newest)
        adopted = tuple(b for b in newest if b.number > ancestor.number)
        return Reorganisation(head, ancestor, dropped, adopted) if dropped else None

    def _above(self, number: int) -> tuple[BlockStamp, ...]:
        return tuple(self._chain[n] for n in sorted(self._chain, reverse=True) if n > number)

    def _parent(self, block: BlockStamp) -> BlockStamp:
        (found,) = self._blocks([(_BY_HASH, [block.parent_hash, False])])
        if found.hash != block.parent_hash or found.number != block.number - 1:
            raise EndpointError(self._source.name, _BY_HASH, f"answered block {found.hash}")
        return found

    def _numbered(self, numbers: Sequence[int]) -> tuple[BlockStamp, ...]:
        if not numbers:
            return ()
        found = self._blocks([(_BY_NUMBER, [hex(n), False]) for n in numbers])
        if [b.number for b in found] != list(numbers):
            raise EndpointError(self._source.name, _BY_NUMBER, "answered other blocks")
        return found

    def _blocks(self, calls: Sequence[Call]) -> tuple[BlockStamp, ...]:
        found = []
        answers = self._source.agreed_batch(calls)
        for (method, params), header in zip(calls, answers, strict=True):
            if isinstance(header, RpcError):
                raise header
            if header is None:
                raise ReorganisedError(str(params[0]))
            found.append(stamp(header, self._source.name, method))
        return tuple(found)
