"""Walking through an exchange's pages: every row once and in order, whatever its habits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.errors import FetchError
from keeper.fetch.pages import Ask, Row, Walk, pages

STEP_S = 60
LIMIT = 5


def oldest_first(rows: list[Row]) -> Ask:
    return lambda since, limit: [r for r in rows if r[0] >= since][:limit]


def newest_of_the_span(rows: list[Row]) -> Ask:
    """Answers with the newest rows of a span twice as long as `limit` steps."""

    def ask(since: int, limit: int) -> list[Row]:
        return [r for r in rows if since <= r[0] < since + 2 * limit * STEP_S][-limit:]

    return ask


def only_the_span(rows: list[Row]) -> Ask:
    """Nothing beyond `limit` steps, backwards, and a row before `since` too."""

    def ask(since: int, limit: int) -> list[Row]:
        return [r for r in rows if since - STEP_S <= r[0] < since + limit * STEP_S][::-1]

    return ask


def walked(ask: Ask, end_s: int) -> list[Row]:
    walk = Walk(0, end_s, STEP_S, LIMIT, "an exchange")
    return [row for page in pages(ask, walk) for row in page]


@pytest.mark.parametrize("habit", [oldest_first, newest_of_the_span, only_the_span])
@given(steps=st.lists(st.integers(0, 60), unique=True))
def test_every_row_comes_once_and_in_order(habit: object, steps: list[int]) -> None:
    rows = [(step * STEP_S, step / 7) for step in sorted(steps)]
    assert walked(habit(rows), 61 * STEP_S) == rows  # type: ignore[operator]


def test_rows_from_the_end_on_are_left_out() -> None:
    rows: list[Row] = [(0, 1.0), (STEP_S, 2.0), (2 * STEP_S, 3.0)]
    assert walked(oldest_first(rows), 2 * STEP_S) == rows[:2]


def test_a_silent_exchange_is_asked_a_bounded_number_of_times() -> None:
    asked: list[int] = []

    def ask(since: int, _: int) -> list[Row]:
        asked.append(since)
        return []

    assert walked(ask, 100 * STEP_S) == []
    assert asked == [n * LIMIT * STEP_S for n in range(20)]


def test_two_rows_of_one_time_that_differ_end_it() -> None:
    with pytest.raises(FetchError, match="an exchange gives two rows for 0 that differ"):
        walked(lambda *_: [(0, 1.0), (0, 2.0)], STEP_S)
    assert walked(lambda *_: [(0, 1.0), (0, 1.0)], STEP_S) == [(0, 1.0)]
