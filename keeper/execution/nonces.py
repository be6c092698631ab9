"""Which nonce comes next: from the chain and the journal together (K-04). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from keeper.execution.fees import Fees
from keeper.model.attempt import Attempt
from keeper.model.outcome import AttemptStatus

POOL_MEMORY_BLOCKS = 25
"""How long an attempt is outbid although the endpoint says its pool is empty: another pool may hold it."""


@dataclass(frozen=True, slots=True)
class Floor:
    """Fees already signed with a nonce."""

    fees: Fees
    certain: bool
    """True if the endpoint's own pool holds something with the nonce: lower fees would be refused."""


def next_nonce(mined: int, pending: int, mine_at_mined: Sequence[Attempt]) -> int:
    """The nonce of a new intent while none of ours is in flight.

    mined: transaction count at the newest block. pending: the same with the node's pool.
    mine_at_mined: our own attempts ever signed with nonce `mined`, refused ones too: an endpoint that
    refuses may pool all the same. If there are any, they are given up and their nonce is used again, or
    it would be a gap; what others queued with this key goes first.
    """
    return mined if mine_at_mined else max(mined, pending)


def fee_floor(attempts: Sequence[Attempt], *, pooled: bool, block: int) -> Floor | None:
    """Highest fees already signed with a nonce that a pool may still hold.

    pooled: the endpoint's pool holds something with this nonce. block: number of the newest block.
    """
    held = tuple(a for a in attempts if a.status is not AttemptStatus.REFUSED)
    if pooled and not held:
        held = tuple(attempts)  # something is there, so one of the refusals was not meant
    if not pooled:
        held = tuple(a for a in held if block - a.signed_block <= POOL_MEMORY_BLOCKS)
    if not held:
        return None
    fees = Fees(max(a.max_fee_wei for a in held), max(a.tip_wei for a in held))
    return Floor(fees, certain=pooled)
