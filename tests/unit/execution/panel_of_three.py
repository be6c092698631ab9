"""Three endpoints over one model chain behind a real pool: each may lie, and may be the best or the worst."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from keeper import abi
from keeper.chain.endpoint import Endpoint
from keeper.chain.pool import EndpointPool, PoolPolicy
from keeper.errors import EndpointError, RpcError
from keeper.execution.executor import TransactionExecutor
from keeper.execution.lanes import Lanes
from keeper.execution.machine import FollowPolicy
from keeper.execution.signers import from_private_key
from keeper.execution.simulate import ErrorBook, call_data
from keeper.model.decision import Intent, Lane
from keeper.model.intent_state import IntentState
from tests.unit.chain.nodes import CHAIN_ID, Clock, Inline
from tests.unit.execution.intents import make_test_intent
from tests.unit.execution.memory_book import MemoryBook
from tests.unit.execution.model_chain import SEND, ModelChain

SIGNER = from_private_key("0x" + "4c" * 32, "test")
Lie = Callable[[str, list[Any], Any], Any]
"""Of method, parameters and the truth: what is said instead."""


def honest(_method: str, _params: list[Any], truth: Any) -> Any:
    return truth


class Witness(Endpoint):
    """An endpoint that sees the model chain, and says of it what `lie` makes of the truth."""

    def __init__(self, name: str, chain: ModelChain) -> None:
        super().__init__(f"http://{name}.invalid")
        self.name = name
        self.chain = chain
        self.lie: Lie = honest
        self.dead = False
        self.asked: list[list[tuple[str, list[Any]]]] = []

    def call(self, method: str, params: list[Any], *, urgent: bool = False) -> Any:
        (answer,) = self.batch([(method, params)])
        if isinstance(answer, RpcError):
            raise answer
        return answer

    def batch(self, calls: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        self.asked.append(list(calls))
        if self.dead:
            raise EndpointError(self.name, calls[0][0], "could not connect")
        return [self.lie(m, p, self._truth(m, p)) for m, p in calls]

    def _truth(self, method: str, params: list[Any]) -> Any:
        if method == "eth_chainId":
            return hex(CHAIN_ID)
        return self.chain._answer(method, params)

    def methods(self) -> list[str]:
        return [method for calls in self.asked for method, _ in calls]


class World:
    """A keeper over `n` endpoints; the first is asked first where one is enough."""

    def __init__(self, n: int = 3) -> None:
        self.chain, self.book = ModelChain(), MemoryBook()
        self.witnesses = [Witness(f"node{i}", self.chain) for i in range(n)]
        self.pool = EndpointPool(
            self.witnesses,
            chain_id=CHAIN_ID,
            policy=PoolPolicy(grace_s=0.01, patience_s=1.0),
            clock=Clock(),
            threads=Inline(),
        )
        for member, weight in zip(self.pool._panel.members, (100.0, 10.0, 1.0), strict=False):
            member.state = replace(member.state, weight=weight)
        executor = TransactionExecutor(
            self.pool,
            self.book,
            ErrorBook(abi.load("Vault")),
            chain_id=CHAIN_ID,
            account=SIGNER.address,
            signer=SIGNER,
            follow=FollowPolicy(2, 3, 2, 12),
        )
        self.executor = executor
        self.lanes = Lanes(self.pool, executor)
        self.count = 0

    def intend(self, lane: Lane = Lane.PROTECTIVE) -> Intent:
        self.count += 1
        intent = make_test_intent(block=self.chain.head, lane=lane, counter=self.count)
        self.book.decided(intent, CHAIN_ID, SIGNER.address)
        return intent

    def protect(self) -> Intent:
        intent = self.intend()
        self.lanes.submit(intent)
        return intent

    def block(self, *, takes: bool = True) -> None:
        self.lanes.follow(self.chain.mine(takes=takes))

    def state(self, intent: Intent) -> IntentState:
        return self.book.intents[intent.id].state

    def effects(self, intent: Intent) -> int:
        return self.chain.effects(call_data(intent))

    def nonces(self) -> list[int]:
        return [a.nonce for a in self.book.attempts.values()]

    def sends(self) -> int:
        return sum(w.methods().count(SEND) for w in self.witnesses)
