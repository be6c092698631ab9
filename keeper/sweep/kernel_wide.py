"""Whole numbers of up to 106 bits in pairs of floats, and quotients of them rounded as integers are.

A pair (high, low) is the unevaluated sum of two doubles that do not overlap. Sums and products of whole numbers are
exact while they fit 106 bits; beyond that, and in quotients, they are right to about 2^-102 of themselves. Amounts of
a vault have at most 75 bits, so a quotient that is rounded down is off only where it is within 2^-30 of the next unit.
Sources: Dekker (1971), Knuth (TAOCP 2, 4.2.2), Hida, Li and Bailey (2001).
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from keeper.quant.compiled import fma
from keeper.sweep.kernel_compiled import compiled, inlined

Wide = tuple[float, float]
_NUDGE = 2.0**-99
"""Of a quotient: an exact one must not fall under itself by its rounding."""


@inlined
def _sum(a: float, b: float) -> Wide:
    s = a + b
    v = s - a
    return s, (a - (s - v)) + (b - v)


@inlined
def add(x: Wide, y: Wide) -> Wide:
    s, e = _sum(x[0], y[0])
    t, f = _sum(x[1], y[1])
    e += t
    h = s + e
    e = e - (h - s) + f
    r = h + e
    return r, e - (r - h)


@inlined
def neg(x: Wide) -> Wide:
    return -x[0], -x[1]


@inlined
def sub(x: Wide, y: Wide) -> Wide:
    return add(x, (-y[0], -y[1]))


@inlined
def mul(x: Wide, y: Wide) -> Wide:
    p = x[0] * y[0]
    e = fma(x[0], y[0], -p) + (x[0] * y[1] + x[1] * y[0])
    h = p + e
    return h, e - (h - p)


@inlined
def times(x: Wide, y: float) -> Wide:
    p = x[0] * y
    e = fma(x[0], y, -p) + x[1] * y
    h = p + e
    return h, e - (h - p)


@compiled
def over(x: Wide, y: Wide) -> Wide:
    q = x[0] / y[0]
    r = sub(x, times(y, q))
    q2 = r[0] / y[0]
    r = sub(r, times(y, q2))
    q3 = r[0] / y[0]
    h, low = _sum(q, q2)
    return add((h, low), (q3, 0.0))


@inlined
def floor(x: Wide) -> Wide:
    h = float(np.floor(x[0]))  # math.floor is of 64 bits when compiled
    if h != x[0]:
        return h, 0.0
    low = float(np.floor(x[1]))
    s = h + low
    return s, low - (s - h)


@compiled
def down(x: Wide, y: Wide) -> Wide:
    """x // y."""
    q = over(x, y)
    s, e = _sum(q[0], q[1] + abs(q[0]) * _NUDGE)
    return floor((s, e))


@compiled
def up(x: Wide, y: Wide) -> Wide:
    """-(-x // y)."""
    return neg(down(neg(x), y))


@inlined
def less(x: Wide, y: Wide) -> bool:
    return x[0] < y[0] or (x[0] == y[0] and x[1] < y[1])


@inlined
def least(x: Wide, y: Wide) -> Wide:
    return x if less(x, y) else y


@inlined
def most(x: Wide, y: Wide) -> Wide:
    return y if less(x, y) else x


@inlined
def positive(x: Wide) -> bool:
    return x[0] > 0.0


@inlined
def size(x: Wide) -> Wide:
    return (-x[0], -x[1]) if x[0] < 0.0 else x


def wide(value: int) -> Wide:
    """A whole number as a pair; what is beyond 106 bits is rounded."""
    high = float(value)
    return high, float(value - int(high))


def whole(high: float, low: float) -> int:
    """Back again."""
    return int(high) + int(low)


@inlined
def part(x: Wide, inverse: Wide) -> Wide:
    """x // y by the inverse of y: quicker where y never changes."""
    q = mul(x, inverse)
    s, e = _sum(q[0], q[1] + abs(q[0]) * _NUDGE)
    return floor((s, e))


@inlined
def near(x: Wide, inverse: Wide) -> Wide:
    """(x + y // 2) // y of an even y, by its inverse."""
    q = mul(x, inverse)
    s, e = _sum(q[0], q[1] + (0.5 + abs(q[0]) * _NUDGE))
    return floor((s, e))


def inverse(value: int) -> Wide:
    """1 / value as a pair."""
    high = 1.0 / value
    low = (Fraction(1, value) - Fraction(high)) if value else Fraction(0)
    return high, float(low)
