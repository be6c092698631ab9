"""A journal of an earlier version becomes one of this version, whole or not at all; a newer one is refused."""

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text

from keeper.errors import JournalError
from keeper.journal import migrate, schema
from keeper.journal.database import Database
from keeper.journal.source import Source
from keeper.journal.store import SqlJournal, open_journal
from keeper.model.decision import Refusal
from keeper.model.intent_state import ENDS, IntentState
from tests.unit.journal import version_2
from tests.unit.journal.values import decide

TABLES = set(schema.metadata.tables) | {"alembic_version"}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A file as version 2 wrote it: intents with every end, held and refused ticks."""
    path = tmp_path / "journal.sqlite"
    version_2.write(path)
    return path


def dump(path: Path) -> list[str]:
    with sqlite3.connect(path) as db:
        lines = list(db.iterdump())
    db.close()
    return lines


def shape(journal: SqlJournal) -> dict[str, Any]:
    """Tables, columns and indexes, however they came to be."""
    with journal.database.reading() as db:
        found = inspect(db)
        return {
            table: (
                [(c["name"], str(c["type"]), c["nullable"]) for c in found.get_columns(table)],
                sorted(
                    (str(i["name"]), i["column_names"], i["unique"])
                    for i in found.get_indexes(table)
                ),
                sorted(map(str, found.get_unique_constraints(table))),
                found.get_pk_constraint(table)["constrained_columns"],
            )
            for table in found.get_table_names()
            if table in TABLES
        }


def test_a_migrated_journal_has_the_tables_of_a_new_one(old: Path, tmp_path: Path) -> None:
    with open_journal(old) as migrated, open_journal(tmp_path / "new.sqlite") as new:
        assert shape(migrated) == shape(new)
        assert set(shape(new)) == TABLES


def test_the_newest_migration_is_the_schemas_head() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(migrate.MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [schema.HEAD]


def test_a_migration_keeps_every_value(old: Path) -> None:
    before = version_2.values(old)
    with open_journal(old) as journal:
        after = {
            "decisions": journal.decisions(limit=1_000),
            "outcomes": journal.outcomes(1_000),
            "attempts": [
                attempt for intent in before["intents"] for attempt in journal.attempts_of(intent)
            ],
            "intent_count": journal.intent_count(),
            "last_failure": journal.last_failure(),
            "mined_reverts": journal.mined_reverts(version_2.CHAIN_ID),
            "reverted_gas": journal.reverted_gas_wei(version_2.CHAIN_ID, 0),
            "given_up": journal.given_up(version_2.CHAIN_ID, version_2.ACCOUNT),
            "open": journal.open_attempts(version_2.CHAIN_ID, version_2.ACCOUNT),
        }
    for name, value in after.items():
        assert value == before[name], name


def test_intents_get_the_state_their_attempts_tell(old: Path) -> None:
    with open_journal(old) as journal:
        for intent_id, state in version_2.EXPECTED_STATES.items():
            record = journal.intent(intent_id)
            assert record is not None, intent_id
            assert record.state is state, intent_id
            steps = journal.history(intent_id)
            assert steps[0].before is IntentState.CREATED
            assert steps[-1].state is state
        kept = {record.intent_id for record in journal.open_intents(version_2.CHAIN_ID)}
    assert kept == {i for i, state in version_2.EXPECTED_STATES.items() if state not in ENDS}


def test_a_migrated_journal_goes_on(old: Path) -> None:
    with open_journal(old) as journal:
        count = journal.intent_count()
        decide(journal)
        assert journal.intent_count() == count + 1
    with open_journal(old) as journal:
        assert journal.intent_count() == count + 1


def test_refusals_come_along_in_their_order(old: Path) -> None:
    with open_journal(old) as journal, journal.database.reading() as db:
        rows = db.execute(text("SELECT rule, message FROM refusals ORDER BY id")).all()
    assert [Refusal(*row) for row in rows] == list(version_2.REFUSALS)


def test_the_file_is_put_aside_before_it_is_changed(old: Path) -> None:
    before = dump(old)
    open_journal(old).close()
    copy = old.with_name("journal.sqlite.v2.bak")
    assert dump(copy) == before
    assert copy.stat().st_mode & 0o777 == 0o600
    open_journal(old).close()  # nothing more to do: nothing is put aside again
    assert [p.name for p in sorted(old.parent.glob("*.bak*"))] == [copy.name]


def test_an_earlier_copy_is_never_overwritten(old: Path) -> None:
    copy = old.with_name("journal.sqlite.v2.bak")
    copy.write_bytes(b"precious")
    open_journal(old).close()
    assert copy.read_bytes() == b"precious"


def test_a_migration_that_fails_leaves_the_file_as_it_was(old: Path) -> None:
    with sqlite3.connect(old) as db:
        db.execute("UPDATE decisions SET market = '{broken' WHERE id = 3")
    db.close()
    before = dump(old)
    with pytest.raises(JournalError, match="cannot be read or written"):
        open_journal(old)
    assert dump(old) == before


_MIGRATOR = """
import os, sys
from pathlib import Path
from keeper.journal import migrate
kill_after = int(sys.argv[2])
from keeper.journal.database import Database
from keeper.journal.source import Source
from sqlalchemy import event
database = Database(Source.of(Path(sys.argv[1])), exclusive=True)
seen = 0
@event.listens_for(database._engine, "before_cursor_execute")
def _count(*_):
    global seen
    seen += 1
    if seen == kill_after:
        os.kill(os.getpid(), 9)
migrate.bring_up_to_date(database)
print("migrated", seen)
"""


@pytest.mark.parametrize("kill_after", [3, 20, 45, 60, 80])
def test_a_migration_killed_anywhere_is_made_again_from_the_start(
    old: Path, kill_after: int
) -> None:
    """K-03: until its commit the old tables are there, whole."""
    before = version_2.values(old)
    done = subprocess.run(
        [sys.executable, "-c", _MIGRATOR, str(old), str(kill_after)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == -9, done.stdout + done.stderr
    assert version_2.values(old) == before
    with open_journal(old) as journal:
        assert journal.decisions(limit=1_000) == before["decisions"]


def test_who_only_looks_does_not_migrate_under_a_running_keeper(old: Path) -> None:
    from keeper.journal.lock import take_lock

    lock = take_lock(old)  # as the keeper of the older version holds it
    try:
        with pytest.raises(JournalError, match="in use by another keeper"):
            open_journal(old, exclusive=False)
    finally:
        lock.close()
    with open_journal(old, exclusive=False) as journal:
        assert journal.intent_count() > 0


def test_an_older_keeper_refuses_a_migrated_file(old: Path) -> None:
    open_journal(old).close()
    with sqlite3.connect(old) as db:
        (version,) = db.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone()
    db.close()
    assert version == "4"  # where version 2 looks, and what it does not know


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("99", "schema version 99, this keeper knows 4; use a newer keeper"),
        ("1", "schema version 1, which this keeper cannot migrate"),
        ("two", "schema version two, which this keeper cannot migrate"),
    ],
)
def test_a_version_this_keeper_does_not_know_is_refused_untouched(
    journal: SqlJournal, place: str | Path, said: str, message: str
) -> None:
    with journal.database.writing() as db:
        db.execute(schema.meta.update().values(value=said))
    journal.close()
    with pytest.raises(JournalError, match=message):
        open_journal(place)


def test_a_revision_of_a_later_migration_is_refused(journal: SqlJournal, place: str | Path) -> None:
    with journal.database.writing() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '0005'"))
    journal.close()
    with pytest.raises(JournalError, match="revision 0005"):
        open_journal(place)


def test_the_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE decisions (mine)")
    db.close()
    before = dump(path)
    with pytest.raises(JournalError, match="tables of another program"):
        open_journal(path)
    assert dump(path) == before


def test_a_full_disk_stops_a_migration_before_it_begins(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(migrate, "_copy", full)
    before = dump(old)
    with pytest.raises(JournalError, match="is not migrated: no copy can be put aside"):
        open_journal(old)
    assert dump(old) == before
    monkeypatch.undo()
    open_journal(old).close()


def test_two_that_create_at_once_agree(place: str | Path) -> None:
    """The second finds the tables of the first, whichever look came earlier."""
    first = Database(Source.of(place), exclusive=False)
    second = Database(Source.of(place), exclusive=False)
    try:
        with second.reading() as db:
            assert migrate._version(second, db) is None
        migrate.bring_up_to_date(first)
        migrate._create(second)
        migrate.bring_up_to_date(second)
    finally:
        first.close()
        second.close()


def test_a_copy_of_the_old_file_can_be_opened_again(old: Path, tmp_path: Path) -> None:
    open_journal(old).close()
    copy = tmp_path / "restored.sqlite"
    shutil.copy(old.with_name("journal.sqlite.v2.bak"), copy)
    with open_journal(copy) as journal:
        assert journal.intent_count() == len(version_2.EXPECTED_STATES)
