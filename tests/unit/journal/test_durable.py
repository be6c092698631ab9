"""K-03: nothing acknowledged is lost, whenever the process dies; what cannot be written stops the keeper."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from keeper.errors import JournalError
from keeper.journal.store import SqlJournal, open_journal
from keeper.journal.verify import verify
from keeper.model.intent_state import IntentState
from keeper.model.outcome import AttemptStatus
from tests.builders import CHAIN_ID
from tests.postgres import PostgresServer
from tests.unit.journal.test_verify import signed
from tests.unit.journal.values import ATTEMPT, decide, mined

STRACE = shutil.which("strace") or ""
_KILLS = int(os.environ.get("JOURNAL_KILLS", "12"))
"""More on demand: each costs the start of a process."""
_WRITER = """
import sys
from keeper.journal.store import open_journal
from keeper.model.intent_state import IntentState
from keeper.model.outcome import AttemptStatus
from tests.unit.journal.test_verify import signed
from tests.unit.journal.values import decide, mined
journal = open_journal(sys.argv[1])
number = journal.intent_count()
print("open", flush=True)
while True:
    intent = decide(journal)
    print("decided", intent.id, flush=True)
    attempt = signed(intent.id, number)
    journal.record_attempt(attempt)
    print("signed", attempt.tx_hash, flush=True)
    journal.mark(attempt.tx_hash, AttemptStatus.SENT)
    print("sent", attempt.tx_hash, flush=True)
    if number % 3:
        mined(journal, attempt, block=number)
        print("mined", attempt.tx_hash, flush=True)
        if number % 2:
            journal.reopen(attempt.tx_hash, "gone")
            print("reopened", attempt.tx_hash, flush=True)
    number += 1
"""
_AFTER = {
    "signed": {"signed", "sent", "mined"},
    "sent": {"sent", "mined"},
    "mined": {"mined", "sent"},
    "reopened": {"sent"},
}
"""Status of an attempt of which this was said last; the step after it may be there, not yet said."""


def killed_after(place: str, lines: int) -> list[list[str]]:
    """What a writer said to be written, until it was killed while it went on."""
    writer = subprocess.Popen(
        [sys.executable, "-c", _WRITER, place], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    said: list[list[str]] = []
    for line in writer.stdout:
        said.append(line.split())
        if len(said) == lines:
            writer.send_signal(signal.SIGKILL)
    writer.stdout.close()
    assert writer.wait() == -signal.SIGKILL
    return said[1:]


def test_nothing_acknowledged_is_lost_by_any_of_many_kills(
    place: str | Path, opened: Callable[[], SqlJournal]
) -> None:
    """The same journal, killed again and again between random writes; then everything ever said is checked."""
    draw = random.Random(str(type(place)))
    last_said: dict[str, str] = {}
    decided: list[str] = []
    opened().close()
    for _ in range(_KILLS):
        for what, name in killed_after(str(place), draw.randrange(2, 14)):
            if what == "decided":
                decided.append(name)
            else:
                last_said[name] = what
    journal = opened()
    assert journal.intent_count() >= len(decided) >= _KILLS
    for intent_id in decided:
        assert journal.intent(intent_id) is not None, intent_id
        assert len(journal.decisions(intent_id)) == 1
    with journal.database.reading() as db:
        rows = db.execute(text("SELECT tx_hash, status FROM attempts"))
        statuses = {row.tx_hash: row.status for row in rows}
    for tx_hash, what in last_said.items():
        assert statuses[tx_hash] in _AFTER[what], (tx_hash, what)
    assert [fault for fault in verify(journal) if fault.table != "file"] == []


def test_a_server_that_crashes_has_kept_what_it_acknowledged(postgres: PostgresServer) -> None:
    place = postgres.url()
    with open_journal(place) as journal:
        intent = decide(journal)
        assert intent is not None
        journal.record_attempt(signed(intent.id))
        postgres.crash()
        with pytest.raises(JournalError):
            journal.mark(signed(intent.id).tx_hash, AttemptStatus.SENT)
        # the next call connects again, and takes the lock again
        assert [a.status for a in journal.attempts_of(intent.id)] == [AttemptStatus.SIGNED]
        journal.mark(signed(intent.id).tx_hash, AttemptStatus.SENT)
        with pytest.raises(JournalError, match="in use by another keeper"):
            open_journal(place)
    with open_journal(place) as journal:
        record = journal.intent(intent.id)
        assert record is not None
        assert record.state is IntentState.ATTEMPTED


@pytest.mark.skipif(not STRACE, reason="needs strace")
def test_a_write_returns_after_the_disk_was_told(tmp_path: Path) -> None:
    """Between saying a write and the one before it, the kernel was asked to sync the log."""
    log = tmp_path / "calls"
    script = (
        "import sys, os; from pathlib import Path; from dataclasses import replace\n"
        "from keeper.journal.store import open_journal\n"
        "from tests.unit.journal.values import ATTEMPT, decide\n"
        "journal = open_journal(Path(sys.argv[1])); os.write(1, b'SAID')\n"
        "for n in range(5):\n"
        "    journal.record_attempt(replace(ATTEMPT, tx_hash=hex(n))); os.write(1, b'SAID')\n"
        "    decide(journal); os.write(1, b'SAID')\n"
    )
    done = subprocess.run(
        [STRACE, "-f", "-o", str(log), "-e", "trace=fsync,fdatasync,write", sys.executable, "-c",
         script, str(tmp_path / "j.sqlite")],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False, timeout=120,
    )  # fmt: skip
    if done.returncode and b"ptrace" in done.stderr:
        pytest.skip("the system does not allow tracing")
    assert done.returncode == 0, done.stderr
    parts = log.read_text().split('"SAID"')
    assert len(parts) == 12
    for between in parts[1:-1]:
        assert "sync(" in between


# What cannot be written


def decide_often(journal: SqlJournal) -> None:
    for _ in range(50):
        decide(journal)


def test_a_full_disk_is_an_error_and_leaves_the_journal_whole(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    with open_journal(path) as journal:
        decide(journal)
        with journal.database.reading() as db:
            pages = int(db.execute(text("PRAGMA page_count")).scalar_one())
        driver = journal.database.connection.connection.dbapi_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.execute(f"PRAGMA max_page_count = {pages}")
        before = journal.intent_count()
        with pytest.raises(JournalError, match="full"):
            decide_often(journal)
        driver.execute("PRAGMA max_page_count = 1000000")
        written = journal.intent_count()
        assert written >= before
        decide(journal)  # there is room again
        assert journal.intent_count() == written + 1
        assert list(verify(journal)) == []


_LIMITED = """
import resource, signal, sys
from pathlib import Path
from keeper.errors import JournalError
from keeper.journal.store import open_journal
from tests.unit.journal.values import decide
journal = open_journal(Path(sys.argv[1]))
decide(journal)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
acknowledged = 1
try:
    for _ in range(1000):
        decide(journal)
        acknowledged += 1
except JournalError as error:
    print(acknowledged, error)
"""


def test_a_write_the_system_refuses_is_an_error_and_takes_nothing_back(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED, str(path)],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert "nothing is sent without a journal" in done.stdout, done.stdout + done.stderr
    with open_journal(path) as journal:
        assert journal.intent_count() == int(done.stdout.split()[0]) > 1
        assert list(verify(journal)) == []


def test_a_page_that_rots_while_it_runs_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    with open_journal(path) as journal:
        for _ in range(40):
            decide(journal)
    with open_journal(path, exclusive=False) as journal:
        with path.open("r+b") as file:
            file.seek(4096)
            file.write(os.urandom(path.stat().st_size - 4096))
        with pytest.raises(JournalError):
            journal.decisions()
        with pytest.raises(JournalError):
            decide(journal)


def test_a_server_that_only_reads_is_an_error(postgres: PostgresServer) -> None:
    with open_journal(postgres.url()) as journal:
        with journal.database.writing() as db:
            db.execute(text("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"))
        with pytest.raises(JournalError, match="read-only"):
            decide(journal)


def until_fsync_is(postgres: PostgresServer, wanted: str) -> None:
    """The server reads its settings again when it comes to it; each question here is a new connection."""
    assert any(postgres.sql("SHOW fsync") == [(wanted,)] for _ in range(1_000))


def test_a_server_without_fsync_is_refused(postgres: PostgresServer) -> None:
    place = postgres.url()
    postgres.sql("ALTER SYSTEM SET fsync = off")
    postgres.sql("SELECT pg_reload_conf()")
    try:
        while postgres.sql("SHOW fsync") != [
            ("off",)
        ]:  # the reload is not waited for by the server
            pass
        with pytest.raises(JournalError, match="runs with fsync off"):
            open_journal(place)
    finally:
        postgres.sql("ALTER SYSTEM RESET fsync")
        postgres.sql("SELECT pg_reload_conf()")
        until_fsync_is(postgres, "on")


def test_a_commit_of_the_server_waits_for_its_disk(postgres: PostgresServer) -> None:
    with open_journal(postgres.url()) as journal, journal.database.reading() as db:
        assert db.execute(text("SHOW synchronous_commit")).scalar() == "on"


# Several threads, one journal


def test_threads_share_a_journal_without_mixing_transactions(journal: SqlJournal) -> None:
    """Lanes write from threads of their own."""
    errors: list[BaseException] = []

    def lane(number: int) -> None:
        try:
            for turn in range(8):
                attempt = replace(
                    ATTEMPT,
                    tx_hash=f"0x{number}-{turn}",
                    intent_id=f"0x{number}",
                    account=f"0x{number}",
                )
                journal.record_attempt(attempt)
                journal.mark(attempt.tx_hash, AttemptStatus.SENT)
                mined(journal, attempt, block=turn)
                assert journal.open_attempts(1, attempt.account) == ()
        except BaseException as error:  # noqa: BLE001 - shown by the assertion
            errors.append(error)

    threads = [threading.Thread(target=lane, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(journal.actions(100)) == 32
    assert journal.open_intents(CHAIN_ID) == ()
