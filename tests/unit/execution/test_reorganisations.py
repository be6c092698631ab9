"""Blocks that go away: the journal follows the chain, and nothing takes effect twice (K-01)."""

import pytest

from keeper import abi
from keeper.execution.executor import TransactionExecutor
from keeper.execution.machine import FollowPolicy
from keeper.execution.signers import from_private_key
from keeper.execution.simulate import ErrorBook, call_data
from keeper.model.decision import Intent, Lane
from keeper.model.intent_state import IntentState
from keeper.model.outcome import AttemptStatus
from tests.unit.execution.intents import make_test_intent
from tests.unit.execution.memory_book import MemoryBook
from tests.unit.execution.model_chain import FINAL_DEPTH, ModelChain

SIGNER = from_private_key("0x" + "4c" * 32, "test")
S = IntentState


class World:
    def __init__(self) -> None:
        self.chain, self.book = ModelChain(), MemoryBook()
        self.restart()

    def restart(self) -> None:
        self.executor = TransactionExecutor(
            self.chain, self.book, ErrorBook(abi.load("Vault")), chain_id=1, account=SIGNER.address,
            signer=SIGNER, follow=FollowPolicy(2, 3, confirm_blocks=3),
        )  # fmt: skip

    def submit(self, life_s: int = 600) -> Intent:
        for _ in range(8):
            self.executor.follow(self.chain.mine())  # so that there is something to drop
        intent = make_test_intent(block=self.chain.head, life_s=life_s, lane=Lane.PROTECTIVE)
        self.book.decided(intent, 1, SIGNER.address)
        self.executor.submit(intent)
        return intent

    def state(self, intent: Intent) -> IntentState:
        return self.book.intents[intent.id].state


def test_an_intent_goes_from_included_over_confirmed_to_final() -> None:
    world = World()
    intent = world.submit()
    states = []
    for _ in range(FINAL_DEPTH + 8):
        world.executor.follow(world.chain.mine())
        states.append(world.state(intent))
    assert list(dict.fromkeys(states)) == [S.INCLUDED, S.CONFIRMED, S.FINALISED]
    assert states.count(S.INCLUDED) == 2
    assert states.index(S.FINALISED) >= FINAL_DEPTH


@pytest.mark.parametrize("depth", range(1, 8))
@pytest.mark.parametrize("restarts", [False, True])
def test_a_dropped_block_brings_the_same_bytes_back_and_they_are_mined_once(
    depth: int, restarts: bool
) -> None:
    world = World()
    intent = world.submit()
    for _ in range(depth):
        world.executor.follow(world.chain.mine())
    assert world.state(intent) in (S.INCLUDED, S.CONFIRMED)
    if restarts:
        world.restart()
    world.chain.reorganise(depth, forgets=True)  # its pool has lost it too
    world.executor.follow(world.chain.head)
    assert world.state(intent) is S.ATTEMPTED
    assert len(world.book.attempts) == 1  # the same bytes first
    assert len(world.chain.pool) == 1
    world.executor.follow(world.chain.mine())
    assert world.state(intent) is S.INCLUDED
    assert world.chain.effects(call_data(intent)) == 1


def test_protection_that_its_new_past_refuses_gives_its_nonce_to_a_fresh_plan() -> None:
    """K-01, K-11: sent again it would only revert, and the vault would wait for that block."""
    world = World()
    world.submit()
    for _ in range(3):
        world.executor.follow(world.chain.mine())
    world.chain.reorganise(3, forgets=True)
    world.chain.refuses_calls = True
    world.executor.follow(world.chain.head)
    assert world.chain.pool == {}
    assert world.executor.unmined(Lane.PROTECTIVE) == 0
    world.chain.refuses_calls = False
    fresh = make_test_intent(block=world.chain.head, counter=1, life_s=600, lane=Lane.PROTECTIVE)
    world.book.decided(fresh, 1, SIGNER.address)
    world.executor.submit(fresh)
    assert len({a.nonce for a in world.book.attempts.values()}) == 1
    world.executor.follow(world.chain.mine())
    assert world.state(fresh) is S.INCLUDED


def test_what_is_mined_again_in_another_block_is_there_at_the_first_look() -> None:
    world = World()
    intent = world.submit()
    world.executor.follow(world.chain.mine())
    before = world.book.intents[intent.id].block_hash
    world.chain.reorganise(1)
    (result,) = world.executor.follow(world.chain.mine())
    assert result.status is AttemptStatus.MINED
    record = world.book.intents[intent.id]
    assert record.state is S.INCLUDED
    assert record.block_hash not in (None, before)


def test_dropped_after_its_deadline_it_is_given_up() -> None:
    world = World()
    intent = world.submit(life_s=30)
    for _ in range(4):
        world.executor.follow(world.chain.mine())
    world.chain.reorganise(4, forgets=True)
    world.executor.follow(world.chain.head)
    world.executor.follow(world.chain.mine(takes=False))
    assert world.state(intent) is S.CANCELLED
    assert world.executor.in_flight() == 0


def test_a_calm_chain_is_asked_nothing_about_what_is_included() -> None:
    """A head whose parent was the last head changes nothing below it."""
    world = World()
    world.submit()
    world.executor.follow(world.chain.mine())
    asked: list[str] = []
    answer = world.chain._answer
    world.chain._answer = lambda method, params: asked.append(method) or answer(method, params)  # type: ignore[method-assign, func-returns-value]
    world.executor.follow(world.chain.mine())
    assert asked == []


def test_after_a_reorganisation_patience_begins_anew() -> None:
    """The same bytes first, and again, before any fee is raised."""
    world = World()
    world.submit()
    for _ in range(4):
        world.executor.follow(world.chain.mine())
    world.chain.reorganise(4, forgets=True)
    world.executor.follow(world.chain.head)
    world.executor.follow(world.chain.mine(takes=False))
    assert len(world.book.attempts) == 1
    world.executor.follow(world.chain.mine(takes=False))
    assert len(world.book.attempts) == 2


def test_when_what_took_its_nonce_is_gone_what_gave_way_may_be_mined_and_counts() -> None:
    world = World()
    first = world.submit()
    (old,) = world.chain.pool.values()
    world.executor.abandon(first.id)
    second = make_test_intent(block=world.chain.head, counter=1, life_s=600)
    world.book.decided(second, 1, SIGNER.address)
    world.executor.submit(second)
    for _ in range(2):
        world.executor.follow(world.chain.mine())
    assert (world.state(first), world.state(second)) == (S.CANCELLED, S.INCLUDED)
    world.chain.reorganise(2, forgets=True)
    world.chain.pool = {old.tx_hash: old}
    world.chain.mine()  # before the keeper looks
    for _ in range(8):
        world.executor.follow(world.chain.mine())
    assert world.state(first) in (S.INCLUDED, S.CONFIRMED)
    assert world.state(second) is S.SUPERSEDED
    assert world.chain.effects(call_data(second)) == 0


def test_what_was_journalled_and_never_signed_fails_after_a_restart_and_is_decided_anew() -> None:
    """K-03: nothing journalled is lost, and nothing unsigned is sent for an old state."""
    world = World()
    intent = make_test_intent(block=world.chain.head)
    world.book.decided(intent, 1, SIGNER.address)
    world.restart()
    world.executor.follow(world.chain.mine())
    record = world.book.intents[intent.id]
    assert record.state is S.FAILED
    assert "decided anew" in record.note
    assert not world.chain.pool
