"""One swap over several pools of the same pair: split so that the last unit is worth the same in each.

With virtual reserves x of what is sold and y of what is bought, fee f and an input a, a pool in range gives

    y (1 - f) a / (x + (1 - f) a),     the last unit (1 - f) x y / (x + (1 - f) a)^2 = m

so for a marginal output m a pool takes a = (sqrt((1 - f) x y / m) - x) / (1 - f), or nothing. The m at which the pools
together take the whole is found by bisection in floats; amounts are then integers that add up to it exactly, and what
each gives is quoted as every swap is, rounded down. A pool's liquidity beyond its range is not known here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from keeper.model.market import PoolState
from keeper.planning.swap_quote import PIPS, Q96, simulate

_STEPS = 200
"""Halvings: more than a float has bits for."""


@dataclass(frozen=True, slots=True)
class Leg:
    """What goes through one pool; raw units."""

    pool: PoolState
    amount_in: int
    expected_out: int
    pool_after: PoolState


@dataclass(frozen=True, slots=True)
class Route:
    """A swap as its legs, in the order of the pools given; pools that take nothing are left out."""

    legs: tuple[Leg, ...]

    @property
    def amount_in(self) -> int:
        """The whole."""
        return sum(leg.amount_in for leg in self.legs)

    @property
    def expected_out(self) -> int:
        """Of all legs, each rounded down."""
        return sum(leg.expected_out for leg in self.legs)


def route(pools: Sequence[PoolState], sells_base: bool, amount_in: int) -> Route:
    """The split that gives the most. With one usable pool, exactly what `simulate` says of it."""
    usable = [p for p in pools if p.liquidity > 0 and p.sqrt_price_x96 > 0 and p.fee_pips < PIPS]
    if amount_in <= 0 or not usable:
        return Route(())
    amounts = [amount_in] if len(usable) == 1 else _split(usable, sells_base, amount_in)
    split = _route(usable, amounts, sells_base)
    # rounding of tiny amounts must not make a split worse than the best pool alone
    alone = (
        _route(usable, [amount_in * (i == best) for i in range(len(usable))], sells_base)
        for best in range(len(usable))
    )
    return max((split, *alone), key=lambda found: found.expected_out)


def _route(pools: Sequence[PoolState], amounts: Sequence[int], sells_base: bool) -> Route:
    legs = []
    for pool, amount in zip(pools, amounts, strict=True):
        if amount > 0:
            out, after = simulate(pool, sells_base, amount)
            legs.append(Leg(pool, amount, out, after))
    return Route(tuple(legs))


def _split(pools: Sequence[PoolState], sells_base: bool, amount_in: int) -> list[int]:
    curves = [_Curve.of(pool, sells_base) for pool in pools]
    high = max(curve.first for curve in curves)
    low = high / 2
    while sum(curve.taken(low) for curve in curves) < amount_in:
        low /= 2
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if sum(curve.taken(middle) for curve in curves) < amount_in:
            high = middle
        else:
            low = middle
    taken = [curve.taken(low) for curve in curves]
    whole = sum(taken)
    amounts = [int(amount_in * (part / whole)) for part in taken]
    largest = max(range(len(amounts)), key=lambda i: amounts[i])
    amounts[largest] += amount_in - sum(amounts)
    return amounts


@dataclass(frozen=True, slots=True)
class _Curve:
    """A pool as the constant product it is in range."""

    reserve_in: float
    reserve_out: float
    kept: float
    """1 - fee."""

    @classmethod
    def of(cls, pool: PoolState, sells_base: bool) -> "_Curve":
        root = pool.sqrt_price_x96 / Q96
        reserve0, reserve1 = pool.liquidity / root, pool.liquidity * root
        sells0 = sells_base == pool.base_is_token0
        reserves = (reserve0, reserve1) if sells0 else (reserve1, reserve0)
        return cls(*reserves, 1 - pool.fee_pips / PIPS)

    @property
    def first(self) -> float:
        """Marginal output of the first unit."""
        return self.kept * self.reserve_out / self.reserve_in

    def taken(self, marginal: float) -> float:
        """Input at which the last unit gives so much."""
        at = sqrt(self.kept * self.reserve_in * self.reserve_out / marginal)
        return max(0.0, at - self.reserve_in) / self.kept
