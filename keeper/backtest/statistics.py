"""Standard ratios of an equity curve, by the definitions of `keeper.report.performance`, as the tear sheet states them.

Returns are of the share's value after gas, by UTC day, without interest on cash. What has too little behind it is None.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from keeper.report.performance import Floats, Ints, Performance, day_ends, measure

LEAST_DAYS = 20


@dataclass(frozen=True, slots=True)
class Statistics:
    """Ratios as fractions; None where there is too little to say (fewer than `LEAST_DAYS` days, or no variance)."""

    total_return: float
    annual_return: float | None
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    max_drawdown: float
    expected_shortfall: float | None
    """Mean loss of the worst 5 % of days, positive."""
    beta: float | None
    """To base's daily return."""
    alpha: float | None
    """A year, what beta does not explain."""
    correlation: float | None
    days: int


def drawdowns(values: Floats) -> Floats:
    """(n,) 1 - value / highest so far."""
    peak = np.maximum.accumulate(values)
    return np.asarray(np.where(peak > 0, 1.0 - values / np.where(peak > 0, peak, 1.0), 0.0))


def statistics(times: Ints, equity: Floats, price: Floats) -> Statistics:
    """Of one curve (n,) beside the price of base (n,); n >= 1, times ascending in seconds."""
    worst, ends = float(drawdowns(equity).max()), day_ends(times)
    if ends.size <= LEAST_DAYS or equity.min() <= 0:  # the first end is the opening
        return _short(equity, worst, int(ends.size) - 1)
    return _of(measure(times, equity, price, resamples=0), equity[ends], price[ends])


def statistics_of_days(
    times: Ints, equity: Floats, price: Floats, worst: float, least: float
) -> Statistics:
    """The same of a curve that is known at its `day_ends` only, and by its deepest drawdown and its least value."""
    if times.size <= LEAST_DAYS or least <= 0:
        return _short(equity, worst, int(times.size) - 1)
    found = measure(times, equity, price, resamples=0)
    calmar = found.annual_return.value / worst if worst > 0 else math.nan
    return _of(replace(found, max_drawdown=worst, calmar=calmar), equity, price)


def _short(equity: Floats, worst: float, days: int) -> Statistics:
    total = float(equity[-1] / equity[0] - 1.0) if equity[0] > 0 else math.nan
    return Statistics(total, None, None, None, None, None, worst, None, None, None, None, days)


def _of(found: Performance, daily: Floats, price: Floats) -> Statistics:
    """Of what was measured, and the curve and the price at the ends of days."""
    return Statistics(
        total_return=found.total_return,
        annual_return=found.annual_return.value,
        volatility=found.volatility,
        sharpe=_known(found.sharpe.value),
        sortino=_known(found.sortino),
        calmar=_known(found.calmar),
        max_drawdown=found.max_drawdown,
        expected_shortfall=found.expected_shortfall,
        beta=_known(found.beta),
        alpha=_known(found.alpha.value),
        correlation=_correlation(daily, price),
        days=found.days,
    )


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _correlation(values: Floats, price: Floats) -> float | None:
    own, market = (np.diff(v) / v[:-1] for v in (values, price))
    spread = float(np.std(own) * np.std(market))
    if spread <= 0:
        return None
    return float(np.mean((own - own.mean()) * (market - market.mean()))) / spread
