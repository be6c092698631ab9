"""A damaged journal is told row by row; a sound one has no fault."""

import dataclasses
import json
from pathlib import Path

import pytest
from eth_utils.crypto import keccak
from sqlalchemy import text

from keeper.cli.main import invoke
from keeper.journal import schema
from keeper.journal import verify as verifying
from keeper.journal.export import TABLES
from keeper.journal.store import SqlJournal, open_journal
from keeper.journal.verify import Checked, verify
from keeper.model.attempt import Attempt
from keeper.model.decision import Refusal
from keeper.model.intent_state import IntentState
from keeper.model.outcome import AttemptStatus, TickOutcome, TickStatus
from tests.builders import CHAIN_ID
from tests.unit.journal import version_2
from tests.unit.journal.values import ATTEMPT, decide, mined


def signed(intent_id: str, number: int = 0) -> Attempt:
    """An attempt whose hash is that of its bytes."""
    raw = f"0x02f8{number:04x}"
    tx_hash = "0x" + keccak(bytes.fromhex(raw[2:])).hex()
    return dataclasses.replace(
        ATTEMPT, intent_id=intent_id, chain_id=CHAIN_ID, raw=raw, tx_hash=tx_hash
    )


def fill(journal: SqlJournal) -> tuple[str, str]:
    """Something in every table; ids of the intent and the transaction."""
    decide(journal, sends=False, refusals=(Refusal("loss", "12 over 10"),))
    intent = decide(journal)
    assert intent is not None
    attempt = signed(intent.id)
    journal.record_attempt(attempt)
    journal.mark(attempt.tx_hash, AttemptStatus.SENT)
    mined(journal, attempt)
    for state in (IntentState.CONFIRMED, IntentState.FINALISED):
        journal.move_intent(intent.id, state, block_hash="0xb7")
    journal.record_cost(intent.id, attempt.tx_hash, "loss", 7, "asset units")
    journal.record_outcome(TickOutcome(1, TickStatus.SENT, "sent", intent.id, attempt.tx_hash))
    journal.next_fence("me")
    return intent.id, attempt.tx_hash


def faults(journal: SqlJournal) -> list[str]:
    return [f"{f.table}: {f.problem}" for f in verify(journal)]


def test_a_sound_journal_has_no_fault(journal: SqlJournal) -> None:
    fill(journal)
    checked = Checked()
    assert list(verify(journal, checked)) == []
    assert checked.rows == 11


def test_a_migrated_journal_has_no_fault_but_the_made_up_hashes(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    version_2.write(path)
    with open_journal(path) as journal:
        found = [f for f in faults(journal) if "raw transaction has hash" not in f]
    assert found == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("UPDATE readings SET market = '{}'", "readings: cannot be decoded"),
        ("UPDATE readings SET market = replace(market, '{\"$\"', '{ \"$\"')", "to the same bytes"),
        ("UPDATE readings SET block_number = 3", "readings: block_number is 3, the value"),
        ("UPDATE decisions SET risk = target", "holds a Target in place of a RiskReport"),
        ("UPDATE decisions SET answers = '{'", "decisions: cannot be decoded"),
        ("UPDATE plans SET moves = 9", "plans: moves is 9"),
        ("UPDATE verdicts SET passed = 1 - passed", "verdicts: passed is"),
        ("UPDATE intents SET state = 'lost'", "intents: 'lost' is not a valid IntentState"),
        ("UPDATE intents SET state = 'failed'", "intents: is failed, its history ends at finalised"),
        ("UPDATE attempts SET status = 'new'", "attempts: 'new' is not a valid AttemptStatus"),
        ("UPDATE attempts SET nonce = 1", "attempts: nonce is 1"),
        ("UPDATE attempts SET attempt = replace(attempt, '0x02f8', '0x02f9')",
         "attempts: raw transaction has hash"),
        ("UPDATE attempts SET attempt = replace(attempt, '0x02f8', '0x02fg')",
         "attempts: raw transaction is no hexadecimal"),
        ("UPDATE outcomes SET status = 'odd'", "outcomes: 'odd' is not a valid TickStatus"),
        ("DELETE FROM intents", "attempts: belongs to intents"),
        ("DELETE FROM attempts", "costs: belongs to attempts"),
        ("DELETE FROM readings", "decisions: belongs to readings"),
        ("DELETE FROM verdicts", "decisions: belongs to verdicts"),
        ("DELETE FROM decisions", "plans: belongs to decisions"),
        ("DELETE FROM intent_states WHERE to_state = 'signed'",
         "intents: history goes on from signed where it was simulated"),
        ("UPDATE intent_states SET to_state = 'finalised' WHERE to_state = 'signed'",
         "intents: history goes from simulated to finalised, which is impossible"),
    ],
)  # fmt: skip
def test_damage_is_found_and_named(journal: SqlJournal, change: str, fault: str) -> None:
    fill(journal)
    with journal.database.writing() as db:
        db.execute(text(change))
    found = faults(journal)
    assert any(fault in line for line in found), found


def test_fields_that_came_later_are_no_damage() -> None:
    """A newer keeper decodes what an older one wrote, with defaults; the bytes then differ by these only."""
    assert verifying._adds_defaults({"a": [1, {"b": 2}]}, {"a": [1, {"b": 2, "new": 0}]})
    assert not verifying._adds_defaults({"a": 1}, {"a": 2, "new": 0})
    assert not verifying._adds_defaults({"a": 1}, {"a": True})
    assert not verifying._adds_defaults({"a": [1]}, {"a": [1, 2]})


def test_a_damaged_page_is_told(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    with open_journal(path) as journal:
        for _ in range(30):
            decide(journal)
    content = bytearray(path.read_bytes())
    content[-4096 * 3 : -4096 * 2] = b"\xa5" * 4096
    path.write_bytes(content)
    assert invoke(["journal", "verify", "--journal", str(path)]) == 1


# The command


def test_the_command_names_rows_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "j.sqlite"
    with open_journal(path) as journal:
        _, tx_hash = fill(journal)
    assert invoke(["journal", "verify", "--journal", str(path)]) == 0
    assert "11 rows, 0 faults" in capsys.readouterr().out
    with open_journal(path) as journal, journal.database.writing() as db:
        db.execute(text("UPDATE attempts SET nonce = 1"))
    assert invoke(["journal", "verify", "--journal", str(path)]) == 1
    assert f"attempts {tx_hash}: nonce is 1" in capsys.readouterr().out
    assert invoke(["journal", "verify", "--journal", str(path), "--json"]) == 1
    (fault,) = json.loads(capsys.readouterr().out)["faults"]
    assert (fault["table"], fault["row"]) == ("attempts", tx_hash)


def test_every_table_is_filled_by_these_tests(journal: SqlJournal) -> None:
    """Or the checks above would say nothing of the missing one. (Contexts are the replay's.)"""
    fill(journal)
    with journal.database.reading() as db:
        tables = {name: schema.metadata.tables[name] for name in TABLES}
        empty = [n for n, t in tables.items() if db.execute(t.select().limit(1)).first() is None]
    assert empty == ["contexts"]
