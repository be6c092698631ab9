"""What is asked ahead changes when things are asked, and nothing of what is done in which order (K-03)."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import Any

import pytest

from keeper.app.ahead import AheadJournal
from keeper.errors import EndpointError, JournalError, RpcError, SimulationReverted
from keeper.execution.signers import Signed
from keeper.journal.database import Database
from keeper.journal.store import SqlJournal
from keeper.model.decision import Intent, Verdict
from keeper.risk import assess
from tests.builders import make_market
from tests.unit.execution.account import SEND, SIGNER, executor_of
from tests.unit.execution.conftest import chain, journal
from tests.unit.execution.fake_chain import FakeChain
from tests.unit.execution.intents import make_plan, make_test_intent
from tests.unit.journal.values import HOLD

__all__ = ["chain", "journal"]


class AtOnce(Executor):
    """The other thread was quicker."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except EndpointError as error:
            future.set_exception(error)
        return future


class OnDemand(Executor):
    """The other thread comes to it when its answer is waited for."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        class Late(Future[Any]):
            def result(self, timeout: float | None = None) -> Any:
                return fn(*args, **kwargs)

        return Late()


class Signs:
    """The signer, and when it signed."""

    address = SIGNER.address

    def __init__(self, events: list[str]) -> None:
        self._events = events

    def sign(self, transaction: dict[str, Any]) -> Signed:
        self._events.append("signature")
        return SIGNER.sign(transaction)


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Commits, by whether they wait for the disk."""
    found: list[str] = []
    writing = Database.writing

    @contextmanager
    def watched(self: Database, *, lazily: bool = False) -> Iterator[Any]:
        with writing(self, lazily=lazily) as db:
            yield db
        found.append("lazy commit" if lazily else "durable commit")

    monkeypatch.setattr(Database, "writing", watched)
    return found


def decide(book: Any, intent: Intent) -> None:
    market = make_market()
    book.record_decision(
        market, assess(market), HOLD, make_plan(), Verdict(()), intent, account=SIGNER.address
    )


@pytest.mark.parametrize("threads", [AtOnce(), OnDemand()])
def test_the_decision_is_on_disk_before_signing_and_the_attempt_before_broadcast(
    chain: FakeChain, journal: SqlJournal, events: list[str], threads: Executor
) -> None:
    executor = executor_of(chain, journal, signer=Signs(events))
    said = chain._answer

    def answer(method: str, params: list[Any]) -> Any:
        events.append("broadcast" if method == SEND else "question")
        return said(method, params)

    chain._answer = answer  # type: ignore[method-assign]
    intent = make_test_intent()
    events.clear()  # of opening the journal
    decide(AheadJournal(journal, executor, threads), intent)
    executor.submit(intent)
    steps = [e for e in events if e not in {"question", "lazy commit"}]
    assert steps == ["durable commit", "signature", "durable commit", "broadcast"]


def test_a_decision_that_cannot_be_written_is_not_acted_on(
    chain: FakeChain, journal: SqlJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    executor = executor_of(chain, journal)

    def full(*_: Any, **__: Any) -> None:
        raise JournalError("j.sqlite", "cannot be written (disk full)")

    monkeypatch.setattr(journal, "record_decision", full)
    with pytest.raises(JournalError, match="full"):
        decide(AheadJournal(journal, executor, AtOnce()), make_test_intent())
    assert chain.sent == []


@pytest.mark.parametrize("threads", [AtOnce(), OnDemand()])
def test_it_is_simulated_once(chain: FakeChain, journal: SqlJournal, threads: Executor) -> None:
    executor = executor_of(chain, journal)
    intent = make_test_intent()
    executor.begin(intent, threads)
    executor.submit(intent)
    assert [method for method, _ in chain.asked].count("eth_call") == 1


def test_what_was_begun_for_one_intent_says_nothing_of_another(
    chain: FakeChain, journal: SqlJournal
) -> None:
    executor = executor_of(chain, journal)
    executor.begin(make_test_intent(), AtOnce())  # could go through
    chain.refuse_call = RpcError("http://fake", "eth_call", 3, "execution reverted", "0x12345678")
    with pytest.raises(SimulationReverted):
        executor.submit(make_test_intent(counter=1))
    chain.refuse_call = None
    assert executor.submit(make_test_intent()) in chain.pool  # nor is it kept for later


def test_a_fault_of_what_was_begun_is_a_fault_of_sending(
    chain: FakeChain, journal: SqlJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    executor = executor_of(chain, journal)
    intent = make_test_intent()

    def away(*_: Any) -> Any:
        raise EndpointError("fake", "eth_call", "is away")

    with monkeypatch.context() as patched:
        patched.setattr(chain, "agreed_batch", away)
        executor.begin(intent, AtOnce())
    with pytest.raises(EndpointError, match="away"):
        executor.submit(intent)
    assert chain.sent == []
