"""Which nonce comes next: from the chain and the journal together (K-04). Pure."""

from collections.abc import Sequence

from keeper.execution.fees import Fees
from keeper.model.attempt import Attempt
from keeper.model.outcome import AttemptStatus


def next_nonce(mined: int, pending: int, mine_at_mined: Sequence[Attempt]) -> int:
    """The nonce of a new intent while none of ours is in flight.

    mined: transaction count at the newest block. pending: the same with the node's pool.
    mine_at_mined: our own attempts ever signed with nonce `mined`. If there are any, they are given up
    and their nonce is used again, or it would be a gap; what others queued with this key goes first.
    """
    if may_be_pooled(mine_at_mined):
        return mined
    return max(mined, pending)


def fee_floor(attempts: Sequence[Attempt]) -> Fees | None:
    """Highest fees already signed with a nonce: a node may still hold that transaction."""
    pooled = may_be_pooled(attempts)
    if not pooled:
        return None
    return Fees(max(a.max_fee_wei for a in pooled), max(a.tip_wei for a in pooled))


def may_be_pooled(attempts: Sequence[Attempt]) -> tuple[Attempt, ...]:
    """Those a node may hold: all but the ones that were refused outright."""
    return tuple(a for a in attempts if a.status is not AttemptStatus.REFUSED)
