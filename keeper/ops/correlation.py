"""Log lines that belong together say so: the tick they were written in, the intent they are about."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from keeper.model.block import BlockStamp
from keeper.model.decision import Intent
from keeper.model.ports import Executor

_HASH_DIGITS = 8


def tick_id(block: BlockStamp) -> str:
    """Number and the head of the hash: two blocks of one height differ."""
    return f"{block.number}-{block.hash.removeprefix('0x')[:_HASH_DIGITS]}"


@contextmanager
def in_tick(block: BlockStamp | None, vault: str = "") -> Iterator[None]:
    """Bind `tick`, and the vault's name where there are several, to every log line of this context."""
    from structlog.contextvars import bound_contextvars

    names = {"tick": tick_id(block) if block else "", "vault": vault}
    with bound_contextvars(**{name: value for name, value in names.items() if value}):
        yield


def correlated(executor: Executor) -> Executor:
    """The executor, with the intent bound to every log line of its sending and rehearsing."""
    return cast("Executor", _Correlated(executor))


class _Correlated:
    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def rehearse(self, intent: Intent) -> str:
        with _about(intent):
            return self._executor.rehearse(intent)

    def submit(self, intent: Intent) -> str:
        with _about(intent):
            return self._executor.submit(intent)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._executor, name)  # whatever else it does names its transactions itself


@contextmanager
def _about(intent: Intent) -> Iterator[None]:
    from structlog.contextvars import bound_contextvars

    with bound_contextvars(intent=intent.id):
        yield
