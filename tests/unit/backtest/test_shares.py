"""Depositors' arithmetic: nobody gains by asking, and fees are taken from the share."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.backtest.reverts import Reverted
from keeper.backtest.shares import Shares
from keeper.backtest.spec import FeeSpec
from keeper.model.market import Marks
from keeper.model.units import Raw

START, DAY, MILLION = 1_700_000_000, 86_400, 10**12


def shares(fees: FeeSpec | None = None) -> Shares:
    return Shares.first(fees or FeeSpec(), DAY, 6, START, MILLION)


def at(low: int, high: int | None = None) -> Marks:
    return Marks(Raw(low), Raw(low if high is None else high), True)


def settle(made: Shares, marks: Marks, liquid: int = MILLION, days: int = 1) -> int:
    done = made.settle(
        made.settled_at + days * DAY, marks, liquid, halted=False, winding_down=False
    )
    return done.assets_in - done.assets_out


@settings(max_examples=100)
@given(
    low=st.integers(10**10, 10**13), spread=st.integers(0, 10**10), amount=st.integers(1, 10**12)
)
def test_in_and_out_at_once_never_gains(low: int, spread: int, amount: int) -> None:
    """V-02: in at the high mark, out at the low one, each rounded for the vault."""
    made = shares()
    before = made.supply
    made.pending_assets = amount
    settle(made, at(low, low + spread))
    minted = made.supply - before
    made.pending_shares = minted
    paid = -settle(made, at(low + amount, low + spread + amount), liquid=low + amount)
    assert paid <= amount


def test_a_joiner_pays_the_high_mark_and_a_leaver_gets_the_low_one() -> None:
    made = shares()
    made.pending_assets = 100_000 * 10**6
    settle(made, at(MILLION, MILLION * 11 // 10))
    assert made.supply / (MILLION * made.virtual) == pytest.approx(1 + 0.1 / 1.1, rel=1e-6)
    made = shares()
    made.pending_shares = made.supply // 10
    assert -settle(made, at(MILLION * 9 // 10, MILLION)) == pytest.approx(9 * 10**10, rel=1e-6)


def test_what_cannot_be_paid_goes_on_waiting() -> None:
    made = shares()
    made.pending_shares = made.supply // 2
    assert -settle(made, at(MILLION), liquid=MILLION // 10) == pytest.approx(10**11, rel=1e-6)
    assert made.pending_shares == pytest.approx(made.supply * 4 / 9, rel=1e-6)


def test_what_comes_in_pays_who_goes_out() -> None:
    made = shares()
    made.pending_assets, made.pending_shares = 10**11, made.supply // 20
    done = made.settle(START + DAY, at(MILLION), 0, halted=False, winding_down=False)
    assert (done.assets_in, made.pending_shares) == (10**11, 0)
    assert done.assets_out == pytest.approx(MILLION // 20, rel=1e-9)


def test_deposits_wait_while_marks_are_closed_and_where_a_share_is_worth_nothing() -> None:
    """At a NAV of nothing a deposit would be issued a vault's worth of shares for each unit, for ever."""
    for marks in (Marks(Raw(MILLION), Raw(MILLION), False), at(0)):
        made = shares()
        made.pending_assets = 10**9
        before = made.supply
        done = made.settle(START + DAY, marks, MILLION, halted=False, winding_down=False)
        assert (done.assets_in, made.pending_assets, made.supply) == (0, 10**9, before)


def test_management_is_a_part_of_nav_a_year() -> None:
    made = shares(FeeSpec(management_bps=200))
    settle(made, at(MILLION), days=365)
    assert made.fee_shares / made.supply == pytest.approx(0.02, rel=1e-9)


def test_a_vault_that_winds_down_pays_no_management_and_issues_nothing_while_halted() -> None:
    made = shares(FeeSpec(management_bps=200))
    made.pending_assets = 10**9
    before = made.supply
    year = made.settled_at + 365 * DAY
    done = made.settle(year, at(MILLION), MILLION, halted=True, winding_down=True)
    assert (done.assets_in, done.management_shares, made.supply) == (0, 0, before)
    assert made.pending_assets == 10**9
    assert made.settled_at == year


def test_performance_is_taken_over_the_high_water_mark_only() -> None:
    made = shares(FeeSpec(performance_bps=2_000))
    settle(made, at(MILLION * 9 // 10))
    assert made.fee_shares == 0
    settle(made, at(MILLION))
    assert made.fee_shares == 0
    settle(made, at(MILLION * 12 // 10))
    worth = made.fee_shares * MILLION * 12 // 10 // made.supply
    assert worth == pytest.approx(0.2 * 0.2 * MILLION, rel=1e-5)
    settle(made, at(MILLION * 12 // 10))
    assert made.fee_shares * MILLION * 12 // 10 // made.supply == worth


def test_nobody_settles_before_the_epoch_is_over() -> None:
    with pytest.raises(Reverted, match="NotDue"):
        shares().settle(START + DAY - 1, at(MILLION), 0, halted=False, winding_down=False)
