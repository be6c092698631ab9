"""The next step of an intent: by a table of every state and event, and by what holds of all of them."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.execution.machine import (
    LEADS_TO,
    PATIENT,
    Action,
    FollowPolicy,
    Seen,
    View,
    decide,
)
from keeper.model.intent_state import ENDS, MAY_FOLLOW, IntentState

S, A = IntentState, Action
POLICY = FollowPolicy(bump_after_blocks=2, lost_after_blocks=4, confirm_blocks=3, finality_blocks=9)
AT = 110
UNSIGNED = (S.CREATED, S.JOURNALLED, S.SIMULATED)
FLYING = (S.SIGNED, S.ATTEMPTED)
CHAINED = (S.INCLUDED, S.CONFIRMED)
GIVEN_UP = (S.FAILED, S.CANCELLED, S.SUPERSEDED)


def view(state: IntentState, **change: object) -> View:
    included = AT - 1 if state in (*CHAINED, S.FINALISED) else None
    base = View(state, None if state in UNSIGNED else 5, 1_100, AT, included_block=included)
    return replace(base, **change)  # type: ignore[arg-type]


def seen(**change: object) -> Seen:
    return replace(Seen(AT, 1_000, 5), **change)  # type: ignore[arg-type]


USED: dict[str, object] = {"mined_nonce": 6}
MINED: dict[str, object] = {**USED, "receipt_block": AT - 1}
EVENTS: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    # name: what changes of the view, what is seen
    "nothing": ({}, {}),
    "a block": ({"signed_block": AT - 1}, {}),
    "two blocks": ({"signed_block": AT - 2}, {}),
    "unsent": ({"sent": False}, {}),
    "deadline": ({}, {"timestamp": 1_101}),
    "gives way": ({"gives_way": True}, {}),
    "cancelling": ({"gives_way": True, "cancelling": True, "signed_block": AT - 2}, {}),
    "a stale receipt": ({}, {"receipt_block": AT - 1}),
    "mined": ({}, MINED),
    "mined late": ({}, {**MINED, "timestamp": 9_999}),
    "used": ({}, USED),
    "used for long": ({}, {**USED, "nonce_used_blocks": 4}),
    "used past the deadline": ({}, {**USED, "timestamp": 9_999}),
    "mined elsewhere": ({}, {**USED, "receipt_block": AT - 4}),
    "three deep": ({"included_block": AT - 2}, {**USED, "receipt_block": AT - 2}),
    "nine deep": ({"included_block": AT - 8}, {**USED, "receipt_block": AT - 8}),
    "final": ({}, {**MINED, "finalised": AT - 1}),
    "nine deep, not final": (
        {"included_block": AT - 8},
        {**USED, "receipt_block": AT - 8, "finalised": AT - 9},
    ),
}
FLIES: dict[str, Action] = {
    "nothing": A.WAIT,
    "a block": A.RESEND,
    "two blocks": A.BUMP,
    "unsent": A.RESEND,
    "deadline": A.STOP,
    "gives way": A.CANCEL,
    "cancelling": A.BUMP,
    "a stale receipt": A.WAIT,  # of a block that is gone: the nonce is unused again
    "used": A.WAIT,  # and the receipt is late: never bump, never stop at once
    "used for long": A.LOST,
    "used past the deadline": A.WAIT,
}
"""In flight; a transaction in a block is always INCLUDE."""
RESTS: dict[IntentState, dict[str, Action]] = {
    S.INCLUDED: {
        "mined": A.WAIT,
        "mined late": A.WAIT,
        "used": A.WAIT,
        "used past the deadline": A.WAIT,
        "three deep": A.CONFIRM,
        "nine deep": A.FINALISE,
        "final": A.FINALISE,
        "nine deep, not final": A.CONFIRM,
    },
    S.CONFIRMED: {
        "mined": A.WAIT,
        "mined late": A.WAIT,
        "used": A.WAIT,
        "used past the deadline": A.WAIT,
        "three deep": A.WAIT,
        "nine deep": A.FINALISE,
        "final": A.FINALISE,
        "nine deep, not final": A.WAIT,
    },
}
"""In the chain; everything else is REOPEN."""


def expected(state: IntentState, event: str) -> Action:
    if state in UNSIGNED:
        return A.DISCARD
    if state in FLYING:
        return FLIES.get(event, A.INCLUDE)
    if state in CHAINED:
        return RESTS[state].get(event, A.REOPEN)
    mined = EVENTS[event][1].get("receipt_block") is not None and "mined_nonce" in EVENTS[event][1]
    return A.INCLUDE if state in GIVEN_UP and mined else A.REST


@pytest.mark.parametrize(("state", "event"), list(product(IntentState, EVENTS)))
def test_every_state_and_event(state: IntentState, event: str) -> None:
    of_view, of_seen = EVENTS[event]
    assert decide(view(state, **of_view), seen(**of_seen), POLICY) is expected(state, event)


VIEWS = st.builds(
    View,
    state=st.sampled_from(IntentState),
    nonce=st.integers(0, 9),
    deadline=st.integers(0, 50),
    signed_block=st.integers(0, 50),
    sent=st.booleans(),
    gives_way=st.booleans(),
    cancelling=st.booleans(),
    included_block=st.none() | st.integers(0, 50),
    included_hash=st.none() | st.sampled_from(["0xa", "0xb"]),
)
SEENS = st.builds(
    Seen,
    number=st.just(50),
    timestamp=st.integers(0, 60),
    mined_nonce=st.integers(0, 10),
    receipt_block=st.none() | st.integers(0, 50),
    receipt_hash=st.none() | st.sampled_from(["0xa", "0xb"]),
    nonce_used_blocks=st.integers(0, 9),
    finalised=st.none() | st.integers(0, 50),
)


@given(VIEWS, SEENS)
def test_what_is_sent_is_only_ever_sent_while_the_nonce_is_free(view: View, seen: Seen) -> None:
    """K-01: nothing is sent, bumped or given up for an intent whose nonce is used."""
    action = decide(view, seen, POLICY)
    if action in (A.RESEND, A.BUMP, A.CANCEL, A.STOP):
        assert view.nonce is not None
        assert seen.mined_nonce <= view.nonce


@given(VIEWS, SEENS)
def test_an_end_is_left_only_by_what_is_in_the_chain(view: View, seen: Seen) -> None:
    action = decide(view, seen, POLICY)
    if view.state in ENDS and action is not A.REST:
        assert action is A.INCLUDE
        assert view.state is not S.FINALISED
        assert seen.receipt_block is not None


@given(VIEWS, SEENS)
def test_every_step_leads_where_the_journal_lets_it(view: View, seen: Seen) -> None:
    """K-04: no step ends where an intent, and with it its nonce, would be forgotten."""
    action = decide(view, seen, POLICY)
    if action in LEADS_TO and view.state is not S.CREATED:
        assert LEADS_TO[action] in MAY_FOLLOW[view.state]
    if view.state in (*FLYING, *CHAINED) and action in PATIENT:
        assert action is A.WAIT


@given(VIEWS, SEENS)
def test_a_missing_receipt_alone_means_nothing(view: View, seen: Seen) -> None:
    """An empty receipt settles nothing and gives up nothing before patience ends."""
    fresh = replace(seen, receipt_block=None, nonce_used_blocks=0)
    if view.nonce is not None and fresh.mined_nonce > view.nonce and view.state in FLYING:
        assert decide(view, fresh, POLICY) is A.WAIT


@given(VIEWS, SEENS)
def test_the_same_look_gives_the_same_step(view: View, seen: Seen) -> None:
    """K-07: a restart that reads the same journal and chain goes on in the same way."""
    assert decide(view, seen, POLICY) is decide(replace(view), replace(seen), POLICY)
