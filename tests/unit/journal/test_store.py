"""The journal is durable, exclusive, readable by people, and never half there."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from keeper.errors import JournalError
from keeper.journal.store import SqlJournal, open_journal
from keeper.model.decision import Lane
from keeper.model.outcome import AttemptResult, AttemptStatus, TickOutcome, TickStatus
from keeper.risk import assess
from tests.builders import CHAIN_ID, make_market
from tests.unit.execution.intents import make_test_intent
from tests.unit.journal.values import ATTEMPT, decide, sent


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Of a journal in SQLite, for what is of files only."""
    return tmp_path / "deep" / "journal.sqlite"


@pytest.fixture
def in_file(path: Path) -> Iterator[SqlJournal]:
    with open_journal(path) as opened:
        yield opened


def test_a_decision_comes_back_whole(journal: SqlJournal) -> None:
    decide(journal)
    (decision,) = journal.decisions()
    assert decision.market == make_market()
    assert decision.risk == assess(make_market())
    assert decision.intent == make_test_intent()
    assert journal.decisions(make_test_intent().id) == (decision,)
    assert journal.decisions("0xother") == ()


def test_what_was_seen_is_found_by_its_block(journal: SqlJournal) -> None:
    assert journal.market() is None
    decide(journal, sends=False)
    seen = make_market()
    assert journal.market() == journal.market(seen.readings.block.number) == seen
    assert journal.market(seen.readings.block.number + 1) is None


def test_intents_are_counted_over_restarts(opened: Callable[[], SqlJournal]) -> None:
    for expected in range(3):
        journal = opened()
        assert journal.intent_count() == expected
        decide(journal)
        decide(journal, sends=False)


def test_an_attempt_comes_back_with_its_newest_status(journal: SqlJournal) -> None:
    journal.record_attempt(ATTEMPT)
    journal.record_attempt(ATTEMPT)  # again, after a crash: no second row
    assert journal.open_attempts(1, "0xa") == (ATTEMPT,)
    journal.mark("0xaa", AttemptStatus.SENT)
    assert journal.attempts_of("0x01") == (replace(ATTEMPT, status=AttemptStatus.SENT),)
    assert journal.open_attempts(2, "0xa") == ()
    assert journal.open_attempts(1, "0xb") == ()
    assert len(journal.attempts_at(1, "0xa", 2**40)) == 1


def test_settling_ends_every_attempt_of_the_intent(journal: SqlJournal) -> None:
    journal.record_attempt(ATTEMPT)
    journal.record_attempt(replace(ATTEMPT, tx_hash="0xbb"))
    journal.record_attempt(replace(ATTEMPT, tx_hash="0xcc", intent_id="0x02"))
    result = AttemptResult("0x01", "0xaa", AttemptStatus.MINED, 7, 300, 2**70)
    journal.settle(result, AttemptStatus.REPLACED)
    assert [a.status for a in journal.attempts_of("0x01")] == ["mined", "replaced"]
    assert [a.tx_hash for a in journal.open_attempts(1, "0xa")] == ["0xcc"]
    assert result in journal.actions()


def test_reverts_are_counted_since_the_last_success(journal: SqlJournal) -> None:
    for number, status in enumerate(["reverted", "mined", "reverted", "dropped", "reverted"], 1):
        intent = f"0x{number}"
        journal.record_attempt(replace(ATTEMPT, tx_hash=f"0xh{number}", intent_id=intent))
        result = AttemptResult(intent, f"0xh{number}", AttemptStatus(status), number, 1, 1)
        journal.settle(result, AttemptStatus.REPLACED)
    assert journal.mined_reverts(1) == (5, 3)
    assert journal.mined_reverts(10) == ()  # another chain's journal says nothing of this one


def test_what_a_lane_spent_is_summed_from_a_block_on_whatever_became_of_it(
    journal: SqlJournal,
) -> None:
    """K-11."""
    ends = [
        (Lane.PROTECTIVE, "mined", 1),
        (Lane.PROTECTIVE, "mined", 2),
        (Lane.PROTECTIVE, "reverted", 3),
        (Lane.PROTECTIVE, "cancelled", 4),
        (Lane.PROTECTIVE, "dropped", 5),
        (Lane.ROUTINE, "mined", 6),
    ]
    for lane, status, number in ends:
        intent = decide(journal, lane=lane)
        assert intent is not None
        attempt = sent(journal, intent, f"0xh{number}")
        result = AttemptResult(intent.id, attempt.tx_hash, AttemptStatus(status), number, 3, 2**70)
        journal.settle(result, AttemptStatus.REPLACED)
    assert journal.spent_gas_wei(CHAIN_ID, 2, Lane.PROTECTIVE) == 3 * 3 * 2**70
    assert journal.spent_gas_wei(CHAIN_ID, 2, Lane.ROUTINE) == 3 * 2**70
    assert journal.spent_gas_wei(CHAIN_ID + 1, 0, Lane.PROTECTIVE) == 0


def test_what_reverts_cost_is_summed_from_a_block_on(journal: SqlJournal) -> None:
    for number, status in enumerate(["reverted", "reverted", "mined", "reverted"], 1):
        journal.record_attempt(replace(ATTEMPT, tx_hash=f"0xh{number}", intent_id=f"0x{number}"))
        result = AttemptResult(
            f"0x{number}", f"0xh{number}", AttemptStatus(status), number, 3, 2**70
        )
        journal.settle(result, AttemptStatus.REPLACED)
    assert journal.reverted_gas_wei(1, 2) == 2 * 3 * 2**70
    assert journal.reverted_gas_wei(10, 2) == journal.reverted_gas_wei(1, 5) == 0


def test_outcomes_and_the_last_failure(journal: SqlJournal) -> None:
    assert journal.last_failure() is None
    failed = TickOutcome(4, TickStatus.FAILED, "simulation reverted", "0x1")
    held = TickOutcome(5, TickStatus.HELD, "inside")
    journal.record_outcome(failed)
    journal.record_outcome(held)
    assert journal.outcomes() == (held, failed)
    assert journal.last_failure() == 4


def test_a_second_keeper_is_kept_off(in_file: SqlJournal, path: Path) -> None:
    with pytest.raises(JournalError, match=f"in use by another keeper \\(process {os.getpid()}"):
        open_journal(path)
    open_journal(path, exclusive=False).close()  # who only looks may look


def test_a_second_keeper_is_kept_off_by_whatever_name_it_opens_the_file(
    in_file: SqlJournal, path: Path
) -> None:
    other = path.parent / "other.sqlite"
    other.symlink_to(path)
    with pytest.raises(JournalError, match="in use by another keeper"):
        open_journal(other)


@pytest.mark.parametrize("existed", [False, True])
def test_only_its_owner_may_read_a_journal(path: Path, existed: bool) -> None:
    before = os.umask(0)
    try:
        if existed:
            path.parent.mkdir(parents=True)
            path.touch(mode=0o666)
        journal = open_journal(path)
        decide(journal)
        modes = {file.name: oct(file.stat().st_mode & 0o777) for file in path.parent.iterdir()}
        journal.close()
    finally:
        os.umask(before)
    assert len(modes) == 4  # the file, its lock, and what SQLite writes ahead
    assert set(modes.values()) == {"0o600"}, modes


def test_a_status_nobody_knows_is_corruption(journal: SqlJournal) -> None:
    journal.record_outcome(TickOutcome(1, TickStatus.HELD, ""))
    journal.record_attempt(ATTEMPT)
    with journal.database.writing() as db:
        db.execute(text("UPDATE outcomes SET status = 'new'"))
        db.execute(text("UPDATE attempts SET status = 'new'"))
    reads = (journal.outcomes, journal.actions, lambda: journal.attempts_of("0x01"))
    for read in reads:
        with pytest.raises(JournalError, match=r"corrupt: an .*'new'"):
            read()


@pytest.mark.parametrize(("number", "reason"), [(2**70, ""), (1, "\ud800")])
def test_what_cannot_be_written_is_a_journal_error(
    journal: SqlJournal, number: int, reason: str
) -> None:
    with pytest.raises(JournalError, match="cannot be read or written"):
        journal.record_outcome(TickOutcome(number, TickStatus.HELD, reason))


def test_a_closed_journal_may_be_opened_again(path: Path) -> None:
    for _ in range(2):
        open_journal(path).close()


def test_every_write_is_synced_and_logged_ahead(in_file: SqlJournal) -> None:
    with in_file.database.reading() as db:
        mode = db.execute(text("PRAGMA journal_mode")).scalar()
        synchronous = db.execute(text("PRAGMA synchronous")).scalar()
    assert (mode, synchronous) == ("wal", 2)


@pytest.mark.parametrize(
    "content", [b"not a database at all" * 99, b"SQLite format 3\x00" + b"\xff" * 4096]
)
def test_a_corrupt_file_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "j.sqlite"
    path.write_bytes(content)
    with pytest.raises(JournalError) as caught:
        open_journal(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert path.read_bytes()[:21] == content[:21]  # left for a person to look at


def test_a_damaged_page_is_refused(path: Path) -> None:
    journal = open_journal(path)
    for _ in range(20):
        decide(journal)
    journal.close()
    content = bytearray(path.read_bytes())
    content[8192:12288] = b"\xa5" * 4096
    path.write_bytes(content)
    with pytest.raises(JournalError):
        open_journal(path)


def test_a_directory_in_its_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="unable to open"):
        open_journal(tmp_path, exclusive=False)


def test_a_file_in_place_of_its_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="cannot be written"):
        open_journal(tmp_path / "file" / "j.sqlite")


def test_a_newer_schema_is_refused(path: Path) -> None:
    open_journal(path).close()
    with sqlite3.connect(path) as other:
        other.execute("UPDATE meta SET value = '99' WHERE key = 'schema_version'")
    other.close()
    with pytest.raises(JournalError, match="schema version 99"):
        open_journal(path)


_WRITER = """
import sys, time
from pathlib import Path
from dataclasses import replace
from keeper.journal.store import open_journal
from tests.unit.journal.values import ATTEMPT
journal = open_journal(Path(sys.argv[1]))
number = 0
while True:
    number += 1
    journal.record_attempt(replace(ATTEMPT, tx_hash=hex(number)))
    print(number, flush=True)
"""


def test_nothing_journalled_is_lost_by_kill_9(path: Path) -> None:
    """K-03: whatever was said to be written before the kill is there after it."""
    writer = subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path.cwd(),
    )
    assert writer.stdout is not None
    said = 0
    for line in writer.stdout:
        said = int(line)
        if said == 20:
            writer.send_signal(signal.SIGKILL)
            break
    said = max([said, *(int(line) for line in writer.stdout)])
    writer.stdout.close()
    writer.wait()
    journal = open_journal(path)  # the lock died with its holder
    assert len(journal.open_attempts(1, "0xa")) >= said
    journal.close()
