"""What came of a tick and of an attempt."""

from dataclasses import dataclass
from enum import StrEnum

from keeper.model.quick import quick


class TickStatus(StrEnum):
    """How a tick ended."""

    __hash__ = str.__hash__
    """An enumeration's own is of its name, and in Python."""
    HELD = "held"  # nothing to do
    SKIPPED = "skipped"  # could not decide: price unusable, no position, wrong state
    REFUSED = "refused"  # the guard said no
    DRY = "dry"  # would have sent (dry run)
    PENDING = "pending"  # an earlier attempt is still in flight
    SENT = "sent"
    FAILED = "failed"  # simulation or sending failed; nothing in flight


class AttemptStatus(StrEnum):
    """Life of one signed transaction."""

    SIGNED = "signed"
    SENT = "sent"
    MINED = "mined"
    REVERTED = "reverted"
    REPLACED = "replaced"
    DROPPED = "dropped"  # given up; a pool may still hold it
    REFUSED = "refused"  # the endpoint refused it: it never was in a pool
    CANCELLED = "cancelled"  # the empty transaction that took the nonce, mined


@quick
@dataclass(frozen=True, slots=True)
class TickOutcome:
    """One tick, for the log, the journal and the display."""

    block_number: int
    status: TickStatus
    reason: str
    intent_id: str | None = None
    tx_hash: str | None = None


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """What the chain says of one attempt."""

    intent_id: str
    tx_hash: str
    status: AttemptStatus
    block_number: int | None
    gas_used: int
    gas_price_wei: int
    block_hash: str | None = None
    """Of the block it is mined in; None where nobody said."""
