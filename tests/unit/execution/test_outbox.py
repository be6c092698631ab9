"""The one way out: shut by the gate, and to every healthy endpoint at once."""

from dataclasses import dataclass

import pytest

from keeper import abi
from keeper.errors import EndpointError, RejectedError, RpcError
from keeper.execution.executor import TransactionExecutor
from keeper.execution.outbox import Outbox
from keeper.execution.simulate import ErrorBook
from keeper.journal.store import SqliteJournal
from keeper.model.attempt import Attempt
from keeper.model.outcome import AttemptStatus
from tests.unit.execution.account import SEND, SIGNER, attempts
from tests.unit.execution.fake_chain import FakeChain
from tests.unit.execution.intents import make_test_intent


class Gate:
    """Shut while it has a reason."""

    reason: str | None = None

    def __call__(self) -> str | None:
        return self.reason


@dataclass
class Said:
    """One endpoint's answer."""

    result: str | None = None
    error: Exception | None = None


class Pool(FakeChain):
    """Several endpoints with one chain behind them."""

    said: tuple[Said, ...] = ()

    def broadcast(self, raw: str) -> tuple[Said, ...]:
        self.sent.append(raw)
        return self.said


def executor_of(chain: FakeChain, journal: SqliteJournal, gate: Gate) -> TransactionExecutor:
    return TransactionExecutor(
        chain, journal, ErrorBook(abi.load("Vault")), chain_id=1, account=SIGNER.address,
        signer=SIGNER, outbox=Outbox(chain, gate=gate),
    )  # fmt: skip


def test_nothing_leaves_through_a_shut_gate_and_the_nonce_stays_free(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    gate = Gate()
    executor = executor_of(chain, journal, gate)
    gate.reason = "the kill switch is set"
    with pytest.raises(RejectedError, match="kill switch"):
        executor.submit(make_test_intent())
    assert (chain.sent, executor.in_flight()) == ([], 0)
    gate.reason = None
    assert chain.pool[executor.submit(make_test_intent(counter=1))]["nonce"] == 0


def test_what_is_in_flight_is_followed_but_not_sent_again_while_the_gate_is_shut(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    gate = Gate()
    executor = executor_of(chain, journal, gate)
    tx_hash = executor.submit(make_test_intent())
    gate.reason = "another keeper leads"
    for _ in range(4):
        executor.follow(chain.advance())
    assert len(chain.sent) == 1
    (result,) = executor.follow(chain.mine(tx_hash))
    assert result.status is AttemptStatus.MINED


REFUSED = Said(error=RpcError("a", SEND, -32000, "intrinsic gas too low"))
DEAF = Said(error=EndpointError("b", SEND, "did not answer within 1 s"))
TAKEN = Said(result="0x1")


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ((REFUSED, DEAF, TAKEN), AttemptStatus.SENT),  # any success wins
        ((REFUSED, DEAF), AttemptStatus.SIGNED),  # nobody knows: followed
        ((), AttemptStatus.SIGNED),
    ],
)
def test_every_healthy_endpoint_is_asked_and_any_success_wins(
    journal: SqliteJournal, said: tuple[Said, ...], status: AttemptStatus
) -> None:
    pool = Pool()
    pool.said = said
    executor = executor_of(pool, journal, Gate())
    executor.submit(make_test_intent())
    found: tuple[Attempt, ...] = attempts(journal)
    assert [a.status for a in found] == [status]
    assert executor.in_flight() == 1


def test_what_every_endpoint_refuses_is_refused(journal: SqliteJournal) -> None:
    pool = Pool()
    pool.said = (REFUSED, REFUSED)
    executor = executor_of(pool, journal, Gate())
    with pytest.raises(RejectedError, match="intrinsic gas"):
        executor.submit(make_test_intent())
    assert executor.in_flight() == 0


class SlowRelay:
    """Fails after a while, in which the gate was shut."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def send(self, raw: str, block_number: int) -> None:
        self._gate.reason = "the kill switch is set"
        raise EndpointError("relay", "eth_sendPrivateTransaction", "did not answer within 2 s")

    def withdraw(self, tx_hash: str) -> None:
        pass


def test_a_gate_shut_while_the_relay_was_asked_holds_the_broadcast_back(
    chain: FakeChain, journal: SqliteJournal
) -> None:
    gate = Gate()
    executor = TransactionExecutor(
        chain, journal, ErrorBook(abi.load("Vault")), chain_id=1, account=SIGNER.address,
        signer=SIGNER, outbox=Outbox(chain, gate=gate, relay=SlowRelay(gate)),
    )  # fmt: skip
    with pytest.raises(RejectedError, match="kill switch"):
        executor.submit(make_test_intent())
    assert chain.sent == []
