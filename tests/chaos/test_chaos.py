"""The campaign's short profile: every kind of fault in a few schedules, and all of it must strike."""

import pytest

from tests.chaos.campaign import FOLDER, SLOW_BLOCKS, together
from tests.chaos.ledger import ALL, Entry, Ledger, rows, table
from tests.chaos.schedule import KINDS, draw

SCHEDULES = 40
"""The kind turns with the seed, and most schedules have more than one: so many, and every kind strikes."""
JOBS = 2


@pytest.fixture(scope="module")
def entries() -> list[Entry]:
    ledger = Ledger(FOLDER / "short.jsonl")
    ledger.path.unlink(missing_ok=True)
    broken = together(range(SCHEDULES), JOBS, ledger)
    found = ledger.entries()
    print(table(rows(found)))
    assert broken == []
    return found


def test_no_intent_takes_effect_twice_or_is_lost_and_none_is_liquidated_that_could_be_saved(
    entries: list[Entry],
) -> None:
    """K-01, K-03, K-04, K-05, K-08."""
    assert [entry.seed for entry in entries] == list(range(SCHEDULES))
    assert [text for entry in entries for text in entry.problems()] == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_fault_strikes(entries: list[Entry], kind: str) -> None:
    assert rows(entries)[kind].strikes > 0


def test_protection_comes_in_the_next_block_as_a_rule_and_soon_after_at_worst(
    entries: list[Entry],
) -> None:
    """A keeper that neither offers again nor plans anew waits for the deadline of its intent instead."""
    waits = sorted(rows(entries)[ALL].blocks_to_protect)
    assert waits[len(waits) * 9 // 10] == 1
    assert waits[-1] < SLOW_BLOCKS


def test_a_schedule_is_the_same_for_the_same_seed() -> None:
    one, two = draw(41), draw(41)
    assert one.mishaps == two.mishaps
    assert (one.path.market_price == two.path.market_price).all()
    assert draw(42).mishaps != one.mishaps
