"""Realised volatility from bars: annualised, of driftless or drifting prices.

Prices are arrays (..., bars) in time order; the last axis is used up. Each estimator gives an array of the other
axes, so that rolling windows are `numpy.lib.stride_tricks.sliding_window_view`. Errors: `QuantityError` for prices
that are not finite and positive, shapes that differ, too few bars, a high below a low, or open and close outside
them.
"""

from __future__ import annotations

from math import log

import numpy as np

from keeper.errors import QuantityError
from keeper.quant.volatility.inputs import Floats, Numbers, per_year, prices

LN_2 = log(2.0)


def close_to_close(close: Numbers, periods_per_year: float, *, drift: bool = False) -> Floats:
    """From the squared log returns of closes (..., bars), bars >= 2 (3 with drift).

    drift: take the sample mean away (and one degree of freedom); else the mean is taken to be 0, which over short
    windows errs less.
    """
    c = _of_bars("close", close, 3 if drift else 2)
    returns = np.diff(np.log(c), axis=-1)
    if drift:
        return np.asarray(np.sqrt(np.var(returns, axis=-1, ddof=1) * per_year(periods_per_year)))
    return np.asarray(np.sqrt(np.mean(returns**2, axis=-1) * per_year(periods_per_year)))


def parkinson(high: Numbers, low: Numbers, periods_per_year: float) -> Floats:
    """From the ranges of bars (..., bars): mean of ln(high / low)^2 over 4 ln 2 (Parkinson 1980). No drift, no
    gaps."""
    h, low_ = _of_bars("high", high, 1), _of_bars("low", low, 1)
    _same(h, low=low_)
    _above("high", h, "low", low_)
    variance = np.mean(np.log(h / low_) ** 2, axis=-1) / (4 * LN_2)
    return np.asarray(np.sqrt(variance * per_year(periods_per_year)))


def garman_klass(
    open_: Numbers, high: Numbers, low: Numbers, close: Numbers, periods_per_year: float
) -> Floats:
    """Mean of ln(H/L)^2 / 2 - (2 ln 2 - 1) ln(C/O)^2 (Garman and Klass 1980, the practical one). No drift, no gaps."""
    o, h, low_, c = _ohlc(open_, high, low, close, 1)
    bars = 0.5 * np.log(h / low_) ** 2 - (2 * LN_2 - 1) * np.log(c / o) ** 2
    return np.asarray(np.sqrt(np.mean(bars, axis=-1) * per_year(periods_per_year)))


def yang_zhang(
    open_: Numbers, high: Numbers, low: Numbers, close: Numbers, periods_per_year: float
) -> Floats:
    """Whatever the drift and the gaps between bars (Yang and Zhang 2000).

    Of the first bar only the close is used; bars >= 3. Variance of the gaps ln(O / C before), plus k times that of
    ln(C / O), plus 1 - k times Rogers and Satchell's, with k = 0.34 / (1.34 + (n + 1) / (n - 1)) over n bars.
    """
    o, h, low_, c = (np.log(x) for x in _ohlc(open_, high, low, close, 3))
    n = o.shape[-1] - 1
    gaps = o[..., 1:] - c[..., :-1]
    up, down, body = (x[..., 1:] - o[..., 1:] for x in (h, low_, c))
    rogers_satchell = np.mean(up * (up - body) + down * (down - body), axis=-1)
    k = 0.34 / (1.34 + (n + 1) / (n - 1))
    variance = (
        np.var(gaps, axis=-1, ddof=1)
        + k * np.var(body, axis=-1, ddof=1)
        + (1 - k) * rogers_satchell
    )
    return np.asarray(np.sqrt(variance * per_year(periods_per_year)))


def _ohlc(
    open_: Numbers, high: Numbers, low: Numbers, close: Numbers, least: int
) -> tuple[Floats, Floats, Floats, Floats]:
    o, h = _of_bars("open", open_, least), _of_bars("high", high, least)
    low_, c = _of_bars("low", low, least), _of_bars("close", close, least)
    _same(o, high=h, low=low_, close=c)
    for name, part in (("open", o), ("close", c)):
        _above("high", h, name, part)
        _above(name, part, "low", low_)
    return o, h, low_, c


def _of_bars(field: str, values: Numbers, least: int) -> Floats:
    array = prices(field, values)
    if array.ndim == 0 or array.shape[-1] < least:
        bars = array.shape[-1] if array.ndim else 0
        raise QuantityError(field, f"has {bars} bars", f"give {least} or more")
    return array


def _same(first: Floats, **others: Floats) -> None:
    for name, array in others.items():
        if array.shape != first.shape:
            problem = f"has shape {array.shape} beside {first.shape}"
            raise QuantityError(name, problem, "give arrays of one shape")


def _above(name: str, upper: Floats, other: str, lower: Floats) -> None:
    bad = np.ravel(upper < lower)
    if bad.any():
        index = int(np.argmax(bad))
        problem = f"{np.ravel(upper)[index]:g} is below {other} {np.ravel(lower)[index]:g}"
        raise QuantityError(name, problem, "correct or drop the bar", index)
