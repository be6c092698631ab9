"""Fees by tables: ceilings bind routine transactions only, replacements always clear what nodes ask."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.execution.fees import (
    Ask,
    Fees,
    GasPolicy,
    affordable,
    at_least,
    bumped,
    first_fees,
    most,
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
    ("last", "base", "bound", "expected"),
    [
        (Fees(80, 8), 1, Fees(900, 90), Fees(90, 9)),
        (Fees(81, 9), 1, Fees(900, 90), Fees(92, 11)),  # rounded up
        (Fees(80, 8), 100, Fees(900, 90), Fees(209, 9)),  # follows a risen base fee
        (Fees(80, 8), 60, Fees(100, 90), Fees(100, 9)),  # as far as the bound
        (Fees(80, 8), 1, Fees(90, 9), Fees(90, 9)),
        (Fees(80, 8), 1, Fees(89, 9), None),  # the bound forbids it
        (Fees(80, 8), 1, Fees(90, 8), None),
    ],
)
def test_bumped(last: Fees, base: int, bound: Fees, expected: Fees | None) -> None:
    assert bumped(last, base, bound, POLICY) == expected


@pytest.mark.parametrize(
    ("base", "lane", "balance_gwei", "expected"),
    [  # the gas limit is 100
        (10, PROTECTIVE, 400_000, Fees(1_000 * GWEI, 30 * GWEI)),  # a quarter of the balance
        (10, ROUTINE, 400_000, Fees(100 * GWEI, 20 * GWEI)),  # the ceiling
        (40, PROTECTIVE, 400_000, Fees(1_000 * GWEI, 80 * GWEI)),  # the tip follows the base fee
        (40, PROTECTIVE, 8_000, Fees(48 * GWEI, 80 * GWEI)),  # more than a quarter: what clears
        (40, PROTECTIVE, 4_000, Fees(40 * GWEI, 80 * GWEI)),  # never more than there is
    ],
)
def test_no_transaction_climbs_over_its_share_of_the_balance(
    base: int, lane: Lane, balance_gwei: int, expected: Fees
) -> None:
    assert most(base * GWEI, Ask(lane, 100), balance_gwei * GWEI, POLICY) == expected


@given(cap=st.integers(1, 10**15), tip=st.integers(1, 10**12), base=st.integers(0, 10**13))
def test_a_replacement_raises_both_by_an_eighth_and_never_lowers(
    cap: int, tip: int, base: int
) -> None:
    last = Fees(max(cap, tip), tip)
    higher = bumped(last, base, Fees(2**200, 2**200), POLICY)
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


@pytest.mark.parametrize(
    ("balance", "cap"),
    [
        (8_400, 21),
        (8_000, 20),  # a quarter
        (4_800, 13),  # a quarter is 12, which would not clear the next block
        (1_200, None),
    ],
)
def test_the_first_cap_is_lowered_to_a_share_of_the_balance_if_that_clears_the_next_block(
    balance: int, cap: int | None
) -> None:
    expected = Fees(cap, 1) if cap else None
    assert affordable(Fees(21, 1), 10, 100, balance, 2_500) == expected


def test_at_least_takes_the_greater_of_each() -> None:
    assert at_least(Fees(5, 1), Fees(3, 2)) == Fees(5, 2)


def test_the_gas_limit_is_over_the_estimate_and_rounded_up() -> None:
    assert with_margin(100_001, POLICY) == 125_002
