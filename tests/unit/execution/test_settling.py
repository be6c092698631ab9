"""How intents end: by mined nonces; receipts only say by which transaction (K-01, K-04, K-11)."""

import pytest

from keeper.errors import (
    EndpointError,
    RpcError,
)
from keeper.execution.machine import FollowPolicy
from keeper.journal.store import SqliteJournal
from keeper.model.decision import Lane
from keeper.model.outcome import AttemptStatus
from tests.unit.execution.account import (
    RECEIPT,
    SEND,
    SIGNER,
    attempts,
    executor_of,
    expire,
)
from tests.unit.execution.fake_chain import FakeChain
from tests.unit.execution.intents import make_test_intent

OPTIONAL = ("effectiveGasPrice", "blockNumber")
"""Fields a receipt may lack: the price on chains without fees, the block while it is pending."""


def test_a_missing_receipt_is_waited_for_while_the_nonce_is_used(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    executor = executor_of(chain, journal)
    tx_hash = executor.submit(make_test_intent())
    assert executor.follow(chain.mine(tx_hash, receipt=False)) == ()
    assert executor.follow(chain.advance()) == ()
    assert len(chain.sent) == 1  # and nothing is sent meanwhile
    chain.receipts[tx_hash] = {
        "transactionHash": tx_hash, "blockNumber": hex(chain.number), "status": "0x1", "gasUsed": "0x1",
    }  # fmt: skip
    (result,) = executor.follow(chain.advance())
    assert result.status is AttemptStatus.MINED


def test_a_nonce_used_by_another_program_is_given_up_after_patience(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    executor = executor_of(chain, journal)
    executor.submit(make_test_intent())
    chain.pool.clear()
    chain.mined = 1
    results = [r for _ in range(4) for r in executor.follow(chain.advance())]
    assert [r.status for r in results] == [AttemptStatus.DROPPED]


def test_a_used_nonce_without_a_receipt_is_in_flight_and_not_waited_for(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    """K-05: the endpoint that shows no receipt must not hold back the next protection."""
    executor = executor_of(chain, journal)
    first = executor.submit(make_test_intent())
    executor.follow(chain.block)
    assert executor.unmined(Lane.PROTECTIVE) + executor.unmined(Lane.ROUTINE) == 1
    executor.follow(chain.mine(first, receipt=False))
    assert executor.in_flight() == 1
    assert executor.unmined(Lane.PROTECTIVE) + executor.unmined(Lane.ROUTINE) == 0


def test_a_receipt_above_the_pinned_block_is_not_believed_yet(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    executor = executor_of(chain, journal)
    tx_hash = executor.submit(make_test_intent())
    before = chain.block
    chain.mine(tx_hash)
    for chain.mined in (0, 1):  # the count at the earlier block, told truly or not
        assert executor.follow(before) == ()
    assert executor.in_flight() == 1
    counts = [params for method, params in chain.asked if method == "eth_getTransactionCount"]
    assert counts[-1] == [SIGNER.address, {"blockHash": before.hash}]


def test_every_hash_of_an_intent_is_polled_also_a_refused_one(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    executor = executor_of(chain, journal)
    executor.submit(make_test_intent())
    chain.refuse_send, chain.lies = (
        RpcError("http://fake", SEND, -32000, "insufficient funds"),
        True,
    )
    executor.follow(chain.advance(2))
    refused = attempts(journal)[-1]
    assert refused.status is AttemptStatus.REFUSED
    assert refused.tx_hash in chain.pool
    chain.asked.clear()
    (result,) = executor.follow(chain.mine(refused.tx_hash))
    assert [m for m, _ in chain.asked].count("eth_getTransactionCount") == 1  # at the first look
    assert (result.tx_hash, result.status) == (refused.tx_hash, AttemptStatus.MINED)


@pytest.mark.parametrize(
    ("status", "ends"), [(0, AttemptStatus.REVERTED), (1, AttemptStatus.MINED)]
)
def test_what_was_given_up_and_is_mined_late_counts(
    chain: FakeChain, journal: SqliteJournal, status: int, ends: AttemptStatus
) -> None:
    """K-11: an expired transaction that reverts burned gas all the same."""
    executor = executor_of(chain, journal)
    tx_hash = executor.submit(make_test_intent(block=chain.block, life_s=20))
    (given_up,) = executor.follow(chain.advance(2))
    assert given_up.status is AttemptStatus.DROPPED
    assert executor.follow(chain.advance()) == ()
    (late,) = executor.follow(chain.mine(tx_hash, status=status))
    assert (late.tx_hash, late.status) == (tx_hash, ends)
    assert journal.mined_reverts(1) == (() if status else (chain.number,))
    asked = len(chain.asked)
    assert executor.follow(chain.advance()) == ()
    assert len(chain.asked) == asked  # and that was its end


@pytest.mark.parametrize("hidden", [1, 6, 40])
def test_a_receipt_that_was_missing_for_long_still_says_what_took_effect(
    chain: FakeChain, journal: SqliteJournal, hidden: int
) -> None:
    """K-03: endpoints may show none for many blocks; only a final block proves that it was not ours."""
    executor = executor_of(chain, journal)
    tx_hash = executor.submit(make_test_intent())
    mined = chain.mine(tx_hash)
    receipt = chain.receipts.pop(tx_hash)
    ends = list(executor.follow(mined))
    for _ in range(hidden):
        ends += executor.follow(chain.advance())
    chain.receipts[tx_hash] = receipt
    ends += executor.follow(chain.advance())
    assert ends[-1].status is AttemptStatus.MINED
    assert [a.status for a in attempts(journal)] == [AttemptStatus.MINED]


def test_a_late_receipt_that_is_nonsense_does_not_stop_the_keeper(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    executor = executor_of(chain, journal)
    tx_hash = executor.submit(make_test_intent(block=chain.block, life_s=20))
    expire(chain, executor)
    chain.mine(tx_hash, status=0)
    chain.answers[RECEIPT] = "0x1"
    for _ in range(6):
        assert executor.follow(chain.advance()) == ()
    del chain.answers[RECEIPT]
    (late,) = executor.follow(chain.advance())
    assert late.status is AttemptStatus.REVERTED


def test_a_refused_attempt_is_over_when_another_of_ours_used_the_nonce(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    executor = executor_of(chain, journal)
    first = executor.submit(make_test_intent())
    chain.refuse_send = RpcError("http://fake", SEND, -32000, "insufficient funds")
    executor.follow(chain.advance(2))
    executor.follow(chain.mine(first))
    assert [a.status for a in attempts(journal)] == [AttemptStatus.MINED, AttemptStatus.REPLACED]


def test_every_expired_transaction_that_reverts_is_counted(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    executor = executor_of(chain, journal)
    for counter in range(4):
        intent = make_test_intent(block=chain.block, counter=counter, life_s=20)
        tx_hash = executor.submit(intent)
        expire(chain, executor)
        executor.follow(chain.mine(tx_hash, status=0))
    assert len(journal.mined_reverts(1)) == 4


def test_an_intent_whose_nonce_an_expired_one_took_is_lost_and_the_expired_one_counts(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    executor = executor_of(chain, journal)
    old = executor.submit(make_test_intent(block=chain.block, life_s=20))
    executor.follow(chain.advance(2))
    executor.submit(make_test_intent(block=chain.block, counter=1))
    results = list(executor.follow(chain.mine(old, status=0)))
    for _ in range(5):
        results += executor.follow(chain.advance())
    assert [r.status for r in results] == [AttemptStatus.REVERTED, AttemptStatus.DROPPED]
    assert executor.in_flight() == 0


def test_what_never_was_mined_is_asked_for_until_it_is_final_and_then_left(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    executor = executor_of(chain, journal)
    executor.submit(make_test_intent(block=chain.block, life_s=20))
    executor.follow(chain.advance(2))
    chain.pool.clear()
    chain.mined = 1  # by another program
    for _ in range(FollowPolicy().finality_blocks):
        assert executor.follow(chain.advance()) == ()
    assert {a.status for a in attempts(journal)} == {AttemptStatus.DROPPED}
    assert executor.follow(chain.advance()) == ()
    assert {a.status for a in attempts(journal)} == {AttemptStatus.REPLACED}
    asked = len(chain.asked)
    executor.follow(chain.advance())
    assert len(chain.asked) == asked


def test_no_answer_for_a_receipt_is_not_a_missing_receipt(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    executor = executor_of(chain, journal)
    tx_hash = executor.submit(make_test_intent())
    chain.answers[RECEIPT] = RpcError("http://fake", RECEIPT, -32005, "rate limited")
    executor.follow(chain.advance())  # while the nonce is unused no receipt is needed
    assert len(chain.sent) == 2
    chain.mine(tx_hash)
    for _ in range(8):  # nothing is lost of it, and nothing waits for it (K-05)
        assert executor.follow(chain.advance()) == ()
        assert executor.in_flight() == 1
    del chain.answers[RECEIPT]
    (result,) = executor.follow(chain.advance())
    assert result.status is AttemptStatus.MINED


@pytest.mark.parametrize(
    "odd",
    [
        {"transactionHash": "0x" + "ab" * 32},
        {"transactionHash": None},
        {"status": None},
        {"status": "0x2"},
        {"gasUsed": None},
        {"gasUsed": hex(2**70)},
        {"gasUsed": "-0x1"},
        {"blockNumber": 7},
        {"effectiveGasPrice": "0x"},
        {"effectiveGasPrice": hex(2**300)},
    ],
)
def test_an_odd_receipt_is_the_endpoints_fault_and_settles_nothing(
    chain: FakeChain, journal: SqliteJournal, odd: dict[str, object]
) -> None:
    executor = executor_of(chain, journal)
    tx_hash = executor.submit(make_test_intent())
    chain.mine(tx_hash)
    whole = chain.receipts[tx_hash]
    for receipt in (
        {**whole, **odd},
        {k: v for k, v in whole.items() if k not in odd or k in OPTIONAL},
        "0x1",
    ):
        if receipt == whole:
            continue
        chain.answers[RECEIPT] = receipt
        with pytest.raises(EndpointError):
            executor.follow(chain.advance())
    del chain.answers[RECEIPT]
    (result,) = executor.follow(chain.advance())
    assert result.status is AttemptStatus.MINED
