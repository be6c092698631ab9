"""What may be forgotten, and what leaves for other programs."""

import json
from pathlib import Path

import pytest
from sqlalchemy import func, select

from keeper.cli.main import invoke
from keeper.journal import query, schema
from keeper.journal.export import TABLES, export_jsonl, export_parquet
from keeper.journal.prune import prune
from keeper.journal.store import SqlJournal, open_journal
from keeper.journal.verify import verify
from keeper.model.intent_state import IntentState
from tests.builders import CHAIN_ID, NOW
from tests.unit.journal.test_verify import fill, signed
from tests.unit.journal.values import decide

LATER = NOW + 10**6


def count(journal: SqlJournal, table: str) -> int:
    with journal.database.reading() as db:
        rows = select(func.count()).select_from(schema.metadata.tables[table])
        return int(db.execute(rows).scalar_one())


@pytest.fixture
def full(journal: SqlJournal) -> SqlJournal:
    """A held tick, one finalised, one decided, one signed, one given up before it was signed, and the newest."""
    fill(journal)
    decide(journal)
    opened = decide(journal)
    assert opened is not None
    journal.record_attempt(signed(opened.id, 1))
    failed = decide(journal)
    assert failed is not None
    journal.move_intent(failed.id, IntentState.FAILED)
    newest = decide(journal)
    assert newest is not None
    journal.move_intent(newest.id, IntentState.FAILED)
    return journal


def test_nothing_is_forgotten_before_it_is_asked_for(full: SqlJournal) -> None:
    counts = prune(full.database, LATER, everything=True, apply=False)
    assert counts["decisions"] == 3
    assert count(full, "decisions") == 6


def test_what_moved_money_and_what_is_open_stays(full: SqlJournal) -> None:
    counts = prune(full.database, LATER, everything=False, apply=True)
    assert counts["decisions"] == 2
    assert counts.get("attempts", 0) == 0
    assert count(full, "attempts") == 2
    states = {row["state"] for row in query.list_intents(full, query.Filter())}
    assert states == {"finalised", "journalled", "signed", "failed"}
    assert list(verify(full)) == []


def test_all_takes_what_is_over_and_never_what_is_open(full: SqlJournal) -> None:
    open_before = full.open_intents(CHAIN_ID)
    assert prune(full.database, LATER, everything=True, apply=True)["attempts"] == 1
    assert full.open_intents(CHAIN_ID) == open_before
    assert len(full.open_attempts(CHAIN_ID, "0xa")) == 1
    assert count(full, "costs") == 0
    assert list(verify(full)) == []


def test_the_counter_of_intents_never_goes_back(full: SqlJournal) -> None:
    before = full.intent_count()
    prune(full.database, LATER, everything=True, apply=True)
    assert full.intent_count() == before == 5


def test_younger_ticks_stay(full: SqlJournal) -> None:
    assert sum(prune(full.database, NOW, everything=True, apply=True).values()) == 0
    assert count(full, "decisions") == 6


def test_counts_are_the_same_said_and_done(full: SqlJournal) -> None:
    said = prune(full.database, LATER, everything=True, apply=False)
    assert prune(full.database, LATER, everything=True, apply=True) == said
    assert sum(prune(full.database, LATER, everything=True, apply=True).values()) == 0


def test_the_command_says_first_and_does_when_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "j.sqlite"
    with open_journal(path) as journal:
        fill(journal)
    command = ["journal", "prune", "--journal", str(path), "--older-than", "1d"]
    assert invoke(command) == 0
    assert "would forget: 1 decisions" in capsys.readouterr().out
    assert invoke([*command, "--apply"]) == 0
    assert "forgotten: 1 decisions" in capsys.readouterr().out
    assert invoke(command) == 0
    assert "nothing older than 1d may be forgotten" in capsys.readouterr().out
    assert invoke(["journal", "prune", "--journal", str(path), "--older-than", "soon"]) == 2
    assert "'soon' is no age; write 90d" in capsys.readouterr().err


# Export


def test_lines_hold_every_row_of_every_table(full: SqlJournal, tmp_path: Path) -> None:
    file = tmp_path / "all.jsonl"
    counts = export_jsonl(full, file, TABLES)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert counts == {name: count(full, name) for name in TABLES}
    assert len(lines) == sum(counts.values())
    market = next(line["market"] for line in lines if line["table"] == "readings")
    assert market["readings"]["chain_id"] == CHAIN_ID  # JSON, not text of JSON
    assert file.stat().st_mode & 0o777 == 0o600


def test_parquet_holds_what_the_tables_hold(full: SqlJournal, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    folder = tmp_path / "all"
    counts = export_parquet(full, folder, TABLES)
    for name in TABLES:
        rows = pq.read_table(folder / f"{name}.parquet").to_pylist()
        assert len(rows) == counts[name] == count(full, name)
    one = tmp_path / "attempts.parquet"
    export_parquet(full, one, ("attempts",))
    assert {row["tx_hash"] for row in pq.read_table(one).to_pylist()} == {
        row["tx_hash"] for row in query.list_attempts(full, query.Filter())
    }


def test_pages_meet_every_row_once(full: SqlJournal) -> None:
    seen = [row.id for page in query.pages(full, schema.intent_states, 3) for row in page]
    assert seen == sorted(set(seen))
    assert len(seen) == count(full, "intent_states")


def test_an_export_that_fails_leaves_no_half_file(
    full: SqlJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from keeper.journal import export

    file = tmp_path / "all.jsonl"

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export, "_synced", full_disk)
    with pytest.raises(OSError, match="No space"):
        export_jsonl(full, file, ("decisions",))
    assert list(tmp_path.glob("all*")) == []


def test_the_command_overwrites_nothing_unasked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "j.sqlite", tmp_path / "out"
    with open_journal(path) as journal:
        fill(journal)
    command = ["journal", "export", str(out), "--journal", str(path), "--table", "intents"]
    assert invoke(command) == 0
    assert "1 intents" in capsys.readouterr().out
    assert invoke(command) == 2
    assert "exists" in capsys.readouterr().err
    assert invoke([*command, "--force", "--format", "parquet"]) == 0
    assert out.read_bytes()[:4] == b"PAR1"
    assert invoke([*command[:-1], "nothing"]) == 2
    assert "'nothing' is none; there are attempts" in capsys.readouterr().err
