"""Which state of an intent may follow which. Pure."""

from collections.abc import Mapping

from keeper.model.intent_state import MAY_FOLLOW
from keeper.model.intent_state import IntentState as S

FOLLOWS: Mapping[S, frozenset[S]] = MAY_FOLLOW
"""A state may always follow itself: saying a thing twice is no error."""


def may_follow(before: S, after: S) -> bool:
    """True if an intent in `before` can come to `after` in one step."""
    return before is after or after in FOLLOWS[before]
