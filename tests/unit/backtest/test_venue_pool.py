"""The pool: exact swaps, the arbitrageur, and the average of its ticks."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.backtest.reverts import Reverted
from keeper.backtest.spec import PoolSpec
from keeper.backtest.venue_pool import Pool
from keeper.model.units import WAD
from keeper.planning.swap_quote import simulate

START = 1_600_000_000
AMOUNTS = st.integers(10**6, 10**13)


def pool(*, first: bool = False, depth: int = 400_000_000, price: int = 2_000) -> Pool:
    made = Pool(PoolSpec(base_is_token0=first, depth=depth * 10**6), 6, 18)
    made.open(START, price * WAD)
    return made


@pytest.mark.parametrize("first", [False, True])
@settings(max_examples=50, deadline=None)
@given(amount=AMOUNTS, sells_base=st.booleans())
def test_a_swap_gives_what_planning_expects_of_the_same_pool(
    first: bool, amount: int, sells_base: bool
) -> None:
    """Two separate mirrors of one contract, to the unit or two that its order of rounding leaves."""
    made = pool(first=first)
    amount_in = amount * 10**9 if sells_base else amount
    expected, _ = simulate(made.state(), sells_base, amount_in)
    done = made.swap(START + 12, sells_base, amount_in)
    assert abs(done.received - expected) <= max(2, expected // 10**12)


@settings(max_examples=50, deadline=None)
@given(amount=AMOUNTS)
def test_there_and_back_never_gains(amount: int) -> None:
    made = pool()
    bought = made.swap(START, False, amount).received
    assert made.swap(START, True, bought).received < amount


@pytest.mark.parametrize("first", [False, True])
def test_the_depth_is_the_virtual_reserve_of_the_asset(first: bool) -> None:
    """Selling base worth a hundredth of the reserve moves the price by (1 + 1 %)^-2."""
    made = pool(first=first, depth=2_000_000)
    before = made.sqrt_price_x96
    made.swap(START, True, 10 * 10**18)
    moved = made.sqrt_price_x96 / before
    moved = moved if first else 1 / moved
    assert moved**2 == pytest.approx(1.01**-2, rel=2e-5)


@pytest.mark.parametrize(("target", "moves"), [(1_500, True), (2_000, False), (3_000, True)])
def test_the_arbitrageur_stops_where_the_fee_would_not_pay(target: int, moves: bool) -> None:
    made = pool()
    before = made.sqrt_price_x96
    made.arbitrage(START + 12, target * WAD)
    kept, whole = 1_000_000 - 500, 1_000_000
    ends = [made.root_of(target * WAD * a // b) for a, b in ((kept, whole), (whole, kept))]
    assert min(ends) <= made.sqrt_price_x96 <= max(ends)
    assert (made.sqrt_price_x96 in ends) is moves
    assert (made.sqrt_price_x96 != before) is moves


def test_the_average_is_of_the_window_and_takes_a_ramp_as_one() -> None:
    made = pool()
    first = made.tick
    assert made.average_tick(START) == first
    made.arbitrage(START + 3_600, 2_200 * WAD, ramp_s=3_600)
    last = made.tick
    # 600 s at the end of a ramp of 3,600: half a sixth of the way behind
    assert made.average_tick(START + 3_600) == pytest.approx(last - (last - first) / 12, abs=2)
    assert made.average_tick(START + 4_200) == last


def test_a_step_counts_from_when_it_was_made() -> None:
    made = pool()
    first = made.tick
    made.arbitrage(START + 300, 2_200 * WAD)
    half = made.average_tick(START + 600)
    assert half == pytest.approx((first + made.tick) / 2, abs=1)


def test_a_swap_that_empties_the_range_reverts() -> None:
    with pytest.raises(Reverted, match="PoolExhausted"):
        pool(depth=1).swap(START, True, 10**45)
