"""At most one effect for an intent, whatever crashes, drops, is refused or gets stuck (K-01, K-03, K-04)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_utils.abi import function_signature_to_4byte_selector

from keeper import abi
from keeper.errors import (
    EndpointError,
    FeeCeilingError,
    JournalError,
    OutbidError,
    RejectedError,
    RpcError,
    SendError,
    SimulationReverted,
    TooSoonError,
    UnfundedError,
)
from keeper.execution.executor import TransactionExecutor
from keeper.execution.fees import GasPolicy
from keeper.execution.machine import FollowPolicy
from keeper.execution.signer import from_private_key
from keeper.execution.simulate import ErrorBook
from keeper.journal.store import SqliteJournal
from keeper.model.attempt import Attempt
from keeper.model.decision import Lane
from keeper.model.outcome import AttemptStatus
from tests.unit.execution.fake_chain import GWEI, FakeChain, Killed, fields_of
from tests.unit.execution.intents import make_test_intent

SIGNER = from_private_key("0x" + "4c" * 32, "test")
SEND = "eth_sendRawTransaction"
RECEIPT = "eth_getTransactionReceipt"
OPTIONAL = ("effectiveGasPrice", "blockNumber")
"""Fields a receipt may lack: the price on chains without fees, the block while it is pending."""


@pytest.fixture
def chain() -> FakeChain:
    return FakeChain()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    book = SqliteJournal(tmp_path / "j.sqlite")
    yield book
    book.close()


def executor_of(
    chain: FakeChain,
    journal: SqliteJournal,
    *,
    signs: bool = True,
    ceiling_wei: int = 200 * GWEI,
) -> TransactionExecutor:
    return TransactionExecutor(
        chain,
        journal,
        ErrorBook(abi.load("Vault")),
        chain_id=1,
        account=SIGNER.address,
        signer=SIGNER if signs else None,
        gas=GasPolicy(routine_ceiling_wei=ceiling_wei),
        follow=FollowPolicy(bump_after_blocks=2, lost_after_blocks=3),
    )


def attempts(journal: SqliteJournal) -> tuple[Attempt, ...]:
    return journal.attempts_at(1, SIGNER.address, 0)


def test_a_sent_intent_is_followed_to_its_receipt(chain: FakeChain, journal: SqliteJournal) -> None:
    executor = executor_of(chain, journal)
    intent = make_test_intent()
    tx_hash = executor.submit(intent)
    assert executor.in_flight() == 1
    assert executor.follow(chain.block) == ()
    (result,) = executor.follow(chain.mine(tx_hash))
    assert (result.status, result.tx_hash) == (AttemptStatus.MINED, tx_hash)
    assert (result.gas_used, result.gas_price_wei) == (321_000, 11 * GWEI)
    assert executor.in_flight() == 0


def test_a_mined_revert_settles_and_frees_the_account(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    executor = executor_of(chain, journal)
    tx_hash = executor.submit(make_test_intent())
    (result,) = executor.follow(chain.mine(tx_hash, status=0))
    assert result.status is AttemptStatus.REVERTED
    second = executor.submit(make_test_intent(counter=1))
    assert chain.pool[second]["nonce"] == 1
    assert journal.mined_reverts(1) == (chain.number,)


def test_nothing_is_signed_when_the_simulation_reverts(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    chain.refuse_call = RpcError("http://fake", "eth_call", 3, "execution reverted", "0x12345678")
    with pytest.raises(SimulationReverted, match="0x12345678"):
        executor_of(chain, journal).submit(make_test_intent())
    assert (chain.sent, attempts(journal)) == ([], ())


def test_the_executor_remembers_until_when_the_mandate_takes_no_routine_plan(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    selector = function_signature_to_4byte_selector("CooldownActive(uint256,uint256)").hex()
    chain.refuse_call = RpcError(
        "http://fake", "eth_call", 3, "execution reverted", f"0x{selector}{86_400:064x}{7:064x}"
    )
    executor = executor_of(chain, journal)
    assert executor.routine_waits_until() == 0
    with pytest.raises(TooSoonError):
        executor.rehearse(make_test_intent())
    assert executor.routine_waits_until() == 86_400
    assert (chain.sent, attempts(journal)) == ([], ())


def test_the_simulation_is_the_keepers_own_call_at_the_pinned_block(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    chain.gas = 900_000  # over the plan's: an estimate is asked for as well
    intent = make_test_intent()
    executor_of(chain, journal).submit(intent)
    for name in ("eth_call", "eth_estimateGas"):
        ((call, at),) = [params for method, params in chain.asked if method == name]
        assert (call["from"], call["to"]) == (SIGNER.address, intent.to)
        assert at == {"blockHash": intent.block_hash}


@pytest.mark.parametrize("words", ["err: out of gas (supplied gas 625000)", "OutOfGas"])
def test_a_simulation_out_of_gas_asks_the_node_for_its_estimate(
    chain: FakeChain, journal: SqliteJournal, words: str
) -> None:
    chain.answers["eth_call"] = RpcError("http://fake", "eth_call", -32000, words)
    tx_hash = executor_of(chain, journal).submit(make_test_intent())
    assert chain.pool[tx_hash]["gas"] == 500_000
    chain.answers["eth_estimateGas"] = RpcError(
        "http://fake", "eth_estimateGas", -32000, "gas required exceeds allowance (36000000)"
    )
    with pytest.raises(SimulationReverted, match=r"out of gas|OutOfGas|exceeds allowance"):
        executor_of(chain, journal).submit(make_test_intent(counter=1))


@pytest.mark.parametrize("answer", ["-0x1", hex(2**70), "5", None, 5, "0xzz"])
@pytest.mark.parametrize("method", ["eth_getTransactionCount", "eth_getBlockByHash"])
def test_odd_numbers_are_the_endpoints_fault_and_sign_nothing(
    chain: FakeChain, journal: SqliteJournal, method: str, answer: object
) -> None:
    counts = method == "eth_getTransactionCount"
    chain.answers[method] = answer if counts else {"number": answer, "baseFeePerGas": "0x1"}
    with pytest.raises(EndpointError):
        executor_of(chain, journal).submit(make_test_intent())
    assert (chain.sent, attempts(journal)) == ([], ())


@pytest.mark.parametrize(("needs", "limit"), [(600_000, 625_000), (900_000, 1_125_000)])
def test_the_plans_own_gas_is_used_while_it_suffices_and_the_nodes_otherwise(
    chain: FakeChain, journal: SqliteJournal, needs: int, limit: int
) -> None:
    """The plan says 500,000; both get a quarter on top."""
    chain.gas = needs
    tx_hash = executor_of(chain, journal).submit(make_test_intent())
    assert chain.pool[tx_hash]["gas"] == limit


def test_an_attempt_is_journalled_before_it_is_sent(
    chain: FakeChain, journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """K-03: a journal that cannot be written stops the broadcast."""
    executor = executor_of(chain, journal)
    monkeypatch.setattr(journal, "record_attempt", _broken)
    with pytest.raises(JournalError):
        executor.submit(make_test_intent())
    assert chain.sent == []


def test_a_replacement_is_journalled_before_it_is_sent(
    chain: FakeChain, journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    executor = executor_of(chain, journal)
    executor.submit(make_test_intent())
    monkeypatch.setattr(journal, "record_attempt", _broken)
    with pytest.raises(JournalError):
        executor.follow(chain.advance(2))
    assert len(chain.sent) == 1


def _broken(_attempt: Attempt) -> None:
    raise JournalError("j.sqlite", "cannot be written (disk full)")


def test_killed_between_journal_and_send_a_restart_sends_the_same_bytes_once(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    """K-03."""
    intent = make_test_intent()
    chain.refuse_send = Killed()
    with pytest.raises(Killed):
        executor_of(chain, journal).submit(intent)
    chain.refuse_send = None
    chain.sent.clear()
    (signed,) = attempts(journal)

    restarted = executor_of(chain, journal)
    assert restarted.in_flight() == 1
    assert restarted.submit(intent) == signed.tx_hash  # the same intent is not signed twice
    assert chain.sent == []
    assert restarted.follow(chain.advance()) == ()
    assert chain.sent == [signed.raw]
    (result,) = restarted.follow(chain.mine(signed.tx_hash))
    assert result.status is AttemptStatus.MINED


def test_no_answer_to_the_broadcast_keeps_the_intent_in_flight(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    chain.refuse_send = EndpointError("http://fake", SEND, "did not answer within 1 s")
    executor = executor_of(chain, journal)
    tx_hash = executor.submit(make_test_intent())
    assert executor.in_flight() == 1
    chain.refuse_send = None
    executor.follow(chain.advance())
    assert tx_hash in chain.pool


def test_already_known_is_success(chain: FakeChain, journal: SqliteJournal) -> None:
    chain.refuse_send = RpcError("http://fake", SEND, -32000, "already known")
    executor_of(chain, journal).submit(make_test_intent())
    assert [a.status for a in attempts(journal)] == [AttemptStatus.SENT]


def test_an_unfunded_account_signs_nothing_and_burns_nothing(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    chain.balance_wei = 10**6
    executor = executor_of(chain, journal)
    with pytest.raises(UnfundedError, match="send it ETH"):
        executor.submit(make_test_intent())
    assert (chain.sent, attempts(journal), executor.in_flight()) == ([], (), 0)


def test_refused_for_funds_the_nonce_is_free_and_the_fee_does_not_climb(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    chain.refuse_send = RpcError("http://fake", SEND, -32000, "insufficient funds for gas")
    executor = executor_of(chain, journal)
    for counter in range(3):
        with pytest.raises(UnfundedError):
            executor.submit(make_test_intent(counter=counter))
    chain.refuse_send = None
    tx_hash = executor.submit(make_test_intent(counter=3))
    assert chain.pool[tx_hash]["nonce"] == 0
    assert chain.pool[tx_hash]["cap"] == fields_of(chain.sent[0])["cap"]


@pytest.mark.parametrize("words", ["intrinsic gas too low", "transaction underpriced"])
def test_an_outright_refusal_leaves_nothing_in_flight(
    chain: FakeChain, journal: SqliteJournal, words: str
) -> None:
    chain.refuse_send = RpcError("http://fake", SEND, -32000, words)
    executor = executor_of(chain, journal)
    with pytest.raises(RejectedError, match=words):
        executor.submit(make_test_intent())
    assert executor.in_flight() == 0


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


def test_without_a_key_nothing_is_ever_sent(chain: FakeChain, journal: SqliteJournal) -> None:
    """Not even what a live keeper left in the journal."""
    live = executor_of(chain, journal)
    live.submit(make_test_intent())
    dry = executor_of(chain, journal, signs=False)
    sent = len(chain.sent)
    assert dry.follow(chain.advance(3)) == ()
    assert dry.in_flight() == 0
    assert "would send 1 moves" in dry.rehearse(make_test_intent(counter=1))
    with pytest.raises(RejectedError):
        dry.submit(make_test_intent(counter=2))
    assert len(chain.sent) == sent


def keep_trying(
    chain: FakeChain, executor: TransactionExecutor, blocks: int, lane: Lane = Lane.PROTECTIVE
) -> list[SendError]:
    """A new intent whenever none is in flight; the faults of sending."""
    faults = []
    for _ in range(blocks):
        block = chain.advance()
        executor.follow(block)
        if not executor.in_flight():
            try:
                executor.submit(make_test_intent(block=block, counter=block.number, lane=lane))
            except SendError as fault:
                faults.append(fault)
    return faults


def expire(chain: FakeChain, executor: TransactionExecutor) -> None:
    """Until nothing is in flight."""
    while executor.in_flight():
        executor.follow(chain.advance())


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


def test_what_never_was_mined_is_asked_for_a_few_blocks_and_then_left(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    executor = executor_of(chain, journal)
    executor.submit(make_test_intent(block=chain.block, life_s=20))
    executor.follow(chain.advance(2))
    chain.pool.clear()
    chain.mined = 1  # by another program
    for _ in range(3):
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
    for _ in range(8):
        with pytest.raises(RpcError, match="rate limited"):
            executor.follow(chain.advance())
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
