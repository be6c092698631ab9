"""The campaign's short profile: every kind of fault in a few schedules, and all of it must strike."""

import json
from dataclasses import asdict

import pytest

from tests.chaos.campaign import FOLDER, Tally, table, together
from tests.chaos.schedule import KINDS, draw

SCHEDULES = 2 * len(KINDS)
"""The kind turns with the seed: each has two schedules of its own at least."""


@pytest.fixture(scope="module")
def tally() -> Tally:
    found = together(0, SCHEDULES, 1)
    print(table(found.rows))
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "short.json").write_text(json.dumps(asdict(found), indent=1))
    return found


def test_no_intent_takes_effect_twice_or_is_lost_and_none_is_liquidated_that_could_be_saved(
    tally: Tally,
) -> None:
    """K-01, K-03, K-04, K-05, K-08."""
    assert tally.rows["all"].schedules == SCHEDULES
    assert tally.problems == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_fault_strikes(tally: Tally, kind: str) -> None:
    assert tally.rows[kind].schedules >= 2
    assert tally.rows[kind].strikes > 0


def test_protection_comes_in_the_next_block_as_a_rule(tally: Tally) -> None:
    waits = sorted(tally.rows["all"].blocks_to_protect)
    assert waits[len(waits) // 2] == 1


def test_a_schedule_is_the_same_for_the_same_seed() -> None:
    one, two = draw(41), draw(41)
    assert one.mishaps == two.mishaps
    assert (one.path.market_price == two.path.market_price).all()
    assert draw(42).mishaps != one.mishaps
