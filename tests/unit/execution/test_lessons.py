"""What broke other keepers, and the tests that name it here: an index, kept true."""

import ast
from pathlib import Path
from typing import Any

import pytest

from keeper.errors import RpcError, SigningError
from keeper.execution.signers import Signed, Signer
from keeper.journal.store import SqliteJournal
from tests.unit.execution.account import SIGNER, attempts, executor_of
from tests.unit.execution.fake_chain import FakeChain, fields_of
from tests.unit.execution.intents import make_test_intent

ROOT = Path(__file__).resolve().parents[3]
UNFUNDED = "insufficient funds for gas * price + value"
HERE = "tests/unit/execution/"

LESSONS: dict[str, tuple[tuple[str, str], ...]] = {
    "a counter advanced before the send was accepted: nonce too high for ever": (
        (HERE + "test_nonces.py", "test_next_nonce"),
        (HERE + "test_replacements.py", "test_refused_and_pooled_all_the_same_the_nonce_is_used_again"),
        (HERE + "test_submit.py", "test_refused_for_funds_the_nonce_is_free_and_the_fee_does_not_climb"),
    ),
    "mined transactions marked failed on an empty receipt": (
        (HERE + "test_machine.py", "test_a_missing_receipt_alone_means_nothing"),
        (HERE + "test_settling.py", "test_a_missing_receipt_is_waited_for_while_the_nonce_is_used"),
    ),
    "a signer outage burned nonces": (
        (HERE + "test_lessons.py", "test_a_signer_outage_burns_no_nonce"),
    ),
    "protection stuck behind other work": (
        (HERE + "test_lanes.py", "test_on_one_account_protection_takes_the_nonce_of_a_routine_intent_in_flight"),
        (HERE + "test_lanes.py", "test_on_two_accounts_protection_goes_first_and_then_the_routine_one_is_emptied"),
        ("tests/unit/loop/test_tick.py", "test_protection_is_decided_and_sent_while_a_routine_intent_is_in_flight"),
        (HERE + "test_inclusion.py", "test_the_urgency_curve_rises_towards_the_deadline"),
    ),
    "a transaction priced in a cheap hour blocked well-priced ones": (
        (HERE + "test_worth.py", "test_a_transaction_of_a_cheap_hour_has_an_absolute_floor"),
        (HERE + "test_replacements.py", "test_a_stuck_transaction_is_resent_then_replaced_at_the_same_nonce"),
    ),
    "fees escalated for an unfunded account": (
        (HERE + "test_replacements.py", "test_a_refused_replacement_leaves_the_first_one_in_flight"),
        (HERE + "test_lessons.py", "test_without_funds_the_same_bytes_are_sent_again_and_no_fee_climbs"),
        (HERE + "test_lanes.py", "test_the_gas_money_of_each_account_is_watched_and_an_alert_names_what_to_send"),
    ),
    "racers shared one nonce": (
        (HERE + "test_nonces.py", "test_next_nonce"),
        (HERE + "test_lanes.py", "test_each_lane_has_its_own_nonces"),
    ),
    "stale reads behind load balancers": (
        (HERE + "test_settling.py", "test_a_receipt_above_the_pinned_block_is_not_believed_yet"),
        (HERE + "test_submit.py", "test_the_simulation_is_the_keepers_own_call_at_the_pinned_block"),
    ),
    "a single keeper went down": (
        ("tests/unit/loop/test_tick.py", "test_a_keeper_that_cannot_protect_does_not_say_that_it_is_there"),
    ),
    "a failed simulation locked a position for an hour": (
        ("tests/unit/loop/test_tick.py", "test_pauses_after_failures"),
    ),
    "a plain gas-price cap delayed protection": (
        (HERE + "test_worth.py", "test_a_base_fee_a_hundred_times_higher_does_not_delay_what_is_worth_it"),
        (HERE + "test_replacements.py", "test_a_routine_intent_waits_when_base_fees_are_over_the_ceiling"),
    ),
    "users ask for cancel, speed-up, persistent nonces, dry run that matches live": (
        (HERE + "test_lanes.py", "test_a_person_can_cancel_speed_up_and_abandon_what_is_in_flight"),
        (HERE + "test_submit.py", "test_killed_between_journal_and_send_a_restart_sends_the_same_bytes_once"),
        ("tests/unit/loop/test_tick.py", "test_a_dry_run_rehearses_and_submits_nothing"),
    ),
    # the design to copy
    "sign, persist, then send": (
        (HERE + "test_submit.py", "test_an_attempt_is_journalled_before_it_is_sent"),
        (HERE + "test_submit.py", "test_a_replacement_is_journalled_before_it_is_sent"),
    ),
    "classify every endpoint error": (
        (HERE + "test_fate.py", "test_words_of_nodes"),
        (HERE + "test_fate.py", "test_what_counts_when_endpoints_differ"),
    ),
    "poll all hashes of an intent": (
        (HERE + "test_settling.py", "test_every_hash_of_an_intent_is_polled_also_a_refused_one"),
    ),
    "already known is success": ((HERE + "test_submit.py", "test_already_known_is_success"),),
    "cannot bump: send again unchanged": (
        (HERE + "test_replacements.py", "test_a_routine_replacement_stops_at_the_ceiling_and_is_resent_unchanged"),
    ),
    "finality is a state of its own; reorganisations by mined nonce": (
        (HERE + "test_reorganisations.py", "test_a_dropped_block_brings_the_same_bytes_back_and_they_are_mined_once"),
        (HERE + "test_histories.py", "no_intent_takes_effect_twice"),
    ),
    "on close refuse new work and wait for what is in flight": (
        ("tests/unit/app/test_drain.py", "test_a_stop_waits_for_what_is_in_flight_and_starts_nothing"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("file", "test"), sorted({pair for pairs in LESSONS.values() for pair in pairs})
)
def test_each_lesson_has_its_tests(file: str, test: str) -> None:
    tree = ast.parse((ROOT / file).read_text())
    assert test in {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}


class Outage:
    """A signer that is down while told so."""

    def __init__(self, signer: Signer) -> None:
        self._signer, self.address, self.down = signer, signer.address, True

    def sign(self, transaction: dict[str, Any]) -> Signed:
        if self.down:
            raise SigningError("signer", "did not answer", "start it")
        return self._signer.sign(transaction)


def test_a_signer_outage_burns_no_nonce(chain: FakeChain, journal: SqliteJournal) -> None:
    """Nothing is journalled as signed and nothing is sent; the next intent has the same nonce."""
    signer = Outage(SIGNER)
    executor = executor_of(chain, journal, signer=signer)
    for counter in range(3):
        with pytest.raises(SigningError):
            executor.submit(make_test_intent(counter=counter))
    assert (chain.sent, attempts(journal), executor.in_flight()) == ([], (), 0)
    signer.down = False
    tx_hash = executor.submit(make_test_intent(counter=3))
    assert chain.pool[tx_hash]["nonce"] == 0


def test_a_signer_outage_in_flight_sends_the_same_bytes_again(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    signer = Outage(SIGNER)
    signer.down = False
    executor = executor_of(chain, journal, signer=signer)
    executor.submit(make_test_intent())
    signer.down = True
    for _ in range(4):
        executor.follow(chain.advance())
    assert len(set(chain.sent)) == 1
    assert executor.in_flight() == 1


def test_without_funds_the_same_bytes_are_sent_again_and_no_fee_climbs(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    executor = executor_of(chain, journal)
    executor.submit(make_test_intent(block=chain.block, life_s=10_000))
    chain.refuse_send = RpcError("http://fake", "eth_sendRawTransaction", -32000, UNFUNDED)
    for _ in range(40):
        executor.follow(chain.advance())
    caps = [fields_of(raw)["cap"] for raw in chain.sent]
    assert max(caps) * 8 <= min(caps) * 10  # one step of an eighth, tried and refused, never two
    assert chain.sent[-1] == chain.sent[0]
    assert executor.in_flight() == 1
