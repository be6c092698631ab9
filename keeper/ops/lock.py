"""Leadership by an advisory lock of PostgreSQL: freed by the server when its holder's connection ends.

A holder that hangs keeps its connection. It also stops beating, and then whoever stands by ends that connection.
A new holder waits until the last beat of the old one is older than the old one itself goes on without beating.
"""

import contextlib
from typing import Any

from keeper.errors import ControlError
from keeper.ops.lease import PATIENCE

_LOCK_CLASS = 0x47494D4C
_JOURNAL_CLASS = 0x47494D42
"""Of keeper.journal.database: who hangs holds that as well."""
_TAKE = "SELECT pg_try_advisory_lock(%s, hashtext(%s))"
_GIVE = "SELECT pg_advisory_unlock(%s, hashtext(%s))"
_TABLE = """
CREATE TABLE IF NOT EXISTS keeper_leadership (
    scope   TEXT PRIMARY KEY,
    holder  TEXT NOT NULL,
    beat_at TIMESTAMPTZ NOT NULL
)
"""
_LAST = """
SELECT holder, EXTRACT(EPOCH FROM clock_timestamp() - beat_at) FROM keeper_leadership WHERE scope = %s
"""
_BEAT = """
INSERT INTO keeper_leadership (scope, holder, beat_at) VALUES (%s, %s, clock_timestamp())
ON CONFLICT (scope) DO UPDATE SET holder = EXCLUDED.holder, beat_at = EXCLUDED.beat_at
"""
_END_THE_HOLDER = """
SELECT pg_terminate_backend(pid, 1000) FROM pg_locks
WHERE locktype = 'advisory' AND granted AND pid <> pg_backend_pid()
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND ((classid = %(ours)s AND objid = (hashtext(%(scope)s)::bigint & 4294967295)::oid)
    OR (classid = %(journals)s
        AND objid = (hashtext(coalesce(current_schema(), ''))::bigint & 4294967295)::oid))
"""


class PostgresLock:
    """Leadership of one scope (chain and vault) in one database."""

    def __init__(self, url: str, scope: str, ttl_s: float) -> None:
        self._url = url.replace("postgresql+psycopg://", "postgresql://", 1)
        self._scope = scope
        self._ttl_s = ttl_s
        self._db: Any = None
        self._locked = False
        self._hangs = ""

    def hold(self, holder: str) -> bool:
        """Take or keep leadership; False while another's lasts. ControlError if the database fails."""
        import psycopg

        try:
            return self._hold(holder)
        except psycopg.Error as error:
            self._close()
            problem = f"does not answer ({type(error).__name__})"
        raise ControlError("the database of leadership", problem)

    def release(self, holder: str) -> None:
        """Give it up, so that another need not wait."""
        import psycopg

        try:
            if self._locked and self._last()[0] == holder:
                self._db.execute(_BEAT, (self._scope, ""))
            if self._locked:  # the server frees it some time after the connection is closed
                self._db.execute(_GIVE, (_LOCK_CLASS, self._scope))
        except psycopg.Error:
            pass  # the row ages, and the lock ends with the connection
        finally:
            self._close()

    def holder(self) -> str:
        """Who led last; empty for nobody. ControlError if the database does not say."""
        import psycopg

        try:
            self._connect()
            return self._last()[0]
        except psycopg.Error as error:
            problem = f"does not answer ({type(error).__name__})"
        finally:
            self._close()
        raise ControlError("the database of leadership", problem)

    def _hold(self, holder: str) -> bool:
        self._connect()
        if not self._locked:
            row = self._db.execute(_TAKE, (_LOCK_CLASS, self._scope)).fetchone()
            self._locked = bool(row[0])
        last, age_s = self._last()
        over = last in {"", holder} or age_s >= PATIENCE * self._ttl_s
        if not over:
            self._hangs = ""
            return (
                False  # also with the lock in hand: the old holder may not know yet that it lost it
            )
        if not self._locked:
            self._end_who_hangs(last)
            return False
        self._hangs = ""
        # the host of the one before may be gone, and the server still hold its journal for it
        if last not in {"", holder}:
            self._end_sessions()
        self._db.execute(_BEAT, (self._scope, holder))
        return True

    def _end_who_hangs(self, last: str) -> None:
        """End the session that has the lock and does not beat; seen twice, for one that just got it beats at once."""
        if last and last == self._hangs:
            self._end_sessions()
        self._hangs = last

    def _end_sessions(self) -> None:
        """Every session but this one that has the lock of leadership or of the journal."""
        names = {"ours": _LOCK_CLASS, "journals": _JOURNAL_CLASS, "scope": self._scope}
        self._db.execute(_END_THE_HOLDER, names)

    def _last(self) -> tuple[str, float]:
        row = self._db.execute(_LAST, (self._scope,)).fetchone()
        return (str(row[0]), float(row[1])) if row else ("", 0.0)

    def _connect(self) -> None:
        if self._db is not None:
            return
        import psycopg

        self._locked = False
        patience_s = max(1, int(self._ttl_s / 2))
        self._db = psycopg.connect(
            self._url,
            autocommit=True,
            connect_timeout=patience_s,
            application_name="gimbal-leadership",
            keepalives_idle=patience_s,
            keepalives_interval=1,
            keepalives_count=2,
            tcp_user_timeout=patience_s * 1_000,
        )
        self._db.execute(f"SET statement_timeout = {patience_s * 1_000}")
        with contextlib.suppress(psycopg.errors.UniqueViolation):  # two made it at once
            self._db.execute(_TABLE)

    def _close(self) -> None:
        db, self._db, self._locked = self._db, None, False
        if db is not None:
            db.close()
