"""The journal: one SQLite file, durable before a call returns."""

import contextlib
import dataclasses
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from keeper.errors import JournalError
from keeper.journal import schema
from keeper.journal.codec import decode, encode
from keeper.journal.lock import make_private, take_lock
from keeper.model.attempt import Attempt
from keeper.model.decision import Intent, Plan, Target, Verdict
from keeper.model.market import MarketState
from keeper.model.outcome import AttemptResult, AttemptStatus, TickOutcome, TickStatus
from keeper.model.risk import RiskReport

_OPEN = (AttemptStatus.SIGNED.value, AttemptStatus.SENT.value)
_GIVEN_UP = (AttemptStatus.DROPPED.value, AttemptStatus.REFUSED.value)
_KEEP_HELD = 20_000
_PRUNE_EVERY = 1_000


@dataclasses.dataclass(frozen=True, slots=True)
class Decision:
    """A journalled decision, whole, for replay."""

    market: MarketState
    risk: RiskReport
    target: Target
    plan: Plan
    verdict: Verdict
    intent: Intent | None


class SqliteJournal:
    """Journal and attempt book in one file. `exclusive` keeps a second live keeper off the same file."""

    def __init__(self, path: Path, *, exclusive: bool = True) -> None:
        self._path = path
        self._lock: TextIO | None = None
        self._written = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if exclusive:
                self._lock = take_lock(path)
            make_private(path, tighten=exclusive)
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        except OSError as error:
            self._unlock()
            problem = f"cannot be written ({error.strerror})"
            raise JournalError(str(path), problem) from error
        except sqlite3.Error as error:
            self._unlock()
            raise JournalError(str(path), f"cannot be opened ({error})") from error
        try:
            self._prepare()
        except JournalError:
            self.close()
            raise

    def _prepare(self) -> None:
        with self._writing():
            for pragma in schema.PRAGMAS:
                self._db.execute(pragma)
            (health,) = self._db.execute("PRAGMA quick_check(1)").fetchone()
            if health != "ok":
                raise JournalError(str(self._path), f"is corrupt ({health})")
            self._db.execute("BEGIN IMMEDIATE")
            for statement in schema.TABLES:
                self._db.execute(statement)
            self._db.execute(
                "INSERT OR IGNORE INTO meta VALUES ('schema_version', ?)", (str(schema.VERSION),)
            )
            self._db.execute("COMMIT")
            (version,) = self._db.execute(
                "SELECT value FROM meta WHERE key = 'schema_version'"
            ).fetchone()
        if version != str(schema.VERSION):
            problem = f"has schema version {version}, this keeper knows {schema.VERSION}"
            raise JournalError(str(self._path), problem)

    def close(self) -> None:
        """Close the file and let another keeper have it."""
        self._db.close()
        self._unlock()

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OverflowError, UnicodeError) as error:
            if self._db.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
            raise JournalError(str(self._path), f"cannot be read or written ({error})") from error

    @contextlib.contextmanager
    def _reading(self, what: str) -> Iterator[None]:
        """Rows into values; a row this keeper did not write is corruption (CodecError is a ValueError)."""
        try:
            yield
        except (TypeError, ValueError) as error:
            raise JournalError(str(self._path), f"is corrupt: {what} {error}") from error

    # Decisions and outcomes

    def record_decision(  # noqa: PLR0917 - in the order of the way of the data
        self,
        market: MarketState,
        risk: RiskReport,
        target: Target,
        plan: Plan,
        verdict: Verdict,
        intent: Intent | None,
    ) -> None:
        """The decision, before anything is signed (K-03)."""
        block = market.readings.block
        values = (block.number, block.hash, block.timestamp, market.readings.vault)
        texts = tuple(encode(part) for part in (market, risk, target, plan, verdict))
        of_intent = (intent.id, encode(intent)) if intent else (None, None)
        with self._writing():
            self._db.execute(
                "INSERT INTO decisions (block_number, block_hash, block_timestamp, vault, market, risk,"
                " target, plan, verdict, intent_id, intent) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
                values + texts + of_intent,
            )
        self._prune()

    def record_outcome(self, outcome: TickOutcome) -> None:
        """How the tick ended."""
        with self._writing():
            self._db.execute(
                "INSERT INTO outcomes (block_number, status, reason, intent_id, tx_hash)"
                " VALUES (?,?,?,?,?)",
                (
                    outcome.block_number,
                    outcome.status.value,
                    outcome.reason,
                    outcome.intent_id,
                    outcome.tx_hash,
                ),
            )

    def intent_count(self) -> int:
        """How many intents were ever decided: the next intent's counter."""
        with self._writing():
            (count,) = self._db.execute(
                "SELECT COUNT(*) FROM decisions WHERE intent_id IS NOT NULL"
            ).fetchone()
        return int(count)

    def decisions(self, intent_id: str | None = None, limit: int = 100) -> tuple[Decision, ...]:
        """Newest first; of one intent if named."""
        where, args = ("WHERE intent_id = ?", (intent_id,)) if intent_id else ("", ())
        with self._writing():
            rows = self._db.execute(
                "SELECT market, risk, target, plan, verdict, intent FROM decisions"  # noqa: S608 - constants
                f" {where} ORDER BY id DESC LIMIT ?",
                (*args, limit),
            ).fetchall()
        with self._reading("a decision"):
            return tuple(_decision(row) for row in rows)

    def outcomes(self, limit: int = 100) -> tuple[TickOutcome, ...]:
        """Newest first."""
        with self._writing():
            rows = self._db.execute(
                "SELECT block_number, status, reason, intent_id, tx_hash FROM outcomes"
                " ORDER BY id DESC LIMIT ?",
                (limit,),
            ).fetchall()
        with self._reading("an outcome"):
            return tuple(TickOutcome(n, TickStatus(s), r, i, t) for n, s, r, i, t in rows)

    def actions(self, limit: int = 10) -> tuple[AttemptResult, ...]:
        """Newest attempts first, whatever became of them."""
        with self._writing():
            rows = self._db.execute(
                "SELECT intent_id, tx_hash, status, block_number, gas_used, gas_price_wei"
                " FROM attempts ORDER BY rowid DESC LIMIT ?",
                (limit,),
            ).fetchall()
        with self._reading("an attempt"):
            return tuple(_result(row) for row in rows)

    def last_failure(self) -> int | None:
        """Block number of the newest tick that failed to simulate or send."""
        with self._writing():
            row = self._db.execute(
                "SELECT block_number FROM outcomes WHERE status = ? ORDER BY id DESC LIMIT 1",
                (TickStatus.FAILED.value,),
            ).fetchone()
        return int(row[0]) if row else None

    def mined_reverts(self, chain_id: int) -> tuple[int, ...]:
        """Block numbers of mined reverts since the last mined success, newest first (K-11)."""
        with self._writing():
            rows = self._db.execute(
                "SELECT status, block_number FROM attempts WHERE chain_id = ? AND status IN (?, ?)"
                " ORDER BY block_number DESC, rowid DESC LIMIT 100",
                (chain_id, AttemptStatus.MINED.value, AttemptStatus.REVERTED.value),
            ).fetchall()
        blocks: list[int] = []
        for status, number in rows:
            if status == AttemptStatus.MINED.value:
                break
            blocks.append(int(number))
        return tuple(blocks)

    def reverted_gas_wei(self, chain_id: int, since_block: int) -> int:
        """What mined reverts cost from `since_block` on, wei (K-11)."""
        with self._writing():
            rows = self._db.execute(
                "SELECT gas_used, gas_price_wei FROM attempts"
                " WHERE chain_id = ? AND status = ? AND block_number >= ?",
                (chain_id, AttemptStatus.REVERTED.value, since_block),
            ).fetchall()
        return sum(int(gas) * int(price) for gas, price in rows)

    # Attempts

    def record_attempt(self, attempt: Attempt) -> None:
        """The signed transaction, before it is broadcast (K-03)."""
        with self._writing():
            self._db.execute(
                "INSERT OR IGNORE INTO attempts (tx_hash, intent_id, chain_id, account, nonce, attempt,"
                " status) VALUES (?,?,?,?,?,?,?)",
                (
                    attempt.tx_hash,
                    attempt.intent_id,
                    attempt.chain_id,
                    attempt.account,
                    attempt.nonce,
                    encode(attempt),
                    attempt.status.value,
                ),
            )

    def mark(self, tx_hash: str, status: AttemptStatus, problem: str = "") -> None:
        """A change in an attempt's life."""
        with self._writing():
            self._db.execute(
                "UPDATE attempts SET status = ?, problem = ? WHERE tx_hash = ?",
                (status.value, problem, tx_hash),
            )

    def settle(self, result: AttemptResult, losers: AttemptStatus) -> None:
        """One attempt's end, and with it that of every other open attempt of the intent."""
        with self._writing():
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute(
                "UPDATE attempts SET status = ? WHERE intent_id = ? AND status IN (?, ?)",
                (losers.value, result.intent_id, *_OPEN),
            )
            self._db.execute(
                "UPDATE attempts SET status = ?, block_number = ?, gas_used = ?, gas_price_wei = ?"
                " WHERE tx_hash = ?",
                (
                    result.status.value,
                    result.block_number,
                    result.gas_used,
                    str(result.gas_price_wei),
                    result.tx_hash,
                ),
            )
            self._db.execute("COMMIT")

    def open_attempts(self, chain_id: int, account: str) -> tuple[Attempt, ...]:
        """Signed or sent and not settled, oldest first."""
        return self._attempts(
            "chain_id = ? AND account = ? AND status IN (?, ?)", (chain_id, account, *_OPEN)
        )

    def given_up(self, chain_id: int, account: str) -> tuple[Attempt, ...]:
        """Dropped or refused, and not known to be replaced, oldest first."""
        return self._attempts(
            "chain_id = ? AND account = ? AND status IN (?, ?)", (chain_id, account, *_GIVEN_UP)
        )

    def attempts_at(self, chain_id: int, account: str, nonce: int) -> tuple[Attempt, ...]:
        """Every attempt ever signed with a nonce, oldest first."""
        return self._attempts(
            "chain_id = ? AND account = ? AND nonce = ?", (chain_id, account, nonce)
        )

    def attempts_of(self, intent_id: str) -> tuple[Attempt, ...]:
        """Every attempt of an intent, oldest first."""
        return self._attempts("intent_id = ?", (intent_id,))

    def _attempts(self, where: str, args: tuple[object, ...]) -> tuple[Attempt, ...]:
        with self._writing():
            rows = self._db.execute(
                f"SELECT attempt, status FROM attempts WHERE {where} ORDER BY rowid",  # noqa: S608 - constants
                args,
            ).fetchall()
        with self._reading("an attempt"):
            return tuple(
                dataclasses.replace(decode(text), status=AttemptStatus(status))
                for text, status in rows
            )

    def _prune(self) -> None:
        """Forget old ticks on which nothing was sent; what led to an intent stays for ever."""
        self._written += 1
        if self._written % _PRUNE_EVERY:
            return
        with self._writing():
            for table in ("decisions", "outcomes"):
                self._db.execute(
                    f"DELETE FROM {table} WHERE intent_id IS NULL AND id <"  # noqa: S608 - constants
                    f" (SELECT MAX(id) FROM {table}) - ?",
                    (_KEEP_HELD,),
                )


def _decision(row: tuple[str | None, ...]) -> Decision:
    parts: list[Any] = [decode(text) if text else None for text in row]
    return Decision(*parts)


def _result(row: tuple[str, str, str, int | None, int, str]) -> AttemptResult:
    intent_id, tx_hash, status, number, gas_used, price = row
    return AttemptResult(intent_id, tx_hash, AttemptStatus(status), number, gas_used, int(price))
