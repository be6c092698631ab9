"""Two lanes: protection waits for nothing of the routine lane (K-05), on one account or on two."""

import contextlib

import pytest

from keeper import abi
from keeper.errors import RpcError, SendError, UnfundedError
from keeper.execution.executor import TransactionExecutor
from keeper.execution.funds import FundsPolicy
from keeper.execution.lanes import Lanes
from keeper.execution.signers import Signer, from_private_key
from keeper.execution.simulate import ErrorBook, call_data
from keeper.model.decision import Intent, Lane
from keeper.model.intent_state import IntentState
from tests.unit.execution.fake_chain import fields_of
from tests.unit.execution.intents import make_test_intent
from tests.unit.execution.memory_book import MemoryBook
from tests.unit.execution.model_chain import ModelChain

ROUTINE = from_private_key("0x" + "4c" * 32, "test")
PROTECTIVE = from_private_key("0x" + "5d" * 32, "test")
S = IntentState
POOR_WEI = 10**6


class Balances(ModelChain):
    """A chain on which accounts may be poor."""

    poor: frozenset[str] = frozenset()
    refuses_count_of: str = ""

    def _answer(self, method: str, params: list[object]) -> object:
        if method == "eth_getBalance" and params[0] in self.poor:
            return hex(POOR_WEI)
        if method == "eth_getTransactionCount" and params[0] == self.refuses_count_of:
            return RpcError(self.name, method, -32005, "rate limited")
        return super()._answer(method, params)


class World:
    def __init__(self, *, two: bool) -> None:
        self.chain, self.book, self.two = Balances(), MemoryBook(), two
        self.lanes = self.open()
        self.count = 0

    def open(self) -> Lanes:
        def executor(signer: Signer) -> TransactionExecutor:
            return TransactionExecutor(
                self.chain, self.book, ErrorBook(abi.load("Vault")), chain_id=1,
                account=signer.address, signer=signer,
            )  # fmt: skip

        second = executor(PROTECTIVE) if self.two else None
        return Lanes(self.chain, executor(ROUTINE), second, funds=FundsPolicy(routine_floor_wei=1))

    def submit(self, lane: Lane) -> Intent:
        self.count += 1
        intent = make_test_intent(block=self.chain.head, lane=lane, counter=self.count)
        self.book.decided(intent, 1, self.lanes.account_of(lane))
        self.lanes.submit(intent)
        return intent

    def state(self, intent: Intent) -> IntentState:
        return self.book.intents[intent.id].state

    def block(self, *, takes: bool = True) -> None:
        self.lanes.follow(self.chain.mine(takes=takes))


def test_on_one_account_protection_takes_the_nonce_of_a_routine_intent_in_flight() -> None:
    """K-05: a transaction priced in a cheap hour does not block the head of the line."""
    world = World(two=False)
    routine = world.submit(Lane.ROUTINE)
    protective = world.submit(Lane.PROTECTIVE)
    (pooled,) = world.chain.pool.values()
    assert (pooled.nonce, pooled.data) == (0, call_data(protective))
    assert world.state(routine) is S.SUPERSEDED
    world.block()
    assert world.state(protective) is S.INCLUDED
    assert world.chain.effects(call_data(routine)) == 0


def test_on_two_accounts_protection_goes_first_and_then_the_routine_one_is_emptied() -> None:
    """K-05."""
    world = World(two=True)
    routine = world.submit(Lane.ROUTINE)
    protective = world.submit(Lane.PROTECTIVE)
    sent = [fields_of(a.raw)["sender"] for a in world.book.attempts.values()]
    assert sent == [ROUTINE.address, PROTECTIVE.address, ROUTINE.address]
    assert {m.data for m in world.chain.pool.values()} == {call_data(protective), "0x"}
    for _ in range(20):
        world.block()
    assert world.state(protective) is S.FINALISED
    assert world.state(routine) is S.CANCELLED
    assert world.chain.effects(call_data(routine)) == 0
    assert world.chain.nonce_of(ROUTINE.address) == 1


def test_each_lane_has_its_own_nonces() -> None:
    """Racers never share one: one allocator for each account."""
    world = World(two=True)
    for _ in range(2):
        world.submit(Lane.ROUTINE)
        world.block()
    world.submit(Lane.PROTECTIVE)
    assert [m.nonce for m in world.chain.pool.values()] == [0]


def test_protection_goes_on_while_the_routine_account_cannot_be_looked_at() -> None:
    """K-05."""
    world = World(two=True)
    world.submit(Lane.ROUTINE)
    world.chain.refuses_count_of = ROUTINE.address
    protective = world.submit(Lane.PROTECTIVE)
    world.block()
    assert world.state(protective) is S.INCLUDED


def test_what_the_protective_account_cannot_pay_the_routine_one_carries() -> None:
    world = World(two=True)
    world.chain.poor = frozenset({PROTECTIVE.address})
    routine = world.submit(Lane.ROUTINE)
    protective = world.submit(Lane.PROTECTIVE)
    assert world.state(routine) is S.SUPERSEDED
    world.block()
    assert world.state(protective) is S.INCLUDED
    assert world.chain.effects(call_data(protective)) == 1
    assert world.chain.nonce_of(ROUTINE.address) == 1


def test_what_its_account_has_signed_for_no_other_account_tries() -> None:
    """K-01: a refusal for lack of funds may have been pooled all the same."""
    world = World(two=True)
    world.chain.says = "insufficient funds for gas * price + value"
    with pytest.raises(UnfundedError):
        world.submit(Lane.PROTECTIVE)
    assert {a.account for a in world.book.attempts.values()} == {PROTECTIVE.address}


def test_a_routine_intent_does_not_spend_the_money_of_protection() -> None:
    world = World(two=True)
    world.chain.poor = frozenset({ROUTINE.address})
    with pytest.raises(UnfundedError):
        world.submit(Lane.ROUTINE)
    assert not world.chain.pool


@pytest.mark.parametrize("order", ["cancel", "speed_up", "abandon"])
@pytest.mark.parametrize("lane", Lane)
def test_a_person_can_cancel_speed_up_and_abandon_what_is_in_flight(order: str, lane: Lane) -> None:
    world = World(two=True)
    intent = world.submit(lane)
    first = next(iter(world.chain.pool.values()))
    said = getattr(world.open(), order)(intent.id)  # from another process
    assert intent.id in said
    (now,) = world.chain.pool.values()
    assert now.nonce == first.nonce
    assert (now.data == "0x") is (order == "cancel")
    assert (now.tx_hash == first.tx_hash) is (order == "abandon")
    for _ in range(20):
        world.block()
    ends = {"cancel": S.CANCELLED, "speed_up": S.FINALISED}
    assert world.state(intent) is ends.get(order, S.FINALISED)  # abandoned, and mined all the same


def test_a_cancelled_intent_ends_no_streak_of_reverts() -> None:
    """K-11: the empty transaction is no success."""
    world = World(two=False)
    intent = world.submit(Lane.ROUTINE)
    world.lanes.cancel(intent.id)
    world.block()
    assert [r.status.value for r in world.book.results.values()] == ["cancelled"]


@pytest.mark.parametrize("two", [False, True])
def test_what_no_endpoint_took_is_offered_again_at_the_same_block(two: bool) -> None:
    world = World(two=two)
    world.chain.says = "nobody knows these words"
    world.submit(Lane.PROTECTIVE)
    assert world.lanes.untaken(Lane.PROTECTIVE) == 1
    assert world.lanes.untaken(Lane.ROUTINE) == 0
    world.chain.says = ""
    world.lanes.follow(world.chain.head)
    assert len(world.chain.pool) == 1
    assert world.lanes.untaken(Lane.PROTECTIVE) == 0


def test_what_is_mined_needs_no_offer_although_nobody_shows_its_receipt() -> None:
    world = World(two=False)
    world.chain.silent = world.chain.hides = True  # it takes the transaction and does not answer
    world.submit(Lane.PROTECTIVE)
    assert world.lanes.untaken(Lane.PROTECTIVE) == 1
    world.block()
    assert world.lanes.in_flight(Lane.PROTECTIVE) == 1
    assert world.lanes.untaken(Lane.PROTECTIVE) == 0


def test_a_failed_submission_leaves_nothing_open() -> None:
    world = World(two=False)
    world.chain.says = "intrinsic gas too low"
    with pytest.raises(SendError):
        world.submit(Lane.ROUTINE)
    assert not world.book.open_intents(1)
    assert world.lanes.in_flight() == 0


def test_the_gas_money_of_each_account_is_watched_and_an_alert_names_what_to_send() -> None:
    world = World(two=True)
    world.chain.poor = frozenset({PROTECTIVE.address})
    world.block()
    routine, protective = world.lanes.funds
    assert routine.account == ROUTINE.address
    assert (routine.alert, protective.payable) == ("", 0)
    assert f"account {PROTECTIVE.address} (protective)" in protective.alert
    assert "send it" in protective.alert


def test_recent_blocks_are_asked_about_inclusion_once_in_25_also_where_nobody_signs() -> None:
    full = {"baseFeePerGas": ["0x1"] * 61, "gasUsedRatio": [1.0] * 60, "reward": [["0x1"] * 2] * 60}
    asked: list[str] = []

    class Remembers(Balances):
        def _answer(self, method: str, params: list[object]) -> object:
            asked.append(method)
            return full if method == "eth_feeHistory" else super()._answer(method, params)

    world = World(two=False)
    world.chain = Remembers()
    world.lanes = world.open()
    assert world.lanes.inclusion_blocks() is None
    for _ in range(50):
        world.block()
    assert asked.count("eth_feeHistory") == 2
    assert world.lanes.inclusion_blocks() == 4.0
    signs_nothing = TransactionExecutor(
        world.chain, world.book, ErrorBook(abi.load("Vault")), chain_id=1,
        account=ROUTINE.address, signer=None,
    )  # fmt: skip
    rehearses = Lanes(world.chain, signs_nothing)
    rehearses.follow(world.chain.mine())
    assert rehearses.inclusion_blocks() == 4.0
    assert rehearses.funds == ()


def test_a_rehearsal_leaves_no_intent_open_whatever_comes_of_it() -> None:
    world = World(two=False)
    for balance, ends in ((10**18, S.CANCELLED), (POOR_WEI, S.FAILED)):
        world.chain.balance_wei = balance
        intent = make_test_intent(block=world.chain.head, counter=balance)
        world.book.decided(intent, 1, ROUTINE.address)
        with contextlib.suppress(UnfundedError):
            world.lanes.rehearse(intent)
        assert world.state(intent) is ends
    assert not world.book.attempts


def test_what_gas_cost_in_a_day_is_watched_and_said_once_the_account_would_not_outlast_another(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """K-11."""
    world = World(two=False)
    world.submit(Lane.PROTECTIVE)
    world.block()
    (result,) = world.book.results.values()
    cost = result.gas_used * result.gas_price_wei
    for _ in range(25):
        world.block()
    assert (world.lanes.burned.protective_wei, world.lanes.burned.reverted_wei) == (cost, 0)
    assert "gas burns" not in "".join(capsys.readouterr())
    world.chain.balance_wei = cost - 1
    for _ in range(25):
        world.block()
    assert "gas burns" in "".join(capsys.readouterr())
