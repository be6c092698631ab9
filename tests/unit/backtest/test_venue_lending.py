"""The lending venue: Aave's arithmetic and its liquidations."""

import math

import pytest

from keeper.backtest.reverts import Reverted
from keeper.backtest.spec import MAINNET_ASSET, MAINNET_BASE, RAY
from keeper.backtest.venue_lending import (
    LendingVenue,
    Reserve,
    compounded_ray,
    linear_ray,
    ray_div,
    ray_mul,
)
from keeper.model.units import INFINITE_HEALTH, WAD

YEAR = 365 * 86_400
DOLLAR, ETHER, USD = 10**6, 10**18, 10**8


def venue(
    *, supplied_base: int = 0, debt_asset: int = 0, supplied_asset: int = 0, debt_base: int = 0
) -> LendingVenue:
    return LendingVenue(
        Reserve.of(MAINNET_ASSET, 6, supplied_asset * DOLLAR, debt_asset * DOLLAR),
        Reserve.of(MAINNET_BASE, 18, supplied_base * ETHER, debt_base * ETHER),
    )


def answers(price: float) -> tuple[int, int]:
    return USD, round(price * USD)


def test_ray_arithmetic_rounds_half_up() -> None:
    assert ray_mul(1, RAY // 2) == 1
    assert ray_mul(1, RAY // 2 - 1) == 0
    assert ray_div(1, 2 * RAY) == 1
    assert ray_div(1, 2 * RAY + 2) == 0


@pytest.mark.parametrize("rate", [0.001, 0.05, 0.30])
@pytest.mark.parametrize("seconds", [1, 12, 3_600, 30 * 86_400])
def test_debt_compounds_by_the_second_to_third_order(rate: float, seconds: int) -> None:
    found = compounded_ray(round(rate * 10**9) * 10**18, seconds) / RAY
    exact = math.exp(seconds * math.log1p(rate / YEAR))
    # the third order's coefficient is a small integer, so up to all of it may be cut off
    assert exact - (rate * seconds / YEAR) ** 3 / 6 - 1e-11 <= found <= exact + 1e-11


def test_supply_interest_is_linear_between_touches() -> None:
    assert linear_ray(RAY // 10, YEAR // 2) == RAY + RAY // 20


def test_the_curve_has_a_kink_where_it_is_said_to_be() -> None:
    spec = MAINNET_ASSET
    reserve = Reserve.of(spec, 6, 0, 0)
    reserve.others_debt = reserve.others_supply * 90 // 100
    reserve.refresh()
    assert reserve.borrow_ray == pytest.approx(spec.slope1_ray, rel=1e-9)
    reserve.others_debt = reserve.others_supply
    reserve.refresh()
    assert reserve.borrow_ray == pytest.approx(spec.slope1_ray + spec.slope2_ray, rel=1e-9)
    reserve.give_rates(1, 2)
    reserve.others_debt = 0
    reserve.refresh()
    assert (reserve.supply_ray, reserve.borrow_ray) == (1, 2)


def test_health_is_collateral_at_its_threshold_over_debt() -> None:
    account = venue(supplied_base=1_000, debt_asset=1_000_000).account(*answers(2_000))
    assert account.health_wad == WAD * 166 // 100
    assert venue(supplied_base=1).account(*answers(2_000)).health_wad == INFINITE_HEALTH


def test_a_loan_is_bounded_by_loan_to_value_and_a_withdrawal_by_health() -> None:
    lent = venue(supplied_base=1_000)
    most = 2_000_000 * MAINNET_BASE.ltv_bps // 10_000
    lent.borrow(False, most * DOLLAR, answers(2_000))
    with pytest.raises(Reverted, match="CollateralCannotCover"):
        lent.borrow(False, DOLLAR, answers(2_000))
    with pytest.raises(Reverted, match="VenueHealthTooLow"):
        lent.withdraw(True, 100 * ETHER, answers(2_000))


def test_what_is_supplied_comes_back_with_its_interest() -> None:
    lent = venue(supplied_asset=1_000_000)
    rate = lent.asset.supply_ray
    lent.asset.accrue_supply(YEAR)
    taken = lent.withdraw(False, 2**255, answers(2_000))
    assert taken == pytest.approx(10**12 * (1 + rate / RAY), rel=1e-9)
    assert lent.asset.supplied == 0


@pytest.mark.parametrize("pause", [1, 12, 3_600])
def test_an_index_that_nothing_hung_on_is_where_it_would_be_if_something_had(pause: int) -> None:
    """A unit supplied and a unit owed from the start, against venues that are entered after a thousand steps."""
    always = venue(supplied_asset=1, debt_asset=1)
    late = venue()
    for reserve in (always.asset, late.asset):
        reserve.give_rates(RAY * 3 // 100, RAY * 7 // 100)
        for step in range(1_000):
            reserve.accrue_supply(pause + step % 3)
            reserve.accrue_debt(pause + step % 5)
            if step == 500:
                reserve.give_rates(RAY * 4 // 100, RAY * 9 // 100)
    assert late.copied().asset.supply_index == always.asset.supply_index > RAY
    late.supply(False, 10**12)
    late.borrow(False, 10**9, answers(2_000))
    assert late.asset.supply_index == always.asset.supply_index
    assert late.asset.debt_index == always.asset.debt_index > late.asset.supply_index


@pytest.mark.parametrize(("price", "share"), [(1_190, 50), (1_100, 100)])
def test_a_liquidation_repays_half_or_all_and_takes_the_bonus(price: float, share: int) -> None:
    """Half the debt under health 1, all of it under 0.95; collateral worth the debt and 5 per cent."""
    lent = venue(supplied_base=1_000, debt_asset=1_000_000)
    done = lent.liquidate(answers(price), 5_000, 95 * WAD // 100)
    assert done is not None
    assert (done.repaid_base, done.seized_base) == (False, True)
    assert done.repaid == 1_000_000 * DOLLAR * share // 100
    if share == 50:
        assert done.value_seized == pytest.approx(done.value_repaid * 1.05, rel=1e-9)
    assert done.value_seized <= 1_000 * price * USD
    assert lent.base.supplied == pytest.approx(1_000 * ETHER - done.seized, abs=2)


def test_a_seizure_never_takes_more_than_there_is() -> None:
    lent = venue(supplied_base=100, debt_asset=1_000_000)
    done = lent.liquidate(answers(2_000), 5_000, 95 * WAD // 100)
    assert done is not None
    assert done.seized == 100 * ETHER
    assert done.value_repaid * 1.05 == pytest.approx(done.value_seized, rel=1e-9)


def test_a_healthy_account_is_left_alone() -> None:
    lent = venue(supplied_base=1_000, debt_asset=1_000_000)
    assert lent.liquidate(answers(1_300), 5_000, 95 * WAD // 100) is None


def test_nothing_leaves_that_others_have_borrowed() -> None:
    lent = venue(supplied_asset=1_000_000)
    lent.asset.others_supply, lent.asset.others_debt = 0, 900_000 * DOLLAR
    lent.asset.refresh()
    assert lent.asset.available == 100_000 * DOLLAR
    with pytest.raises(Reverted, match="VenueIlliquid"):
        lent.withdraw(False, 100_001 * DOLLAR, answers(2_000))
    with pytest.raises(Reverted, match="VenueIlliquid"):
        lent.borrow(False, 100_001 * DOLLAR, answers(2_000))
    assert lent.withdraw(False, 100_000 * DOLLAR, answers(2_000)) == 100_000 * DOLLAR


@pytest.mark.parametrize("of_base", [False, True])
@pytest.mark.parametrize("owed", [False, True])
def test_an_account_is_told_anew_as_soon_as_a_balance_or_a_price_moves(
    of_base: bool, owed: bool
) -> None:
    lent = venue(supplied_asset=10**6, debt_asset=10**5, supplied_base=500, debt_base=50)
    before = lent.account(*answers(2_000))
    assert lent.account(*answers(2_000)) == before
    reserve = lent.reserve(of_base)
    if owed:
        reserve.accrue_debt(YEAR)
    else:
        reserve.accrue_supply(YEAR)
    after = lent.account(*answers(2_000))
    assert (after.debt > before.debt) is owed
    assert (after.collateral > before.collateral) is not owed
    assert after == lent.copied().account(*answers(2_000))
    assert lent.account(*answers(2_001)) != after
