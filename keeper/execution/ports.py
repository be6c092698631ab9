"""What execution needs of the world, small enough to fake in a test."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from keeper.model.attempt import Attempt
from keeper.model.decision import Lane
from keeper.model.intent_state import IntentRecord, IntentState
from keeper.model.outcome import AttemptResult, AttemptStatus

Gate = Callable[[], str | None]
"""Why nothing may be broadcast now (killed, not the leader), or None. Asked before every broadcast."""


class Rpc(Protocol):
    """One JSON-RPC endpoint, or a pool of them."""

    @property
    def name(self) -> str:
        """For messages; never with a secret."""
        ...

    def call(self, method: str, params: list[Any]) -> Any:
        """The result; raises EndpointError or RpcError."""
        ...

    def batch(self, calls: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        """Results in order; an RpcError stands in the place of a refused call."""
        ...


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

    def open_intents(self, chain_id: int, lane: Lane | None = None) -> tuple[IntentRecord, ...]:
        """Not at their end, oldest first."""
        ...
