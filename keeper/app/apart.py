"""One block for several vaults: each decides and acts apart, so that what one meets is none of the others' business."""

from collections.abc import Callable, Sequence
from functools import partial

import structlog

from keeper.app.kept import KeptVault
from keeper.errors import DeepReorganisationError, JournalError
from keeper.loop import TickRecord
from keeper.model.block import BlockStamp
from keeper.model.outcome import TickOutcome, TickStatus

_OF_ALL = (JournalError, DeepReorganisationError)
"""What ends the keeper, whichever vault meets it."""
_log = structlog.get_logger(__name__)


def each_apart(
    vaults: Sequence[KeptVault], order: Sequence[KeptVault], block: BlockStamp
) -> tuple[TickRecord, ...]:
    """Decide in this order: protection is sent at once, the rest when all have decided. Records as in `vaults`.

    Raises what ends the keeper, and what was not foreseen where every vault met it: that is nobody's own.
    """
    one_pass = _Pass(block)
    waiting = []
    for vault in order:
        decided = one_pass.step(vault, partial(vault.decide, block))
        if decided is not None and vault.waits(decided):
            waiting.append((vault, decided))
        elif decided is not None:
            one_pass.step(vault, partial(vault.finish, decided), decided)
    for vault, decided in waiting:
        one_pass.step(vault, partial(vault.finish, decided), decided)
    if one_pass.faults and len(one_pass.faults) == len(vaults):
        raise one_pass.faults[0]
    return tuple(one_pass.records[vault] for vault in vaults)


class _Pass:
    def __init__(self, block: BlockStamp) -> None:
        self.records: dict[KeptVault, TickRecord] = {}
        self.faults: list[Exception] = []
        self._block = block

    def step(
        self, vault: KeptVault, do: Callable[[], TickRecord], so_far: TickRecord | None = None
    ) -> TickRecord | None:
        """Half a tick; None if it was stopped by what was not foreseen: the next block is another try."""
        try:
            record = do()
        except _OF_ALL:
            raise
        except Exception as error:  # noqa: BLE001 - not understood, and so of this vault alone
            self.faults.append(error)
            reason = f"stopped by an unexpected {type(error).__name__}"
            number = self._block.number
            _log.error(reason, vault=vault.label, block=number, problem=str(error))
            begun = TickRecord(TickOutcome(number, TickStatus.FAILED, reason), self._block)
            self.records[vault] = vault.stopped(so_far or begun, reason)
            return None
        self.records[vault] = record
        return record
