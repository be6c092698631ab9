"""One endpoint of a pool: asked in its turn, and judged by what it did."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import structlog

from keeper.chain import standing
from keeper.chain.endpoint import Endpoint
from keeper.chain.source import Call
from keeper.chain.stamps import quantity
from keeper.chain.standing import EndpointState, Fault, QuarantinePolicy, Role
from keeper.errors import (
    EndpointError,
    QuorumError,
    RateLimitedError,
    ReadError,
    RpcError,
    WrongChainError,
)

_log = structlog.get_logger(__name__)
T = TypeVar("T")
_MORE_TRIES = 2
_SOON_S = 0.2


class Member:
    """An endpoint and its state. Any thread may ask."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        role: Role,
        weight: float,
        policy: QuarantinePolicy,
        clock: Callable[[], float],
        chain_id: int | None,
    ) -> None:
        self.endpoint = endpoint
        self.name = endpoint.name
        self.role = role
        self.state = EndpointState(endpoint.name, role, weight=weight)
        self._policy = policy
        self._clock = clock
        self._chain_id = chain_id
        self._chain_seen = chain_id is None
        self._guard = threading.Lock()
        self.busy = 0
        """Requests of rounds that have not ended."""

    def reads(self) -> bool:
        """Used for reading."""
        return self.role is not Role.WRITE

    def writes(self) -> bool:
        """Used for sending."""
        return self.role is not Role.READ

    def open(self) -> bool:
        """Not in quarantine, and may be asked by its budget."""
        return self.state.open(self._clock()) and self.endpoint.budget.wait_s() <= 0

    def healthy(self) -> bool:
        """Not in quarantine."""
        return self.state.open(self._clock())

    def honest(self) -> bool:
        """Not in quarantine for what it said: good for a last resort."""
        return self.state.open(self._clock()) or self.state.fault in {Fault.FAILING, Fault.LAGGING}

    def ask(self, question: Callable[[Endpoint], T], *, any_chain: bool = False) -> T:
        """The endpoint's answer; how it went is remembered."""
        began_s = self._clock()
        try:
            found = self._persist(question, any_chain=any_chain)
        except RateLimitedError:  # it works, and is left alone until its budget allows more
            raise
        except RpcError:
            self._change(lambda s: standing.answered(s, self._clock() - began_s))
            raise
        except EndpointError as error:
            problem = error.problem
            self._change(lambda s: standing.failed(s, self._policy, self._clock(), problem))
            raise
        self._change(lambda s: standing.answered(s, self._clock() - began_s))
        self.endpoint.budget.served()
        return found

    def begin(self, calls: Sequence[Call]) -> Callable[[], list[Any]] | None:
        """A batch asked now; what is returned waits for the results. None where it must be asked with `ask`.

        What fails is asked once more, with its patience.
        """
        began_s = self._clock()
        if not self._chain_seen:
            return None
        try:
            waits = self.endpoint.begin(calls)
        except EndpointError:
            return None
        if waits is None:
            return None

        def results() -> list[Any]:
            try:
                found = waits()
            except RateLimitedError:
                raise
            except EndpointError:
                return self.ask(lambda endpoint: endpoint.batch(calls))
            self._change(lambda s: standing.answered(s, self._clock() - began_s))
            return found

        return results

    def _persist(self, question: Callable[[Endpoint], T], *, any_chain: bool) -> T:
        """Asks again at once what failed at once: a line that drops every other answer still serves.

        Reads and signed transactions may be told twice. Whoever takes long to fail is not asked again.
        """
        late_s = time.monotonic() + _SOON_S
        for _ in range(_MORE_TRIES):
            try:
                return self._asked(question, any_chain=any_chain)
            except RateLimitedError:
                raise
            except EndpointError:
                if time.monotonic() > late_s:
                    raise
        return self._asked(question, any_chain=any_chain)

    def _asked(self, question: Callable[[Endpoint], T], *, any_chain: bool) -> T:
        if not self._chain_seen and not any_chain:
            self._see_chain()
        return question(self.endpoint)

    def _see_chain(self) -> None:
        """Before its first word counts, and again after every quarantine: an address may be served by another."""
        found = quantity(self.endpoint.call("eth_chainId", []), self.name, "eth_chainId")
        if found != self._chain_id:
            self.caught(f"serves chain id {found}", Fault.WRONG_CHAIN)
            raise WrongChainError(self.name, self._chain_id or 0, found)
        self._chain_seen = True

    def nonsense(self, problem: str) -> None:
        """It answered, and the answer could not be used."""
        self._change(lambda s: standing.failed(s, self._policy, self._clock(), problem))

    def at(self, height: int) -> None:
        """It told of a block of this height."""
        self._change(lambda s: standing.reached(s, height))

    def agreed(self, head: int, *, same: bool) -> None:
        """A head was agreed on."""
        self._change(lambda s: standing.agreed(s, self._policy, self._clock(), head, same=same))

    def caught(self, detail: str, fault: Fault = Fault.LYING) -> None:
        """It lied."""
        self._change(lambda s: standing.lied(s, self._policy, self._clock(), detail, fault))

    def _change(self, how: Callable[[EndpointState], EndpointState]) -> None:
        with self._guard:
            before, self.state = self.state, how(self.state)
            after = self.state
        if after.quarantined_until > before.quarantined_until:
            self._chain_seen = self._chain_id is None
            self._tell(before, after)
        elif before.fault is not Fault.NONE and after.fault is Fault.NONE:
            _log.info("endpoint is used again", endpoint=self.name)

    def _tell(self, before: EndpointState, after: EndpointState) -> None:
        loud = after.fault in {Fault.LYING, Fault.WRONG_CHAIN, Fault.FORKED}
        same = after.fault is before.fault  # the same trouble is one line
        say = _log.error if loud else _log.debug if same else _log.warning
        say(
            "endpoint left out",
            endpoint=self.name,
            fault=str(after.fault),
            detail=after.detail,
            for_s=round(after.quarantined_until - self._clock(), 1),
        )


def shortage(what: str, needed: int, found: int, answers: Mapping[str, object]) -> ReadError:
    """The error of too few answers; where every endpoint serves another chain, that it does."""
    errors = [a for a in answers.values() if isinstance(a, ReadError)]
    if (
        errors
        and all(isinstance(e, WrongChainError) for e in errors)
        and len(errors) == len(answers)
    ):
        return errors[0]
    return QuorumError(what, needed, found, tuple(str(e) for e in errors))
