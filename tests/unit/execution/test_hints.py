"""Hints: never above what an honest endpoint says while the false ones are fewer, whatever they say."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.execution.fee_history import history_heard, history_of
from keeper.execution.hints import vouched

numbers = st.integers(0, 2**64)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ([7], 7),
        ([None], None),
        ([5, 9], 5),
        ([9, 5, 5], 5),
        ([0, 5, 5], 5),
        ([None, 5, 5], 5),
        ([None, 5], None),
        ([None, None, 5], None),
        ([1, 2, 3, 4], 2),
        ([1, 2, 3, 4, 5], 3),
        ([], None),
    ],
)
def test_more_than_half_of_those_asked_reach_it(said: list[int | None], found: int | None) -> None:
    assert vouched(said) == found


@given(
    st.lists(numbers, min_size=1, max_size=6),
    st.lists(numbers | st.none(), max_size=6),
    st.randoms(),
)
def test_it_is_no_higher_than_the_honest_and_no_lower_where_they_are_more(
    honest: list[int], others: list[int | None], order: Any
) -> None:
    others = others[: len(honest)]
    said = [*honest, *others]
    order.shuffle(said)
    found = vouched(said)
    assert found is None or found <= max(honest)
    if len(others) < len(honest):
        assert found is not None
        assert found >= min(honest)


def history(base: int, tips: list[int]) -> dict[str, Any]:
    return {
        "baseFeePerGas": [hex(base)] * (len(tips) + 1),
        "gasUsedRatio": [0.5] * len(tips),
        "reward": [[hex(tip)] * 2 for tip in tips],
    }


def test_histories_are_taken_together_block_by_block_from_the_newest() -> None:
    found = history_heard(
        [history(10, [9, 1, 2, 3]), history(11, [1, 2, 4]), history(10**9, [99] * 3)]
    )
    assert found is not None
    assert (found.next_base_fee_wei, found.required_tips_wei) == (11, (1, 2, 4))


def test_a_lone_history_is_taken_as_it_is() -> None:
    alone = history(10, [9, 1, 2, 3])
    assert history_heard([alone]) == history_of(alone)
    assert history_heard([None]) is None


def test_where_half_keep_no_history_none_is_believed() -> None:
    assert history_heard([history(10, [1]), None]) is None
    assert history_heard([history(10, [1]), {"reward": []}, None]) is None
    assert history_heard([history(10, [1]), None, history(12, [2])]) is not None


def test_a_number_beyond_floats_is_no_history_and_ends_nothing() -> None:
    """K-08: one endpoint of three says what it likes here."""
    told = {"baseFeePerGas": ["0x1", "0x1"], "reward": [["0x1", "0x1"]]}
    assert history_of({**told, "gasUsedRatio": [10**400]}) is None
    honest = {**told, "gasUsedRatio": [0.5]}
    assert history_heard([honest, {**told, "gasUsedRatio": [10**400]}, honest]) is not None
