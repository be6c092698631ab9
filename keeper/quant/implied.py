"""Implied volatility of European options by Jaeckel's rational method ("Let's be rational", 2015), vectorised.

Prices are those of Black-76, discounted by exp(-rate years); forward and strike in the same money. Inputs broadcast.
What has no volatility gets a status instead of an exception, and NaN: never a number that means something else.
"""

from __future__ import annotations

import math
from enum import IntEnum
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray

from keeper.quant.compiled import (
    fma,
    get,
    inlined,
    kernel,
    parallel_kernel,
    put0,
    put1,
    put2,
    put3,
    put4,
    warms,
)
from keeper.quant.implied_terms import bachelier, corrected, guessed, refined
from keeper.quant.inputs import (
    GROWTH_HIGHEST,
    PRICE_HIGHEST,
    PRICE_LOWEST,
    YEARS_HIGHEST,
    Floats,
    flat_inputs,
)
from keeper.quant.normal import INV_SQRT_2PI, exponential, log_ratio

BLOCK = 256
"""Elements that one pass works on: the workspace stays in the first-level cache."""
PART = 1024
"""Elements that a thread takes at a time."""
PARALLEL_FROM = 131072
"""Elements from which starting the threads is worth it: a busy core can keep a thread waiting for milliseconds."""
_FIELDS = ("price", "forward", "strike", "years", "sign", "rate")
_ROUNDING = 8.881784197001252e-16
"""A price this little (4 eps, relative) under intrinsic value is taken for it: rounding put it there."""
_DENORMAL_SCALE = 1.3407807929942597e154  # 2^512
_DENORMAL_LOG = 354.891356446692  # 512 ln 2
_OK, _BELOW, _ABOVE, _NO_TIME, _NAN, _OUT = 0.0, 1.0, 2.0, 3.0, 4.0, 5.0
_WORTHLESS = 6.0  # inside only: at intrinsic value, so the volatility is 0
_Y, _C, _LOG_C, _LOG_Q = 0, 1, 2, 3  # rows of the workspace; 4 and 5 hold deviations, 6 the status


class ImpliedStatus(IntEnum):
    """What became of one element; the volatility is NaN unless it is OK."""

    OK = 0
    BELOW_INTRINSIC = 1
    """The price is below what exercise gives; at it, the volatility is 0 and the status OK."""
    ABOVE_MAXIMUM = 2
    """The price is at or above what no volatility can reach: the forward (call), the strike (put), discounted."""
    NO_TIME = 3
    """years is 0 or negative."""
    NOT_A_NUMBER = 4
    """An input is NaN."""
    OUT_OF_BOUNDS = 5
    """forward or strike is not within 1e-250 to 1e250, the sign is not +1 or -1, years is above 1000, |rate years|
    above 700, or the price is infinite."""


class Implied(NamedTuple):
    """Annualised volatility and `ImpliedStatus` codes (int8), of the broadcast shape."""

    volatility: Floats
    status: NDArray[np.int8]


def implied_volatility(
    price: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    sign: ArrayLike,
    rate: ArrayLike = 0.0,
) -> Implied:
    """The volatility at which Black-76 gives this price: within a few eps times its condition, in every regime.

    Raises QuantityError only for inputs that are no numbers or do not broadcast.
    """
    shape, arrays = flat_inputs(_FIELDS, (price, forward, strike, years, sign, rate))
    out = np.empty((2, math.prod(shape)))
    p, f, k, t, s, r = arrays
    if out.shape[1] >= PARALLEL_FROM:
        _implied_parallel(p, f, k, t, s, r, out)
    else:
        _implied_range(p, f, k, t, s, r, out, 0, out.shape[1])
    return Implied(out[0].reshape(shape), out[1].astype(np.int8).reshape(shape))


@inlined
def posed(
    price: float, forward: float, strike: float, years: float, sign: float, rate: float
) -> tuple[float, float, float, float, float]:
    """(y, c, log c, log q, status) of one option; harmless numbers where there is nothing to solve."""
    growth = rate * years
    total = price + forward + strike + years + sign + rate
    outside = (
        (forward < PRICE_LOWEST)
        | (forward > PRICE_HIGHEST)
        | (strike < PRICE_LOWEST)
        | (strike > PRICE_HIGHEST)
        | (sign * sign != 1.0)
        | (years > YEARS_HIGHEST)
        | (growth > GROWTH_HIGHEST)
        | (growth < -GROWTH_HIGHEST)
        | (price > 1e300)
        | (price < -1e300)
    )
    f = forward if forward >= PRICE_LOWEST else 1.0
    k = strike if strike >= PRICE_LOWEST else 1.0
    gain = sign * (f - k)
    gain = gain if gain > 0.0 else 0.0
    worth = fma(price, exponential(growth), -gain)
    worth = 0.0 if (worth < 0.0) & (worth >= -_ROUNDING * gain) else worth
    low = f if f < k else k
    rest = low - worth
    status = _BELOW if worth < 0.0 else (_ABOVE if rest <= 0.0 else _OK)
    status = _WORTHLESS if worth == 0.0 else status
    status = status if years > 0.0 else _NO_TIME
    status = _OUT if outside else status
    status = _NAN if total != total else status  # noqa: PLR0124 - NaN alone differs from itself
    solvable = status == _OK
    safe_worth = worth if solvable else 0.5
    safe_low = low if solvable else 1.0
    tiny = safe_worth < 1e-300
    log_c = log_ratio(safe_worth * _DENORMAL_SCALE if tiny else safe_worth, safe_low)
    log_c = log_c - _DENORMAL_LOG if tiny else log_c
    log_q = log_ratio(rest if solvable else 0.5, safe_low)
    y = log_ratio(f, k)
    return (-y if y < 0.0 else y), safe_worth / safe_low, log_c, log_q, status


@kernel
def _pose(
    price: Floats,
    forward: Floats,
    strike: Floats,
    years: Floats,
    sign: Floats,
    rate: Floats,
    rows: Floats,
    begin: int,
    size: int,
) -> None:
    moneyness, worth, log_c, log_q = rows[_Y], rows[_C], rows[_LOG_C], rows[_LOG_Q]
    codes = rows[6]
    for i in range(size):
        j = begin + i
        y, c, of_c, of_q, status = posed(
            get(price, j),
            get(forward, j),
            get(strike, j),
            get(years, j),
            get(sign, j),
            get(rate, j),
        )
        put0(moneyness, i, y)
        put1(worth, i, c)
        put2(log_c, i, of_c)
        put3(log_q, i, of_q)
        put4(codes, i, status)


@kernel
def _bachelier(rows: Floats, size: int) -> None:
    moneyness, log_c, to = rows[_Y], rows[_LOG_C], rows[4]
    for i in range(size):
        put0(to, i, bachelier(get(moneyness, i), get(log_c, i)))


@kernel
def _correct(rows: Floats, size: int) -> None:
    moneyness, log_c, before, to = rows[_Y], rows[_LOG_C], rows[4], rows[5]
    for i in range(size):
        put0(to, i, corrected(get(before, i), get(moneyness, i), get(log_c, i)))


@kernel
def _guess(rows: Floats, size: int) -> None:
    moneyness, worth, log_c, log_q = rows[_Y], rows[_C], rows[_LOG_C], rows[_LOG_Q]
    near, to = rows[5], rows[4]
    for i in range(size):
        s = guessed(get(near, i), get(moneyness, i), get(worth, i), get(log_c, i), get(log_q, i))
        put0(to, i, s)


@kernel
def _refine(rows: Floats, source: int, target: int, size: int) -> None:
    moneyness, log_c, log_q = rows[_Y], rows[_LOG_C], rows[_LOG_Q]
    before, to = rows[source], rows[target]
    for i in range(size):
        put0(to, i, refined(get(before, i), get(moneyness, i), get(log_c, i), get(log_q, i)))


@kernel
def _close(
    years: Floats, rows: Floats, codes: Floats, volatilities: Floats, begin: int, size: int
) -> None:
    moneyness, worth, deviation, status = rows[_Y], rows[_C], rows[4], rows[6]
    for i in range(size):
        t, code = get(years, begin + i), get(status, i)
        c, s = get(worth, i), get(deviation, i)
        # so small at the money that squares leave the range of doubles: there c = s / sqrt(2 pi) is exact
        s = c / INV_SQRT_2PI if (get(moneyness, i) == 0.0) & (c < 1e-100) else s
        volatility = s / math.sqrt(t if t > 0.0 else 1.0)
        volatility = volatility if code == _OK else math.nan
        put0(volatilities, begin + i, 0.0 if code == _WORTHLESS else volatility)
        put1(codes, begin + i, _OK if code == _WORTHLESS else code)


@kernel
def _implied_range(
    price: Floats,
    forward: Floats,
    strike: Floats,
    years: Floats,
    sign: Floats,
    rate: Floats,
    out: Floats,
    begin: int,
    end: int,
) -> None:
    """Volatilities into out[0], status codes into out[1]; pass by pass over a few hundred elements.

    One long loop would wait on its own chain of operations; short ones overlap from element to element.
    """
    rows = np.empty((7, BLOCK))
    for start in range(begin, end, BLOCK):
        size = min(BLOCK, end - start)
        _pose(price, forward, strike, years, sign, rate, rows, start, size)
        _bachelier(rows, size)
        _correct(rows, size)
        _guess(rows, size)
        _refine(rows, 4, 5, size)
        _refine(rows, 5, 4, size)
        _close(years, rows, out[1], out[0], start, size)


@parallel_kernel
def _implied_parallel(
    price: Floats,
    forward: Floats,
    strike: Floats,
    years: Floats,
    sign: Floats,
    rate: Floats,
    out: Floats,
) -> None:
    for part in numba.prange((out.shape[1] + PART - 1) // PART):
        end = min((part + 1) * PART, out.shape[1])
        _implied_range(price, forward, strike, years, sign, rate, out, part * PART, end)


@warms
def _warm() -> None:
    for size in (2, PARALLEL_FROM):
        implied_volatility(np.full(size, 0.2), 1.0, 1.0, 1.0, 1.0)
