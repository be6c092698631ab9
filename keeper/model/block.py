"""The one block a tick sees."""

from dataclasses import dataclass

from keeper.model.quick import quick


@quick
@dataclass(frozen=True, slots=True)
class BlockStamp:
    """A block by hash; every reading of a tick is pinned to it."""

    number: int
    hash: str
    parent_hash: str
    timestamp: int
    base_fee_wei: int
