"""Endpoints in memory: an honest chain, and every way one of them can differ from it."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from typing import Any

from keeper.chain.budget import RateBudget
from keeper.chain.endpoint import Endpoint
from keeper.chain.pool import EndpointPool, PoolMember, PoolPolicy
from keeper.chain.source import Call
from keeper.errors import EndpointError, RpcError
from keeper.model.block import BlockStamp

CHAIN_ID = 1
PRICE = "0x" + "c0" * 32
RAW = "0x02f8"


def block_hash(number: int, fork: int = 0) -> str:
    return f"0x{fork:032x}{number:032x}"


def block(number: int, fork: int = 0, forked_at: int = 0) -> BlockStamp:
    """Block of a chain that left the main one (fork 0) after block `forked_at`."""
    own = fork if number > forked_at else 0
    parent = fork if number - 1 > forked_at else 0
    return BlockStamp(
        number, block_hash(number, own), block_hash(number - 1, parent), 1_000 + 12 * number, 7
    )


def header(stamp: BlockStamp) -> dict[str, Any]:
    return {
        "number": hex(stamp.number),
        "hash": stamp.hash,
        "parentHash": stamp.parent_hash,
        "timestamp": hex(stamp.timestamp),
        "baseFeePerGas": hex(stamp.base_fee_wei),
    }


Answer = Callable[[str, list[Any]], Any]


class Node(Endpoint):
    """An honest endpoint at `height`; `lies` answers in its place, or returns NotImplemented."""

    def __init__(self, name: str, height: int = 100, **kwargs: Any) -> None:
        super().__init__(f"http://{name}.invalid", budget=kwargs.pop("budget", RateBudget()))
        self.name = name
        self.height = height
        self.fork = 0
        self.forked_at = 0
        self.lies: Answer = lambda _method, _params: NotImplemented
        self.dead = False
        self.asked: list[list[str]] = []

    def call(self, method: str, params: list[Any], *, urgent: bool = False) -> Any:
        (answer,) = self._answers([(method, params)], urgent)
        if isinstance(answer, RpcError):
            raise answer
        return answer

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        return self._answers(calls, urgent=False)

    def _answers(self, calls: Sequence[Call], urgent: bool) -> list[Any]:
        self._spend("+".join(m for m, _ in calls), len(calls), urgent)
        self.asked.append([method for method, _ in calls])
        if self.dead:
            raise EndpointError(self.name, calls[0][0], "could not connect")
        return [self._answer(method, params) for method, params in calls]

    def _answer(self, method: str, params: list[Any]) -> Any:
        lie = self.lies(method, params)
        if lie is not NotImplemented:
            return lie
        if method == "eth_chainId":
            return hex(CHAIN_ID)
        if method == "eth_getBlockByNumber":
            number = self.height if params[0] == "latest" else int(params[0], 16)
            return header(self.block(number)) if number <= self.height else None
        if method == "eth_getBlockByHash":
            found = self._known(params[0])
            return header(found) if found else None
        if method == "eth_sendRawTransaction":
            return "0x" + "ab" * 32
        return self._pinned(method, params)

    def _pinned(self, method: str, params: list[Any]) -> Any:
        at = next(p["blockHash"] for p in params if isinstance(p, dict) and "blockHash" in p)
        if self._known(at) is None:
            return RpcError(self.name, method, -32000, "header not found")
        return PRICE if method == "eth_call" else "0x7"

    def block(self, number: int) -> BlockStamp:
        return block(number, self.fork, self.forked_at)

    def _known(self, wanted: str) -> BlockStamp | None:
        number = int(wanted[34:], 16)
        found = self.block(number) if number <= self.height else None
        return found if found and found.hash == wanted else None


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Inline(Executor):
    """Runs what it is given at once: a round is over when it has been started."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        fn(*args, **kwargs)
        return Future()


def nodes(n: int = 3) -> list[Node]:
    return [Node(f"node{i}") for i in range(n)]


def pool_of(
    members: Sequence[Node | PoolMember],
    k: int | None = None,
    clock: Clock | None = None,
    grace_s: float = 0.05,
    inline: bool = True,
) -> EndpointPool:
    return EndpointPool(
        members,
        chain_id=CHAIN_ID,
        policy=PoolPolicy(k=k, grace_s=grace_s, patience_s=5.0),
        clock=clock or Clock(),
        threads=Inline() if inline else None,
    )


def price_calls(at: BlockStamp) -> list[Call]:
    pin = {"blockHash": at.hash}
    return [
        ("eth_call", [{"to": "0x1e", "data": "0x"}, pin]),
        ("eth_getBalance", ["0x2e", pin]),
    ]
