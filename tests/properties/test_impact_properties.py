"""The pool's integer walk against rational arithmetic that rounds nothing."""

import math
from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from keeper.quant import impact
from keeper.quant import uniswap_v3 as v3

SPACING = 10
edges = st.integers(-700, 700).map(lambda n: n * SPACING)
positions = st.lists(
    st.tuples(edges, edges, st.integers(10**12, 10**24)).filter(lambda p: p[0] != p[1]),
    min_size=1,
    max_size=6,
)
ticks = st.integers(-4_000, 4_000)
amounts = st.integers(1, 10**24)
fees = st.sampled_from([0, 100, 500, 3_000, 10_000])
pools = st.tuples(positions, ticks, fees)
Given = tuple[list[tuple[int, int, int]], int, int]


def make(ranges: list[tuple[int, int, int]], tick: int, fee: int) -> impact.Pool:
    net: dict[int, int] = {}
    active = 0
    for one, other, liquidity in ranges:
        low, high = min(one, other), max(one, other)
        net[low] = net.get(low, 0) + liquidity
        net[high] = net.get(high, 0) - liquidity
        active += liquidity if low <= tick < high else 0
    return impact.Pool(
        v3.sqrt_price_at_tick(tick), tick, active, fee, SPACING, {t: n for t, n in net.items() if n}
    )


def rational_output(
    ranges: list[tuple[int, int, int]], pool: impact.Pool, after: int, zero_for_one: bool
) -> tuple[Fraction, Fraction]:
    """(in without fee, out) of moving the price to `after`, range by range, in exact fractions."""
    low, high = sorted((pool.sqrt_price_x96, after))
    token0 = token1 = Fraction(0)
    for one, other, liquidity in ranges:
        start = max(low, v3.sqrt_price_at_tick(min(one, other)))
        stop = min(high, v3.sqrt_price_at_tick(max(one, other)))
        if start < stop:
            token0 += liquidity * (Fraction(v3.Q96, start) - Fraction(v3.Q96, stop))
            token1 += Fraction(liquidity * (stop - start), v3.Q96)
    return (token0, token1) if zero_for_one else (token1, token0)


@given(pools, amounts, st.booleans(), st.booleans())
def test_the_pool_is_never_paid_less_nor_pays_more_than_exact(
    given_pool: Given, amount: int, zero_for_one: bool, exact_in: bool
) -> None:
    """And by no more than two units a step: rounding is all that is between the walk and the curve."""
    pool = make(*given_pool)
    done = impact.swap(pool, amount, zero_for_one=zero_for_one, exact_in=exact_in)
    paid, got = rational_output(given_pool[0], pool, done.after.sqrt_price_x96, zero_for_one)
    steps = 2 * (done.ticks_crossed + 2 * abs(v3.MAX_TICK) // (256 * SPACING) + 2)
    assert paid <= done.amount_in - done.fee
    assert got >= done.amount_out
    # Where the price is cut to its last unit, one unit of it is worth this much of either token.
    grain = sum(liquidity for *_, liquidity in given_pool[0]) * Fraction(1, v3.Q96) * 2 + steps
    assert done.amount_in - done.fee - paid <= grain
    assert got - done.amount_out <= grain


@given(pools, amounts, st.booleans())
def test_buying_back_what_a_swap_gave_never_costs_more_than_the_swap(
    given_pool: Given, amount: int, zero_for_one: bool
) -> None:
    pool = make(*given_pool)
    given_in = impact.swap(pool, amount, zero_for_one=zero_for_one)
    assume(given_in.amount_out > 0)
    wanted = impact.swap(pool, given_in.amount_out, zero_for_one=zero_for_one, exact_in=False)
    assert wanted.complete
    assert wanted.amount_out == given_in.amount_out
    assert wanted.amount_in <= given_in.amount_in


@given(pools, amounts, amounts, st.booleans())
def test_a_swap_in_two_gives_no_more_than_in_one(
    given_pool: Given, first: int, second: int, zero_for_one: bool
) -> None:
    pool = make(*given_pool)
    whole = impact.swap(pool, first + second, zero_for_one=zero_for_one)
    assume(whole.complete)
    part = impact.swap(pool, first, zero_for_one=zero_for_one)
    rest = impact.swap(part.after, second, zero_for_one=zero_for_one)
    assert part.amount_out + rest.amount_out <= whole.amount_out + 1


@given(st.integers(v3.MIN_SQRT_PRICE_X96, v3.MAX_SQRT_PRICE_X96 - 1))
def test_the_tick_of_a_price_brackets_it(price: int) -> None:
    tick = v3.tick_at_sqrt_price(price)
    assert v3.sqrt_price_at_tick(tick) <= price < v3.sqrt_price_at_tick(tick + 1)


@given(st.integers(-2_000, 2_000))
def test_the_price_of_a_tick_is_the_root_of_a_power(tick: int) -> None:
    """Against 1.0001^tick as a fraction: the price is cut to its last unit, and no worse."""
    price = v3.sqrt_price_at_tick(tick)
    power = Fraction(10_001, 10_000) ** abs(tick)
    exact = power if tick >= 0 else 1 / power
    assert abs(Fraction(price * price, v3.Q96**2) / exact - 1) < Fraction(3, 2**88) + Fraction(
        2, price
    )


small = st.integers(1, 60)


@given(st.integers(1, 2**40), small, small)
def test_token0_between_prices_is_rounded_up_twice(liquidity: int, one: int, other: int) -> None:
    """Two divisions, each rounded the way asked: with small prices either rounding shows."""
    low, high = min(one, other), max(one, other)
    shifted = liquidity << 96
    inner = Fraction(shifted * (high - low), high)
    up = v3.amount0_between(one, other, liquidity, up=True)
    down = v3.amount0_between(one, other, liquidity, up=False)
    assert up == math.ceil(Fraction(math.ceil(inner), low))
    assert down == math.floor(inner) // low
