"""Life of an intent as the journal keeps it: one state at a time, and which may follow which."""

from collections.abc import Mapping
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
"""States in which an intent is not looked after any more."""

_UNSIGNED_ENDS = frozenset({IntentState.FAILED, IntentState.CANCELLED, IntentState.SUPERSEDED})

MAY_FOLLOW: Mapping[IntentState, frozenset[IntentState]] = {
    IntentState.CREATED: frozenset({IntentState.JOURNALLED}),
    IntentState.JOURNALLED: _UNSIGNED_ENDS | {IntentState.SIMULATED, IntentState.SIGNED},
    IntentState.SIMULATED: _UNSIGNED_ENDS | {IntentState.SIGNED},
    # found mined although a crash hid that it was ever sent
    IntentState.SIGNED: _UNSIGNED_ENDS | {IntentState.ATTEMPTED, IntentState.INCLUDED},
    IntentState.ATTEMPTED: _UNSIGNED_ENDS | {IntentState.INCLUDED},
    # back to ATTEMPTED: a reorganisation took the block away; CANCELLED: it was the empty transaction
    # that took the nonce, and no block takes that back any more
    IntentState.INCLUDED: frozenset(
        {
            IntentState.CONFIRMED,
            IntentState.FINALISED,
            IntentState.CANCELLED,
            IntentState.ATTEMPTED,
        }
    ),
    IntentState.CONFIRMED: frozenset(
        {IntentState.FINALISED, IntentState.CANCELLED, IntentState.ATTEMPTED}
    ),
    IntentState.FINALISED: frozenset(),
    # a pool may keep what was given up: if the chain takes it late, the chain is believed
    IntentState.FAILED: frozenset({IntentState.INCLUDED}),
    IntentState.CANCELLED: frozenset({IntentState.INCLUDED}),
    IntentState.SUPERSEDED: frozenset({IntentState.INCLUDED}),
}
"""Which state may follow which; the same again is no step."""


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
    vault: str = ""
    """Whose it is; empty where the journal does not say."""
