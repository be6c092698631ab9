"""When to trade a size too large for one trade: the schedule of Almgren and Chriss (2001)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keeper.errors import QuantityError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Schedule:
    """One trade per interval; `trades` sums to the size exactly."""

    trades: Floats
    """Units traded in each interval, shape (slices,), all of the size's sign."""
    holdings: Floats
    """Units left at each time, shape (slices + 1,): the size first, 0 last."""
    expected_cost: float
    """Of impact, quote currency."""
    variance: float
    """Of the cost, from the price moving meanwhile, quote currency squared."""


def almgren_chriss(
    size: float,
    horizon_years: float,
    slices: int,
    *,
    price: float,
    volatility: float,
    risk_aversion: float,
    temporary_impact: float,
    permanent_impact: float = 0.0,
) -> Schedule:
    """The schedule that minimises expected cost + `risk_aversion` x variance.

    `temporary_impact` (> 0) moves the price by that much per unit a year of trading speed and is gone at once;
    `permanent_impact` (>= 0) moves it per unit traded and stays. `volatility` is annualised, of the price's return;
    `risk_aversion` is per quote unit (half the absolute aversion of an exponential utility). With none the
    trades are equal.

        holdings(t) = size sinh(k (T - t)) / sinh(k T)
        2 (cosh(k dt) - 1) / dt^2 = risk_aversion (price volatility)^2 / eta'

    with eta' = temporary_impact - permanent_impact dt / 2 > 0.

    Raises QuantityError naming the field.
    """
    _check(size, horizon_years, slices, price, volatility, risk_aversion)
    dt = horizon_years / slices
    eta = temporary_impact - permanent_impact * dt / 2.0
    if not (math.isfinite(temporary_impact) and eta > 0):
        raise QuantityError(
            "temporary_impact",
            f"{temporary_impact} is not above permanent_impact x interval / 2",
            "give a larger one or more slices",
        )
    if not 0 <= permanent_impact < math.inf:
        raise QuantityError("permanent_impact", f"{permanent_impact} is negative", "give >= 0")
    variance_rate = (price * volatility) ** 2
    urgency = math.sqrt(risk_aversion * variance_rate / eta)
    # k dt from 2 (cosh(k dt) - 1) = (urgency dt)^2, without the difference.
    step = 2.0 * math.asinh(urgency * dt / 2.0)
    holdings = size * _remaining(step, slices)
    trades = holdings[:-1] - holdings[1:]
    permanent = permanent_impact * size * size / 2.0
    return Schedule(
        trades=trades,
        holdings=holdings,
        expected_cost=permanent + eta / dt * float(np.sum(trades**2)),
        variance=variance_rate * dt * float(np.sum(holdings[1:] ** 2)),
    )


def _remaining(step: float, slices: int) -> Floats:
    """sinh(step (n - j)) / sinh(step n) for j = 0 .. n, without overflow, and its limit for step = 0."""
    left = np.arange(slices, -1, -1, dtype=np.float64)
    if step * slices < 1e-6:
        share = left / slices
    else:
        decay = np.exp(-step * (slices - left))
        share = decay * -np.expm1(-2.0 * step * left) / -math.expm1(-2.0 * step * slices)
    share[0], share[-1] = 1.0, 0.0
    remaining: Floats = share
    return remaining


def _check(
    size: float,
    horizon_years: float,
    slices: int,
    price: float,
    volatility: float,
    risk_aversion: float,
) -> None:
    if not math.isfinite(size):
        raise QuantityError("size", f"{size} is not finite", "give the units to trade")
    if not isinstance(slices, int) or slices < 1:
        raise QuantityError(
            "slices", f"{slices} is not a positive integer", "give the number of trades"
        )
    for name, value in (("horizon_years", horizon_years), ("price", price)):
        if not 0 < value < math.inf:
            raise QuantityError(name, f"{value} is not a positive number", "give one")
    for name, value in (("volatility", volatility), ("risk_aversion", risk_aversion)):
        if not 0 <= value < math.inf:
            raise QuantityError(name, f"{value} is negative or not finite", "give 0 or more")
