"""Asking ahead: what a tick is going to ask is asked while it does something else. Only reads, never a signature."""

from concurrent.futures import Executor
from typing import Any, Protocol

from keeper.app.lineage import Lineage
from keeper.model.block import BlockStamp
from keeper.model.decision import Intent
from keeper.model.market import Readings
from keeper.model.ports import ChainReader


class Begins(Protocol):
    """Who simulates."""

    def begin(self, intent: Intent, threads: Executor) -> None:
        """Let the simulation of an intent run."""
        ...


class SettledReader:
    """ChainReader of one vault: nothing is decided on a block whose place in the chain is still looked for."""

    def __init__(self, reader: ChainReader, lineage: Lineage) -> None:
        self._reader = reader
        self._lineage = lineage

    def head(self) -> BlockStamp:
        """Newest block."""
        return self._reader.head()

    def read(self, block: BlockStamp) -> Readings:
        """The vault through the lens, pinned to `block`; raises DeepReorganisationError as well."""
        self._lineage.settled()
        return self._reader.read(block)


class AheadJournal:
    """The journal of the loop; an intent is simulated while its decision is written.

    The decision is durable before `record_decision` returns, as ever, so before anything is signed (K-03).
    """

    def __init__(self, journal: Any, lanes: Begins, threads: Executor) -> None:
        self._journal = journal
        self._lanes = lanes
        self._threads = threads

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    def record_decision(self, *stages: Any, **named: Any) -> None:
        """As the journal's; the last of the stages is the intent, or None."""
        intent = stages[-1]
        if intent is not None:
            self._lanes.begin(intent, self._threads)
        self._journal.record_decision(*stages, **named)
