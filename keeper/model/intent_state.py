"""Life of an intent as the journal keeps it: one state at a time, and which may follow which."""

from dataclasses import dataclass
from enum import StrEnum

from keeper.model.decision import Lane


class IntentState(StrEnum):
    """created -> journalled -> simulated -> signed -> attempted -> included -> confirmed -> finalised, or an end."""

    CREATED = "created"  # decided in memory, not durable: a crash here leaves nothing
    JOURNALLED = "journalled"  # durable with its decision; nothing signed
    SIMULATED = "simulated"  # the contracts would take it at its block
    SIGNED = "signed"  # an attempt is durable; it may or may not have left the process
    ATTEMPTED = "attempted"  # an endpoint was given an attempt, or may have been
    INCLUDED = "included"  # one attempt is in a block
    CONFIRMED = "confirmed"  # that block is as deep as the keeper acts on
    FINALISED = "finalised"  # that block cannot be reorganised away: success and revert alike
    FAILED = "failed"  # nothing took effect and nothing can any more
    CANCELLED = (
        "cancelled"  # given up by its deadline or by a person; its nonce is used or given back
    )
    SUPERSEDED = (
        "superseded"  # another intent, or another keeper's transaction, took its nonce or its place
    )


ENDS = frozenset(
    {
        IntentState.FINALISED,
        IntentState.FAILED,
        IntentState.CANCELLED,
        IntentState.SUPERSEDED,
    }
)
"""States nothing follows."""


@dataclass(frozen=True, slots=True)
class IntentRecord:
    """Where one intent stands, as last journalled."""

    intent_id: str
    chain_id: int
    account: str
    """Of the lane that carries it; empty until an account took it."""
    lane: Lane
    state: IntentState
    block_number: int | None
    """Of the inclusion, from INCLUDED on."""
    block_hash: str | None
    tx_hash: str | None
    """Of the attempt that was included."""
    fence: int
    """Fencing token of the keeper that made it: a later leader has a higher one."""
    note: str
    """Why it came to this state, for people."""
