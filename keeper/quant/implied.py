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

from keeper.quant.black import CHUNK, load
from keeper.quant.compiled import kernel, parallel_kernel
from keeper.quant.implied_terms import guess, refined
from keeper.quant.inputs import (
    GROWTH_HIGHEST,
    PRICE_HIGHEST,
    PRICE_LOWEST,
    YEARS_HIGHEST,
    Floats,
    flat_inputs,
)
from keeper.quant.normal import exponential, log_ratio

PARALLEL_FROM = 4096
_FIELDS = ("price", "forward", "strike", "years", "sign", "rate")
_ROUNDING = 8.881784197001252e-16
"""A price this little (4 eps, relative) under intrinsic value is taken for it: rounding put it there."""
_DENORMAL_SCALE = 1.3407807929942597e154  # 2^512
_DENORMAL_LOG = 354.891356446692  # 512 ln 2
_OK, _BELOW, _ABOVE, _NO_TIME, _NAN, _OUT = 0.0, 1.0, 2.0, 3.0, 4.0, 5.0


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
    shape, a = flat_inputs(_FIELDS, (price, forward, strike, years, sign, rate))
    size = math.prod(shape)
    volatility, status = np.empty(size), np.empty(size, np.int8)
    run = _implied_parallel if size >= PARALLEL_FROM else _implied_serial
    run(a[0], a[1], a[2], a[3], a[4], a[5], volatility, status)
    return Implied(volatility.reshape(shape), status.reshape(shape))


@kernel
def _implied_chunk(work: Floats) -> None:
    """Rows 0-5 are price, forward, strike, years, sign, rate; rows 6 and 7 become volatility and status."""
    for i in range(CHUNK):
        price, forward, strike = work[i], work[CHUNK + i], work[2 * CHUNK + i]
        years, sign, rate = work[3 * CHUNK + i], work[4 * CHUNK + i], work[5 * CHUNK + i]
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
        value = price * exponential(growth)
        gain = sign * (f - k)
        gain = gain if gain > 0.0 else 0.0
        worth = value - gain
        rounded = (worth < 0.0) & (worth >= -_ROUNDING * gain)
        worth = 0.0 if rounded else worth
        low = f if f < k else k
        rest = low - worth
        nothing = worth == 0.0
        status = _BELOW if worth < 0.0 else (_ABOVE if rest <= 0.0 else _OK)
        status = status if years > 0.0 else _NO_TIME
        status = _OUT if outside else status
        status = _NAN if total != total else status  # noqa: PLR0124 - NaN alone differs from itself
        solvable = (status == _OK) & (worth > 0.0)
        safe_worth = worth if solvable else 0.5
        safe_low = low if solvable else 1.0
        safe_rest = rest if solvable else 0.5
        tiny = safe_worth < 1e-300
        log_c = log_ratio(safe_worth * _DENORMAL_SCALE if tiny else safe_worth, safe_low)
        log_c = log_c - _DENORMAL_LOG if tiny else log_c
        log_q = log_ratio(safe_rest, safe_low)
        y = log_ratio(f, k)
        y = -y if y < 0.0 else y
        s = guess(y, safe_worth / safe_low, log_c, log_q)
        s = refined(s, y, log_c, log_q)
        s = refined(s, y, log_c, log_q)
        s = 0.0 if nothing else s
        root = math.sqrt(years if years > 0.0 else 1.0)
        work[6 * CHUNK + i] = s / root if status == _OK else math.nan
        work[7 * CHUNK + i] = status


@kernel
def _implied_at(
    price: Floats,
    forward: Floats,
    strike: Floats,
    years: Floats,
    sign: Floats,
    rate: Floats,
    volatility: Floats,
    status: NDArray[np.int8],
    begin: int,
) -> None:
    count = min(CHUNK, volatility.size - begin)
    work = np.empty(8 * CHUNK)
    load(price, begin, count, work, 0)
    load(forward, begin, count, work, CHUNK)
    load(strike, begin, count, work, 2 * CHUNK)
    load(years, begin, count, work, 3 * CHUNK)
    load(sign, begin, count, work, 4 * CHUNK)
    load(rate, begin, count, work, 5 * CHUNK)
    _implied_chunk(work)
    for i in range(count):
        volatility[begin + i] = work[6 * CHUNK + i]
        status[begin + i] = np.int8(work[7 * CHUNK + i])


@kernel
def _implied_serial(
    price: Floats,
    forward: Floats,
    strike: Floats,
    years: Floats,
    sign: Floats,
    rate: Floats,
    volatility: Floats,
    status: NDArray[np.int8],
) -> None:
    for begin in range(0, volatility.size, CHUNK):
        _implied_at(price, forward, strike, years, sign, rate, volatility, status, begin)


@parallel_kernel
def _implied_parallel(
    price: Floats,
    forward: Floats,
    strike: Floats,
    years: Floats,
    sign: Floats,
    rate: Floats,
    volatility: Floats,
    status: NDArray[np.int8],
) -> None:
    for chunk in numba.prange((volatility.size + CHUNK - 1) // CHUNK):
        _implied_at(price, forward, strike, years, sign, rate, volatility, status, chunk * CHUNK)
