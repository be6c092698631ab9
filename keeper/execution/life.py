"""The life of a transaction as a value: it answers one question, what to do next. Pure."""

from dataclasses import dataclass
from enum import Enum


class Action(Enum):
    """What to do with an intent in flight."""

    SETTLE = "settle"  # one of its transactions is mined
    LOST = "lost"  # its nonce is used, and for long enough by none of ours
    WAIT = "wait"  # just sent, or its nonce is used and the receipt may come
    RESEND = "resend"  # broadcast the newest attempt again, unchanged
    BUMP = "bump"  # replace it with a higher fee
    STOP = "stop"  # past its deadline the vault refuses it: give the nonce back


@dataclass(frozen=True, slots=True)
class FollowPolicy:
    """When patience ends; in blocks."""

    bump_after_blocks: int = 2
    lost_after_blocks: int = 4
    """How long a used nonce without any receipt of ours is borne before the intent counts as lost."""


@dataclass(frozen=True, slots=True)
class Life:
    """What is known of an intent in flight at one block."""

    nonce: int
    mined_nonce: int
    """Transaction count of the account at the pinned block."""
    has_receipt: bool
    """True if one of the intent's hashes has a receipt at or under the pinned block."""
    blocks_since_signed: int
    """Blocks since the newest attempt was signed."""
    nonce_used_blocks: int
    """Blocks since the nonce was first seen used without a receipt."""
    timestamp: int
    deadline: int


def next_action(life: Life, policy: FollowPolicy) -> Action:
    """Mined nonces decide; a missing receipt alone means nothing."""
    if life.mined_nonce > life.nonce:
        if life.has_receipt:
            return Action.SETTLE
        lost = life.nonce_used_blocks >= policy.lost_after_blocks
        return Action.LOST if lost else Action.WAIT
    if life.timestamp > life.deadline:
        return Action.STOP
    if life.blocks_since_signed >= policy.bump_after_blocks:
        return Action.BUMP
    return Action.RESEND if life.blocks_since_signed > 0 else Action.WAIT
