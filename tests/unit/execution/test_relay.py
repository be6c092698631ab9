"""The private relay: signed bodies, and the public way out at the deadline whatever the relay does."""

from collections.abc import Mapping

import pytest

from keeper import abi
from keeper.errors import EndpointError, RpcError
from keeper.execution.executor import TransactionExecutor
from keeper.execution.outbox import Outbox, RelayPolicy
from keeper.execution.relay import Authentication, FlashbotsRelay, RelayMethod
from keeper.execution.signers import from_private_key
from keeper.execution.simulate import ErrorBook
from keeper.model.decision import Lane
from keeper.model.intent_state import IntentState
from tests.relay_simulator import RelaySimulator
from tests.unit.execution.intents import make_test_intent
from tests.unit.execution.memory_book import MemoryBook
from tests.unit.execution.model_chain import SEND, ModelChain

SIGNER = from_private_key("0x" + "4c" * 32, "test")
KEY = "0x" + "11" * 32
LANES = frozenset({Lane.ROUTINE, Lane.PROTECTIVE})


class World:
    """A chain, a relay before it, and an executor that prefers the relay."""

    def __init__(
        self,
        method: RelayMethod = RelayMethod.TRANSACTION,
        lanes: frozenset[Lane] = LANES,
        public_after_blocks: int = 3,
    ) -> None:
        self.chain, self.book = ModelChain(), MemoryBook()
        self.relay = RelaySimulator(lambda raw: self.chain.call(SEND, [raw]))
        door = FlashbotsRelay("relay", self.relay.post, Authentication(KEY), method=method)
        policy = RelayPolicy(lanes, public_after_blocks)
        self.executor = TransactionExecutor(
            self.chain, self.book, ErrorBook(abi.load("Vault")), chain_id=1,
            account=SIGNER.address, signer=SIGNER,
            outbox=Outbox(self.chain, relay=door, relay_policy=policy),
        )  # fmt: skip

    def submit(self, lane: Lane = Lane.PROTECTIVE) -> str:
        intent = make_test_intent(block=self.chain.head, lane=lane)
        self.book.decided(intent, 1, SIGNER.address)
        self.executor.submit(intent)
        return intent.id

    def blocks(self, number: int) -> None:
        for _ in range(number):
            self.relay.block()
            self.executor.follow(self.chain.mine())

    def state(self, intent_id: str) -> IntentState:
        return self.book.intents[intent_id].state


@pytest.mark.parametrize("method", RelayMethod)
def test_what_a_relay_includes_was_never_public(method: RelayMethod) -> None:
    world = World(method)
    intent = world.submit()
    assert not world.chain.pool
    world.blocks(1)
    assert world.state(intent) is IntentState.INCLUDED
    assert world.relay.callers == {Authentication(KEY).address}


@pytest.mark.parametrize("delay", [None, 30])
def test_a_relay_that_ignores_or_delays_is_left_at_its_deadline(delay: int | None) -> None:
    world = World()
    world.relay.delay = delay
    intent = world.submit()
    world.blocks(2)
    assert not world.chain.pool
    world.blocks(2)
    assert world.state(intent) is IntentState.INCLUDED
    assert len(world.chain.blocks[-1].mined) == 1


def test_a_relay_that_refuses_is_no_reason_to_wait() -> None:
    world = World()
    world.relay.refuses = "overloaded"
    world.submit()
    assert world.chain.pool


def test_the_deadline_of_the_relay_counts_over_a_restart() -> None:
    world = World()
    world.relay.delay = None
    intent = world.submit()
    world.blocks(2)
    restarted = World()
    restarted.chain, restarted.book = world.chain, world.book
    restarted.relay.delay = None
    restarted.executor = TransactionExecutor(
        world.chain, world.book, ErrorBook(abi.load("Vault")), chain_id=1,
        account=SIGNER.address, signer=SIGNER, outbox=restarted.executor._outbox,
    )  # fmt: skip
    restarted.executor._outbox._rpc = world.chain
    restarted.blocks(2)
    assert restarted.state(intent) is IntentState.INCLUDED


def test_the_deadline_of_the_relay_counts_over_fresh_plans_of_protection() -> None:
    """In a fall each block leaves a plan behind: a relay that sits on one after another would be all there is."""
    world = World()
    world.relay.delay = None
    for counter in range(5):
        intent = make_test_intent(block=world.chain.head, counter=counter)
        world.book.decided(intent, 1, SIGNER.address)
        world.executor.submit(intent)
        world.chain.refuses_calls = True  # what is out has gone stale
        world.blocks(1)
        world.chain.refuses_calls = False
    assert any(block.mined for block in world.chain.blocks)


def test_only_the_lanes_named_go_to_the_relay() -> None:
    world = World(lanes=frozenset({Lane.ROUTINE}))
    world.submit(Lane.PROTECTIVE)
    assert world.chain.pool
    assert not world.relay.asked


def test_what_is_given_up_is_withdrawn_from_the_relay() -> None:
    world = World(public_after_blocks=100)
    world.relay.delay = 1_000
    intent = world.submit()
    world.blocks(11)
    assert world.state(intent) is IntentState.CANCELLED
    assert world.relay.asked[-1][0] == "eth_cancelPrivateTransaction"


def test_requests_have_the_form_relays_ask_for() -> None:
    asked = RelaySimulator(lambda raw: None)
    FlashbotsRelay("r", asked.post, Authentication(KEY), max_blocks=25).send("0x02", 100)
    bundle = FlashbotsRelay("r", asked.post, Authentication(KEY), method=RelayMethod.BUNDLE)
    bundle.send("0x02", 100)
    assert asked.asked == [
        ("eth_sendPrivateTransaction", {"tx": "0x02", "maxBlockNumber": "0x7d"}),
        ("eth_sendBundle", {"txs": ["0x02"], "blockNumber": "0x65"}),
    ]


@pytest.mark.parametrize("answer", [b"<html>", b"[]", b'"0x"', b"{}", b"[" * 100_000])
def test_an_answer_that_is_none_is_the_relays_fault(answer: bytes) -> None:
    relay = FlashbotsRelay("r", lambda body, headers: answer, Authentication(KEY))
    with pytest.raises(EndpointError, match="endpoint r"):
        relay.send("0x02", 1)


def test_a_relay_that_hangs_is_waited_for_once_and_not_for_each_transaction() -> None:
    """K-05: what is in flight is offered again before protection is decided."""
    clock, asked = [100.0], []

    def hangs(body: bytes, headers: Mapping[str, str]) -> bytes:
        asked.append(body)
        raise EndpointError("r", "relay", "did not answer within 2 s")

    relay = FlashbotsRelay("r", hangs, Authentication(KEY), now=lambda: clock[0])
    for _ in range(100):
        with pytest.raises(EndpointError):
            relay.send("0x02", 1)
        relay.withdraw("0x" + "00" * 32)
    assert len(asked) == 1
    clock[0] += 10
    with pytest.raises(EndpointError):
        relay.send("0x02", 1)
    assert len(asked) == 2


def test_a_refusal_keeps_its_words() -> None:
    asked = RelaySimulator(lambda raw: None, refuses="tx too cheap")
    with pytest.raises(RpcError, match="tx too cheap"):
        FlashbotsRelay("r", asked.post, Authentication(KEY)).send("0x02", 1)


def test_a_refusal_is_a_line_of_words_however_much_is_said() -> None:
    """Somebody else's text goes to logs and terminals."""
    asked = RelaySimulator(lambda raw: None, refuses="\x1b[2J\nno" + "o" * 10_000)
    with pytest.raises(RpcError) as told:
        FlashbotsRelay("r", asked.post, Authentication(KEY)).send("0x02", 1)
    assert told.value.message.isprintable()
    assert len(told.value.message) < 1_000


def test_the_authentication_key_shows_itself_nowhere() -> None:
    """K-09."""
    authentication = Authentication(KEY)
    assert KEY[2:] not in repr(authentication) + authentication.header(b"{}")
