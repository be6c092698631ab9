"""Asking ahead: what a tick is going to ask is asked while it does something else. Only reads, never a signature."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any, Protocol

from keeper.app.lineage import Lineage
from keeper.chain.reader import LensReader
from keeper.chain.source import Call, Source
from keeper.model.block import BlockStamp
from keeper.model.decision import Intent
from keeper.model.market import Readings


class Begins(Protocol):
    """Who simulates."""

    def begin(self, intent: Intent, threads: Executor) -> None:
        """Let the simulation of an intent run."""
        ...


class AheadReader:
    """ChainReader whose next reading may be under way already. One thread asks it."""

    def __init__(
        self, source: Source, reader: LensReader, threads: Executor, lineage: Lineage
    ) -> None:
        self._lineage = lineage
        self._source = source
        self._reader = reader
        self._threads = threads
        self._begun: tuple[str, Callable[[], list[Any]]] | None = None

    def begin(self, block: BlockStamp) -> None:
        """Ask for the vault at `block`; the next `read` of that block waits for the answer."""
        calls = self._reader.calls(block)
        self._begun = None
        waits = asked(self._source, calls)
        if waits is None:
            waits = self._threads.submit(self._source.agreed_batch, calls).result
        self._begun = block.hash, waits

    def head(self) -> BlockStamp:
        """Newest block."""
        return self._reader.head()

    def read(self, block: BlockStamp) -> Readings:
        """The vault through the lens, pinned to `block`; raises as LensReader.read.

        Nothing is decided on a block whose place in the chain is still looked for: DeepReorganisationError.
        """
        self._lineage.settled()
        begun, self._begun = self._begun, None
        if begun is None or begun[0] != block.hash:
            return self._reader.read(block)
        return self._reader.readings(block, begun[1]())


def asked(source: Any, calls: Sequence[Call]) -> Callable[[], list[Any]] | None:
    """A batch asked without a thread, where whoever answers can be asked so: a hand-over takes longer than asking."""
    begin = getattr(source, "begin", None)
    waits: Callable[[], list[Any]] | None = begin(calls) if begin is not None else None
    return waits


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
