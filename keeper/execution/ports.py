"""What execution needs of the world, small enough to fake in a test."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from keeper.errors import RpcError
from keeper.model.attempt import Attempt
from keeper.model.decision import Lane
from keeper.model.intent_state import IntentRecord, IntentState
from keeper.model.outcome import AttemptResult, AttemptStatus

Gate = Callable[[], str | None]
"""Why nothing may be broadcast now (killed, not the leader), or None. Asked before every broadcast."""


class Asked(Protocol):
    """Whoever answers JSON-RPC."""

    @property
    def name(self) -> str:
        """For messages; never with a secret."""
        ...

    def call(self, method: str, params: list[Any]) -> Any:
        """The result; raises EndpointError or RpcError."""
        ...


class Rpc(Asked, Protocol):
    """One endpoint of the chain, or a pool of them."""

    def agreed_batch(
        self,
        calls: Sequence[tuple[str, list[Any]]],
        hints: Sequence[tuple[str, list[Any]]] = (),
        *,
        upto: int | None = None,
    ) -> list[Any]:
        """Results in order, an RpcError in the place of a refused call; what is decided on is asked so (K-08).

        Of several endpoints as many as must agree say the same. `hints` are what honest ones may differ in: for
        each a tuple of what was said. `upto`: receipts of newer blocks are not there yet; one that is not agreed
        on is an RpcError. Raises EndpointError, ConflictError or QuorumError.
        """
        ...


def agreed(rpc: Rpc, method: str, params: list[Any]) -> Any:
    """One answer that is decided on; raises as `Rpc.agreed_batch`, and RpcError for a refusal."""
    (answer,) = rpc.agreed_batch([(method, params)])
    if isinstance(answer, RpcError):
        raise answer
    return answer


class Answered(Protocol):
    """What one endpoint of a pool said to a broadcast."""

    @property
    def result(self) -> str | None:
        """Hash of the transaction, if it was taken."""
        ...

    @property
    def error(self) -> Exception | None:
        """EndpointError or RpcError otherwise."""
        ...


class Relay(Protocol):
    """A private way into blocks."""

    def send(self, raw: str, block_number: int) -> None:
        """Offer a signed transaction at a head; raises EndpointError or RpcError."""
        ...

    def withdraw(self, tx_hash: str) -> None:
        """Ask for it to be forgotten; raises nothing: a relay promises little."""
        ...


class AttemptBook(Protocol):
    """The journal as execution sees it; durable before a call returns."""

    def record_attempt(self, attempt: Attempt) -> None:
        """A signed transaction, before it is broadcast; its intent is SIGNED from then on."""
        ...

    def mark(self, tx_hash: str, status: AttemptStatus, problem: str = "") -> None:
        """A change in an attempt's life; a sent one makes its intent ATTEMPTED."""
        ...

    def settle(self, result: AttemptResult, losers: AttemptStatus) -> None:
        """One attempt's end, and with it that of the intent's other open attempts.

        One that is in a block makes the intent INCLUDED.
        """
        ...

    def record_cost(
        self, intent_id: str, tx_hash: str, kind: str, amount: int, unit: str = "wei"
    ) -> None:
        """What a mined transaction cost beside its gas: once for a kind, a later figure in an earlier one's place."""
        ...

    def reopen(self, tx_hash: str, note: str) -> None:
        """A mined attempt is out of the chain again: back to SENT, its intent to ATTEMPTED, no result."""
        ...

    def open_attempts(
        self, chain_id: int, account: str, vault: str | None = None
    ) -> tuple[Attempt, ...]:
        """Signed or sent and not settled, oldest first; of one vault, if named."""
        ...

    def given_up(self, chain_id: int, account: str) -> tuple[Attempt, ...]:
        """Dropped or refused, and not known to be replaced: a pool may have held them. Oldest first."""
        ...

    def attempts_at(self, chain_id: int, account: str, nonce: int) -> tuple[Attempt, ...]:
        """Every attempt ever signed with a nonce, oldest first."""
        ...

    def attempts_of(self, intent_id: str) -> tuple[Attempt, ...]:
        """Every attempt of an intent, oldest first."""
        ...

    def move_intent(
        self,
        intent_id: str,
        state: IntentState,
        *,
        account: str | None = None,
        block_number: int | None = None,
        block_hash: str | None = None,
        tx_hash: str | None = None,
        note: str = "",
    ) -> None:
        """A durable step; JournalError for an impossible one, none for the same again."""
        ...

    def intent(self, intent_id: str) -> IntentRecord | None:
        """Where one stands."""
        ...

    def reverted_gas_wei(self, chain_id: int, since_block: int) -> int:
        """What mined reverts cost from a block on."""
        ...

    def spent_gas_wei(self, chain_id: int, since_block: int, lane: Lane) -> int:
        """What a lane's mined transactions cost from a block on, whatever became of them."""
        ...

    def open_intents(self, chain_id: int, lane: Lane | None = None) -> tuple[IntentRecord, ...]:
        """Not at their end, oldest first."""
        ...
