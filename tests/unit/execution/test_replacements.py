"""Fees that climb within their bounds, and nonces that are used again (K-01, K-04, K-06)."""

from dataclasses import replace
from typing import Any

import pytest

from keeper.errors import (
    FeeCeilingError,
    OutbidError,
    RejectedError,
    RpcError,
    SigningError,
    UnfundedError,
)
from keeper.execution.executor import TransactionExecutor
from keeper.execution.signers import Signed
from keeper.journal.store import SqliteJournal
from keeper.model.decision import Intent, Lane
from keeper.model.outcome import AttemptStatus
from tests.unit.execution.account import (
    SEND,
    SIGNER,
    attempts,
    executor_of,
    expire,
    keep_trying,
)
from tests.unit.execution.fake_chain import GWEI, FakeChain, fields_of
from tests.unit.execution.intents import make_test_intent


def test_a_stuck_transaction_is_resent_then_replaced_at_the_same_nonce(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    executor = executor_of(chain, journal)
    first = executor.submit(make_test_intent())
    executor.follow(chain.advance())  # resent
    executor.follow(chain.advance())  # replaced
    raw = [fields_of(r) for r in chain.sent]
    assert [r["nonce"] for r in raw] == [0, 0, 0]
    assert chain.sent[0] == chain.sent[1]
    assert raw[2]["tip"] * 8 >= raw[0]["tip"] * 9
    assert raw[2]["cap"] * 8 >= raw[0]["cap"] * 9
    assert raw[2]["gas"] == raw[0]["gas"]
    # and it is the first that a miner took
    (result,) = executor.follow(chain.mine(first))
    assert result.tx_hash == first
    assert [a.status for a in attempts(journal)] == [AttemptStatus.MINED, AttemptStatus.REPLACED]


class Fails:
    """A signer that signs so often and then no more."""

    address = SIGNER.address

    def __init__(self, times: int) -> None:
        self.left = times

    def sign(self, transaction: dict[str, Any]) -> Signed:
        self.left -= 1
        if self.left < 0:
            raise SigningError("signer", "did not answer", "start it")
        return SIGNER.sign(transaction)


def test_a_signer_that_fails_between_a_replacement_and_its_cheaper_form_stops_nothing(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    executor = executor_of(chain, journal, signer=Fails(2))
    first = executor.submit(make_test_intent())
    chain.fee_cap_wei = 1
    executor.follow(chain.advance(2))
    assert executor.in_flight() == 1
    (result,) = executor.follow(chain.mine(first))
    assert result.tx_hash == first


REFUSED = RpcError("http://fake", "eth_call", 3, "execution reverted")


def test_protection_that_the_market_left_behind_gives_its_nonce_to_a_fresh_plan(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    """K-01: one of the two is mined at most. K-11: what would revert is not sent again."""
    executor = executor_of(chain, journal)
    old = executor.submit(make_test_intent())
    chain.refuse_call = REFUSED
    executor.follow(chain.advance())
    assert len(chain.sent) == 1
    assert (executor.in_flight(), executor.unmined(Lane.PROTECTIVE)) == (1, 0)
    chain.refuse_call = None
    fresh = executor.submit(make_test_intent(counter=1, block=chain.block))
    first, second = (fields_of(raw) for raw in chain.sent)
    assert second["nonce"] == first["nonce"]
    assert second["tip"] * 8 >= first["tip"] * 9
    assert [a.status for a in attempts(journal)] == [AttemptStatus.DROPPED, AttemptStatus.SENT]
    # whichever of them a miner took, the chain is believed
    results = executor.follow(chain.mine(fresh))
    assert [r.tx_hash for r in results] == [fresh]
    assert old not in chain.pool


def test_protection_that_would_work_again_is_sent_again(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    executor = executor_of(chain, journal)
    executor.submit(make_test_intent())
    chain.refuse_call = REFUSED
    executor.follow(chain.advance())
    chain.refuse_call = None
    executor.follow(chain.advance())
    assert executor.unmined(Lane.PROTECTIVE) == 1
    assert len(chain.sent) == 2


def test_routine_work_is_not_asked_about_again(chain: FakeChain, journal: SqliteJournal) -> None:
    executor = executor_of(chain, journal)
    executor.submit(make_test_intent(lane=Lane.ROUTINE))
    chain.refuse_call = REFUSED
    executor.follow(chain.advance())
    assert executor.unmined(Lane.ROUTINE) == 1
    assert len(chain.sent) == 2


def test_a_refused_replacement_leaves_the_first_one_in_flight(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    executor = executor_of(chain, journal)
    first = executor.submit(make_test_intent())
    chain.refuse_send = RpcError("http://fake", SEND, -32000, "insufficient funds")
    for _ in range(4):
        executor.follow(chain.advance())
    chain.refuse_send = None
    (result,) = executor.follow(chain.mine(first))
    assert result.tx_hash == first


def test_a_routine_replacement_stops_at_the_ceiling_and_is_resent_unchanged(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    executor = executor_of(chain, journal, ceiling_wei=21 * GWEI)
    executor.submit(make_test_intent(lane=Lane.ROUTINE))
    for _ in range(5):
        executor.follow(chain.advance())
    assert len(set(chain.sent)) == 1


def test_a_routine_intent_waits_when_base_fees_are_over_the_ceiling(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    chain.base_fee_wei = 500 * GWEI
    executor = executor_of(chain, journal)
    with pytest.raises(FeeCeilingError, match="routine moves wait"):
        executor.submit(make_test_intent(lane=Lane.ROUTINE))
    executor.submit(make_test_intent(lane=Lane.PROTECTIVE, counter=1))
    assert len(chain.pool) == 1


def test_past_its_deadline_an_intent_is_given_up_and_its_nonce_used_again(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    """The old one may still be in a pool: the new one must outbid it, or it would be a gap (K-04)."""
    executor = executor_of(chain, journal)
    old = executor.submit(make_test_intent(block=chain.block, life_s=20))
    (given_up,) = executor.follow(chain.advance(2))
    assert given_up.status is AttemptStatus.DROPPED
    new = executor.submit(make_test_intent(block=chain.block, counter=1))
    assert chain.pool[new]["nonce"] == chain.pool[old]["nonce"]
    assert chain.pool[new]["tip"] * 8 >= chain.pool[old]["tip"] * 9


def test_fees_stay_within_their_bounds_however_long_nothing_is_mined(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    """K-06: what is lost on the way raises fees to the bound and no further; nothing is locked out."""
    executor = executor_of(chain, journal)
    chain.deaf = True
    assert keep_trying(chain, executor, 300) == []
    sent = [fields_of(raw) for raw in chain.sent]
    assert 10 * GWEI < max(s["tip"] for s in sent) <= 30 * GWEI  # ten times the first
    assert max(s["gas"] * s["cap"] for s in sent) <= chain.balance_wei // 4
    expire(chain, executor)
    chain.deaf = False
    executor.submit(make_test_intent(block=chain.block))
    assert len(chain.pool) == 1


def test_the_first_transaction_takes_no_more_than_its_share_of_the_balance(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    chain.base_fee_wei, chain.balance_wei = 100 * GWEI, 4 * 10**17
    tx_hash = executor_of(chain, journal).submit(make_test_intent())
    assert chain.pool[tx_hash]["gas"] * chain.pool[tx_hash]["cap"] <= chain.balance_wei // 4


def test_in_a_pool_fees_climb_to_the_bound_and_are_then_sent_again_unchanged(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    executor = executor_of(chain, journal)
    executor.submit(make_test_intent(block=chain.block, life_s=10_000))
    for _ in range(120):
        executor.follow(chain.advance())
    assert fields_of(chain.sent[-1])["tip"] <= 30 * GWEI
    assert len(set(chain.sent[-50:])) == 1
    chain.base_fee_wei = 100 * GWEI  # the bound follows the base fee
    executor.follow(chain.advance())
    assert chain.sent[-1] not in chain.sent[:-1]


def test_a_replacement_is_not_priced_without_a_balance(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    executor = executor_of(chain, journal)
    executor.submit(make_test_intent())
    chain.answers["eth_getBalance"] = RpcError("http://fake", "eth_getBalance", -32005, "limit")
    executor.follow(chain.advance(2))
    assert chain.sent[0] == chain.sent[1]


def test_what_the_pool_holds_at_the_bound_is_waited_for_and_said(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    executor = executor_of(chain, journal)
    faults = keep_trying(chain, executor, 200)
    assert {type(fault) for fault in faults} == {OutbidError}
    assert "the pool holds a transaction with nonce 0" in str(faults[0])
    chain.pool.clear()  # evicted
    assert keep_trying(chain, executor, 5) == []
    assert chain.pool


def test_routine_moves_go_on_after_a_lost_protective_transaction(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    executor = executor_of(chain, journal)
    chain.base_fee_wei, chain.deaf = 150 * GWEI, True
    keep_trying(chain, executor, 12)
    assert fields_of(chain.sent[-1])["cap"] > 200 * GWEI
    expire(chain, executor)
    chain.base_fee_wei, chain.deaf = 5 * GWEI, False
    tx_hash = executor.submit(make_test_intent(block=chain.block, lane=Lane.ROUTINE))
    assert chain.pool[tx_hash]["nonce"] == 0


def test_under_an_endpoints_fee_cap_the_transaction_is_sent_once_more_with_a_lower_cap(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    chain.base_fee_wei, chain.gas, chain.balance_wei = 400 * GWEI, 2_000_000, 100 * 10**18
    chain.fee_cap_wei = 10**18
    executor = executor_of(chain, journal)
    tx_hash = executor.submit(make_test_intent())
    pooled = chain.pool[tx_hash]
    assert 0.99 * 10**18 < pooled["gas"] * pooled["cap"] <= 10**18
    assert [a.status for a in attempts(journal)] == [AttemptStatus.REFUSED, AttemptStatus.SENT]
    assert len(chain.sent) == 2
    executor.follow(chain.advance(2))  # nor does a replacement go over it
    assert all(p["gas"] * p["cap"] <= 10**18 for p in chain.pool.values())
    assert executor.in_flight() == 1


def test_an_endpoint_that_refuses_even_that_is_not_asked_a_third_time(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    words = "tx fee (1.20 ether) exceeds the configured cap (0.01 ether)"
    chain.refuse_send = RpcError("http://fake", SEND, -32000, words)
    executor = executor_of(chain, journal)
    with pytest.raises(RejectedError, match="configured cap"):
        executor.submit(make_test_intent())
    assert (len(chain.sent), executor.in_flight()) == (2, 0)


def test_refused_and_pooled_all_the_same_the_nonce_is_used_again(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    """K-01, K-04: behind a load balancer one node refuses what another pools."""
    executor = executor_of(chain, journal)
    chain.refuse_send, chain.lies = (
        RpcError("http://fake", SEND, -32000, "insufficient funds"),
        True,
    )
    with pytest.raises(UnfundedError):
        executor.submit(make_test_intent())
    chain.refuse_send = None
    executor.submit(make_test_intent(counter=1))
    old, new = chain.pool.values()
    assert (old["nonce"], new["nonce"]) == (0, 0)
    assert new["tip"] * 8 >= old["tip"] * 9
    assert new["cap"] * 8 >= old["cap"] * 9


def cancelled(chain: FakeChain, executor: TransactionExecutor, intent: Intent) -> None:
    """The empty transaction is in the pool, in the place of what cannot be raised any further."""
    before = fields_of(chain.sent[-1])
    raised = executor.speed_up(intent.id)
    assert "cannot pay more" in raised
    assert "gives way to" in executor.cancel(intent.id)
    after = fields_of(chain.sent[-1])
    assert (after["nonce"], after["gas"]) == (before["nonce"], 21_000)
    assert after["tip"] * 8 >= before["tip"] * 9
    assert after["cap"] * 8 >= before["cap"] * 9
    assert after["gas"] * after["cap"] <= chain.balance_wei // 4


@pytest.mark.parametrize("lane", Lane)
def test_what_pays_all_it_may_for_its_own_gas_is_cancelled_for_the_gas_of_nothing(
    chain: FakeChain, journal: SqliteJournal, lane: Lane
) -> None:
    chain.base_fee_wei, chain.balance_wei = 100 * GWEI, 4 * 10**17
    executor = executor_of(chain, journal)
    intent = make_test_intent(lane=lane)
    executor.submit(intent)
    cancelled(chain, executor, intent)


def test_what_climbed_to_its_value_at_risk_is_cancelled_for_the_gas_of_nothing(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    executor = executor_of(chain, journal)
    intent = replace(make_test_intent(block=chain.block, life_s=10_000), value_at_risk_wei=10**16)
    executor.submit(intent)
    for _ in range(120):
        executor.follow(chain.advance())
    cancelled(chain, executor, intent)


def test_a_cancellation_that_is_not_mined_climbs_no_further_than_others(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    executor = executor_of(chain, journal)
    intent = make_test_intent(block=chain.block, life_s=10_000)
    executor.submit(intent)
    executor.cancel(intent.id)
    for _ in range(120):
        executor.follow(chain.advance())
    assert fields_of(chain.sent[-1])["gas"] == 21_000
    assert max(fields_of(raw)["tip"] for raw in set(chain.sent)) <= 30 * GWEI


def test_an_account_that_cannot_pay_for_nothing_leaves_what_is_in_flight(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    executor = executor_of(chain, journal)
    intent = make_test_intent()
    executor.submit(intent)
    chain.balance_wei = 21_000 * 4 * GWEI
    assert "cannot be outbid yet" in executor.cancel(intent.id)
    assert len(set(chain.sent)) == 1
