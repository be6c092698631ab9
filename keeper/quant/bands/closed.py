"""Closed forms of the hedge band: asymptotics, a fitted formula, and the hedger's volatility."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from keeper.errors import QuantityError
from keeper.quant.bands.exposure import Band, Exposure, Terms
from keeper.quant.bands.widen import around_absolute

Floats = NDArray[np.float64]


def whalley_wilmott(exposure: Exposure, terms: Terms) -> Band:
    """Delta +- (3/2 cost S gamma^2 / aversion)^(1/3): the limit of small costs (Whalley and Wilmott 1997)."""
    cost, aversion, fixed = terms.arrays()
    half = (1.5 * cost * exposure.spot * exposure.gamma**2 / aversion) ** (1.0 / 3.0)
    return around_absolute(exposure, -exposure.delta, half, (cost, aversion, fixed))


def zakamouline(exposure: Exposure, terms: Terms) -> Band:
    """The double asymptotic formula fitted to the optimum (Zakamouline 2006), interest left out:

        delta at volatility_m +- (H0 + H1),  H0 = cost / (aversion S volatility^2 T),
        H1 = 1.12 cost^0.31 T^0.05 volatility^-0.25 sqrt(|gamma| / aversion),
        volatility_m^2 = volatility^2 (1 +- K),  K = 4.76 cost^0.78 T^-0.02 volatility^-0.25 (aversion S^2 |gamma|)^0.15

    (+ K where options are written, - where they are held, held at or above a hundredth of the variance).
    """
    cost, aversion, fixed = terms.arrays()
    gamma = np.abs(exposure.gamma)
    with np.errstate(divide="ignore", invalid="ignore"):
        years, volatility = exposure.years, exposure.volatility
        quarter = volatility**-0.25
        idle = cost / (aversion * exposure.spot * exposure.variance)
        half = idle + 1.12 * cost**0.31 * years**0.05 * quarter * np.sqrt(gamma / aversion)
        shape = (aversion * exposure.spot**2 * gamma) ** 0.15
        change = 4.76 * cost**0.78 * years**-0.02 * quarter * shape
        change = np.where(years > 0, change, 0.0)
    modified = volatility * np.sqrt(np.maximum(1.0 - np.sign(exposure.quantity) * change, 0.01))
    centre = -(exposure.delta + exposure.delta_shift(modified))
    return around_absolute(exposure, centre, half, (cost, aversion, fixed))


def leland_volatility(
    volatility: ArrayLike, cost_rate: ArrayLike, interval_years: ArrayLike, written: ArrayLike
) -> Floats:
    """Volatility at which a hedge redone every `interval_years` earns its own costs (Leland 1985):

        volatility^2 (1 +- A),   A = sqrt(2 / pi) 2 cost / (volatility sqrt(interval))

    where cost is that of one side. Raises QuantityError where options held would be worth less than nothing
    (A >= 1): the interval is too short for the cost.
    """
    v, cost, interval, w = (
        np.asarray(one)
        for one in np.broadcast_arrays(volatility, cost_rate, interval_years, written)
    )
    if not np.all(interval > 0):
        raise QuantityError("interval_years", "is not above zero", "give the time between hedges")
    number = math.sqrt(2.0 / math.pi) * 2.0 * cost / (v * np.sqrt(interval))
    factor = np.where(w, 1.0 + number, 1.0 - number)
    if not np.all(factor > 0):
        index = int(np.flatnonzero(np.atleast_1d(factor) <= 0)[0])
        raise QuantityError(
            "interval_years",
            f"hedging held options so often costs more than they earn (A = {number.ravel()[index]:.3g})",
            "hedge less often",
            index if factor.ndim else None,
        )
    modified: Floats = v * np.sqrt(factor)
    return modified


def leland(exposure: Exposure, terms: Terms, interval_years: ArrayLike) -> Band:
    """At every multiple of `interval_years` hold the delta at Leland's volatility: a band of no width.

    The rule has no memory of costs in between and no aversion: the caller calls it at the interval.
    """
    cost, _, _ = terms.arrays()
    modified = leland_volatility(exposure.volatility, cost, interval_years, exposure.quantity < 0)
    centre = -(exposure.delta + exposure.delta_shift(modified))
    return Band(centre, centre, centre, centre)
