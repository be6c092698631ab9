"""A book's value under many moves of the market in one pass: no array between the moves and the values.

Options by Black-76 without a rate, the same bits as `black.price` of the moved inputs; everything else moves with its
price alone and earns over the time that passes. One thread, whatever the size: a keeper's tick must not wait for a
second core.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from keeper.quant.black_passes import (
    BLOCK,
    DENSITY,
    INVERSE,
    ROWS,
    M,
    P,
    S,
    X,
    near_pass,
)
from keeper.quant.black_terms import deviation, moneyness, price_of, tail_terms
from keeper.quant.compiled import fma, get, kernel, put0, put1, put2, put3, put4, warms
from keeper.quant.inputs import Floats, bad_option, bad_price

Places = NDArray[np.int64]
_PRICE, _YEARS, _WIDTH = (
    ROWS,
    ROWS + 1,
    ROWS + 2,
)  # rows after those of the pricing passes: what was moved
_WORTH = ROWS + 3


class Options(NamedTuple):
    """o European options."""

    place: Places
    """(o,) column of the result."""
    underlying: Places
    """(o,) column of the prices."""
    figures: Floats
    """(5, o): quantity, strike, years, volatility, sign."""


class Lines(NamedTuple):
    """l positions that move with their price alone."""

    place: Places
    """(l,) column of the result."""
    underlying: Places
    """(l,) column of the prices."""
    figures: Floats
    """(5, l): quantity, entry price, earned a year of the value, share in a move of loan rates, and of funding."""


class Shifts(NamedTuple):
    """m moves, every array (m,): fractions, years, and amounts a year."""

    volatility: Floats
    years: Floats
    skew: Floats
    """Added to volatility for each unit of log(strike / price)."""
    depeg: Floats
    rates: Floats
    funding: Floats


def revalue(
    options: Options, lines: Lines, spots: Floats, shifts: Shifts, most_volatility: float
) -> tuple[Floats, bool]:
    """((m, o + l) values, whether some option's moved inputs are out of the bounds of `black.price`).

    spots: (m, k) prices after the moves. Moved volatility is kept within 0 and `most_volatility`, moved time at or
    above 0. NaN gives NaN in its element. `place` must be a permutation of the columns: that is not checked.
    """
    moves = np.stack(shifts)
    found = np.empty((spots.shape[0], options.place.size + lines.place.size))
    _revalue_lines(*lines, spots, moves, found)
    wrong = _revalue_options(*options, spots, moves, most_volatility, found)
    return found, bool(wrong)


@kernel
def _revalue_lines(
    place: Places, underlying: Places, figures: Floats, spots: Floats, moves: Floats, found: Floats
) -> None:
    for i in range(spots.shape[0]):
        years, par = moves[1, i], 1.0 - moves[3, i]
        rates, funding = moves[4, i], moves[5, i]
        for j in range(place.size):
            earned = figures[2, j] + rates * figures[3, j] - funding * figures[4, j]
            price = spots[i, underlying[j]]
            worth = figures[0, j] * (price * (1.0 + years * earned) - figures[1, j])
            found[i, place[j]] = worth * par


@kernel
def _pose(
    k: Floats,
    t: Floats,
    v: Floats,
    s: Floats,
    rows: Floats,
    begin: int,
    size: int,
    wider: float,
    passed: float,
    skew: float,
    most_volatility: float,
) -> int:
    """Moves the inputs and fills the first rows; 1 if a moved input is out of bounds."""
    prices, to_x, to_s, to_inverse = rows[_PRICE], rows[X], rows[S], rows[INVERSE]
    to_years, to_width = rows[_YEARS], rows[_WIDTH]
    wrong = 0
    for i in range(size):
        j = begin + i
        price, strike = get(prices, i), get(k, j)
        x = moneyness(price, strike)
        years = get(t, j) - passed
        years = 0.0 if years < 0.0 else years
        volatility = get(v, j) * wider - skew * x
        volatility = 0.0 if volatility < 0.0 else volatility
        volatility = most_volatility if volatility > most_volatility else volatility
        bad = bad_price(price) | bad_price(strike) | bad_option(years, volatility, get(s, j), 0.0)
        wrong |= 1 if bad else 0
        total = deviation(volatility, math.sqrt(years))
        put0(to_x, i, x)
        put1(to_s, i, total)
        put2(to_inverse, i, 1.0 / total)
        put3(to_years, i, years)
        put4(to_width, i, volatility)
    return wrong


@kernel
def _close(
    n: Floats, k: Floats, s: Floats, rows: Floats, begin: int, size: int, par: float
) -> None:
    """Values of the positions from the rows; an input that is NaN poisons its element."""
    prices, years, widths, to_worth = rows[_PRICE], rows[_YEARS], rows[_WIDTH], rows[_WORTH]
    of_p, of_m, of_density = rows[P], rows[M], rows[DENSITY]
    for i in range(size):
        j = begin + i
        price, strike, sign = get(prices, i), get(k, j), get(s, j)
        value = tail_terms(get(of_p, i), get(of_m, i), get(of_density, i))[3]
        poison = 0.0 * (price + strike + get(years, i) + get(widths, i) + sign)
        worth = fma(1.0, price_of(price, strike, sign, value), poison)
        put0(to_worth, i, get(n, j) * worth * par)


@kernel
def _revalue_options(
    place: Places,
    underlying: Places,
    figures: Floats,
    spots: Floats,
    moves: Floats,
    most_volatility: float,
    found: Floats,
) -> int:
    """Block by block of positions, so that their terms stay in the cache under all the moves."""
    n, k, t, v, s = figures[0], figures[1], figures[2], figures[3], figures[4]
    rows = np.empty((ROWS + 4, BLOCK))
    wrong = 0
    for begin in range(0, place.size, BLOCK):
        size = min(BLOCK, place.size - begin)
        for i in range(spots.shape[0]):
            for j in range(size):
                rows[_PRICE, j] = spots[i, underlying[begin + j]]
            wider, par = 1.0 + moves[0, i], 1.0 - moves[3, i]
            passed, skew = moves[1, i], moves[2, i]
            wrong |= _pose(k, t, v, s, rows, begin, size, wider, passed, skew, most_volatility)
            near_pass(rows, size)
            _close(n, k, s, rows, begin, size, par)
            for j in range(size):
                found[i, place[begin + j]] = rows[_WORTH, j]
    return wrong


@warms
def _warm() -> None:
    place, one = np.zeros(1, dtype=np.int64), np.ones((5, 1))
    shifts = Shifts(*np.zeros((6, 1)))
    revalue(Options(place, place, one), Lines(place + 1, place, one), np.ones((1, 1)), shifts, 10.0)
