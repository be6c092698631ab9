"""The swap pool: exact Uniswap v3 arithmetic on one range of liquidity, an arbitrageur, and the average of its ticks.

The average is what the vault's oracle reads: the arithmetic mean of ticks over its window, rounded down, turned into a
price as the contract's TickMath does.
"""

import math
from collections import deque
from dataclasses import dataclass, field
from functools import lru_cache

from keeper.backtest.reverts import Reverted
from keeper.backtest.spec import PoolSpec
from keeper.model.market import PoolState
from keeper.model.units import WAD, ten_to
from keeper.quant.uniswap_v3 import (
    MAX_SQRT_PRICE_X96,
    MIN_SQRT_PRICE_X96,
    PIPS,
    sqrt_price_at_tick,
    swap_step,
    tick_at_sqrt_price,
)

POOL_ADDRESS = "0x" + "90" * 20
Q192 = 1 << 192
_HISTORY_S = 2


@lru_cache(maxsize=65_536)
def price_of_tick_wad(
    tick: int, base_is_token0: bool, base_decimals: int, asset_decimals: int
) -> int:
    """Asset per whole base at a tick, WAD, rounded down to within the contract's own error."""
    root = sqrt_price_at_tick(tick)
    unit = 10**base_decimals * WAD
    if base_is_token0:
        return int(root * root * unit // (Q192 * 10**asset_decimals))
    return int(Q192 * unit // (root * root * 10**asset_decimals))


@dataclass(frozen=True, slots=True)
class Traded:
    """One swap, token units."""

    sells_base: bool
    amount_in: int
    received: int
    fee: int
    """Part of `amount_in` that went to the pool's owners."""
    at_spot: int
    """What `amount_in` would give at the pool's price before it, without fee and impact; rounded down."""
    after_fee_at_spot: int
    """The same of what is left after the fee."""


@dataclass(slots=True)
class Pool:
    """The pool and the market beside it."""

    spec: PoolSpec
    asset_decimals: int
    base_decimals: int
    sqrt_price_x96: int = 0
    liquidity: int = 0
    tick: int = 0
    _points: deque[tuple[int, int, int]] = field(default_factory=deque)
    """(time, twice the sum of ticks x seconds, tick): linear between neighbours; two at one time are a step."""

    def open(self, time: int, price_wad: int) -> None:
        """The pool at the market since longer than its average looks back."""
        self.sqrt_price_x96 = self.root_of(price_wad)
        # At the root R the virtual reserves are L / R of token0 and L R of token1.
        root, depth = self.sqrt_price_x96, self.spec.depth
        if self.spec.base_is_token0:
            self.liquidity = (depth << 96) // root
        else:
            self.liquidity = depth * root >> 96
        self.tick = tick_at_sqrt_price(root)
        self._points.clear()
        self._points.append((time - _HISTORY_S * self.spec.twap_window_s, 0, self.tick))

    def state(self) -> PoolState:
        """As the lens reads it."""
        return PoolState(
            POOL_ADDRESS,
            self.spec.fee_pips,
            self.tick,
            self.sqrt_price_x96,
            self.liquidity,
            self.spec.base_is_token0,
        )

    def root_of(self, price_wad: int) -> int:
        """Square root of the raw price, Q64.96, of an asset price of whole base."""
        return math.isqrt(self._square_of(price_wad))

    def _square_of(self, price_wad: int) -> int:
        """Raw price, Q192, of an asset price of whole base."""
        asset, base = price_wad * ten_to(self.asset_decimals), ten_to(18 + self.base_decimals)
        if self.spec.base_is_token0:
            return (asset << 192) // base
        return (base << 192) // asset

    def arbitrage(self, time: int, price_wad: int, ramp_s: int = 0) -> None:
        """Bring the pool to where another trade would no longer pay its fee; `ramp_s`: how long it was under way."""
        root, kept = self.sqrt_price_x96, PIPS - self.spec.fee_pips
        cheap, dear = price_wad * kept // PIPS, price_wad * PIPS // kept
        if not self.spec.base_is_token0:
            cheap, dear = dear, cheap
        # the raw price rises with the root: compared as squares, a root is drawn only of where the pool goes
        low = self._square_of(cheap)
        if (root + 1) * (root + 1) <= low:
            root = math.isqrt(low)
        elif (high := self._square_of(dear)) < root * root:
            root = math.isqrt(high)
        self._move(time, root, ramp_s)

    def swap(self, time: int, sells_base: bool, amount_in: int) -> Traded:
        """Sell an exact amount."""
        zero_for_one = sells_base == self.spec.base_is_token0
        limit = MIN_SQRT_PRICE_X96 + 1 if zero_for_one else MAX_SQRT_PRICE_X96 - 1
        before, fee_pips = self.sqrt_price_x96, self.spec.fee_pips
        after, taken, out, fee = swap_step(
            before, limit, self.liquidity, amount_in, fee_pips, exact_in=True
        )
        if taken + fee < amount_in:
            raise Reverted("PoolExhausted", amount_in, taken + fee)
        self._move(time, after, 0)
        square = before * before

        def at_spot(amount: int) -> int:
            return amount * square // Q192 if zero_for_one else amount * Q192 // square

        return Traded(sells_base, amount_in, out, fee, at_spot(amount_in), at_spot(amount_in - fee))

    def average_tick(self, time: int) -> int:
        """Mean tick over the window that ends now, rounded down."""
        window = self.spec.twap_window_s
        at, now, tick = self._points[-1]
        now = now + 2 * tick * (time - at) if time >= at else self._doubled_at(time)
        return (now - self._doubled_at(time - window)) // (2 * window)

    def average_wad(self, time: int) -> int:
        """The average as a price."""
        first = self.spec.base_is_token0
        return price_of_tick_wad(
            self.average_tick(time), first, self.base_decimals, self.asset_decimals
        )

    def copied(self) -> "Pool":
        """Another one in the same state."""
        return Pool(
            self.spec,
            self.asset_decimals,
            self.base_decimals,
            self.sqrt_price_x96,
            self.liquidity,
            self.tick,
            deque(self._points),
        )

    def _move(self, time: int, root: int, ramp_s: int) -> None:
        if root == self.sqrt_price_x96:
            return
        self.sqrt_price_x96 = root
        before, tick = self.tick, tick_at_sqrt_price(root)
        if tick == before:
            return
        points = self._points
        at, doubled, last = points[-1]
        began = time - ramp_s if ramp_s > 0 else time
        if began > at:
            doubled, at = doubled + (last + before) * (began - at), began
        points.append((at, doubled, before))
        points.append((time, doubled + (before + tick) * (time - at), tick))
        self.tick = tick
        oldest = time - self.spec.twap_window_s
        while len(points) > 1 and points[1][0] <= oldest:
            points.popleft()

    def _doubled_at(self, time: int) -> int:
        points = self._points
        place = len(points) - 1
        while place > 0 and points[place][0] > time:
            place -= 1
        at, doubled, tick = points[place]
        if place == len(points) - 1 or time < at:
            return doubled + 2 * tick * (time - at)
        until, _, other = points[place + 1]
        here = tick + (other - tick) * (time - at) // (until - at)
        return doubled + (tick + here) * (time - at)
