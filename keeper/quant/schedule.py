"""When to trade a size too large for one trade: the schedule of Almgren and Chriss (2001)."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keeper.errors import QuantityError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Schedule:
    """One trade per interval; `trades` sums to the size, to rounding."""

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
    slices = _check(
        slices,
        size=size,
        horizon_years=horizon_years,
        price=price,
        volatility=volatility,
        risk_aversion=risk_aversion,
        temporary_impact=temporary_impact,
        permanent_impact=permanent_impact,
    )
    dt = horizon_years / slices
    eta = temporary_impact - permanent_impact * dt / 2.0
    if not eta > 0:
        raise QuantityError(
            "temporary_impact",
            f"{temporary_impact} is not above permanent_impact x interval / 2",
            "give a larger one or more slices",
        )
    variance_rate = price * volatility * price * volatility
    urgency = math.sqrt(risk_aversion * variance_rate / eta)
    # k dt from 2 (cosh(k dt) - 1) = (urgency dt)^2, without the difference.
    step = 2.0 * math.asinh(urgency * dt / 2.0)
    with np.errstate(over="ignore", invalid="ignore"):
        holdings = size * _remaining(step, slices)
        trades = holdings[:-1] - holdings[1:]
        expected = permanent_impact * size / 2.0 * size + eta / dt * float(np.sum(trades**2))
        variance = variance_rate * dt * float(np.sum(holdings[1:] ** 2))
    if not (math.isfinite(step) and math.isfinite(expected) and math.isfinite(variance)):
        problem = f"{size:g} at price {price:g} and aversion {risk_aversion:g} costs no finite sum"
        raise QuantityError("size", problem, "check the units of size, price, impact and aversion")
    return Schedule(trades, holdings, expected, variance)


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


def _check(slices: object, **numbers: float) -> int:
    """The slices as an integer, once every number is known to be one and within its bounds."""
    for name, value in numbers.items():
        if isinstance(value, str) or not np.isscalar(value) or not math.isfinite(value):
            raise QuantityError(name, f"{value} is not a finite number", "give one")
    try:
        count = operator.index(slices)  # type: ignore[arg-type]
    except TypeError:
        count = 0
    if count < 1:
        raise QuantityError(
            "slices", f"{slices} is not a positive integer", "give the number of trades"
        )
    for name in ("horizon_years", "price"):
        if not numbers[name] > 0:
            raise QuantityError(name, f"{numbers[name]} is not above 0", "give a positive number")
    for name in ("volatility", "risk_aversion", "permanent_impact"):
        if not numbers[name] >= 0:
            raise QuantityError(name, f"{numbers[name]} is negative", "give 0 or more")
    return count
