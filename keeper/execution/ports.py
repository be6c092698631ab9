"""What execution needs of the world, small enough to fake in a test."""

from collections.abc import Sequence
from typing import Any, Protocol

from keeper.model.attempt import Attempt
from keeper.model.outcome import AttemptResult, AttemptStatus


class Rpc(Protocol):
    """One JSON-RPC endpoint."""

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


class AttemptBook(Protocol):
    """The journal as execution sees it; durable before a call returns."""

    def record_attempt(self, attempt: Attempt) -> None:
        """A signed transaction, before it is broadcast."""
        ...

    def mark(self, tx_hash: str, status: AttemptStatus, problem: str = "") -> None:
        """A change in an attempt's life."""
        ...

    def settle(self, result: AttemptResult, losers: AttemptStatus) -> None:
        """One attempt's end, and with it that of the intent's other open attempts."""
        ...

    def open_attempts(self, chain_id: int, account: str) -> tuple[Attempt, ...]:
        """Signed or sent and not settled, oldest first."""
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
