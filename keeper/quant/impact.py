"""What an execution costs: by the square-root law where only volume is known, exactly where the pool is.

`square_root_impact` is the empirical law of every deep market (Almgren et al. 2005, Toth et al. 2011): a trade of a
share q of the daily volume moves the price by coefficient x daily volatility x sqrt(q). `swap` walks a Uniswap v3 pool
across its ticks as the pool itself would (see `keeper.quant.uniswap_v3`).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from keeper.errors import QuantityError
from keeper.quant import uniswap_v3 as v3
from keeper.quant.inputs import as_floats

Floats = NDArray[np.float64]


def square_root_impact(
    size: ArrayLike,
    daily_volume: ArrayLike,
    daily_volatility: ArrayLike,
    coefficient: float = 1.0,
    exponent: float = 0.5,
) -> Floats:
    """Relative price move against a trade; its average cost is `1 / (1 + exponent)` of that.

    `size` (any sign) and `daily_volume` (> 0) in one unit, `daily_volatility` >= 0 of a day's return; all
    broadcast together. Raises QuantityError naming the field and the first bad element.
    """
    sizes, volumes, volatilities = _broadcast(
        size=size, daily_volume=daily_volume, daily_volatility=daily_volatility
    )
    _require("daily_volume", volumes > 0, volumes, "must be above zero")
    _require("daily_volatility", volatilities >= 0, volatilities, "must not be negative")
    for name, value in (("coefficient", coefficient), ("exponent", exponent)):
        if _finite(name, value).size != 1 or not value > 0:
            raise QuantityError(name, f"{value} is not a positive number", "give one")
    moved: Floats = coefficient * volatilities * (np.abs(sizes) / volumes) ** exponent
    return moved


def square_root_cost(
    size: ArrayLike,
    price: ArrayLike,
    daily_volume: ArrayLike,
    daily_volatility: ArrayLike,
    coefficient: float = 1.0,
    exponent: float = 0.5,
) -> Floats:
    """Expected cost of the whole trade in the unit of `price` x `size`: the move is paid as it builds up."""
    prices, sizes, volumes, volatilities = _broadcast(
        price=price, size=size, daily_volume=daily_volume, daily_volatility=daily_volatility
    )
    _require("price", prices > 0, prices, "must be above zero")
    moved = square_root_impact(sizes, volumes, volatilities, coefficient, exponent)
    cost: Floats = np.abs(sizes) * prices * moved / (1.0 + exponent)
    return cost


@dataclass(frozen=True, slots=True)
class Pool:
    """A Uniswap v3 pool at one block."""

    sqrt_price_x96: int
    tick: int
    """As the pool stores it: at a just crossed tick it may be one under the price's own."""
    liquidity: int
    """Active now."""
    fee_pips: int
    tick_spacing: int
    net_liquidity: Mapping[int, int] = field(repr=False)
    """Signed liquidity that each initialised tick adds when crossed upward."""
    known_from: int = v3.MIN_TICK
    """Ticks are known from here ..."""
    known_to: int = v3.MAX_TICK
    """... to here; a swap that would leave stops and says so."""

    def __post_init__(self) -> None:
        for name in ("sqrt_price_x96", "tick", "liquidity", "fee_pips", "tick_spacing"):
            _require_int(name, getattr(self, name))
        if not v3.MIN_SQRT_PRICE_X96 <= self.sqrt_price_x96 < v3.MAX_SQRT_PRICE_X96:
            raise QuantityError(
                "sqrt_price_x96", f"{self.sqrt_price_x96} is no price of a pool", "read slot0"
            )
        if self.liquidity < 0:
            raise QuantityError("liquidity", f"{self.liquidity} is negative", "read liquidity()")
        if not 0 <= self.fee_pips < v3.PIPS:
            raise QuantityError("fee_pips", f"{self.fee_pips} is not in [0, 1000000)", "read fee()")
        if self.tick_spacing < 1:
            raise QuantityError("tick_spacing", f"{self.tick_spacing} is under 1", "read it")
        if self.tick not in (at := v3.tick_at_sqrt_price(self.sqrt_price_x96), at - 1):
            raise QuantityError("tick", f"{self.tick} is not the price's, {at}", "read slot0 whole")
        least = v3.sqrt_price_at_tick(max(self.known_from, v3.MIN_TICK))
        most = v3.sqrt_price_at_tick(min(self.known_to, v3.MAX_TICK))
        if not least <= self.sqrt_price_x96 <= most:
            raise QuantityError(
                "known_from", f"to known_to does not hold tick {self.tick}", "read around the price"
            )
        for index, (tick, net) in enumerate(self.net_liquidity.items()):
            _require_int("net_liquidity", tick, index)
            _require_int("net_liquidity", net, index)
            if tick % self.tick_spacing or not v3.MIN_TICK <= tick <= v3.MAX_TICK:
                raise QuantityError(
                    "net_liquidity", f"tick {tick} cannot be initialised", "check spacing", index
                )

    @property
    def price(self) -> float:
        """Raw token1 per raw token0."""
        return float((self.sqrt_price_x96 / v3.Q96) ** 2)


@dataclass(frozen=True, slots=True)
class Swap:
    """What a swap took and gave, raw units."""

    amount_in: int
    """Paid by the trader, fee included."""
    amount_out: int
    fee: int
    """The part of `amount_in` that liquidity providers keep."""
    ticks_crossed: int
    complete: bool
    """False: the price limit or the end of what is known was reached first."""
    after: Pool

    def cost_fraction(self, before: Pool, *, zero_for_one: bool) -> float:
        """Share of the input's value at the price before that fee and impact took."""
        if self.amount_in == 0:
            return 0.0
        fair = before.price if zero_for_one else 1.0 / before.price
        return 1.0 - self.amount_out / (self.amount_in * fair)


def swap(
    pool: Pool,
    amount: int,
    *,
    zero_for_one: bool,
    exact_in: bool = True,
    sqrt_price_limit_x96: int | None = None,
) -> Swap:
    """Swap exactly `amount` of input (or for exactly `amount` of output) across the pool's ticks.

    Raises QuantityError for an amount below 1 or a limit on the wrong side of the price.
    """
    _require_int("amount", amount)
    if amount < 1:
        raise QuantityError("amount", f"{amount} is below 1 raw unit", "give a positive amount")
    limit = _limit(pool, sqrt_price_limit_x96, zero_for_one)
    return _Walk(pool, zero_for_one, exact_in).run(amount, limit)


class _Walk:
    """The loop of the pool's `swap`."""

    def __init__(self, pool: Pool, zero_for_one: bool, exact_in: bool) -> None:
        self.pool, self.zero_for_one, self.exact_in = pool, zero_for_one, exact_in
        self.price, self.tick, self.liquidity = pool.sqrt_price_x96, pool.tick, pool.liquidity
        self.compressed = sorted(tick // pool.tick_spacing for tick in pool.net_liquidity)
        self.amount_in = self.amount_out = self.fee = self.crossed = 0

    def run(self, amount: int, limit: int) -> Swap:
        remaining = amount
        while remaining and self.price != limit:
            began = self.price
            next_tick, initialised = self._next_tick()
            next_price = v3.sqrt_price_at_tick(next_tick)
            target = max(next_price, limit) if self.zero_for_one else min(next_price, limit)
            remaining -= self._step(target, remaining)
            if self.price == next_price:
                if initialised:
                    self._cross(next_tick)
                self.tick = next_tick - 1 if self.zero_for_one else next_tick
            elif (
                self.price != began
            ):  # else a tick just crossed downward would be there to cross again
                self.tick = v3.tick_at_sqrt_price(self.price)
        after = replace(
            self.pool, sqrt_price_x96=self.price, tick=self.tick, liquidity=self.liquidity
        )
        return Swap(self.amount_in, self.amount_out, self.fee, self.crossed, remaining == 0, after)

    def _step(self, target: int, remaining: int) -> int:
        """Go towards `target`; returns how much of `remaining` it used."""
        self.price, amount_in, amount_out, fee = v3.swap_step(
            self.price,
            target,
            self.liquidity,
            remaining,
            self.pool.fee_pips,
            exact_in=self.exact_in,
        )
        self.amount_in += amount_in + fee
        self.amount_out += amount_out
        self.fee += fee
        return amount_in + fee if self.exact_in else amount_out

    def _cross(self, tick: int) -> None:
        net = self.pool.net_liquidity[tick]
        self.liquidity += -net if self.zero_for_one else net
        self.crossed += 1
        if self.liquidity < 0:
            raise QuantityError(
                "net_liquidity",
                f"crossing tick {tick} leaves {self.liquidity}",
                "read liquidity and ticks at one block",
            )

    def _next_tick(self) -> tuple[int, bool]:
        """The next initialised tick, or the end of the bitmap's word: the pool stops (and rounds) there too."""
        spacing = self.pool.tick_spacing
        at = self.tick // spacing
        if self.zero_for_one:
            edge = at // 256 * 256
            i = bisect_right(self.compressed, at) - 1
            found = i >= 0 and self.compressed[i] >= edge
        else:
            edge = (at + 1) // 256 * 256 + v3.WORD_LAST
            i = bisect_left(self.compressed, at + 1)
            found = i < len(self.compressed) and self.compressed[i] <= edge
        tick = (self.compressed[i] if found else edge) * spacing
        return min(max(tick, v3.MIN_TICK), v3.MAX_TICK), found


def _limit(pool: Pool, limit: int | None, zero_for_one: bool) -> int:
    price = pool.sqrt_price_x96
    if zero_for_one:
        least = max(v3.MIN_SQRT_PRICE_X96 + 1, v3.sqrt_price_at_tick(pool.known_from))
        chosen = least if limit is None else limit
        right_side = v3.MIN_SQRT_PRICE_X96 < chosen < price
        bounded = max(chosen, least)
    else:
        most = min(v3.MAX_SQRT_PRICE_X96 - 1, v3.sqrt_price_at_tick(pool.known_to))
        chosen = most if limit is None else limit
        right_side = price < chosen < v3.MAX_SQRT_PRICE_X96
        bounded = min(chosen, most)
    if limit is not None and not right_side:
        raise QuantityError(
            "sqrt_price_limit_x96",
            f"{limit} is not beyond the price {price} in the swap's direction",
            "give a reachable limit, or none",
        )
    return bounded if right_side else price


def _broadcast(**values: ArrayLike) -> list[Floats]:
    """Finite numbers, broadcast together."""
    arrays = [_finite(name, value) for name, value in values.items()]
    try:
        return list(np.broadcast_arrays(*arrays))
    except ValueError as error:
        shapes = ", ".join(f"{n} {a.shape}" for n, a in zip(values, arrays, strict=True) if a.ndim)
        raise QuantityError(
            "shapes", f"do not broadcast together: {shapes}", "give equal lengths or single numbers"
        ) from error


def _finite(name: str, values: ArrayLike) -> Floats:
    array = as_floats(name, values)
    _require(name, np.isfinite(array), array, "is not finite")
    return array


def _require_int(name: str, value: object, index: int | None = None) -> None:
    """The pool's numbers have up to 256 bits: a float would round them, a numpy integer wrap around."""
    if type(value) is not int:
        problem = f"{value} is a {type(value).__name__}"
        raise QuantityError(name, problem, "give a Python integer, raw units", index)


def _require(name: str, good: NDArray[np.bool_], values: Floats, problem: str) -> None:
    if np.all(good):
        return
    index = int(np.flatnonzero(~np.atleast_1d(good))[0])
    where = index if np.ndim(good) else None
    raise QuantityError(
        name, f"{np.atleast_1d(values).ravel()[index]} {problem}", "correct or drop it", where
    )
