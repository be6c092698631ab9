"""From intent to broadcast: at most one effect, journalled before it leaves (K-01, K-03, K-04)."""

import pytest
from eth_utils.abi import function_signature_to_4byte_selector

from keeper.errors import (
    EndpointError,
    JournalError,
    RejectedError,
    RpcError,
    SimulationReverted,
    TooSoonError,
    UnfundedError,
)
from keeper.journal.store import SqliteJournal
from keeper.model.outcome import AttemptStatus
from tests.unit.execution.account import (
    SEND,
    SIGNER,
    attempts,
    broken,
    executor_of,
)
from tests.unit.execution.fake_chain import GWEI, FakeChain, Killed, fields_of
from tests.unit.execution.intents import make_test_intent


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
    chain.gas = 900_000
    tx_hash = executor_of(chain, journal).submit(make_test_intent())
    assert chain.pool[tx_hash]["gas"] == 1_125_000
    chain.answers["eth_estimateGas"] = RpcError(
        "http://fake", "eth_estimateGas", -32000, "gas required exceeds allowance (36000000)"
    )
    with pytest.raises(SimulationReverted, match=r"out of gas|OutOfGas|exceeds allowance"):
        executor_of(chain, journal).submit(make_test_intent(counter=1))


def test_an_estimate_under_what_was_not_enough_is_not_followed(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    """K-08: a false one would run out of gas again, mined and paid for."""
    chain.answers["eth_call"] = RpcError("http://fake", "eth_call", -32000, "out of gas")
    chain.gas = 21_000
    tx_hash = executor_of(chain, journal).submit(make_test_intent())
    assert chain.pool[tx_hash]["gas"] == 625_000


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
    monkeypatch.setattr(journal, "record_attempt", broken)
    with pytest.raises(JournalError):
        executor.submit(make_test_intent())
    assert chain.sent == []


def test_a_replacement_is_journalled_before_it_is_sent(
    chain: FakeChain, journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    executor = executor_of(chain, journal)
    executor.submit(make_test_intent())
    monkeypatch.setattr(journal, "record_attempt", broken)
    with pytest.raises(JournalError):
        executor.follow(chain.advance(2))
    assert len(chain.sent) == 1


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


def test_a_pool_longer_than_any_is_nonsense_and_is_not_counted_through(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    """Looking at 2^62 nonces one by one would be the keeper's end."""
    chain.foreign_pending = 2**62
    with pytest.raises(EndpointError, match="eth_getTransactionCount"):
        executor_of(chain, journal).submit(make_test_intent())
