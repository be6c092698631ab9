"""An intent's id is the decision's fingerprint."""

from dataclasses import replace

from keeper.execution.intents import make_intent
from tests.builders import make_readings
from tests.unit.execution.intents import make_plan, make_test_intent


def test_the_same_decision_gives_the_same_id() -> None:
    assert make_test_intent() == make_test_intent()


def test_anything_the_decision_rests_on_changes_the_id() -> None:
    readings, plan = make_readings(), make_plan()
    other_block = replace(readings.block, hash="0x" + "cc" * 32)
    ids = {
        make_intent(plan, readings, 0, 120).id,
        make_intent(plan, readings, 1, 120).id,
        make_intent(make_plan(amount=5), readings, 0, 120).id,
        make_intent(plan, replace(readings, chain_id=10), 0, 120).id,
        make_intent(plan, replace(readings, vault="0x" + "aa" * 20), 0, 120).id,
        make_intent(plan, replace(readings, block=other_block), 0, 120).id,
    }
    assert len(ids) == 6


def test_the_deadline_counts_from_the_block_and_not_from_the_clock() -> None:
    readings = make_readings()
    assert make_intent(make_plan(), readings, 0, 90).deadline == readings.block.timestamp + 90
