"""Execution cost: the square-root law, and the pool's arithmetic against published vectors."""

from collections.abc import Callable

import numpy as np
import pytest

from keeper.errors import QuantityError
from keeper.quant import impact
from keeper.quant import uniswap_v3 as v3

PRICE_1 = v3.Q96  # token1 per token0


def pool(**changes: object) -> impact.Pool:
    given = {
        "sqrt_price_x96": PRICE_1,
        "tick": 0,
        "liquidity": 2 * 10**18,
        "fee_pips": 3_000,
        "tick_spacing": 60,
        "net_liquidity": {-120: 10**18, -60: 10**18, 60: -(10**18), 120: -(10**18)},
    }
    return impact.Pool(**{**given, **changes})  # type: ignore[arg-type]


def test_four_times_the_size_moves_twice_as_far() -> None:
    moved = impact.square_root_impact([1.0, 4.0, -4.0], 100.0, 0.04, coefficient=0.5)
    np.testing.assert_allclose(moved, [0.002, 0.004, 0.004])


def test_the_cost_is_the_move_averaged_over_the_trade() -> None:
    """The integral of the move over the size, by the midpoint rule."""
    parts = (np.arange(100_000) + 0.5) / 100_000 * 7.0
    along = impact.square_root_impact(parts, 100.0, 0.04).mean() * 7.0 * 2_000.0
    assert float(impact.square_root_cost(-7.0, 2_000.0, 100.0, 0.04)) == pytest.approx(
        along, rel=1e-5
    )


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("size", ([1.0, np.nan], 1.0, 1.0)),
        ("daily_volume", (1.0, [1.0, 0.0], 1.0)),
        ("daily_volatility", (1.0, 1.0, [1.0, -1.0])),
    ],
)
def test_a_bad_quantity_is_named_with_its_place(field: str, arguments: tuple[object, ...]) -> None:
    with pytest.raises(QuantityError) as caught:
        impact.square_root_impact(*arguments)  # type: ignore[arg-type]
    assert (caught.value.field, caught.value.index) == (field, 1)


@pytest.mark.parametrize(
    ("tick", "price"),
    [
        (v3.MIN_TICK, 4295128739),
        (v3.MIN_TICK + 1, 4295343490),
        (v3.MAX_TICK - 1, 1461373636630004318706518188784493106690254656249),
        (v3.MAX_TICK, 1461446703485210103287273052203988822378723970342),
        (0, 2**96),
    ],
)
def test_prices_at_ticks_are_the_pools(tick: int, price: int) -> None:
    """Vectors of the Uniswap v3 TickMath tests."""
    assert v3.sqrt_price_at_tick(tick) == price
    assert v3.tick_at_sqrt_price(price) == tick


def test_a_step_capped_at_its_target_is_the_pools() -> None:
    """Vectors of the Uniswap v3 SwapMath tests: price 1 to 1.01, liquidity 2e18, 1e18 in or out, fee 600 pips."""
    target = 79623317895830914510639640423  # encodePriceSqrt(101, 100)
    exact_in = v3.swap_step(PRICE_1, target, 2 * 10**18, 10**18, 600, exact_in=True)
    assert exact_in == (target, 9975124224178055, 9925619580021728, 5988667735148)
    exact_out = v3.swap_step(PRICE_1, target, 2 * 10**18, 10**18, 600, exact_in=False)
    assert exact_out == exact_in


def test_a_step_that_spends_everything_is_the_pools() -> None:
    target = 250541448375047931186413801569  # encodePriceSqrt(1000, 100)
    after, paid, got, fee = v3.swap_step(PRICE_1, target, 2 * 10**18, 10**18, 600, exact_in=True)
    assert (paid, got, fee) == (999400000000000000, 666399946655997866, 600000000000000)
    assert after == v3.price_after_input(PRICE_1, 2 * 10**18, 10**18 - fee, zero_for_one=False)


def test_a_step_that_takes_everything_is_the_pools() -> None:
    target = 792281625142643375935439503360  # encodePriceSqrt(10000, 100)
    after, paid, got, fee = v3.swap_step(PRICE_1, target, 2 * 10**18, 10**18, 600, exact_in=False)
    assert (paid, got, fee) == (2000000000000000000, 10**18, 1200720432259356)
    assert after < target


@pytest.mark.parametrize(
    ("move", "zero_for_one", "price"),
    [
        (v3.price_after_input, False, 87150978765690771352898345369),
        (v3.price_after_input, True, 72025602285694852357767227579),
        (v3.price_after_output, False, 88031291682515930659493278152),
        (v3.price_after_output, True, 71305346262837903834189555302),
    ],
)
def test_a_tenth_of_a_token_moves_the_price_as_the_pool_says(
    move: Callable[..., int], zero_for_one: bool, price: int
) -> None:
    """Vectors of the Uniswap v3 SqrtPriceMath tests: price 1, liquidity 1e18, 0.1 in or out."""
    assert move(PRICE_1, 10**18, 10**17, zero_for_one=zero_for_one) == price


def test_inputs_beyond_256_bits_move_the_price_as_the_pool_says() -> None:
    """Vectors of the same tests: where the product overflows the pool divides first."""
    price, liquidity = 2**160 - 1, 2**128 - 1
    most = 2**256 - 1 - (liquidity << 96) // price
    assert v3.price_after_input(price, liquidity, most, zero_for_one=True) == 1
    assert v3.price_after_input(PRICE_1, 1, (2**256 - 1) // 2, zero_for_one=True) == 1


def test_the_last_unit_of_fee_is_the_pools() -> None:
    """SwapMath: "entire input amount taken as fee"."""
    step = v3.swap_step(
        2413, 79887613182836312, 1985041575832132834610021537970, 10, 1872, exact_in=True
    )
    assert step == (2413, 0, 0, 10)


def test_liquidity_steps_at_each_crossed_tick() -> None:
    done = impact.swap(pool(), 8 * 10**15, zero_for_one=False)
    assert done.complete
    assert done.ticks_crossed == 1
    assert done.after.liquidity == 10**18
    assert 60 <= done.after.tick < 120


def test_a_tick_crossed_downward_is_not_there_to_cross_again() -> None:
    """A swap so small that the fee eats it leaves price and tick: the pool keeps the tick under its price's own."""
    at = v3.sqrt_price_at_tick(-60)
    first = impact.swap(pool(), 10**18, zero_for_one=True, sqrt_price_limit_x96=at)
    assert (first.after.sqrt_price_x96, first.after.tick, first.after.liquidity) == (
        at,
        -61,
        10**18,
    )
    second = impact.swap(first.after, 1, zero_for_one=True)
    assert (second.after.sqrt_price_x96, second.after.tick) == (at, -61)
    third = impact.swap(second.after, 10**12, zero_for_one=True)
    assert (third.ticks_crossed, third.after.liquidity) == (0, 10**18)


def test_a_swap_stops_where_knowledge_ends() -> None:
    done = impact.swap(pool(known_to=90), 10**18, zero_for_one=False)
    assert not done.complete
    assert done.after.sqrt_price_x96 == v3.sqrt_price_at_tick(90)


def test_an_empty_pool_gives_nothing() -> None:
    done = impact.swap(pool(net_liquidity={}, liquidity=0), 10**18, zero_for_one=True)
    assert (done.amount_in, done.amount_out, done.complete) == (0, 0, False)


def test_a_small_swap_costs_the_fee() -> None:
    before = pool()
    done = impact.swap(before, 10**12, zero_for_one=True)
    assert done.cost_fraction(before, zero_for_one=True) == pytest.approx(0.003, rel=1e-3)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("sqrt_price_x96", {"sqrt_price_x96": 1}),
        ("liquidity", {"liquidity": -1}),
        ("fee_pips", {"fee_pips": 10**6}),
        ("tick_spacing", {"tick_spacing": 0}),
        ("tick", {"tick": 5}),
        ("net_liquidity", {"net_liquidity": {7: 1}}),
    ],
)
def test_a_state_no_pool_can_have_is_refused(field: str, changes: dict[str, object]) -> None:
    with pytest.raises(QuantityError) as caught:
        pool(**changes)
    assert caught.value.field == field


def test_bad_orders_are_refused() -> None:
    with pytest.raises(QuantityError, match="amount"):
        impact.swap(pool(), 0, zero_for_one=True)
    with pytest.raises(QuantityError, match="sqrt_price_limit_x96"):
        impact.swap(pool(), 1, zero_for_one=True, sqrt_price_limit_x96=PRICE_1 + 1)


def test_ticks_that_do_not_fit_the_liquidity_are_refused() -> None:
    with pytest.raises(QuantityError, match="net_liquidity"):
        impact.swap(pool(net_liquidity={60: -(10**20)}), 10**18, zero_for_one=False)
