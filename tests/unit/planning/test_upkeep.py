"""Heartbeat and settlement are due when they help somebody, and not while the vault is in danger."""

from dataclasses import replace

import pytest

from keeper.model.decision import Beat, Lane, Settle, Target, Work
from keeper.model.market import Depositors, Readings
from keeper.model.policy import UpkeepPolicy
from keeper.model.units import Bps
from keeper.planning import due_work
from keeper.risk import assess
from tests.builders import (
    MANDATE,
    NOW,
    make_depositors,
    make_emergency,
    make_market,
    make_readings,
    wad,
)

HOLD = Target(Lane.ROUTINE, None, None, "calm")
PROTECT = Target(Lane.PROTECTIVE, wad(1.5), None, "danger")


def due(
    readings: Readings,
    target: Target = HOLD,
    policy: UpkeepPolicy | None = None,
    faults: tuple[str, ...] = (),
) -> Work | None:
    market = make_market(readings, faults=faults)
    return due_work(market, assess(market), target, policy or UpkeepPolicy())


@pytest.mark.parametrize(("silent_s", "beats"), [(1_799, False), (1_800, True), (9_000, True)])
def test_the_heart_is_beaten_when_its_part_of_the_silence_is_over(
    silent_s: int, beats: bool
) -> None:
    readings = make_readings(last_beat=NOW - silent_s)
    assert due(readings) == (Beat(MANDATE, NOW - silent_s) if beats else None)


def test_the_part_of_the_silence_is_configured() -> None:
    readings = make_readings(last_beat=NOW - 360)
    assert due(readings, policy=UpkeepPolicy(beat_after_bps=Bps(1_000))) is not None
    assert due(readings, policy=UpkeepPolicy(beat_after_bps=Bps(1_001))) is None


def test_a_keeper_that_cannot_judge_the_vault_does_not_say_all_is_well() -> None:
    assert due(make_readings(last_beat=NOW - 3_000), faults=("the feed is old",)) is None


@pytest.mark.parametrize(
    ("depositors", "settles"),
    [
        (make_depositors(due_in_s=0), False),
        (make_depositors(due_in_s=0, pending_redemptions=1), True),
        (make_depositors(due_in_s=1, pending_redemptions=1), False),
        (make_depositors(due_in_s=-9, pending_deposits=5), True),
        (make_depositors(due_in_s=0, pending_deposits=5, halted=True), False),
        (make_depositors(due_in_s=0, pending_deposits=5, open_marks=False), False),
        (make_depositors(due_in_s=0, pending_deposits=5, pending_redemptions=1, halted=True), True),
        (make_depositors(due_in_s=0, pending_redemptions=1, priced=False), False),
    ],
)
def test_an_epoch_is_settled_when_it_is_over_and_settles_something(
    depositors: Depositors, settles: bool
) -> None:
    assert due(make_readings(depositors=depositors)) == (Settle(3) if settles else None)


def test_settling_can_be_left_to_others() -> None:
    readings = make_readings(depositors=make_depositors(due_in_s=0, pending_redemptions=1))
    assert due(readings, policy=UpkeepPolicy(settle=False)) is None


def test_exits_are_settled_although_the_keeper_would_not_trade() -> None:
    """V-17: what can be priced by the vault is; the keeper's own doubts bind its trades."""
    readings = make_readings(depositors=make_depositors(due_in_s=0, pending_redemptions=1))
    assert due(readings, faults=("the pool is far from the oracle",)) == Settle(3)


def test_the_beat_goes_first() -> None:
    who = make_depositors(due_in_s=0, pending_redemptions=1)
    assert isinstance(due(make_readings(last_beat=NOW - 3_000, depositors=who)), Beat)


def test_nothing_is_due_while_the_vault_needs_protection() -> None:
    """A beat would keep others from protecting it, a settlement take what repays its debt."""
    who = make_depositors(due_in_s=0, pending_redemptions=1)
    readings = make_readings(last_beat=NOW - 3_000, depositors=who)
    assert due(readings, PROTECT) is None
    emergency = make_emergency(health=1.3)
    mandate = replace(readings.mandate, terms=replace(readings.mandate.terms, emergency=emergency))
    assert due(replace(readings, mandate=mandate)) is None


def test_a_protective_target_under_the_emergency_is_no_all_clear() -> None:
    readings = make_readings(last_beat=NOW - 3_000)
    emergency = make_emergency(health=1.3)
    mandate = replace(readings.mandate, terms=replace(readings.mandate.terms, emergency=emergency))
    low = replace(PROTECT, health_wad=wad(1.1))
    assert due(replace(readings, mandate=mandate), low) is None
