"""Moves an intent through its states in the journal, without leaving one out."""

from collections.abc import Iterable

from keeper.execution.ports import AttemptBook
from keeper.execution.realised import Realised
from keeper.model.intent_state import MAY_FOLLOW, IntentRecord, IntentState
from keeper.model.outcome import AttemptResult

_FORWARD = (
    IntentState.JOURNALLED,
    IntentState.SIMULATED,
    IntentState.SIGNED,
    IntentState.ATTEMPTED,
)
"""Of an intent on its way to a block; a crash may have left any of them unwritten."""


class Progress:
    """The states of one account's intents. Intents of journals older than states are left alone."""

    def __init__(self, book: AttemptBook, account: str) -> None:
        self._book = book
        self._account = account

    def state(self, intent_id: str) -> IntentState:
        """Where an intent stands; ATTEMPTED if the journal has no state for it."""
        record = self._book.intent(intent_id)
        return record.state if record else IntentState.ATTEMPTED

    def paid(self, result: AttemptResult, costs: Iterable[Realised]) -> None:
        """Write down what it cost beside its gas, before it is settled: nothing asks for a receipt after that."""
        for cost in costs:
            self._book.record_cost(result.intent_id, result.tx_hash, *cost)

    def reach(
        self,
        intent_id: str,
        state: IntentState,
        *,
        block_number: int | None = None,
        block_hash: str | None = None,
        tx_hash: str | None = None,
        note: str = "",
    ) -> None:
        """Bring it to `state`, through those between; nothing happens if it is further on already."""
        record = self._book.intent(intent_id)
        if record is None:
            return
        now = record.state
        if state in _FORWARD and (
            now not in _FORWARD or _FORWARD.index(now) > _FORWARD.index(state)
        ):
            return  # only a reorganisation leads back, and `reopen` says so
        if now is state and self._adds_nothing(record, block_number, block_hash, tx_hash):
            return
        while now is not state and state not in MAY_FOLLOW[now]:
            if now not in _FORWARD[:-1]:
                return  # further on, or at its end
            now = _FORWARD[_FORWARD.index(now) + 1]
            self._book.move_intent(intent_id, now, account=self._account)
        self._book.move_intent(
            intent_id,
            state,
            account=self._account,
            block_number=block_number,
            block_hash=block_hash,
            tx_hash=tx_hash,
            note=note,
        )

    def _adds_nothing(
        self,
        record: IntentRecord,
        block_number: int | None,
        block_hash: str | None,
        tx_hash: str | None,
    ) -> bool:
        """True if the journal knows all of it: then it is not opened for writing either."""
        said = (self._account, block_number, block_hash, tx_hash)
        known = (record.account, record.block_number, record.block_hash, record.tx_hash)
        return all(new in (None, old) for new, old in zip(said, known, strict=True))
