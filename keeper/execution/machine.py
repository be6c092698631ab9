"""What to do next with an intent, from where it stands and what was seen of it. Pure.

Mined nonces decide: at a pinned block the account's transaction count says whether the nonce of the intent is
used. A receipt only says by which transaction, so a missing one means nothing, and one of a block that is gone
means nothing either.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from keeper.model.intent_state import ENDS, IntentState


class Action(StrEnum):
    """The next step of an intent."""

    REST = "rest"  # at its end, and nothing else was seen
    WAIT = "wait"  # just sent, or its nonce is used and the receipt may come
    DISCARD = "discard"  # journalled by a process that ended before it signed: decided anew
    RESEND = "resend"  # broadcast the newest attempt again, unchanged
    BUMP = "bump"  # replace it with a higher fee
    CANCEL = "cancel"  # replace it with an empty transaction
    STOP = "stop"  # past its deadline the vault refuses it: give the nonce back
    INCLUDE = "include"  # one of its transactions is in the chain
    LOST = "lost"  # its nonce is used, and for long enough by none of ours
    REOPEN = "reopen"  # a reorganisation took its transaction out of the chain
    CONFIRM = "confirm"  # as deep as the keeper acts on
    FINALISE = "finalise"  # no reorganisation takes it away any more


@dataclass(frozen=True, slots=True)
class FollowPolicy:
    """When patience ends, and how deep is deep enough; in blocks."""

    bump_after_blocks: int = 2
    lost_after_blocks: int = 4
    """How long a used nonce without any receipt of ours is borne before the intent counts as lost."""
    confirm_blocks: int = 3
    """Depth of a confirmed inclusion; the block itself is depth 1."""
    finality_blocks: int = 64
    """Depth of a final one, where the endpoints know no finalized block."""


@dataclass(frozen=True, slots=True)
class View:
    """An intent as the journal has it."""

    state: IntentState
    nonce: int | None
    """Of its attempts; None while nothing is signed."""
    deadline: int
    """Unix seconds."""
    signed_block: int = 0
    """Number of the block its newest attempt was signed at."""
    sent: bool = True
    """False while no endpoint said that it has the newest attempt: the same bytes harm nobody."""
    gives_way: bool = False
    """A person, or protection, wants it out of the way."""
    cancelling: bool = False
    """The newest attempt is the empty transaction."""
    included_block: int | None = None
    """From INCLUDED on."""
    included_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What one pinned block says of it."""

    number: int
    timestamp: int
    mined_nonce: int
    """Transaction count of the account."""
    receipt_block: int | None = None
    """Block of the receipt of one of its transactions, at or under the pinned one; None without any."""
    receipt_hash: str | None = None
    nonce_used_blocks: int = 0
    """Blocks since the nonce was first seen used without a receipt."""
    finalised: int | None = None
    """Number of the newest final block, as the endpoint says; None where it does not."""


def decide(view: View, seen: Seen, policy: FollowPolicy) -> Action:
    """The one next step; applied again after it, until it is one of patience."""
    return _BY_STATE[view.state](view, seen, policy)


def _unsigned(_view: View, _seen: Seen, _policy: FollowPolicy) -> Action:
    """Signing follows deciding in the same tick, so what is found unsigned was left by a crash."""
    return Action.DISCARD


def _in_flight(view: View, seen: Seen, policy: FollowPolicy) -> Action:
    if _nonce_used(view, seen):
        if seen.receipt_block is not None:
            return Action.INCLUDE
        lost = seen.nonce_used_blocks >= policy.lost_after_blocks
        return Action.LOST if lost else Action.WAIT
    if seen.timestamp > view.deadline:
        return Action.STOP
    if view.gives_way and not view.cancelling:
        return Action.CANCEL
    age = seen.number - view.signed_block
    if age >= policy.bump_after_blocks:
        return Action.BUMP
    return Action.RESEND if age > 0 or not view.sent else Action.WAIT


def _in_chain(view: View, seen: Seen, policy: FollowPolicy) -> Action:
    if not _nonce_used(view, seen):
        return Action.REOPEN
    if seen.receipt_block is None:
        gone = seen.nonce_used_blocks >= policy.lost_after_blocks
        return Action.REOPEN if gone else Action.WAIT
    if _moved(view, seen):
        return Action.REOPEN  # and included again, in the block it is in now
    depth = seen.number - seen.receipt_block + 1
    final = depth >= policy.finality_blocks
    if seen.finalised is not None:
        final = seen.receipt_block <= seen.finalised
    if final:
        return Action.FINALISE
    if view.state is IntentState.INCLUDED and depth >= policy.confirm_blocks:
        return Action.CONFIRM
    return Action.WAIT


def _ended(view: View, seen: Seen, _policy: FollowPolicy) -> Action:
    """What was given up may have stayed in a pool: the chain is believed."""
    late = view.state is not IntentState.FINALISED and _nonce_used(view, seen)
    return Action.INCLUDE if late and seen.receipt_block is not None else Action.REST


def _nonce_used(view: View, seen: Seen) -> bool:
    return view.nonce is not None and seen.mined_nonce > view.nonce


def _moved(view: View, seen: Seen) -> bool:
    if view.included_block != seen.receipt_block:
        return True
    known = view.included_hash and seen.receipt_hash
    return bool(known) and view.included_hash != seen.receipt_hash


_Rule = Callable[[View, Seen, FollowPolicy], Action]
_BY_STATE: dict[IntentState, _Rule] = {
    IntentState.CREATED: _unsigned,
    IntentState.JOURNALLED: _unsigned,
    IntentState.SIMULATED: _unsigned,
    IntentState.SIGNED: _in_flight,
    IntentState.ATTEMPTED: _in_flight,
    IntentState.INCLUDED: _in_chain,
    IntentState.CONFIRMED: _in_chain,
    **dict.fromkeys(ENDS, _ended),
}

PATIENT = frozenset({Action.REST, Action.WAIT})
"""Steps after which there is nothing more to do at this block."""

LEADS_TO: dict[Action, IntentState] = {
    Action.DISCARD: IntentState.FAILED,
    Action.STOP: IntentState.CANCELLED,
    Action.INCLUDE: IntentState.INCLUDED,
    Action.LOST: IntentState.SUPERSEDED,
    Action.REOPEN: IntentState.ATTEMPTED,
    Action.CONFIRM: IntentState.CONFIRMED,
    Action.FINALISE: IntentState.FINALISED,
}
"""State after a step; the others leave it, or make it ATTEMPTED."""
