"""Several vaults in one journal: what one did wrong holds up no other, and older journals learn whose is whose."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from keeper.journal import migrate, schema
from keeper.journal.database import Database
from keeper.journal.source import Source
from keeper.journal.store import SqlJournal, VaultJournal, open_journal
from keeper.journal.witness import read_answers
from keeper.model.decision import Intent, Verdict
from keeper.model.outcome import AttemptStatus, TickOutcome, TickStatus
from keeper.risk import assess
from tests.builders import CHAIN_ID, make_market, make_readings
from tests.unit.execution.intents import make_plan, make_test_intent
from tests.unit.journal import version_2
from tests.unit.journal.values import ATTEMPT, HOLD, mined, sent

ONE, TWO = "0x" + "11" * 20, "0x" + "22" * 20


def decide(journal: Any, vault: str, count: int, *, sends: bool = True) -> Intent:
    market = make_market(replace(make_readings(), vault=vault))
    intent = make_test_intent(counter=count)
    journal.record_decision(
        market, assess(market), HOLD, make_plan(), Verdict(()), intent if sends else None
    )
    return intent


@pytest.fixture
def both(journal: SqlJournal) -> tuple[VaultJournal, VaultJournal]:
    return journal.of(ONE), journal.of(TWO)


def test_reverts_and_what_they_burned_are_counted_for_their_vault_alone(
    journal: SqlJournal, both: tuple[VaultJournal, VaultJournal]
) -> None:
    """K-11: the breaker of one vault does not open for another's reverts, nor close for its success."""
    one, two = both
    for count, status in enumerate(("reverted", "reverted")):
        intent = decide(one, ONE, count)
        mined(journal, sent(journal, intent, f"0x{count}"), 5 + count, status)
    mined(journal, sent(journal, decide(two, TWO, 9), "0x9"), 8)
    assert one.mined_reverts(CHAIN_ID) == (6, 5)
    assert two.mined_reverts(CHAIN_ID) == ()
    assert one.reverted_gas_wei(CHAIN_ID, 6) == 300 * 2**70
    assert two.reverted_gas_wei(CHAIN_ID, 0) == 0
    assert journal.mined_reverts(CHAIN_ID) == ()


def test_a_failed_tick_is_its_own_vaults(both: tuple[VaultJournal, VaultJournal]) -> None:
    one, two = both
    one.record_outcome(TickOutcome(7, TickStatus.FAILED, "reverts"))
    two.record_outcome(TickOutcome(8, TickStatus.HELD, ""))
    assert (one.last_failure(), two.last_failure()) == (7, None)


def test_what_is_in_flight_is_told_by_vault(
    journal: SqlJournal, both: tuple[VaultJournal, VaultJournal]
) -> None:
    one, two = both
    mine = sent(journal, decide(one, ONE, 0), "0x1")
    other = sent(journal, decide(two, TWO, 1), "0x2")
    nobodys = replace(ATTEMPT, chain_id=CHAIN_ID, tx_hash="0x3", status=AttemptStatus.SIGNED)
    journal.record_attempt(nobodys)

    def hashes(vault: str | None) -> list[str]:
        return [a.tx_hash for a in journal.open_attempts(CHAIN_ID, "0xa", vault)]

    assert hashes(ONE) == [mine.tx_hash, "0x3"]  # what is not known to be another's counts
    assert hashes(TWO) == [other.tx_hash, "0x3"]
    assert hashes(None) == [mine.tx_hash, other.tx_hash, "0x3"]


def test_ends_of_ticks_at_one_block_go_to_their_own_decisions(
    journal: SqlJournal, both: tuple[VaultJournal, VaultJournal]
) -> None:
    one, two = both
    block = make_readings().block.number
    decide(one, ONE, 0, sends=False)
    decide(two, TWO, 1, sends=False)
    one.record_outcome(TickOutcome(block, TickStatus.HELD, "one"))
    two.record_outcome(TickOutcome(block, TickStatus.HELD, "two"))
    with journal.database.reading() as db:
        rows = db.execute(
            text(
                "SELECT r.vault, o.vault, o.reason FROM outcomes o JOIN decisions d ON d.id = o.decision_id"
                " JOIN readings r ON r.id = d.readings_id ORDER BY o.id"
            )
        ).all()
    assert [tuple(row) for row in rows] == [(ONE, ONE, "one"), (TWO, TWO, "two")]
    assert [o.reason for o in journal.outcomes(vault=TWO)] == ["two"]


def test_answers_are_journalled_with_the_vault_they_were_given_to(
    journal: SqlJournal, both: tuple[VaultJournal, VaultJournal]
) -> None:
    """K-07."""

    class End:
        def __init__(self, says: int) -> None:
            self.says = says

        def ask(self) -> int:
            return self.says

    one, two = both
    first, second = one.witness("end", End(1)), two.witness("end", End(2))
    first.ask()
    second.ask()
    decide(one, ONE, 0)
    decide(two, TWO, 1)
    with journal.database.reading() as db:
        told = [row[0] for row in db.execute(text("SELECT answers FROM decisions ORDER BY id"))]
    assert [read_answers(answers) for answers in told] == [{"end.ask()": 1}, {"end.ask()": 2}]


def as_version_3(journal: SqlJournal) -> None:
    """The tables as the version before had them."""
    with journal.database.writing() as db:
        db.execute(text("DROP INDEX outcomes_by_vault"))
        for table in ("intents", "outcomes"):
            db.execute(text(f"ALTER TABLE {table} DROP COLUMN vault"))
        db.execute(text("UPDATE alembic_version SET version_num = '0003'"))
        db.execute(schema.meta.update().values(value="3"))


def vaults(journal: SqlJournal, table: str) -> list[str]:
    with journal.database.reading() as db:
        return [row[0] for row in db.execute(text(f"SELECT vault FROM {table} ORDER BY id"))]  # noqa: S608


def test_a_journal_of_version_3_learns_whose_intents_and_ticks_were(
    journal: SqlJournal, opened: Callable[[], SqlJournal]
) -> None:
    intent = decide(journal, ONE, 0)
    block = make_readings().block.number
    journal.record_outcome(TickOutcome(block, TickStatus.FAILED, "reverts"))
    journal.record_outcome(TickOutcome(block + 1, TickStatus.SKIPPED, "no answer"))
    sent(journal, intent)
    as_version_3(journal)
    again = opened()
    assert vaults(again, "intents") == [ONE]
    assert vaults(again, "outcomes") == [ONE, ONE]  # there was no other
    assert again.of(ONE).last_failure() == block
    assert again.of(TWO).last_failure() is None
    assert len(again.open_attempts(CHAIN_ID, "0xa", ONE)) == 1
    assert again.open_attempts(CHAIN_ID, "0xa", TWO) == ()


def test_where_several_vaults_wrote_an_undecided_tick_is_nobodys(
    journal: SqlJournal, opened: Callable[[], SqlJournal]
) -> None:
    decide(journal, ONE, 0)
    decide(journal, TWO, 1)
    journal.record_outcome(TickOutcome(1, TickStatus.FAILED, "reverts"))
    as_version_3(journal)
    again = opened()
    assert vaults(again, "intents") == [ONE, TWO]
    assert vaults(again, "outcomes") == [""]
    assert (
        again.of(ONE).last_failure() == again.of(TWO).last_failure() == 1
    )  # wait rather once too often


def test_a_file_that_version_3_wrote_is_migrated_with_a_copy_beside_it(tmp_path: Path) -> None:
    """The frozen migration to version 3 makes the file, as keepers of that version did."""
    from alembic import command

    path = tmp_path / "journal.sqlite"
    version_2.write(path)
    before = version_2.values(path)
    database = Database(Source.of(path), exclusive=True)
    with database.writing() as db:
        command.upgrade(migrate.alembic_config(db), "0003")
        db.execute(schema.meta.update().values(value="3"))
    database.close()
    with open_journal(path) as journal:
        assert journal.decisions(limit=1_000) == before["decisions"]
        assert set(vaults(journal, "intents")) == {
            d.market.readings.vault for d in before["decisions"]
        }
    with sqlite3.connect(path.with_name("journal.sqlite.v3.bak")) as copy:
        assert copy.execute("SELECT value FROM meta").fetchone() == ("3",)
    copy.close()
