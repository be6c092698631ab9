"""The loops of `keeper.quant.black`: a few hundred options at a time, pass after pass.

All the formulas in one loop would wait on their own chain of operations: a processor looks a few hundred instructions
ahead, less than one turn of such a loop. Short passes overlap from option to option, a third faster, and round alike;
what they hand on stays in the first-level cache.
"""

from __future__ import annotations

import math

import numpy as np

from keeper.quant.black_terms import (
    deviation,
    greek_terms,
    moneyness,
    near_terms,
    price_of,
    tail_terms,
)
from keeper.quant.compiled import (
    fma,
    get,
    kernel,
    put0,
    put1,
    put2,
    put3,
    put4,
    put5,
    put6,
    put7,
)
from keeper.quant.inputs import GROWTH_HIGHEST, Floats, bad_option, bad_price
from keeper.quant.normal import exponential

BLOCK = 256
"""Options that one pass works on."""
ROWS = 13
"""Of the workspace, in the order below."""
X, S, INVERSE, ROOT, DISCOUNT, GROWTH, P, M, DENSITY, UPPER, REST, FAR, VALUE = range(ROWS)


@kernel
def near_pass(rows: Floats, size: int) -> None:
    """X, S and INVERSE to P, M and DENSITY."""
    x, s, inverse = rows[X], rows[S], rows[INVERSE]
    to_p, to_m, to_density = rows[P], rows[M], rows[DENSITY]
    for i in range(size):
        p, m, density = near_terms(get(x, i), get(s, i), get(inverse, i))
        put0(to_p, i, p)
        put1(to_m, i, m)
        put2(to_density, i, density)


@kernel
def _tail_pass(rows: Floats, size: int) -> None:
    """P, M and DENSITY to UPPER, REST, FAR and VALUE."""
    of_p, of_m, of_density = rows[P], rows[M], rows[DENSITY]
    to_upper, to_rest, to_far, to_value = rows[UPPER], rows[REST], rows[FAR], rows[VALUE]
    for i in range(size):
        upper, rest, far, value = tail_terms(get(of_p, i), get(of_m, i), get(of_density, i))
        put0(to_upper, i, upper)
        put1(to_rest, i, rest)
        put2(to_far, i, far)
        put3(to_value, i, value)


@kernel
def _pose_forward(
    f: Floats,
    k: Floats,
    t: Floats,
    v: Floats,
    s: Floats,
    r: Floats,
    rows: Floats,
    begin: int,
    size: int,
) -> int:
    """The first rows of Black-76 options; 1 if an input is out of bounds."""
    to_x, to_s, to_inverse = rows[X], rows[S], rows[INVERSE]
    to_root, to_discount = rows[ROOT], rows[DISCOUNT]
    wrong = 0
    for i in range(size):
        j = begin + i
        forward, strike, years, volatility = get(f, j), get(k, j), get(t, j), get(v, j)
        growth = get(r, j) * years
        bad = bad_price(forward) | bad_price(strike)
        bad = bad | bad_option(years, volatility, get(s, j), growth)
        wrong |= 1 if bad else 0
        root = math.sqrt(years)
        total = deviation(volatility, root)
        put0(to_x, i, moneyness(forward, strike))
        put1(to_s, i, total)
        put2(to_inverse, i, 1.0 / total)
        put3(to_root, i, root)
        put4(to_discount, i, exponential(-growth))
    return wrong


@kernel
def _pose_spot(
    f: Floats,
    k: Floats,
    t: Floats,
    v: Floats,
    s: Floats,
    r: Floats,
    q: Floats,
    rows: Floats,
    begin: int,
    size: int,
) -> int:
    """The first rows of Black-Scholes-Merton options; 1 if an input is out of bounds."""
    to_x, to_s, to_inverse = rows[X], rows[S], rows[INVERSE]
    to_root, to_discount, to_growth = rows[ROOT], rows[DISCOUNT], rows[GROWTH]
    wrong = 0
    for i in range(size):
        j = begin + i
        spot, strike, years, volatility = get(f, j), get(k, j), get(t, j), get(v, j)
        rate = get(r, j)
        paid, drift = rate * years, (rate - get(q, j)) * years
        bad = bad_price(spot) | bad_price(strike) | bad_option(years, volatility, get(s, j), paid)
        bad = bad | (drift > GROWTH_HIGHEST) | (drift < -GROWTH_HIGHEST)
        wrong |= 1 if bad else 0
        root = math.sqrt(years)
        total = deviation(volatility, root)
        put0(to_x, i, moneyness(spot, strike) + drift)
        put1(to_s, i, total)
        put2(to_inverse, i, 1.0 / total)
        put3(to_root, i, root)
        put4(to_discount, i, exponential(-paid))
        put5(to_growth, i, exponential(drift))
    return wrong


@kernel
def _close_forward(
    f: Floats,
    k: Floats,
    t: Floats,
    v: Floats,
    s: Floats,
    r: Floats,
    rows: Floats,
    out: Floats,
    begin: int,
    size: int,
) -> None:
    """Prices and Greeks of Black-76 from the rows; an input that is NaN poisons all of its element."""
    o0, o1, o2, o3 = out[0], out[1], out[2], out[3]
    o4, o5, o6, o7 = out[4], out[5], out[6], out[7]
    x, s_, inverse, root = rows[X], rows[S], rows[INVERSE], rows[ROOT]
    p, m, density, discounts = rows[P], rows[M], rows[DENSITY], rows[DISCOUNT]
    upper, rest, far, values = rows[UPPER], rows[REST], rows[FAR], rows[VALUE]
    for i in range(size):
        j = begin + i
        forward, strike, years = get(f, j), get(k, j), get(t, j)
        volatility, sign, rate = get(v, j), get(s, j), get(r, j)
        poison = 0.0 * (forward + strike + years + volatility + sign + rate)
        value, delta, gamma, vega, theta, vanna, volga = greek_terms(
            forward,
            strike,
            get(x, i),
            volatility,
            sign,
            get(root, i),
            get(s_, i),
            get(inverse, i),
            get(p, i),
            get(m, i),
            get(density, i),
            get(upper, i),
            get(rest, i),
            get(far, i),
            get(values, i),
        )
        discount = get(discounts, i)
        value = fma(discount, value, poison)
        put0(o0, j, value)
        put1(o1, j, fma(discount, delta, poison))
        put2(o2, j, fma(discount, gamma, poison))
        put3(o3, j, fma(discount, vega, poison))
        put4(o4, j, fma(discount, theta, fma(rate, value, poison)))
        put5(o5, j, fma(-years, value, poison))
        put6(o6, j, fma(discount, vanna, poison))
        put7(o7, j, fma(discount, volga, poison))


@kernel
def _close_spot(
    f: Floats,
    k: Floats,
    t: Floats,
    v: Floats,
    s: Floats,
    r: Floats,
    q: Floats,
    rows: Floats,
    out: Floats,
    begin: int,
    size: int,
) -> None:
    """Prices and Greeks of Black-Scholes-Merton from the rows; an input that is NaN poisons all of its element."""
    o0, o1, o2, o3 = out[0], out[1], out[2], out[3]
    o4, o5, o6, o7 = out[4], out[5], out[6], out[7]
    x, s_, inverse, root = rows[X], rows[S], rows[INVERSE], rows[ROOT]
    p, m, density = rows[P], rows[M], rows[DENSITY]
    discounts, growths = rows[DISCOUNT], rows[GROWTH]
    upper, rest, far, values = rows[UPPER], rows[REST], rows[FAR], rows[VALUE]
    for i in range(size):
        j = begin + i
        spot, strike, years = get(f, j), get(k, j), get(t, j)
        volatility, sign, rate = get(v, j), get(s, j), get(r, j)
        cost = rate - get(q, j)
        discount, growth = get(discounts, i), get(growths, i)
        poison = 0.0 * (spot + strike + years + volatility + sign + cost)
        value, delta, gamma, vega, theta, vanna, volga = greek_terms(
            spot * growth,
            strike,
            get(x, i),
            volatility,
            sign,
            get(root, i),
            get(s_, i),
            get(inverse, i),
            get(p, i),
            get(m, i),
            get(density, i),
            get(upper, i),
            get(rest, i),
            get(far, i),
            get(values, i),
        )
        carried = discount * growth
        value = fma(discount, value, poison)
        delta = fma(carried, delta, poison)
        put0(o0, j, value)
        put1(o1, j, delta)
        put2(o2, j, fma(carried * growth, gamma, poison))
        put3(o3, j, fma(discount, vega, poison))
        put4(o4, j, fma(discount, theta, fma(rate, value, -cost * spot * delta)))
        put5(o5, j, years * fma(spot, delta, -value))
        put6(o6, j, fma(carried, vanna, poison))
        put7(o7, j, fma(discount, volga, poison))


@kernel
def _close_price(
    f: Floats,
    k: Floats,
    t: Floats,
    v: Floats,
    s: Floats,
    r: Floats,
    rows: Floats,
    out: Floats,
    begin: int,
    size: int,
) -> None:
    """Black-76 prices from the rows of `near_pass`."""
    p, m, density, discount = rows[P], rows[M], rows[DENSITY], rows[DISCOUNT]
    o0 = out[0]
    for i in range(size):
        j = begin + i
        forward, strike, sign = get(f, j), get(k, j), get(s, j)
        poison = 0.0 * (forward + strike + get(t, j) + get(v, j) + sign + get(r, j))
        value = tail_terms(get(p, i), get(m, i), get(density, i))[3]
        put0(o0, j, fma(get(discount, i), price_of(forward, strike, sign, value), poison))


@kernel
def forward_range(
    f: Floats,
    k: Floats,
    t: Floats,
    v: Floats,
    s: Floats,
    r: Floats,
    out: Floats,
    begin: int,
    end: int,
) -> int:
    """Black-76 of elements begin to end into the eight rows of `out`; 1 if an input is out of bounds."""
    rows = np.empty((ROWS, BLOCK))
    wrong = 0
    for start in range(begin, end, BLOCK):
        size = min(BLOCK, end - start)
        wrong |= _pose_forward(f, k, t, v, s, r, rows, start, size)
        near_pass(rows, size)
        _tail_pass(rows, size)
        _close_forward(f, k, t, v, s, r, rows, out, start, size)
    return wrong


@kernel
def price_range(
    f: Floats,
    k: Floats,
    t: Floats,
    v: Floats,
    s: Floats,
    r: Floats,
    out: Floats,
    begin: int,
    end: int,
) -> int:
    """Black-76 prices of elements begin to end into out[0]; 1 if an input is out of bounds."""
    rows = np.empty((ROWS, BLOCK))
    wrong = 0
    for start in range(begin, end, BLOCK):
        size = min(BLOCK, end - start)
        wrong |= _pose_forward(f, k, t, v, s, r, rows, start, size)
        near_pass(rows, size)
        _close_price(f, k, t, v, s, r, rows, out, start, size)
    return wrong


@kernel
def spot_range(
    f: Floats,
    k: Floats,
    t: Floats,
    v: Floats,
    s: Floats,
    r: Floats,
    q: Floats,
    out: Floats,
    begin: int,
    end: int,
) -> int:
    """Black-Scholes-Merton of elements begin to end into the eight rows of `out`; 1 if an input is out of bounds."""
    rows = np.empty((ROWS, BLOCK))
    wrong = 0
    for start in range(begin, end, BLOCK):
        size = min(BLOCK, end - start)
        wrong |= _pose_spot(f, k, t, v, s, r, q, rows, start, size)
        near_pass(rows, size)
        _tail_pass(rows, size)
        _close_spot(f, k, t, v, s, r, q, rows, out, start, size)
    return wrong
