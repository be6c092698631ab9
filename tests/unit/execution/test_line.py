"""Several vaults on one account stand in one line of nonces: nobody is lost, doubled, or held up for long."""

from typing import Any

import pytest

from keeper import abi
from keeper.errors import EndpointError, IntentError, OutbidError, RpcError
from keeper.execution.executor import TransactionExecutor
from keeper.execution.funds import FundsPolicy
from keeper.execution.lanes import Lanes
from keeper.execution.means import Means
from keeper.execution.rounds import Rounds
from keeper.execution.signers import Signer
from keeper.execution.simulate import ErrorBook, call_data
from keeper.execution.worth import Stake
from keeper.model.block import BlockStamp
from keeper.model.decision import Intent, Lane
from keeper.model.intent_state import IntentState
from tests.unit.execution.fake_chain import GWEI, Killed, fields_of
from tests.unit.execution.intents import make_test_intent
from tests.unit.execution.memory_book import MemoryBook
from tests.unit.execution.model_chain import ModelChain
from tests.unit.execution.test_lanes import PROTECTIVE, ROUTINE

A, B, C = (f"0x{digit * 40}" for digit in "123")
S = IntentState
SOME = 10**16
MUCH = 10**18


class Market(ModelChain):
    """A chain whose blocks take only what pays the price; calls of some vaults revert."""

    price_wei = 0
    reverting: frozenset[str] = frozenset()
    dies = False
    refused_balances = 0

    def mine(self, *, takes: bool = True) -> BlockStamp:
        everything = self.pool
        self.pool = {
            h: m for h, m in everything.items() if fields_of(m.raw)["cap"] >= self.price_wei
        }
        stamp = super().mine(takes=takes)
        left = {h: m for h, m in everything.items() if m.nonce >= self.nonce_of(m.sender)}
        self.pool = {**left, **self.pool}
        return stamp

    def _send(self, raw: str) -> Any:
        if self.dies:
            raise Killed
        return super()._send(raw)

    def _answer(self, method: str, params: list[Any]) -> Any:
        if method == "eth_call" and params[0]["to"].lower() in self.reverting:
            return RpcError(self.name, method, 3, "execution reverted")
        if method == "eth_getBalance" and self.refused_balances:
            self.refused_balances -= 1
            raise EndpointError(self.name, method, "did not answer")
        return super()._answer(method, params)


class World:
    """Three vaults, one account or two."""

    def __init__(self, *, two: bool = False) -> None:
        self.chain, self.book, self.two, self.count = Market(), MemoryBook(), two, 0
        self.open()

    def open(self) -> None:
        """As at a start: nothing is left but the journal."""

        def executor(signer: Signer) -> TransactionExecutor:
            return TransactionExecutor(
                self.chain, self.book, ErrorBook(abi.load("Vault")), chain_id=1,
                account=signer.address, signer=signer,
            )  # fmt: skip

        self.rounds = Rounds(self.book)
        means = Means(self.chain, funds=FundsPolicy(routine_floor_wei=1))
        shared, second = executor(ROUTINE), executor(PROTECTIVE) if self.two else None
        self.lanes = {
            vault: Lanes(self.chain, shared, second, vault=vault, means=means, rounds=self.rounds)
            for vault in (A, B, C)
        }

    def submit(
        self, vault: str, lane: Lane = Lane.PROTECTIVE, worth: int = SOME, life_s: int = 1_200
    ) -> Intent:
        self.count += 1
        head = self.chain.head
        stake = Stake(worth, head.timestamp + life_s)
        intent = make_test_intent(
            block=head, lane=lane, counter=self.count, vault=vault, stake=stake, life_s=life_s,
        )  # fmt: skip
        self.book.decided(intent, 1, self.lanes[vault].account_of(lane), vault)
        self.lanes[vault].submit(intent)
        return intent

    def block(self) -> dict[str, int]:
        """A block, and how many results each vault was told of."""
        stamp = self.chain.mine()
        self.rounds.begin()
        return {vault: len(lanes.follow(stamp)) for vault, lanes in self.lanes.items()}

    def state(self, intent: Intent) -> IntentState:
        return self.book.intents[intent.id].state

    def blocks_until(self, intent: Intent, most: int = 30) -> int:
        """Blocks until it has taken effect."""
        for passed in range(1, most + 1):
            self.block()
            if self.chain.effects(call_data(intent)):
                return passed
        raise AssertionError(f"not in after {most} blocks: {self.state(intent)}")


def nonces(world: World) -> list[int]:
    return sorted(m.nonce for m in world.chain.pool.values())


def test_intents_of_several_vaults_take_consecutive_nonces_and_are_told_to_their_own() -> None:
    """K-04."""
    world = World()
    intents = [world.submit(vault) for vault in (A, B, C)]
    assert nonces(world) == [0, 1, 2]
    assert [world.lanes[v].in_flight(Lane.PROTECTIVE) for v in (A, B, C)] == [1, 1, 1]
    assert world.block() == {A: 1, B: 1, C: 1}
    assert [world.state(i) for i in intents] == [S.INCLUDED] * 3
    assert [world.lanes[v].unmined(Lane.PROTECTIVE) for v in (A, B, C)] == [0, 0, 0]


def test_a_rise_of_the_base_fee_holds_up_who_waits_behind_for_one_bump() -> None:
    """The worst case of a shared account while plans are good: two blocks to the bump, and the block after it."""
    world = World()
    first, blocked = world.submit(A, worth=SOME), world.submit(B, worth=MUCH)
    world.chain.price_wei = 55 * GWEI
    object.__setattr__(world.chain.head, "base_fee_wei", 50 * GWEI)
    assert world.blocks_until(blocked) <= 3
    assert world.state(first) is S.INCLUDED


def test_what_waits_behind_a_nonce_pays_for_it_as_well() -> None:
    """K-06: alone it pays what is at risk by itself, and stays out; what is at risk behind it brings it in."""
    alone, world = World(), World()
    for each in (alone, world):
        each.submit(A, worth=SOME)
        each.chain.price_wei = 40 * GWEI
    blocked = world.submit(B, worth=MUCH)
    assert world.blocks_until(blocked) < 15
    for _ in range(15):
        alone.block()
    assert alone.chain.nonce_of(ROUTINE.address) == 0


def test_protection_past_its_deadline_leaves_no_gap_before_the_one_behind_it() -> None:
    """K-04: given back, its nonce would be a gap until somebody decides something."""
    world = World()
    world.chain.price_wei = 10**15  # nothing is taken
    late = world.submit(A, life_s=24)
    waits = world.submit(B, worth=MUCH)
    for _ in range(4):
        world.block()
    assert nonces(world) == [0, 1]
    assert [m.data for m in world.chain.pool.values() if m.nonce == 0] == ["0x"]
    world.chain.price_wei = 0
    world.block()
    assert world.state(waits) is S.INCLUDED
    for _ in range(20):
        world.block()
    assert world.state(late) is S.CANCELLED
    assert world.chain.effects(call_data(late)) == 0


def test_the_vault_whose_protection_ran_late_may_use_its_nonce_at_once() -> None:
    world = World()
    world.chain.price_wei = 10**15
    late = world.submit(A, life_s=12)
    waits = world.submit(B, worth=MUCH)
    world.block()
    world.block()
    assert world.lanes[A].unmined(Lane.PROTECTIVE) == 0  # decided anew
    fresh = world.submit(A, worth=MUCH)
    world.chain.price_wei = 0
    world.block()
    assert [world.state(i) for i in (late, fresh, waits)] == [S.SUPERSEDED, S.INCLUDED, S.INCLUDED]


def test_protection_that_would_revert_is_emptied_for_those_behind_it() -> None:
    """K-11, K-04: it waits one block for a fresh plan of its own vault, and no longer."""
    world = World()
    world.chain.price_wei = 10**15
    stale, waits = world.submit(A), world.submit(B)
    world.chain.reverting = frozenset({A})
    world.block()
    assert [m.data for m in world.chain.pool.values() if m.nonce == 0] == [call_data(stale)]
    world.block()
    assert [m.data for m in world.chain.pool.values() if m.nonce == 0] == ["0x"]
    world.chain.price_wei = 0
    world.block()
    assert world.state(waits) is S.INCLUDED
    assert world.chain.effects(call_data(stale)) == 0


def test_routine_work_of_any_vault_gives_its_nonce_to_protection_of_any() -> None:
    """K-05."""
    world = World()
    world.chain.price_wei = 10**15
    routine = world.submit(A, Lane.ROUTINE, worth=0)
    protective = world.submit(B, worth=MUCH)
    (pooled,) = world.chain.pool.values()
    assert (pooled.nonce, pooled.data) == (0, call_data(protective))
    assert world.state(routine) is S.SUPERSEDED
    assert world.lanes[A].in_flight(Lane.ROUTINE) == 0


def test_protection_that_cannot_outbid_another_vaults_routine_work_stands_behind_it_and_urges_it() -> (
    None
):
    world = World()
    routine, protective = world.submit(A, Lane.ROUTINE, worth=0), world.submit(B)
    assert [m.data for m in sorted(world.chain.pool.values(), key=lambda m: m.nonce)] == [
        call_data(routine),
        call_data(protective),
    ]
    world.block()
    assert [world.state(i) for i in (routine, protective)] == [S.INCLUDED, S.INCLUDED]


def test_protection_of_the_same_vault_never_stands_behind_its_routine_work() -> None:
    """The routine plan would change the state that protection is bound to."""
    world = World()
    world.submit(A, Lane.ROUTINE, worth=0)
    with pytest.raises(OutbidError):
        world.submit(A)


def test_on_two_accounts_only_routine_work_of_the_same_vault_yields() -> None:
    """Another vault's plan does not change the state protection is bound to."""
    world = World(two=True)
    routine, other = world.submit(A, Lane.ROUTINE, worth=0), world.submit(B, Lane.ROUTINE, worth=0)
    world.submit(A)
    data = {m.data for m in world.chain.pool.values() if m.sender == ROUTINE.address}
    assert data == {"0x", call_data(other)}
    assert call_data(routine) not in data


@pytest.mark.parametrize("dies_at", [0, 1, 2])
def test_a_crash_between_several_intents_leaves_no_gap_and_doubles_none(dies_at: int) -> None:
    """K-01, K-03, K-04: what was signed is found again and sent; what was not is decided anew."""
    world = World()
    done: list[Intent] = []
    for number, vault in enumerate((A, B, C)):
        world.chain.dies = number == dies_at
        try:
            done.append(world.submit(vault))
        except Killed:
            break
    world.chain.dies = False
    world.open()
    signed = {a.intent_id for a in world.book.attempts.values()}
    assert len(signed) == dies_at + 1
    for _ in range(4):
        world.block()
    effects = [m.data for b in world.chain.blocks for m in b.mined]
    assert len(effects) == len(set(effects)) == dies_at + 1
    assert world.chain.nonce_of(ROUTINE.address) == dies_at + 1
    assert all(world.state(intent) is not S.ATTEMPTED for intent in done)


def test_a_fault_with_one_intent_does_not_keep_the_others_from_being_looked_after() -> None:
    world = World()
    world.chain.price_wei = 10**15
    world.submit(A, worth=MUCH)
    world.submit(B, worth=MUCH)
    world.block()
    world.chain.refused_balances = 1  # of the bump of the first
    before = len(world.book.attempts)
    world.block()
    assert len(world.book.attempts) == before + 1
    assert [a.nonce for a in world.book.attempts.values()][-1] == 1


def test_an_account_is_looked_at_once_a_block_for_all_its_vaults() -> None:
    world = World()
    world.submit(A)
    asked: list[Any] = []
    answer = world.chain._answer

    def heard(method: str, params: list[Any]) -> Any:
        asked.append(method)
        return answer(method, params)

    world.chain._answer = heard  # type: ignore[method-assign]
    world.block()
    assert asked.count("eth_getTransactionCount") == 1


def test_what_is_in_flight_is_not_spent_twice() -> None:
    """Nodes count the whole line of an account against its balance, and refuse what it cannot pay together."""
    world = World()
    first = world.submit(A, worth=MUCH)
    cost = sum(
        a.gas_limit * a.max_fee_wei for a in world.book.attempts.values() if a.intent_id == first.id
    )
    world.chain.balance_wei = cost * 17 // 10
    world.submit(B, worth=MUCH)
    spent = sum(a.gas_limit * a.max_fee_wei for a in world.book.attempts.values())
    assert cost < spent <= world.chain.balance_wei


def test_a_nonce_that_others_wait_behind_is_not_abandoned() -> None:
    world = World()
    world.chain.price_wei = 10**15
    first, last = world.submit(A), world.submit(B)
    with pytest.raises(IntentError, match="wait behind"):
        world.lanes[A].abandon(first.id)
    assert "abandoned" in world.lanes[B].abandon(last.id)
    assert "abandoned" in world.lanes[A].abandon(first.id)


def test_a_mandate_that_takes_no_routine_plan_yet_holds_up_its_own_vault_only() -> None:
    world = World()
    executor = world.lanes[A]._by_lane[Lane.ROUTINE]
    executor._rehearser._routine_waits_until[A] = 1_900_000_000
    assert world.lanes[A].routine_waits_until() == 1_900_000_000
    assert world.lanes[B].routine_waits_until() == 0
