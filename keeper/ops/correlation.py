"""Log lines that belong together say so: the tick they were written in, the intent they are about."""

from collections.abc import Iterator
from contextlib import contextmanager

from keeper.model.block import BlockStamp
from keeper.model.decision import Intent, Lane
from keeper.model.outcome import AttemptResult
from keeper.model.ports import Executor

_HASH_DIGITS = 8


def tick_id(block: BlockStamp) -> str:
    """Number and the head of the hash: two blocks of one height differ."""
    return f"{block.number}-{block.hash.removeprefix('0x')[:_HASH_DIGITS]}"


@contextmanager
def in_tick(block: BlockStamp | None) -> Iterator[None]:
    """Bind `tick` to every log line of this context."""
    from structlog.contextvars import bound_contextvars

    with bound_contextvars(**({"tick": tick_id(block)} if block else {})):
        yield


class Correlated:
    """An executor whose log lines carry the intent they are about."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def rehearse(self, intent: Intent) -> str:
        """As the executor does."""
        with _about(intent):
            return self._executor.rehearse(intent)

    def submit(self, intent: Intent) -> str:
        """As the executor does."""
        with _about(intent):
            return self._executor.submit(intent)

    def follow(self, block: BlockStamp) -> tuple[AttemptResult, ...]:
        """As the executor does; its lines name their transactions."""
        return self._executor.follow(block)

    def routine_waits_until(self) -> int:
        """As the executor says."""
        return self._executor.routine_waits_until()

    def in_flight(self, lane: Lane | None = None) -> int:
        """As the executor says."""
        return self._executor.in_flight(lane)

    def account_of(self, lane: Lane) -> str:
        """As the executor says."""
        return self._executor.account_of(lane)


@contextmanager
def _about(intent: Intent) -> Iterator[None]:
    from structlog.contextvars import bound_contextvars

    with bound_contextvars(intent=intent.id):
        yield
