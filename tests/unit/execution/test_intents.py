"""An intent's id is the decision's fingerprint."""

from dataclasses import replace

from keeper.execution.intents import make_intent, rebalance_of
from keeper.model.decision import Beat, Lane, Payload, Settle
from keeper.model.market import Readings
from keeper.model.units import Raw
from tests.builders import MANDATE, VAULT, make_readings
from tests.unit.execution.intents import make_plan, make_test_intent


def test_the_same_decision_gives_the_same_id() -> None:
    assert make_test_intent() == make_test_intent()


def test_anything_the_decision_rests_on_changes_the_id() -> None:
    readings = make_readings()
    rebalance = rebalance_of(make_plan(), readings)
    other_block = replace(readings.block, hash="0x" + "cc" * 32)
    decisions: list[tuple[Payload, Readings, int]] = [
        (rebalance, readings, 0),
        (rebalance, readings, 1),
        (rebalance_of(make_plan(amount=5), readings), readings, 0),
        (replace(rebalance, state_hash="0x" + "11" * 32), readings, 0),
        (replace(rebalance, max_loss=Raw(rebalance.max_loss + 1)), readings, 0),
        (rebalance, replace(readings, chain_id=10), 0),
        (rebalance, replace(readings, vault="0x" + "aa" * 20), 0),
        (rebalance, replace(readings, block=other_block), 0),
        (Settle(3), readings, 0),
        (Settle(4), readings, 0),
        (Beat(VAULT, 3), readings, 0),
        (Beat(VAULT, 4), readings, 0),
        (Beat(MANDATE, 4), readings, 0),
    ]
    ids = {make_intent(what, where, counter, 120).id for what, where, counter in decisions}
    assert len(ids) == len(decisions)


def test_the_deadline_counts_from_the_block_and_not_from_the_clock() -> None:
    readings = make_readings()
    payload = rebalance_of(make_plan(), readings)
    assert make_intent(payload, readings, 0, 90).deadline == readings.block.timestamp + 90


def test_a_rebalance_names_the_state_it_was_decided_on() -> None:
    """V-12: the vault applies it on that state or not at all."""
    readings = make_readings()
    assert rebalance_of(make_plan(), readings).state_hash == readings.mandate.state_hash


def test_each_payload_goes_to_the_contract_that_takes_it() -> None:
    readings = make_readings()
    urgent = rebalance_of(make_plan(Lane.PROTECTIVE), readings)
    payloads: tuple[Payload, ...] = (urgent, Beat(MANDATE, 1), Settle(1))
    made = [make_intent(payload, readings, 0, 90) for payload in payloads]
    assert [intent.to for intent in made] == [VAULT, MANDATE, VAULT]
    assert [intent.lane for intent in made] == [Lane.PROTECTIVE, Lane.ROUTINE, Lane.ROUTINE]
    assert all(intent.gas_limit_estimate > 0 and intent.reason for intent in made)
