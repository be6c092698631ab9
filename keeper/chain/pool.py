"""Several endpoints as one: what is decided on is agreed by k of n, the rest is asked of the best (K-02, K-08)."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import tenacity

from keeper.chain import agreement
from keeper.chain.endpoint import Endpoint, alone
from keeper.chain.gone import is_gone
from keeper.chain.headvote import HeadVote
from keeper.chain.limits import is_limit, refuse_limited
from keeper.chain.member import Member
from keeper.chain.panel import Panel
from keeper.chain.readvote import ReadVote
from keeper.chain.source import Call
from keeper.chain.standing import EndpointState, QuarantinePolicy, Role
from keeper.errors import EndpointError, ReadError, RpcError, WrongChainError
from keeper.model.block import BlockStamp

_SEND = "eth_sendRawTransaction"
_READS = frozenset(
    {
        "eth_call",
        "eth_estimateGas",
        "eth_chainId",
        "eth_blockNumber",
        "eth_feeHistory",
        "eth_gasPrice",
        "eth_maxPriorityFeePerGas",
        "eth_createAccessList",
        "eth_simulateV1",
        "eth_syncing",
        "net_version",
        "web3_clientVersion",
    }
)
"""With every eth_get...: what may be asked of another endpoint, because asking twice changes nothing."""

_NEVER = 2**63
"""Failures that leave a lone endpoint out: there is no other to ask."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Broadcast:
    """What one endpoint said to a transaction: a result, or why not."""

    endpoint: str
    result: str | None
    error: EndpointError | RpcError | None


@dataclass(frozen=True, slots=True)
class PoolMember:
    """An endpoint and what it is used for."""

    endpoint: Endpoint
    role: Role = Role.BOTH
    weight: float = 1.0
    """Of two equally good ones that with the greater weight is asked."""


@dataclass(frozen=True, slots=True)
class PoolPolicy:
    """How endpoints are asked together."""

    k: int | None = None
    """Endpoints that must agree; by default the majority of those that read."""
    grace_s: float = 0.5
    """Longest wait for more answers when those there are would do: for a newer head, for other pools."""
    patience_s: float = 10.0
    """Longest wait for an answer; an endpoint's own timeouts end its requests."""
    quarantine: QuarantinePolicy = field(default_factory=QuarantinePolicy)


def is_read(method: str) -> bool:
    """True if asking twice changes nothing."""
    return method in _READS or method.startswith("eth_get")


class EndpointPool:
    """A Source and an Rpc over n endpoints. With one endpoint it is that endpoint: no votes, no threads.

    Any thread may ask. `threads` run rounds; by default a few of its own, made when first needed.
    """

    def __init__(
        self,
        members: Sequence[PoolMember | Endpoint],
        *,
        chain_id: int | None = None,
        policy: PoolPolicy | None = None,
        clock: Callable[[], float] = time.monotonic,
        threads: Executor | None = None,
    ) -> None:
        policy = policy or PoolPolicy()
        given = [m if isinstance(m, PoolMember) else PoolMember(m) for m in members]
        alone = len(given) == 1
        expected = None if alone else chain_id  # a lone one is seen to at the start, with its vault
        quarantine = replace(policy.quarantine, errors=_NEVER) if alone else policy.quarantine
        own = [
            Member(
                m.endpoint,
                role=m.role,
                weight=m.weight,
                policy=quarantine,
                clock=clock,
                chain_id=expected,
            )
            for m in given
        ]
        self.n = sum(m.reads() for m in own)
        """Endpoints that read."""
        self.k = policy.k or agreement.majority(self.n)
        """How many of them must agree."""
        if len({m.name for m in own}) < len(own) or not 1 <= self.k <= self.n:
            raise ValueError("a pool takes endpoints of different names, and k from 1 to n readers")
        self._panel = Panel(own, threads)
        self._policy = policy
        self._only = own[0] if alone else None
        self._heads = HeadVote(self._panel, self.k, policy.patience_s, policy.grace_s)
        self._reads = ReadVote(self._panel, self.k, policy.patience_s, policy.grace_s)
        self._asked = threading.local()

    @property
    def name(self) -> str:
        """Of the endpoint that this thread asked last; errors about an answer are about it."""
        found: str = getattr(self._asked, "name", "")
        return found or "+".join(m.name for m in self._panel.members)

    def states(self) -> tuple[EndpointState, ...]:
        """Every endpoint as it stands, in the order of the settings."""
        return tuple(m.state for m in self._panel.members)

    def close(self) -> None:
        """Close the connections; requests under way end."""
        self._panel.close()

    def call(self, method: str, params: list[Any]) -> Any:
        """The result, from the best endpoint; a read that one cannot answer is asked of the next."""
        return self._first([method], lambda e: e.call(method, params))

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        """Results in order, in one request to the best endpoint, as `call`."""
        if self._only is not None:
            return self._ask(self._only, lambda e: e.batch(calls))
        kept: list[list[Any]] = []

        def question(endpoint: Endpoint) -> list[Any]:
            results = refuse_limited(endpoint.batch(calls), endpoint.name)
            unknown = (r for r in results if isinstance(r, RpcError) and is_gone(r))
            missing = next(unknown, None)
            if missing is not None:
                kept.append(results)
                raise missing
            return results

        try:
            return self._first([method for method, _ in calls], question)
        except ReadError:
            if not kept:
                raise
            return kept[0]

    def head(self) -> BlockStamp:
        """The newest block that k endpoints agree on, whole; ConflictError or QuorumError without agreement."""
        if self._only is None:
            self._asked.name = ""
            return self._heads.poll()
        found = self._ask(self._only, Endpoint.head)
        self._only.at(found.number)
        return found

    def announced(self, name: str, head: BlockStamp) -> BlockStamp | None:
        """An endpoint told of a head by subscription: the head, if k have now and it is news; else None."""
        if self._only is None:
            return self._heads.announced(name, head)
        self._only.at(head.number)
        return head

    def agreed_batch(
        self, calls: Sequence[Call], hints: Sequence[Call] = (), *, upto: int | None = None
    ) -> list[Any]:
        """Results of reads that are decided on, each given alike by k endpoints; all in one request to each.

        Then for each hint, in order, a tuple of what endpoints said to it: reads that are not pinned, so that
        honest endpoints may differ. With `upto` receipts of newer blocks are not there yet; one that k endpoints
        do not give alike is an RpcError in its place. Gas estimates are agreed on in that the call goes through,
        and are the greatest that k endpoints reach.
        An endpoint that contradicts them where the read is pinned to a block hash is left out, loudly.
        Raises ConflictError when there is no such majority, QuorumError when too few answer.
        """
        if self._only is not None:
            return self._ask(self._only, lambda e: e.agreed_batch(calls, hints, upto=upto))
        self._asked.name = ""
        return self._reads.batch(calls, hints, upto)

    def begin(
        self, calls: Sequence[Call], hints: Sequence[Call] = ()
    ) -> Callable[[], list[Any]] | None:
        """`agreed_batch` in two halves: asked now, and what is returned waits for the results, in the same thread.

        None where several must agree, or the endpoint cannot be asked so; nothing was asked then.
        """
        if self._only is None:
            return None
        self._asked.name = self._only.name
        waits = self._only.begin([*calls, *hints])
        if waits is None or not hints:
            return waits
        return lambda: alone(waits(), len(calls))

    def broadcast(self, raw: str) -> tuple[Broadcast, ...]:
        """Send a signed transaction to every healthy endpoint that writes, at once; what each said.

        With answers of some, the others are waited for a little longer only: they get it all the same.
        Budgets do not hold it back.
        """

        def question(endpoint: Endpoint) -> Any:
            return endpoint.call(_SEND, [raw], urgent=True)

        if self._only is not None:
            return (_said(self._only.name, self._settled(self._only, question)),)
        writers = [m for m in self._panel.members if m.writes()]
        healthy = [m for m in writers if m.healthy()] or writers
        # a signed transaction names its chain: no other takes it
        asked = self._panel.start(healthy, question, any_chain=True)
        asked.wait(
            lambda a: any(not isinstance(x, EndpointError) for x in a.values()),
            self._policy.patience_s,
        )
        answers = asked.wait(lambda _: False, self._policy.grace_s)
        asked.close(lambda _name, _answer: None)
        return tuple(_said(m.name, answers.get(m.name, _PENDING)) for m in healthy)

    def _first(self, methods: Sequence[str], question: Callable[[Endpoint], T]) -> T:
        if self._only is not None:
            return self._ask(self._only, question)
        sends = not all(is_read(method) for method in methods)
        ranked = self._panel.ranked(Member.writes if sends else Member.reads)
        if sends:
            return self._ask(ranked[0], question)
        following = iter(ranked)
        retry = tenacity.Retrying(
            retry=tenacity.retry_if_exception(_another_may_know),
            stop=tenacity.stop_after_attempt(len(ranked)),
            reraise=True,
        )
        return retry(lambda: self._ask(next(following), question))

    def _settled(self, member: Member, question: Callable[[Endpoint], T]) -> T | ReadError:
        try:
            return self._ask(member, question)
        except ReadError as error:
            return error

    def _ask(self, member: Member, question: Callable[[Endpoint], T]) -> T:
        self._asked.name = member.name
        return member.ask(question)


_PENDING = object()


def _said(endpoint: str, answer: Any) -> Broadcast:
    if isinstance(answer, EndpointError | RpcError):
        return Broadcast(endpoint, None, answer)
    if isinstance(answer, str):
        return Broadcast(endpoint, answer, None)
    said = "has not answered yet" if answer is _PENDING else "answered no transaction hash"
    if isinstance(answer, WrongChainError):
        said = f"serves chain id {answer.found}"
    return Broadcast(endpoint, None, EndpointError(endpoint, _SEND, said))


def _another_may_know(error: BaseException) -> bool:
    """True where the fault is the endpoint's: no answer, another chain, a block it lacks, too many requests."""
    if isinstance(error, RpcError):
        return is_gone(error) or is_limit(error)
    return isinstance(error, EndpointError | WrongChainError)
