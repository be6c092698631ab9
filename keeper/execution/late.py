"""Late ends of what was given up or refused: a pool may have held it, and the chain is believed."""

import structlog

from keeper.errors import ConflictError, EndpointError, QuorumError
from keeper.execution.look import look
from keeper.execution.ports import AttemptBook, Rpc
from keeper.execution.progress import Progress
from keeper.model.attempt import Attempt
from keeper.model.block import BlockStamp
from keeper.model.intent_state import IntentState
from keeper.model.outcome import AttemptResult, AttemptStatus

_AT_ONCE = 50
_ENDS = (AttemptStatus.MINED, AttemptStatus.REVERTED, AttemptStatus.CANCELLED)
_log = structlog.get_logger(__name__)


class LateEnds:
    """Reviews them once their nonce is used: a late revert burned gas all the same (K-11), a late success
    was one."""

    def __init__(
        self, rpc: Rpc, book: AttemptBook, progress: Progress, account: str, patience_blocks: int
    ) -> None:
        self._rpc = rpc
        self._book = book
        self._progress = progress
        self._account = account
        self._patience_blocks = patience_blocks
        self._used_since: dict[str, int] = {}

    def review(self, chain_id: int, block: BlockStamp) -> tuple[AttemptResult, ...]:
        """Those that are mined after all."""
        given_up = self._book.given_up(chain_id, self._account)
        if not given_up:
            return ()
        mined_nonce = look(self._rpc, self._account, (), block).mined_nonce
        passed = [a for a in given_up if a.nonce < mined_nonce and not self._taken(a)][:_AT_ONCE]
        if not passed:
            return ()
        try:
            seen = look(self._rpc, self._account, passed, block)
        except (EndpointError, QuorumError, ConflictError) as error:
            # what is over may wait; what is to be decided may not
            _log.warning("what was given up cannot be looked after", problem=str(error))
            return ()
        results = tuple(seen.results.values())
        for result in results:
            self._progress.paid(result, seen.costs.get(result.tx_hash, ()))
            self._settle(result)
        if not seen.refused:
            nonces = {a.nonce for a in passed if a.tx_hash in seen.results}
            for attempt in (a for a in passed if a.nonce not in nonces):
                since = self._used_since.setdefault(attempt.tx_hash, block.number)
                if block.number - since >= self._patience_blocks:
                    self._replaced(attempt)
        return results

    def _settle(self, result: AttemptResult) -> None:
        self._book.settle(result, AttemptStatus.REPLACED)
        self._used_since.pop(result.tx_hash, None)
        self._progress.reach(
            result.intent_id,
            IntentState.INCLUDED,
            block_number=result.block_number,
            block_hash=result.block_hash,
            tx_hash=result.tx_hash,
            note=f"late, after it was given up: {result.status.value}",
        )

    def _taken(self, attempt: Attempt) -> bool:
        """True if another attempt of ours is known to have used the nonce: the end of this one."""
        same = self._book.attempts_at(attempt.chain_id, self._account, attempt.nonce)
        if not any(a.status in _ENDS for a in same):
            return False
        self._replaced(attempt)
        return True

    def _replaced(self, attempt: Attempt) -> None:
        self._book.mark(attempt.tx_hash, AttemptStatus.REPLACED)
        self._used_since.pop(attempt.tx_hash, None)
