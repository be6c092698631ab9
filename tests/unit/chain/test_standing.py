"""An endpoint is judged by what it did: who is asked first, who is left out, for how long."""

from dataclasses import replace

import pytest

from keeper.chain.standing import (
    EndpointState,
    Fault,
    QuarantinePolicy,
    agreed,
    answered,
    failed,
    lied,
    reached,
)

POLICY = QuarantinePolicy()
NEW = EndpointState("e")


def test_the_faster_is_asked_first() -> None:
    assert answered(NEW, 0.01).cost < answered(NEW, 0.2).cost


@pytest.mark.parametrize(
    "worse",
    [
        failed(answered(NEW, 0.01), POLICY, 0.0, "x"),
        replace(answered(NEW, 0.01), lag=1),
        replace(answered(NEW, 0.01), lies=1),
        replace(answered(NEW, 0.01), error_rate=0.2),
        replace(answered(NEW, 0.01), weight=0.5),
    ],
)
def test_errors_lag_lies_and_little_weight_come_later(worse: EndpointState) -> None:
    assert answered(NEW, 0.01).cost < worse.cost


def test_one_answer_ends_a_row_of_failures_but_not_their_memory() -> None:
    state = answered(failed(failed(NEW, POLICY, 0.0, "x"), POLICY, 0.0, "x"), 0.1)
    assert (state.errors, state.open(0.0)) == (0, True)
    assert state.error_rate > 0


def test_failing_endpoints_are_left_out_twice_as_long_each_time_up_to_a_minute() -> None:
    state, now, pauses = NEW, 0.0, []
    for _ in range(2):
        state = failed(state, POLICY, now, "x")
        assert state.open(now)
    for _ in range(8):
        state = failed(state, POLICY, now, "x")
        pauses.append(state.quarantined_until - now)
        now = state.quarantined_until
        assert state.open(now)
    assert pauses == [2, 4, 8, 16, 32, 60, 60, 60]
    state = agreed(answered(reached(state, 9), 0.1), POLICY, now, 9, same=True)
    assert (state.fault, state.quarantines) == (Fault.NONE, 0)


def test_lagging_is_borne_a_little_and_not_for_ever() -> None:
    state = reached(NEW, 95)
    for _ in range(10):
        state = agreed(state, POLICY, 0.0, 100, same=True)
    assert state.fault is Fault.NONE
    for _ in range(3):
        state = agreed(state, POLICY, 0.0, 101, same=True)
    assert (state.fault, state.lag) == (Fault.LAGGING, 6)


def test_one_other_block_at_the_tip_is_no_fault_three_in_a_row_are() -> None:
    state = NEW
    for same in (False, False, True, False, False):
        state = agreed(reached(state, 10), POLICY, 0.0, 10, same=same)
    assert state.fault is Fault.NONE
    assert agreed(state, POLICY, 0.0, 10, same=False).fault is Fault.FORKED


def test_a_lie_is_left_out_longer_than_any_failure_and_is_not_forgotten() -> None:
    state = lied(NEW, POLICY, 0.0, "x", Fault.LYING)
    assert state.quarantined_until == 600
    for _ in range(20):
        state = lied(state, POLICY, state.quarantined_until, "x", Fault.LYING)
    assert state.lies == 21
    later = agreed(reached(state, 10), POLICY, 10**9, 10, same=True)
    assert later.lies == 21
    assert later.cost > NEW.cost
    before = state.quarantined_until
    assert lied(state, POLICY, before, "x", Fault.LYING).quarantined_until - before == 86_400
