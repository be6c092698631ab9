"""Random numbers that are a function of where they are used: Philox4x32-10 (Salmon et al. 2011) and Box-Muller.

The key is the seed, the counter is (path, stream, step): no state is passed on, so the numbers of a path do not
depend on which thread draws them, on how many there are, or on which other paths are simulated.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from keeper.quant.compiled import fma, from_bits, inlined, kernel
from keeper.quant.normal import log_ratio

Floats = NDArray[np.float64]

LANES = 256
"""Paths simulated side by side: a constant, so that loops over them become vector code."""

_LOW = 0xFFFFFFFF
_M0, _M1 = 0xD2511F53, 0xCD9E8D57
_W0, _W1 = 0x9E3779B9, 0xBB67AE85
_ONE = 0x3FF0000000000000
_HALF_ULP = 2.0**-53
_TWO_PI = 2.0 * math.pi
_ROUNDER = 6755399441055744.0  # 1.5 * 2^52: adding it leaves the nearest integer in the low bits


@inlined
def philox_round(c0: int, c1: int, c2: int, c3: int, k0: int, k1: int) -> tuple[int, int, int, int]:
    """One round: two 32 x 32 -> 64 bit products, their halves crossed over; of each word the low 32 bits count.

    Masked only before a product, where the mask is free: it makes the product one of 32-bit words.
    """
    p0, p1 = (c0 & _LOW) * _M0, (c2 & _LOW) * _M1
    return (p1 >> 32) ^ c1 ^ k0, p1, (p0 >> 32) ^ c3 ^ k1, p0


@inlined
def philox(c0: int, c1: int, c2: int, c3: int, k0: int, k1: int) -> tuple[int, int, int, int]:
    """Four random 32-bit words of counter (c0, c1, c2, c3) under key (k0, k1): ten rounds."""
    a, b, c, d = philox_round(c0, c1, c2, c3, k0, k1)
    a, b, c, d = philox_round(a, b, c, d, (k0 + _W0) & _LOW, (k1 + _W1) & _LOW)
    a, b, c, d = philox_round(a, b, c, d, (k0 + 2 * _W0) & _LOW, (k1 + 2 * _W1) & _LOW)
    a, b, c, d = philox_round(a, b, c, d, (k0 + 3 * _W0) & _LOW, (k1 + 3 * _W1) & _LOW)
    a, b, c, d = philox_round(a, b, c, d, (k0 + 4 * _W0) & _LOW, (k1 + 4 * _W1) & _LOW)
    a, b, c, d = philox_round(a, b, c, d, (k0 + 5 * _W0) & _LOW, (k1 + 5 * _W1) & _LOW)
    a, b, c, d = philox_round(a, b, c, d, (k0 + 6 * _W0) & _LOW, (k1 + 6 * _W1) & _LOW)
    a, b, c, d = philox_round(a, b, c, d, (k0 + 7 * _W0) & _LOW, (k1 + 7 * _W1) & _LOW)
    a, b, c, d = philox_round(a, b, c, d, (k0 + 8 * _W0) & _LOW, (k1 + 8 * _W1) & _LOW)
    a, b, c, d = philox_round(a, b, c, d, (k0 + 9 * _W0) & _LOW, (k1 + 9 * _W1) & _LOW)
    return a & _LOW, b & _LOW, c & _LOW, d & _LOW


@inlined
def unit(high: int, low: int) -> float:
    """A uniform number strictly between 0 and 1 of 52 bits of two words."""
    return from_bits((high << 20) | (low >> 12) | _ONE) - 1.0 + _HALF_ULP


@inlined
def turn(u: float) -> tuple[float, float]:
    """(sin, cos) of u full turns, 0 <= u <= 1; within 2 eps.

    Taylor's series on an eighth of a turn each side of the nearest quarter, then by symmetry.
    """
    quarters = (4.0 * u + _ROUNDER) - _ROUNDER
    x = (u - 0.25 * quarters) * _TWO_PI
    z = x * x
    s = fma(z, -7.647163731819816e-13, 1.6059043836821613e-10)
    s = fma(z, s, -2.505210838544172e-08)
    s = fma(z, s, 2.7557319223985893e-06)
    s = fma(z, s, -0.0001984126984126984)
    s = fma(z, s, 0.008333333333333333)
    s = fma(z, s, -0.16666666666666666)
    sine = fma(z * s, x, x)
    c = fma(z, 4.779477332387385e-14, -1.1470745597729725e-11)
    c = fma(z, c, 2.08767569878681e-09)
    c = fma(z, c, -2.755731922398589e-07)
    c = fma(z, c, 2.48015873015873e-05)
    c = fma(z, c, -0.001388888888888889)
    c = fma(z, c, 0.041666666666666664)
    c = fma(z, c, -0.5)
    cosine = fma(z, c, 1.0)
    odd = (quarters == 1.0) | (quarters == 3.0)
    a = cosine if odd else sine
    b = sine if odd else cosine
    a = -a if (quarters == 2.0) | (quarters == 3.0) else a
    b = -b if (quarters == 1.0) | (quarters == 2.0) else b
    return a, b


@inlined
def gaussian_pair(a: int, b: int, c: int, d: int) -> tuple[float, float]:
    """Two independent normal numbers of four random words (Box and Muller 1958)."""
    radius = math.sqrt(-2.0 * log_ratio(unit(a, b), 1.0))
    sine, cosine = turn(unit(c, d))
    return radius * cosine, radius * sine


@kernel
def draw_normals(
    work: Floats, row_a: int, row_b: int, seed: int, first: int, step: int, stream: int, mirror: int
) -> None:
    """Fill two rows with normal numbers; `mirror` 1: odd paths are the even ones with signs turned."""
    k0, k1 = seed & _LOW, (seed >> 32) & _LOW
    out_a = work[row_a * LANES : (row_a + 1) * LANES]
    out_b = work[row_b * LANES : (row_b + 1) * LANES]
    for lane in range(LANES):
        path = first + lane
        counter = path >> mirror
        a, b, c, d = philox(counter & _LOW, (counter >> 32) & _LOW, step, stream, k0, k1)
        one, other = gaussian_pair(a, b, c, d)
        flip = ((path & 1) & mirror) == 1
        out_a[lane] = -one if flip else one
        out_b[lane] = -other if flip else other


@kernel
def draw_units(
    work: Floats, row_a: int, row_b: int, seed: int, first: int, step: int, stream: int, mirror: int
) -> None:
    """Fill two rows with uniform numbers in (0, 1); `mirror` 1: odd paths are one minus the even ones."""
    k0, k1 = seed & _LOW, (seed >> 32) & _LOW
    out_a = work[row_a * LANES : (row_a + 1) * LANES]
    out_b = work[row_b * LANES : (row_b + 1) * LANES]
    for lane in range(LANES):
        path = first + lane
        counter = path >> mirror
        a, b, c, d = philox(counter & _LOW, (counter >> 32) & _LOW, step, stream, k0, k1)
        one, other = unit(a, b), unit(c, d)
        flip = ((path & 1) & mirror) == 1
        out_a[lane] = 1.0 - one if flip else one
        out_b[lane] = 1.0 - other if flip else other


@kernel
def words(counter: NDArray[np.int64], key: NDArray[np.int64]) -> tuple[int, int, int, int]:
    """The generator itself, for its published test vectors: counter of four words, key of two."""
    return philox(counter[0], counter[1], counter[2], counter[3], key[0], key[1])
