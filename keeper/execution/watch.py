"""Which included intents are worth a look at a block: all after a reorganisation, else only at their depths."""

from collections.abc import Iterable

from keeper.execution.machine import FollowPolicy
from keeper.model.block import BlockStamp
from keeper.model.intent_state import IntentRecord, IntentState

_FINALITY_EVERY = 8
"""Blocks between two questions for the newest final block."""


class InChain:
    """A head whose parent was the last head changes nothing below it, so nothing is asked.

    After a start, a gap or a reorganisation by parent hash everything included is looked at again.
    """

    def __init__(self, policy: FollowPolicy) -> None:
        self._policy = policy
        self._last: str | None = None

    def due(self, records: Iterable[IntentRecord], block: BlockStamp) -> list[IntentRecord]:
        """Those to look at."""
        included = (IntentState.INCLUDED, IntentState.CONFIRMED)
        watched = [record for record in records if record.state in included]
        if block.hash == self._last:
            return []
        if block.parent_hash != self._last:
            return watched
        return [record for record in watched if self._may_deepen(record, block.number)]

    def pass_over(self, block: BlockStamp) -> None:
        """A head on which nothing is looked at; following the last one it leaves no gap."""
        if block.parent_hash == self._last:
            self._last = block.hash

    def saw(self, block: BlockStamp) -> None:
        """The look at this block is done."""
        self._last = block.hash

    def _may_deepen(self, record: IntentRecord, number: int) -> bool:
        if record.block_number is None:
            return True
        depth = number - record.block_number + 1
        if record.state is IntentState.INCLUDED:
            return depth >= self._policy.confirm_blocks
        return depth >= self._policy.finality_blocks or depth % _FINALITY_EVERY == 0
