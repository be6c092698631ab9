"""One connection to a journal's database: durable transactions, and errors in one line.

A transaction that returned is on disk: SQLite writes ahead with synchronous FULL, PostgreSQL answers a commit after
its own log is flushed. Both are checked when the journal is opened, because both can be switched off elsewhere.

A lazy one is in the log when it returned, and on disk with the next that is durable: a killed process loses nothing of
it. A machine that loses its power may lose the newest lazy ones, in the order they were written and never one before
a durable one: only what can be read from the chain again is written so.
"""

import contextlib
import os
import sqlite3
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

from keeper.errors import JournalError
from keeper.journal.lock import make_private, take_lock
from keeper.journal.source import Source, database_url

_PRAGMAS = (
    "PRAGMA busy_timeout = 5000",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA fullfsync = ON",
    "PRAGMA foreign_keys = ON",
    # whoever ends a tick tidies up; this is only the bound of a log that nobody tidied
    "PRAGMA wal_autocheckpoint = 8000",
)
_LOCK_CLASS = 0x47494D42
"""Of the advisory locks of journals; the schema's name tells them apart."""
_CONNECT_TIMEOUT_S = 5
_STATEMENT_TIMEOUT_MS = 30_000
_CHECKED_UP_TO_BYTES = 512 * 2**20
"""A larger file is not read whole at every start; `keeper journal verify` does that."""


class _Look:
    """What `Database.looking` gives for a file: made once, as a tick looks some twenty times."""

    def __init__(self, database: "Database", mutex: Any) -> None:
        self._database = database
        self._mutex = mutex

    def __enter__(self) -> Connection:
        self._mutex.acquire()
        try:
            return self._database.connection
        except BaseException:
            self._mutex.release()
            raise

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._mutex.release()
        if error is not None:
            self._database.say(error)


class Database:
    """The connection, its lock against a second live keeper, and its transactions."""

    def __init__(self, source: Source, *, exclusive: bool) -> None:
        self.source = source
        self.exclusive = exclusive
        self._lock: TextIO | None = None
        self._mutex = threading.RLock()
        self._look = _Look(self, self._mutex)
        self._begun = False
        self._lazy = False
        self._loose = False
        self._engine: Engine | None = None
        self._db: Connection | None = None
        try:
            with self._said():
                self._engine = self._sqlite() if source.path is not None else self._postgres()
                self._db = self._engine.connect()
        except BaseException:
            self.close()
            raise

    @property
    def dialect(self) -> str:
        """sqlite or postgresql."""
        return self.connection.dialect.name

    @property
    def connection(self) -> Connection:
        """The one connection; JournalError once closed."""
        if self._db is None:
            raise JournalError(self.source.shown, "is closed")
        return self._db

    def close(self) -> None:
        """Close the connection and let another keeper have the journal."""
        with self._mutex:
            if self._db is not None:
                with contextlib.suppress(SQLAlchemyError, OSError):
                    self._flush()
                with contextlib.suppress(SQLAlchemyError):
                    self._db.close()
                self._db = None
            if self._engine is not None:
                self._engine.dispose()
                self._engine = None
            if self._lock is not None:
                self._lock.close()
                self._lock = None

    @contextlib.contextmanager
    def writing(self, *, lazily: bool = False) -> Iterator[Connection]:
        """A transaction that is durable when the block is left, or has not happened.

        lazily: it survives the process when the block is left, and the machine with the next durable one.
        """
        with self._mutex, self._said():
            if self.dialect == "sqlite":
                with self._writing_a_file(lazily):
                    yield self.connection
            else:
                with self.connection.begin():
                    if lazily:
                        self.connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
                    yield self.connection
            self._loose = lazily

    @contextlib.contextmanager
    def _writing_a_file(self, lazily: bool) -> Iterator[None]:
        """By the driver: a tick writes a dozen times, and SQLAlchemy's own transactions cost more than SQLite's."""
        if self._begun:
            raise self.refuse("is being written already")
        driver = self._driver
        if (
            self._lazy is not lazily
        ):  # NORMAL does not wait for the disk; it is set between transactions
            driver.execute(f"PRAGMA synchronous = {'NORMAL' if lazily else 'FULL'}")
            self._lazy = lazily
        # at once: a reader that becomes a writer later is refused without waiting
        driver.execute("BEGIN IMMEDIATE")
        self._begun = True
        try:
            yield
            driver.commit()
        finally:
            if self.connection.in_transaction():  # by its own statements
                self.connection.rollback()
            if driver.in_transaction:
                driver.rollback()
            self._begun = False

    @property
    def _driver(self) -> Any:
        return self.connection.connection.dbapi_connection

    def _flush(self) -> None:
        """What was written lazily, to disk. PostgreSQL does it by itself, whether anybody is connected or not."""
        if self._loose and self.source.path is not None:
            handle = os.open(f"{self.source.path}-wal", os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        self._loose = False

    def tidy(self) -> None:
        """Move what the log holds into the file, as far as no reader hinders it; for when nothing is urgent."""
        if self.dialect == "sqlite":
            with self._mutex, self._said():
                self._driver.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """One view of the journal, that takes no lock others wait for."""
        with self._mutex, self._said(), self.connection.begin():
            yield self.connection

    def looking(self) -> contextlib.AbstractContextManager[Connection]:
        """For one statement of the driver, which is one view by itself; its rows are all fetched inside."""
        return self._look if self.source.path is not None else self.reading()

    def refuse(self, problem: str) -> JournalError:
        """The error to raise for something wrong with this journal."""
        return JournalError(self.source.shown, problem)

    @contextlib.contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self.say(error)
            raise

    def say(self, error: BaseException) -> None:
        """Raises the JournalError of what a driver raised; nothing else is of the journal."""
        if isinstance(error, SQLAlchemyError):
            cause = getattr(error, "orig", None) or error
            raise self.refuse(f"cannot be read or written ({_line(cause)})") from error
        if isinstance(error, (OverflowError, UnicodeError, *_driver_errors())):
            raise self.refuse(f"cannot be read or written ({_line(error)})") from error

    # SQLite

    def _sqlite(self) -> Engine:
        path = self.source.path or Path()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if self.exclusive:
                self._lock = take_lock(path)
            make_private(path, tighten=self.exclusive)
        except OSError as error:
            raise self.refuse(f"cannot be written ({error.strerror})") from error
        engine = create_engine(
            "sqlite://",
            creator=lambda: self._opened(path),
            poolclass=StaticPool,
            hide_parameters=True,
        )

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            if not self._begun:
                connection.exec_driver_sql("BEGIN")

        return engine

    def _opened(self, path: Path) -> sqlite3.Connection:
        try:
            db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise self.refuse(f"cannot be opened ({error})") from error
        try:
            self._prepare(db, path)
        except BaseException:
            db.close()
            raise
        return db

    def _prepare(self, db: sqlite3.Connection, path: Path) -> None:
        for pragma in _PRAGMAS:
            db.execute(pragma)
        (mode,) = db.execute("PRAGMA journal_mode").fetchone()
        (synchronous,) = db.execute("PRAGMA synchronous").fetchone()
        if (mode, synchronous) != ("wal", 2):
            problem = (
                f"cannot be written durably here (journal mode {mode}); put it on a local disk"
            )
            raise self.refuse(problem)
        if self.exclusive and path.stat().st_size <= _CHECKED_UP_TO_BYTES:
            (health,) = db.execute("PRAGMA quick_check(1)").fetchone()
            if health != "ok":
                raise self.refuse(f"is corrupt ({_line(health)})")

    # PostgreSQL

    def _postgres(self) -> Engine:
        try:
            engine = create_engine(
                database_url(self.source.url or ""),
                connect_args={
                    "connect_timeout": _CONNECT_TIMEOUT_S,
                    "application_name": "gimbal-keeper",
                },
                poolclass=StaticPool,
                hide_parameters=True,
                isolation_level="READ COMMITTED",
            )
        except ImportError as error:
            raise self.refuse(f"needs the package psycopg ({_line(error)})") from error

        @event.listens_for(engine, "connect")
        def _connected(db: Any, _record: Any) -> None:
            # also after a connection was lost: without the lock nothing is written
            with db.cursor() as cursor:
                cursor.execute("SET synchronous_commit = on")
                cursor.execute(f"SET statement_timeout = {_STATEMENT_TIMEOUT_MS}")
                cursor.execute("SHOW fsync")
                if cursor.fetchone()[0] != "on":
                    raise self.refuse("cannot be written durably: the server runs with fsync off")
                if self.exclusive:
                    self._take(cursor)
            db.commit()

        return engine

    def _take(self, cursor: Any) -> None:
        cursor.execute(
            "SELECT pg_try_advisory_lock(%s, hashtext(coalesce(current_schema(), '')))",
            (_LOCK_CLASS,),
        )
        if not cursor.fetchone()[0]:
            problem = "is in use by another keeper; stop it or set another journal.url"
            raise self.refuse(problem)


def _driver_errors() -> tuple[type[Exception], ...]:
    """Of the drivers that are loaded."""
    psycopg = sys.modules.get("psycopg")
    return (sqlite3.Error, psycopg.Error) if psycopg is not None else (sqlite3.Error,)


def _line(error: object) -> str:
    """What went wrong, without statement, parameters and further lines."""
    return str(error).strip().partition("\n")[0]
