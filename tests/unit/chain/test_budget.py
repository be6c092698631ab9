"""Requests stay within what an endpoint takes: by the second, by the day, and when it asks for a pause."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.chain.budget import RateBudget


class Time:
    """Moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 500.0
        self.slept = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds


def budget(
    per_second: float | None = None, per_day: float | None = None
) -> tuple[RateBudget, Time]:
    time = Time()
    return RateBudget(per_second, per_day, clock=time, sleep=time.sleep), time


def test_without_limits_nothing_waits() -> None:
    ours, time = budget()
    assert all(ours.spend(1_000) == 0 for _ in range(100))
    assert time.slept == 0


@given(
    st.floats(1, 50),
    st.lists(st.tuples(st.integers(1, 20), st.floats(0, 2)), min_size=1, max_size=40),
)
def test_over_any_time_no_more_is_spent_than_the_budget_and_one_batch(
    per_second: float, asked: list[tuple[int, float]]
) -> None:
    ours, time = budget(per_second)
    began, spent = time.now, 0
    for calls, pause in asked:
        time.now += pause
        if ours.spend(calls) == 0:
            spent += calls
    largest = max(calls for calls, _ in asked)
    assert spent <= per_second * (1 + time.now - began) + largest + 1e-6


def test_a_short_wait_is_borne_and_a_long_one_refused_without_being_spent() -> None:
    ours, time = budget(per_second=10)
    assert ours.spend(10) == 0
    assert ours.spend(5) == 0
    assert time.slept == pytest.approx(0.5)
    ours, time = budget(per_day=10)
    assert ours.spend(10) == 0
    wait = ours.spend(1)
    assert wait == pytest.approx(8_640)
    assert time.slept == 0
    time.now += wait
    assert ours.spend(1) == 0


def test_a_batch_larger_than_the_budget_goes_when_the_budget_is_full() -> None:
    ours, _ = budget(per_second=2)
    assert ours.spend(7) == 0


def test_a_pause_holds_everything_back_but_what_is_urgent() -> None:
    ours, time = budget()
    assert ours.pause(30.0) == 30.0
    assert ours.spend(1) == 30.0
    assert ours.spend(1, urgent=True) == 0
    time.now += 30.0
    assert ours.spend(1) == 0


def test_pauses_without_a_time_double_up_to_eight_seconds_and_are_forgotten() -> None:
    ours, time = budget()
    pauses = []
    for _ in range(8):
        pauses.append(ours.pause(None))
        time.now += pauses[-1]
    assert pauses == [1, 2, 4, 8, 8, 8, 8, 8]
    time.now += 61
    assert ours.pause(None) == 1


def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    ours, _ = budget()
    ours.pause(30.0)
    assert ours.pause(1.0) == 30.0
