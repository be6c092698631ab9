"""An intent has one state, came to it by possible steps, and every step is durable."""

import itertools
from collections.abc import Callable

import pytest

from keeper.errors import JournalError
from keeper.journal.intents import may_follow
from keeper.journal.store import SqlJournal
from keeper.model.decision import Intent, Lane
from keeper.model.intent_state import ENDS, MAY_FOLLOW, IntentState
from keeper.model.outcome import AttemptStatus
from tests.builders import CHAIN_ID
from tests.unit.journal.values import decide, mined, sent

S = IntentState
HAPPY = (S.SIMULATED, S.SIGNED, S.ATTEMPTED, S.INCLUDED, S.CONFIRMED, S.FINALISED)


def intended(journal: SqlJournal, **how: object) -> Intent:
    intent = decide(journal, **how)  # type: ignore[arg-type]
    assert intent is not None
    return intent


def state_of(journal: SqlJournal, intent: Intent) -> IntentState:
    record = journal.intent(intent.id)
    assert record is not None
    return record.state


def test_a_decided_intent_is_journalled_with_its_account_and_fence(journal: SqlJournal) -> None:
    intent = intended(journal, account="0xacc", fence=0)
    record = journal.intent(intent.id)
    assert record is not None
    assert (record.state, record.account, record.chain_id) == (S.JOURNALLED, "0xacc", CHAIN_ID)
    assert (record.lane, record.block_number, record.tx_hash) == (intent.lane, None, None)
    assert journal.intent("0xother") is None


def test_an_intent_walks_the_whole_way(journal: SqlJournal) -> None:
    intent = intended(journal)
    for state in HAPPY:
        journal.move_intent(intent.id, state, note=f"to {state}")
        assert state_of(journal, intent) is state
    record = journal.intent(intent.id)
    assert record is not None
    assert record.note == "to finalised"
    assert journal.open_intents(CHAIN_ID) == ()


def test_an_impossible_step_is_refused_and_changes_nothing(journal: SqlJournal) -> None:
    intent = intended(journal)
    with pytest.raises(JournalError, match="is journalled and cannot become finalised"):
        journal.move_intent(intent.id, S.FINALISED)
    assert state_of(journal, intent) is S.JOURNALLED


def test_an_unknown_intent_cannot_be_moved(journal: SqlJournal) -> None:
    with pytest.raises(JournalError, match="knows no intent 0xnone"):
        journal.move_intent("0xnone", S.SIMULATED)


def test_saying_a_state_twice_is_no_error_and_no_second_step(journal: SqlJournal) -> None:
    intent = intended(journal)
    for _ in range(3):
        journal.move_intent(intent.id, S.SIMULATED)
    assert [step.state for step in journal.history(intent.id)] == [S.JOURNALLED, S.SIMULATED]


def test_the_same_state_with_a_new_fact_is_written(journal: SqlJournal) -> None:
    intent = intended(journal)
    mined(journal, sent(journal, intent))
    journal.move_intent(intent.id, S.INCLUDED, block_hash="0xb7")
    record = journal.intent(intent.id)
    assert record is not None
    assert (record.block_number, record.block_hash, record.tx_hash) == (7, "0xb7", "0xaa")


def test_a_block_hash_does_not_outlive_its_block(journal: SqlJournal) -> None:
    intent = intended(journal)
    sent(journal, intent)
    journal.move_intent(intent.id, S.INCLUDED, block_number=7, block_hash="0xb7", tx_hash="0xaa")
    journal.move_intent(intent.id, S.INCLUDED, block_number=8)
    record = journal.intent(intent.id)
    assert record is not None
    assert (record.block_number, record.block_hash) == (8, None)


def test_attempts_carry_their_intent_along(journal: SqlJournal) -> None:
    """Signed, sent, mined: each is written with the change of the attempt, in the same transaction (K-03)."""
    intent = intended(journal)
    attempt = sent(journal, intent)
    assert state_of(journal, intent) is S.ATTEMPTED
    mined(journal, attempt, status="reverted")
    record = journal.intent(intent.id)
    assert record is not None
    assert (record.state, record.block_number, record.tx_hash) == (S.INCLUDED, 7, attempt.tx_hash)
    assert record.account == attempt.account


def test_a_dropped_attempt_leaves_the_intent_to_whoever_decides(journal: SqlJournal) -> None:
    intent = intended(journal)
    attempt = sent(journal, intent)
    mined(journal, attempt, status="dropped")
    assert state_of(journal, intent) is S.ATTEMPTED
    journal.move_intent(intent.id, S.CANCELLED)
    mined(journal, attempt)  # and yet it is mined: the chain has the last word
    assert state_of(journal, intent) is S.INCLUDED


def test_a_reorganisation_takes_result_cost_and_block_back(journal: SqlJournal) -> None:
    intent = intended(journal)
    attempt = sent(journal, intent)
    mined(journal, attempt, status="reverted")
    assert journal.mined_reverts(CHAIN_ID) == (7,)
    for _ in range(2):  # said twice
        journal.reopen(attempt.tx_hash, "block 7 is gone")
    record = journal.intent(intent.id)
    assert record is not None
    assert (record.state, record.note) == (S.ATTEMPTED, "block 7 is gone")
    assert (record.block_number, record.block_hash, record.tx_hash) == (None, None, None)
    (reopened,) = journal.open_attempts(CHAIN_ID, attempt.account)
    assert reopened.status is AttemptStatus.SENT
    assert journal.mined_reverts(CHAIN_ID) == ()
    assert journal.costs(intent.id) == ()
    mined(journal, attempt, block=8)
    assert state_of(journal, intent) is S.INCLUDED


def test_what_was_never_signed_here_cannot_be_reopened(journal: SqlJournal) -> None:
    with pytest.raises(JournalError, match="knows no transaction 0xnone"):
        journal.reopen("0xnone", "")


def test_open_intents_are_those_not_over_oldest_first_by_lane(journal: SqlJournal) -> None:
    first = intended(journal, lane=Lane.ROUTINE)
    second = intended(journal, lane=Lane.PROTECTIVE)
    third = intended(journal, lane=Lane.ROUTINE)
    journal.move_intent(second.id, S.FAILED)
    assert [r.intent_id for r in journal.open_intents(CHAIN_ID)] == [first.id, third.id]
    assert journal.open_intents(CHAIN_ID, Lane.PROTECTIVE) == ()
    assert len(journal.open_intents(CHAIN_ID, Lane.ROUTINE)) == 2
    assert journal.open_intents(CHAIN_ID + 1) == ()


def test_fences_rise_over_restarts_and_between_holders(
    opened: Callable[[], SqlJournal],
) -> None:
    seen: list[int] = []
    for holder in ("a", "b", "a\x00"):
        journal = opened()
        assert journal.last_fence() == len(seen)
        seen.append(journal.next_fence(holder))
    assert seen == [1, 2, 3]


def test_a_deposed_keeper_writes_no_decision_and_no_attempt(journal: SqlJournal) -> None:
    """K-10: the fencing token is checked where the money's record is written."""
    intent = intended(journal, fence=journal.next_fence("old"))
    journal.next_fence("new")
    with pytest.raises(JournalError, match="is led by another keeper now"):
        decide(journal, fence=1)
    journal._fence = 1  # as the old leader's own handle remembers it
    with pytest.raises(JournalError, match="is led by another keeper now"):
        sent(journal, intent)
    assert journal.attempts_of(intent.id) == ()
    assert journal.intent_count() == 1


def test_an_intent_keeps_the_fence_of_its_maker(journal: SqlJournal) -> None:
    journal.next_fence("me")
    intent = intended(journal)
    record = journal.intent(intent.id)
    assert record is not None
    assert record.fence == 1


# The table of states itself


def test_every_state_can_be_reached_and_has_a_row() -> None:
    assert set(MAY_FOLLOW) == set(S)
    reached, frontier = {S.CREATED}, {S.CREATED}
    while frontier:
        frontier = set().union(*(MAY_FOLLOW[s] for s in frontier)) - reached
        reached |= frontier
    assert reached == set(S)


def test_from_the_ends_only_the_chain_leads_on() -> None:
    for end, after in itertools.product(ENDS, S):
        expected = after is end or (after is S.INCLUDED and end is not S.FINALISED)
        assert may_follow(end, after) == expected


def test_nothing_takes_effect_before_it_is_signed() -> None:
    unsigned = {S.CREATED, S.JOURNALLED, S.SIMULATED}
    for before, after in itertools.product(unsigned, (S.ATTEMPTED, S.INCLUDED, S.CONFIRMED)):
        assert not may_follow(before, after)
