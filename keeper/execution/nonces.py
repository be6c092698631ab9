"""Which nonce comes next: from the chain and the journal together (K-04). Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from keeper.execution.fees import Fees
from keeper.model.attempt import Attempt
from keeper.model.decision import Lane
from keeper.model.outcome import AttemptStatus

POOL_MEMORY_BLOCKS = 25
"""How long an attempt is outbid although the endpoint says its pool is empty: another pool may hold it."""


@dataclass(frozen=True, slots=True)
class Floor:
    """Fees already signed with a nonce."""

    fees: Fees
    certain: bool
    """True if the endpoint's own pool holds something with the nonce: lower fees would be refused."""


OPEN = frozenset({AttemptStatus.SIGNED, AttemptStatus.SENT})


def next_nonce(
    mined: int,
    pending: int,
    mine_at: Callable[[int], Sequence[Attempt]],
    lane: Lane,
    stale: Callable[[str], bool] = lambda _: False,
) -> int:
    """The nonce of a new intent: the one allocator of an account, whichever vaults and lanes share it.

    mined: transaction count at the newest block. pending: the same with the node's pool. mine_at: our own
    attempts ever signed with a nonce, refused ones too: an endpoint that refuses may pool all the same.

    From `mined` on: what we gave up or were refused is used again, or it would be a gap; what is in flight is
    kept, except that protection takes over the nonce of a routine intent (K-05) and of protection that the
    contracts would refuse now (stale, by intent); what others queued with this
    key goes first; else the nonce is free.
    """
    nonce = mined
    while True:
        ours = mine_at(nonce)
        holders = {a.lane for a in ours if a.status in OPEN}
        if ours and not holders:
            return nonce
        kept = {a.lane for a in ours if a.status in OPEN and not stale(a.intent_id)}
        if holders and lane is Lane.PROTECTIVE and Lane.PROTECTIVE not in kept:
            return nonce
        if not ours and nonce >= pending:
            return nonce
        nonce += 1


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
