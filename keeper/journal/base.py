"""What the parts of the journal share: the database, the clock, and rows that become values."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Executable
from sqlalchemy.engine import Connection

from keeper.clock import Clock
from keeper.journal.database import Database
from keeper.journal.prepared import Prepared


class Book:
    """Part of the journal. A call that returned is durable; what the chain can tell again is written lazily."""

    _database: Database
    _clock: Clock
    _fence: int

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)

    def _rows(
        self, statement: Executable, parameters: Mapping[str, Any] | None = None
    ) -> list[Any]:
        with self._database.reading() as db:
            return list(db.execute(statement, parameters or {}))

    def _found(self, statement: Prepared, values: Mapping[str, Any] | None = None) -> list[Any]:
        """As `_rows`, for what is asked at every tick: plain tuples, by the driver."""
        with self._database.looking() as db:
            return statement.rows(db, values or {})

    @contextlib.contextmanager
    def _understood(self, what: str) -> Iterator[None]:
        """Rows into values; a row this keeper did not write is corruption (CodecError is a ValueError)."""
        try:
            yield
        except (TypeError, ValueError) as error:
            raise self._database.refuse(f"is corrupt: {what} {error}") from error

    def _writing(self, *, lazily: bool = False) -> contextlib.AbstractContextManager[Connection]:
        return self._database.writing(lazily=lazily)


def clean(text: str) -> str:
    """Text both databases take: PostgreSQL has no NUL in text."""
    return text.replace("\x00", "\ufffd") if "\x00" in text else text
