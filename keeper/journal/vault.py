"""The journal as one of several vaults sees it: its own reverts, failures, context and answers in shared tables."""

from typing import Any

from keeper.journal.context import Context
from keeper.journal.decisions import DecisionBook, Scope
from keeper.journal.witness import Witness
from keeper.model.outcome import TickOutcome


class VaultJournal:
    """The loop's journal for one vault. What another vault's reverts and failures forbid, they forbid that one only."""

    def __init__(self, book: DecisionBook, vault: str) -> None:
        """vault: its address, as its readings name it."""
        self._book = book
        self._scope = Scope(vault)

    def witness(self, name: str, end: Any) -> Any:
        """The end itself as far as its user sees; what it answers becomes part of the vault's next decision (K-07)."""
        return Witness(name, end, self._scope.heard)

    def decide_with(self, context: Context) -> None:
        """Strategy, parameters and policies of this vault."""
        self._book.decide_with(context, self._scope)

    def record_decision(self, *stages: Any, account: str = "", fence: int = 0) -> None:
        """The decision, before anything is signed; `stages` as the loop's port has them."""
        self._book.record_decision(*stages, account=account, fence=fence, scope=self._scope)

    def record_outcome(self, outcome: TickOutcome) -> None:
        """How the vault's tick ended."""
        self._book.record_outcome(outcome, self._scope)

    def intent_count(self) -> int:
        """How many intents were ever decided, of every vault: no two have the same counter."""
        return self._book.intent_count()

    def last_failure(self) -> int | None:
        """Block number of the vault's newest tick that failed to simulate or send."""
        return self._book.last_failure(self._scope.vault)

    def mined_reverts(self, chain_id: int) -> tuple[int, ...]:
        """Block numbers of the vault's mined reverts since its last mined success, newest first."""
        return self._book.mined_reverts(chain_id, self._scope.vault)

    def reverted_gas_wei(self, chain_id: int, since_block: int) -> int:
        """What the vault's mined reverts cost from `since_block` on, wei."""
        return self._book.reverted_gas_wei(chain_id, since_block, self._scope.vault)
