"""Fees by tables: ceilings bind routine transactions only, replacements always clear what nodes ask."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.execution.fees import (
    Fees,
    GasPolicy,
    affordable,
    at_least,
    bumped,
    first_fees,
    with_margin,
)
from keeper.model.decision import Lane

GWEI = 10**9
POLICY = GasPolicy(
    routine_ceiling_wei=100 * GWEI, routine_tip_wei=GWEI, protective_tip_wei=3 * GWEI
)
ROUTINE, PROTECTIVE = Lane.ROUTINE, Lane.PROTECTIVE


@pytest.mark.parametrize(
    ("base", "lane", "expected"),
    [
        (10, ROUTINE, Fees(21 * GWEI, GWEI)),
        (10, PROTECTIVE, Fees(23 * GWEI, 3 * GWEI)),
        (60, ROUTINE, Fees(100 * GWEI, GWEI)),  # held under the ceiling while base + tip fits
        (99, ROUTINE, Fees(100 * GWEI, GWEI)),
        (100, ROUTINE, None),  # no room: routine moves wait
        (5_000, PROTECTIVE, Fees(10_003 * GWEI, 3 * GWEI)),  # protection never waits for cheap gas
    ],
)
def test_first_fees(base: int, lane: Lane, expected: Fees | None) -> None:
    assert first_fees(base * GWEI, lane, POLICY) == expected


@pytest.mark.parametrize(
    ("last", "base", "lane", "expected"),
    [
        (Fees(80, 8), 1, PROTECTIVE, Fees(90, 9)),
        (Fees(81, 9), 1, PROTECTIVE, Fees(92, 11)),  # rounded up
        (Fees(80, 8), 100, PROTECTIVE, Fees(209, 9)),  # follows a risen base fee
        (Fees(80 * GWEI, 8 * GWEI), 60 * GWEI, ROUTINE, Fees(100 * GWEI, 9 * GWEI)),
        (Fees(95 * GWEI, 8 * GWEI), 1, ROUTINE, None),  # the ceiling forbids it
    ],
)
def test_bumped(last: Fees, base: int, lane: Lane, expected: Fees | None) -> None:
    assert bumped(last, base, lane, POLICY) == expected


@given(cap=st.integers(1, 10**15), tip=st.integers(1, 10**12), base=st.integers(0, 10**13))
def test_a_replacement_raises_both_by_an_eighth_and_never_lowers(
    cap: int, tip: int, base: int
) -> None:
    last = Fees(max(cap, tip), tip)
    higher = bumped(last, base, PROTECTIVE, POLICY)
    assert higher is not None
    assert higher.cap_wei * 8 >= last.cap_wei * 9
    assert higher.tip_wei * 8 >= last.tip_wei * 9
    assert higher.cap_wei >= higher.tip_wei


@pytest.mark.parametrize(
    ("balance", "expected"),
    [
        (2_100, Fees(21, 1)),
        (2_000, Fees(20, 1)),  # less than the cap, and still enough for the next block
        (1_300, Fees(13, 1)),
        (1_200, None),  # base 10 may rise to 12; with the tip that is 13
        (0, None),
    ],
)
def test_the_cap_follows_the_balance_down_to_what_clears_the_next_block(
    balance: int, expected: Fees | None
) -> None:
    assert affordable(Fees(21, 1), 10, 100, balance) == expected


def test_at_least_takes_the_greater_of_each() -> None:
    assert at_least(Fees(5, 1), Fees(3, 2)) == Fees(5, 2)


def test_the_gas_limit_is_over_the_estimate_and_rounded_up() -> None:
    assert with_margin(100_001, POLICY) == 125_002
