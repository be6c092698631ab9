"""Accounts that several vaults share are looked after once a block, whichever of their vaults comes first."""

from keeper.errors import ReadError
from keeper.execution.executor import TransactionExecutor
from keeper.execution.ports import AttemptBook
from keeper.model.block import BlockStamp
from keeper.model.outcome import AttemptResult


class Rounds:
    """One round a block. What became of an intent is told to its own vault, a fault to every vault of the account."""

    def __init__(self, book: AttemptBook) -> None:
        self._book = book
        self._seen: dict[str, tuple[AttemptResult, ...] | ReadError] = {}

    def begin(self) -> None:
        """A new round: every account is looked at again, when it is asked for."""
        self._seen.clear()

    def follow(
        self, executor: TransactionExecutor, block: BlockStamp, vault: str
    ) -> tuple[AttemptResult, ...]:
        """What finished of one vault's intents on one account; raises ReadError as the executor did."""
        found = self._seen.get(executor.address)
        if found is None:
            try:
                found = executor.follow(block)
            except ReadError as error:
                found = error
            self._seen[executor.address] = found
        if isinstance(found, ReadError):
            raise found
        return tuple(result for result in found if self._concerns(result, vault))

    def _concerns(self, result: AttemptResult, vault: str) -> bool:
        """Also of nobody's: journals of old do not say."""
        record = self._book.intent(result.intent_id)
        return record is None or record.vault in ("", vault)
