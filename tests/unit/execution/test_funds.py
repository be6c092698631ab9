"""How many protective transactions a balance pays at ten times the base fee, and when to send more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.execution.funds import Burned, FundsPolicy, funds_of, payable_protections
from keeper.model.decision import Lane

GWEI = 10**9
COST = 1_000_000 * (10 * 20 + 3) * GWEI
BOTH = (Lane.ROUTINE, Lane.PROTECTIVE)


@pytest.mark.parametrize(
    ("balance", "payable"), [(0, 0), (COST - 1, 0), (COST, 1), (5 * COST + 1, 5)]
)
def test_payable_protections(balance: int, payable: int) -> None:
    assert payable_protections(balance, 20 * GWEI) == payable


@given(st.integers(0, 10**21), st.integers(0, 10**13), st.sampled_from([BOTH, BOTH[:1], BOTH[1:]]))
def test_after_the_top_up_that_is_asked_for_there_is_no_alert(
    balance: int, base: int, lanes: tuple[Lane, ...]
) -> None:
    policy = FundsPolicy()
    funds = funds_of("0xa", lanes, balance, base, policy)
    after = funds_of("0xa", lanes, balance + funds.top_up_wei, base, policy)
    assert not after.alert
    if Lane.PROTECTIVE in lanes:
        assert after.payable >= policy.protective_floor


@pytest.mark.parametrize(
    ("reverted", "protective", "held", "says"),
    [(0, 0, 0, False), (5, 1, 5, False), (5, 1, 4, True), (1, 5, 4, True)],
)
def test_another_day_that_the_account_does_not_outlast_is_said(
    reverted: int, protective: int, held: int, says: bool
) -> None:
    """K-11: aloud, and nothing is stopped for it."""
    assert bool(Burned(reverted, protective).alert(held)) is says
