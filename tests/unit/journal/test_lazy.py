"""What waits for the disk, and what the next such write takes along."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from keeper.journal.store import SqlJournal, open_journal
from keeper.model.intent_state import IntentState
from keeper.model.outcome import AttemptResult, AttemptStatus, TickOutcome, TickStatus
from tests.unit.journal.values import ATTEMPT, decide

Write = Callable[[SqlJournal], object]
RESULT = AttemptResult(ATTEMPT.intent_id, ATTEMPT.tx_hash, AttemptStatus.MINED, 7, 300, 9)
DURABLE: dict[str, Write] = {
    "a decision": decide,
    "an attempt": lambda j: j.record_attempt(ATTEMPT),
    "a fence": lambda j: j.next_fence("me"),
}
LAZY: dict[str, Write] = {
    "that it was sent": lambda j: j.mark(ATTEMPT.tx_hash, AttemptStatus.SENT),
    "a receipt": lambda j: j.settle(RESULT, AttemptStatus.REPLACED),
    "a decision to hold": lambda j: decide(j, sends=False),
    "a tick's end": lambda j: j.record_outcome(TickOutcome(7, TickStatus.HELD, "")),
}


def levels(journal: SqlJournal, *writes: Write) -> list[int]:
    """PRAGMA synchronous under each transaction: 2 waits for the disk, 1 does not."""
    driver = journal.database.connection.connection.dbapi_connection
    assert isinstance(driver, sqlite3.Connection)
    level, found = 2, []

    def hear(statement: str) -> None:
        nonlocal level
        if "synchronous" in statement:
            level = 1 if "NORMAL" in statement else 2
        if statement.startswith("BEGIN IMMEDIATE"):
            found.append(level)

    driver.set_trace_callback(hear)
    for write in writes:
        write(journal)
    driver.set_trace_callback(None)
    (now,) = driver.execute("PRAGMA synchronous").fetchone()
    assert now == level
    return found


@pytest.mark.parametrize("what", DURABLE)
def test_what_must_not_be_lost_waits_for_the_disk_also_after_what_does_not(
    tmp_path: Path, what: str
) -> None:
    with open_journal(tmp_path / "j.sqlite") as journal:
        *_, last = levels(journal, *LAZY.values(), DURABLE[what])
    assert last == 2


@pytest.mark.parametrize("what", LAZY)
def test_what_the_chain_tells_again_does_not(tmp_path: Path, what: str) -> None:
    with open_journal(tmp_path / "j.sqlite") as journal:
        *_, last = levels(journal, *DURABLE.values(), LAZY[what])
    assert last == 1


def test_a_killed_process_loses_nothing_lazy(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    script = (
        "import os, signal, sys\n"
        "from keeper.journal.store import open_journal\n"
        "from tests.unit.journal.values import decide, mined, sent\n"
        "journal = open_journal(sys.argv[1]); intent = decide(journal)\n"
        "mined(journal, sent(journal, intent)); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], check=False, timeout=120)
    assert done.returncode == -9
    with open_journal(path) as journal:
        (decision,) = journal.decisions()
        assert decision.intent is not None
        record = journal.intent(decision.intent.id)
        assert record is not None
        assert record.state is IntentState.INCLUDED


def test_closing_takes_to_the_disk_what_was_lazy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def heard(handle: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{handle}").readlink()))
        fsync(handle)

    journal = open_journal(tmp_path / "j.sqlite")
    LAZY["a tick's end"](journal)
    monkeypatch.setattr(os, "fsync", heard)
    journal.close()
    assert synced == [str(tmp_path / "j.sqlite-wal")]


def test_a_failed_write_leaves_nothing_and_the_next_one_is_whole(tmp_path: Path) -> None:
    with open_journal(tmp_path / "j.sqlite") as journal:
        decide(journal)

        def fail(*, lazily: bool) -> None:
            with journal.database.writing(lazily=lazily) as db:
                db.exec_driver_sql("DELETE FROM intents")
                raise ZeroDivisionError

        for lazily in (True, False):
            with pytest.raises(ZeroDivisionError):
                fail(lazily=lazily)
        assert journal.intent_count() == 1
        decide(journal)
    with open_journal(tmp_path / "j.sqlite") as journal:
        assert journal.intent_count() == 2


def test_tidying_empties_the_log_into_the_file(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    with open_journal(path) as journal:
        size = path.stat().st_size
        for _ in range(30):
            decide(journal)
        assert path.stat().st_size == size  # all in the log so far
        for number in range(50):
            journal.record_outcome(TickOutcome(number, TickStatus.HELD, ""))
        assert path.stat().st_size > size
