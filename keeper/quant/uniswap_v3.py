"""A Uniswap v3 pool's arithmetic in integers: what a swap gives and costs, to the last unit.

Mirrors the pool's own rounding (TickMath, SqrtPriceMath, SwapMath and the loop of `swap`), so a quote made of a
pinned state is what the pool would pay in that state. Prices are square roots of raw token1 per raw token0, Q64.96.
Source of the formulas: Adams et al., Uniswap v3 Core (2021), section 6.
"""

from __future__ import annotations

import math
from functools import lru_cache

MIN_TICK, MAX_TICK = -887_272, 887_272
MIN_SQRT_PRICE_X96 = 4_295_128_739
MAX_SQRT_PRICE_X96 = 1_461_446_703_485_210_103_287_273_052_203_988_822_378_723_970_342
Q96 = 1 << 96
PIPS = 1_000_000
WORD_LAST = 255  # ticks of one bitmap word are 0 .. 255

# 1.0001^-(2^i / 2) in Q128 to the nearest unit: the pool multiplies these, so its ratios are theirs.
_POWERS_X128 = (
    0xFFFCB933BD6FAD37AA2D162D1A594001,
    0xFFF97272373D413259A46990580E213A,
    0xFFF2E50F5F656932EF12357CF3C7FDCC,
    0xFFE5CACA7E10E4E61C3624EAA0941CD0,
    0xFFCB9843D60F6159C9DB58835C926644,
    0xFF973B41FA98C081472E6896DFB254C0,
    0xFF2EA16466C96A3843EC78B326B52861,
    0xFE5DEE046A99A2A811C461F1969C3053,
    0xFCBE86C7900A88AEDCFFC83B479AA3A4,
    0xF987A7253AC413176F2B074CF7815E54,
    0xF3392B0822B70005940C7A398E4B70F3,
    0xE7159475A2C29B7443B29C7FA6E889D9,
    0xD097F3BDFD2022B8845AD8F792AA5825,
    0xA9F746462D870FDF8A65DC1F90E061E5,
    0x70D869A156D2A1B890BB3DF62BAF32F7,
    0x31BE135F97D08FD981231505542FCFA6,
    0x9AA508B5B7A84E1C677DE54F3E99BC9,
    0x5D6AF8DEDB81196699C329225EE604,
    0x2216E584F5FA1EA926041BEDFE98,
    0x48A170391F7DC42444E8FA2,
)


@lru_cache(maxsize=1 << 16)  # prices come back to where they were
def sqrt_price_at_tick(tick: int) -> int:
    """sqrt(1.0001^tick) in Q64.96, rounded as the pool rounds (up from Q128). `tick` within +-887272."""
    steps, ratio = abs(tick), 1 << 128
    for bit, power in enumerate(_POWERS_X128):
        if steps >> bit & 1:
            ratio = ratio * power >> 128
    if tick > 0:
        ratio = ((1 << 256) - 1) // ratio
    return -(-ratio >> 32)


def tick_at_sqrt_price(sqrt_price_x96: int) -> int:
    """The greatest tick whose price is not above `sqrt_price_x96`."""
    # The logarithm is right to a tick; the comparison with the pool's own ratios decides.
    tick = math.floor(2.0 * math.log(sqrt_price_x96 / Q96) / math.log(1.0001))
    tick = min(max(tick, MIN_TICK), MAX_TICK)
    while tick > MIN_TICK and sqrt_price_at_tick(tick) > sqrt_price_x96:
        tick -= 1
    while tick < MAX_TICK and sqrt_price_at_tick(tick + 1) <= sqrt_price_x96:
        tick += 1
    return tick


def ceil_div(numerator: int, denominator: int) -> int:
    """numerator / denominator rounded up."""
    return -(-numerator // denominator)


def amount0_between(one: int, other: int, liquidity: int, *, up: bool) -> int:
    """Raw token0 between two prices at constant liquidity."""
    low, high = min(one, other), max(one, other)
    product = (liquidity << 96) * (high - low)
    if up:
        return ceil_div(ceil_div(product, high), low)
    return product // high // low


def amount1_between(one: int, other: int, liquidity: int, *, up: bool) -> int:
    """Raw token1 between two prices at constant liquidity."""
    product = liquidity * abs(other - one)
    return ceil_div(product, Q96) if up else product // Q96


def price_after_input(price: int, liquidity: int, amount: int, *, zero_for_one: bool) -> int:
    """Price after `amount` came in (fee taken off): rounded so that it moves no further than paid for."""
    if zero_for_one:
        return _price_after_token0(price, liquidity, amount)
    return price + (amount << 96) // liquidity


def price_after_output(price: int, liquidity: int, amount: int, *, zero_for_one: bool) -> int:
    """Price after `amount` went out, rounded so that it moves far enough. The range holds more than `amount`."""
    if zero_for_one:
        return price - ceil_div(amount << 96, liquidity)
    shifted = liquidity << 96
    return ceil_div(shifted * price, shifted - amount * price)


def _price_after_token0(price: int, liquidity: int, amount: int) -> int:
    if amount == 0:
        return price
    shifted, product = liquidity << 96, amount * price
    if product < 1 << 256 and shifted + product < 1 << 256:
        return ceil_div(shifted * price, shifted + product)
    # Where 256 bits would overflow the pool divides first; so does its mirror.
    return ceil_div(shifted, shifted // price + amount)


def swap_step(
    price: int, target: int, liquidity: int, remaining: int, fee_pips: int, *, exact_in: bool
) -> tuple[int, int, int, int]:
    """One stretch of constant liquidity: (price after, amount in without fee, amount out, fee).

    `remaining` > 0 is what is left to pay in (fee included) if `exact_in`, else to take out.
    """
    zero_for_one = price >= target
    token_in, token_out = (
        (amount0_between, amount1_between) if zero_for_one else (amount1_between, amount0_between)
    )
    if exact_in:
        net = remaining * (PIPS - fee_pips) // PIPS
        reaches = net >= token_in(price, target, liquidity, up=True)
        after = target
        if not reaches:
            after = price_after_input(price, liquidity, net, zero_for_one=zero_for_one)
    else:
        reaches = remaining >= token_out(price, target, liquidity, up=False)
        after = target
        if not reaches:
            after = price_after_output(price, liquidity, remaining, zero_for_one=zero_for_one)
    amount_in = token_in(price, after, liquidity, up=True)
    amount_out = token_out(price, after, liquidity, up=False)
    if exact_in and after != target:
        return after, amount_in, amount_out, remaining - amount_in
    if not exact_in:
        amount_out = min(amount_out, remaining)
    return after, amount_in, amount_out, ceil_div(amount_in * fee_pips, PIPS - fee_pips)
