"""Which state of an intent may follow which. Pure."""

from collections.abc import Mapping

from keeper.model.intent_state import IntentState as S

_GIVEN_UP = frozenset({S.FAILED, S.CANCELLED, S.SUPERSEDED})

FOLLOWS: Mapping[S, frozenset[S]] = {
    S.CREATED: frozenset({S.JOURNALLED}),
    S.JOURNALLED: frozenset({S.SIMULATED, S.SIGNED}) | _GIVEN_UP,
    S.SIMULATED: frozenset({S.SIGNED}) | _GIVEN_UP,
    # found in a block after a crash that came before the broadcast was written down
    S.SIGNED: frozenset({S.SIMULATED, S.ATTEMPTED, S.INCLUDED}) | _GIVEN_UP,
    # a replacement is signed while the first is out
    S.ATTEMPTED: frozenset({S.SIGNED, S.INCLUDED}) | _GIVEN_UP,
    # a reorganisation takes it out of the chain again
    S.INCLUDED: frozenset({S.CONFIRMED, S.FINALISED, S.ATTEMPTED}),
    S.CONFIRMED: frozenset({S.FINALISED, S.INCLUDED, S.ATTEMPTED}),
    S.FINALISED: frozenset(),
    # the keeper goes no further from these; the chain may: what was given up can still be mined, or come
    # back when the block of what took its place is dropped
    S.FAILED: frozenset({S.INCLUDED}),
    S.CANCELLED: frozenset({S.INCLUDED}),
    S.SUPERSEDED: frozenset({S.INCLUDED}),
}
"""A state may always follow itself: saying a thing twice is no error."""


def may_follow(before: S, after: S) -> bool:
    """True if an intent in `before` can come to `after` in one step."""
    return before is after or after in FOLLOWS[before]
