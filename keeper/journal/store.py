"""The journal: what was seen, decided, signed and done, durable before a call returns.

One SQLite file by default, a PostgreSQL database where several hosts share it.
"""

from pathlib import Path
from typing import Any

from keeper.clock import Clock, system_clock
from keeper.journal.database import Database
from keeper.journal.decisions import Decision, DecisionBook, Scope
from keeper.journal.migrate import bring_up_to_date
from keeper.journal.source import Source
from keeper.journal.vault import VaultJournal
from keeper.journal.witness import Witness

__all__ = ["Decision", "SqlJournal", "SqliteJournal", "VaultJournal", "open_journal"]


class SqlJournal(DecisionBook):
    """Journal and attempt book in one database; may be used from several threads."""

    def __init__(
        self, source: str | Path, *, exclusive: bool = True, clock: Clock = system_clock
    ) -> None:
        """Open, create or migrate. `exclusive` keeps a second live keeper off the same journal.

        source: path of a SQLite file, or postgresql://user@host/database.
        Raises JournalError: in use, corrupt, of a newer version, not writable, not durable.
        """
        self._database = Database(Source.of(source), exclusive=exclusive)
        self._clock = clock
        self._fence = 0
        self._own = Scope()
        self._scopes = 1
        self._decided = 0
        self._ended = 0
        try:
            bring_up_to_date(self._database)
        except BaseException:
            self.close()
            raise

    def witness(self, name: str, end: Any) -> Any:
        """The end itself as far as its user sees; what it answers becomes part of the next decision (K-07)."""
        return Witness(name, end, self._own.heard)

    def of(self, vault: str) -> VaultJournal:
        """The journal as the loop of one vault sees it, where a keeper has several."""
        self._scopes += 1
        return VaultJournal(self, vault)

    @property
    def shown(self) -> str:
        """Where it is, without any secret."""
        return self._database.source.shown

    @property
    def database(self) -> Database:
        """For lists, exports and checks."""
        return self._database

    def close(self) -> None:
        """Close it and let another keeper have it."""
        self._database.close()

    def __enter__(self) -> "SqlJournal":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


SqliteJournal = SqlJournal


def open_journal(
    source: str | Path, *, exclusive: bool = True, clock: Clock = system_clock
) -> SqlJournal:
    """The journal at a path or a postgresql:// address; see SqlJournal."""
    return SqlJournal(source, exclusive=exclusive, clock=clock)
