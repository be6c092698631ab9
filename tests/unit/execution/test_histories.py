"""Whole lives of intents under any order of faults: no second effect (K-01), no lost intent, no gap (K-04)."""

import contextlib

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from keeper import abi
from keeper.errors import IntentError, JournalError, ReadError, SendError
from keeper.execution.executor import TransactionExecutor
from keeper.execution.fees import GasPolicy
from keeper.execution.lanes import Lanes
from keeper.execution.machine import FollowPolicy
from keeper.execution.signers import from_private_key
from keeper.execution.simulate import ErrorBook, call_data
from keeper.model.decision import Intent, Lane
from keeper.model.intent_state import ENDS, IntentState
from tests.unit.execution.intents import make_test_intent
from tests.unit.execution.memory_book import OPEN, MemoryBook
from tests.unit.execution.model_chain import ModelChain

ROUTINE = from_private_key("0x" + "4c" * 32, "test")
PROTECTIVE = from_private_key("0x" + "5d" * 32, "test")
ERRORS = ErrorBook(abi.load("Vault"))
IN_CHAIN = (IntentState.INCLUDED, IntentState.CONFIRMED, IntentState.FINALISED)
WORDS = (
    "",
    "nonce too low",
    "nonce too high",
    "already known",
    "replacement transaction underpriced",
    "insufficient funds for gas * price + value",
    "rate limited",
    "intrinsic gas too low",
)


class Histories(RuleBasedStateMachine):
    """A keeper that crashes, over a chain that forks, through an endpoint that lies about sends."""

    @initialize(two_accounts=st.booleans())
    def start(self, two_accounts: bool) -> None:
        self.two_accounts = two_accounts
        self.chain, self.book = ModelChain(), MemoryBook()
        self.intents: dict[str, Intent] = {}
        self.restart()

    @rule()
    def restart(self) -> None:
        """All that is in memory is gone."""

        def executor(signer: object) -> TransactionExecutor:
            return TransactionExecutor(
                self.chain, self.book, ERRORS, chain_id=1, account=signer.address,  # type: ignore[attr-defined]
                signer=signer, gas=GasPolicy(), follow=FollowPolicy(2, 3, 2, FINAL),  # type: ignore[arg-type]
            )  # fmt: skip

        second = executor(PROTECTIVE) if self.two_accounts else None
        self.lanes = Lanes(self.chain, executor(ROUTINE), second)

    def follow(self) -> None:
        try:
            self.lanes.follow(self.chain.head)
        except ReadError:
            pass  # the tick is skipped
        except JournalError:
            self.restart()  # the keeper stops, and is started again

    @rule(
        protective=st.booleans(),
        dies_after=st.none() | st.integers(0, 6),
        life_s=st.sampled_from([24, 120]),
    )
    def decide(self, protective: bool, dies_after: int | None, life_s: int) -> None:
        """As the loop: protection waits for protection, routine work for everything."""
        lane = Lane.PROTECTIVE if protective else Lane.ROUTINE
        self.follow()
        if self.lanes.in_flight(Lane.PROTECTIVE) or (not protective and self.lanes.in_flight()):
            return
        intent = make_test_intent(
            block=self.chain.head, counter=len(self.intents), lane=lane, life_s=life_s
        )
        self.intents[intent.id] = intent
        self.book.decided(intent, 1, self.lanes.account_of(lane))
        self.book.fails_at = dies_after
        try:
            self.lanes.submit(intent)
        except (SendError, ReadError):
            pass
        except JournalError:
            self.restart()
        self.book.fails_at = None

    @rule(takes=st.booleans(), dies_after=st.none() | st.integers(0, 6))
    def tick(self, takes: bool, dies_after: int | None) -> None:
        self.chain.mine(takes=takes)
        self.book.fails_at = dies_after
        self.follow()
        self.book.fails_at = None

    @rule(depth=st.integers(1, 7), forgets=st.booleans())
    def reorganise(self, depth: int, forgets: bool) -> None:
        final = [r for r in self.book.intents.values() if r.state is IntentState.FINALISED]
        deepest = max((r.block_number or 0 for r in final), default=0)
        head = self.chain.head.number
        self.chain.reorganise(min(depth, head - deepest), forgets=forgets)  # what is final stays
        self.follow()

    @rule()
    def evict(self) -> None:
        self.chain.pool.clear()

    @rule(words=st.sampled_from(WORDS), silent=st.booleans(), hides=st.booleans())
    def change_endpoint(self, words: str, silent: bool, hides: bool) -> None:
        self.chain.says, self.chain.silent, self.chain.hides = words, silent, hides

    @rule(order=st.sampled_from(["cancel", "speed_up", "abandon"]), which=st.integers(0, 3))
    def order(self, order: str, which: int) -> None:
        """By a person, of one of the newest intents."""
        names = list(self.intents)[-4:]
        if which < len(names):
            with contextlib.suppress(IntentError, SendError, ReadError):
                getattr(self.lanes, order)(names[which])

    @invariant()
    def no_intent_takes_effect_twice(self) -> None:
        """K-01."""
        for intent in self.intents.values():
            assert self.chain.effects(call_data(intent)) <= 1

    @invariant()
    def every_attempt_of_an_intent_has_one_nonce(self) -> None:
        for name in self.intents:
            assert len({(a.account, a.nonce) for a in self.book.attempts_of(name)}) <= 1

    def teardown(self) -> None:
        """The weather clears: everything comes to an end that the chain agrees with, and the way is free."""
        self.chain.says, self.chain.silent, self.chain.hides = "", False, False
        for _ in range(40):
            self.chain.mine()
            self.follow()
        for name, intent in self.intents.items():
            record = self.book.intents[name]
            assert record.state in ENDS, (name, record)
            happened = self.chain.effects(call_data(intent)) == 1
            assert happened == (record.state is IntentState.FINALISED), (name, record)
        assert not [a for a in self.book.attempts.values() if a.status in OPEN]
        for lane in Lane:
            last = make_test_intent(block=self.chain.head, counter=10_000, lane=lane)
            self.book.decided(last, 1, self.lanes.account_of(lane))
            self.lanes.submit(last)
            self.chain.mine()
            self.follow()
            assert self.book.intents[last.id].state in IN_CHAIN, "a gap or a stuck nonce"
        self.no_intent_takes_effect_twice()


FINAL = 12
Histories.TestCase.settings = settings(
    max_examples=100,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
TestHistories = Histories.TestCase
