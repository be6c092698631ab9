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
    """In their place and above, oldest first; the last is the new head."""

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
            self._begin(head)
            return None
        if self._chain.get(head.number) == head:
            return None
        adopted = self._back_to_known(head)
        ancestor = self._chain.get(adopted[0].number - 1)
        if ancestor is None:  # a gap longer than is kept: is what was kept still of the chain?
            return self._across(head, adopted)
        dropped = self._above(ancestor.number)
        if len(dropped) > self.depth:
            raise DeepReorganisationError(head.hash, head.number, self.depth)
        self._adopt(dropped, adopted)
        return Reorganisation(head, ancestor, dropped, adopted) if dropped else None

    def canonical(self, block_number: int, block_hash: str) -> bool | None:
        """True if that block is of the chain as last seen, False if another is; None if it is not kept."""
        found = self._chain.get(block_number)
        return None if found is None else found.hash == block_hash.lower()

    def _begin(self, head: BlockStamp) -> None:
        self._chain = {head.number: head}
        self._tip = head

    def _back_to_known(self, head: BlockStamp) -> tuple[BlockStamp, ...]:
        """From the first block whose parent is known, or as far back as is kept, up to `head`."""
        oldest = min(self._chain)
        newer = [head]
        for block in self._missed(head):
            if self._knows_parent(newer[-1]) or block.hash != newer[-1].parent_hash:
                break
            newer.append(block)
        while not self._knows_parent(newer[-1]):
            lowest = newer[-1]
            if lowest.number <= oldest or len(newer) > 2 * self.depth:
                if self._gap(head):
                    break
                raise DeepReorganisationError(head.hash, head.number, self.depth)
            newer.append(self._block(lowest.parent_hash))
        return tuple(reversed(newer))

    def _knows_parent(self, block: BlockStamp) -> bool:
        parent = self._chain.get(block.number - 1)
        return parent is not None and parent.hash == block.parent_hash

    def _gap(self, head: BlockStamp) -> bool:
        """True if more blocks were missed than are kept."""
        return self._tip is not None and head.number - self._tip.number > self.depth

    def _missed(self, head: BlockStamp) -> tuple[BlockStamp, ...]:
        """The blocks between tip and head, newest first, in one request; empty where none is missed.

        They are asked by number, and count only as far as each is the parent of the one above.
        """
        tip = self._tip
        if tip is None or not 1 < head.number - tip.number <= self.depth:
            return ()
        numbers = range(head.number - 1, tip.number, -1)
        calls: list[Call] = [(_BY_NUMBER, [hex(n), False]) for n in numbers]
        return self._blocks(calls)

    def _across(self, head: BlockStamp, adopted: Sequence[BlockStamp]) -> Reorganisation | None:
        """After a long gap: compares what is kept with the chain's blocks of those numbers."""
        kept = self._above(-1)
        found = {
            b.number: b for b in self._blocks([(_BY_NUMBER, [hex(b.number), False]) for b in kept])
        }
        ancestor = next((b for b in kept if found.get(b.number) == b), None)
        if ancestor is None:
            raise DeepReorganisationError(head.hash, head.number, self.depth)
        dropped = self._above(ancestor.number)
        between = [found[b.number] for b in reversed(dropped) if b.number in found]
        self._adopt(dropped, (*between, *adopted))
        whole = (*between, *adopted)
        return Reorganisation(head, ancestor, dropped, whole) if dropped else None

    def _above(self, number: int) -> tuple[BlockStamp, ...]:
        return tuple(self._chain[n] for n in sorted(self._chain, reverse=True) if n > number)

    def _adopt(self, dropped: Sequence[BlockStamp], adopted: Sequence[BlockStamp]) -> None:
        for block in dropped:
            del self._chain[block.number]
        self._chain.update({block.number: block for block in adopted})
        self._tip = adopted[-1]
        for number in sorted(self._chain)[: -(self.depth + 1)]:
            del self._chain[number]

    def _block(self, block_hash: str) -> BlockStamp:
        (found,) = self._blocks([(_BY_HASH, [block_hash, False])])
        if found.hash != block_hash:
            raise EndpointError(self._source.name, _BY_HASH, f"answered block {found.hash}")
        return found

    def _blocks(self, calls: Sequence[Call]) -> tuple[BlockStamp, ...]:
        found = []
        for (method, params), header in zip(calls, self._source.agreed_batch(calls), strict=True):
            if isinstance(header, RpcError):
                raise header
            if header is None:
                raise ReorganisedError(str(params[0]))
            found.append(stamp(header, self._source.name, method))
        return tuple(found)
