"""How a value did: returns and the ratios everybody states, each with what it is worth.

Everything is of a value per share (or of a NAV without deposits and redemptions) at the end of each UTC day, so that
figures of hourly and of minutely runs compare. A year has 365 days. No ratio takes off a riskless rate: state one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from keeper.errors import QuantityError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

DAY_S = 86_400
YEAR_DAYS = 365
TAIL = 0.05
"""Expected shortfall is of the worst twentieth of days."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and the central 90 % of a block bootstrap; NaN where a figure has no meaning."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Performance:
    """Fractions where nothing else is said."""

    days: int
    total_return: float
    annual_return: Interval
    """Compounded."""
    volatility: float
    """Of daily log returns, annualised."""
    sharpe: Interval
    """Mean over deviation of daily returns, annualised."""
    sortino: float
    """Mean over the root of the mean squared fall (below 0), annualised."""
    calmar: float
    """Annual return over the deepest drawdown."""
    max_drawdown: float
    """Deepest fall from a peak; positive."""
    drawdown_days: float
    """Longest time under a peak; to the end if it is still there."""
    expected_shortfall: float
    """Mean loss of the worst 5 % of days; positive."""
    worst_day: float
    """Largest loss of a day; positive."""
    skew: float
    excess_kurtosis: float
    best_share: float
    """Part of days that gained."""
    beta: float
    """To the benchmark's daily returns; NaN without one."""
    alpha: Interval
    """A year, of what the benchmark does not explain, not compounded."""


def measure(
    times: Ints,
    value: Floats,
    benchmark: Floats | None = None,
    *,
    resamples: int = 2_000,
    seed: int = 0,
) -> Performance:
    """Figures of a value through time.

    times: (n,) unix seconds, increasing. value: (n,) positive. benchmark: (n,) a price, positive; for beta and alpha.
    resamples, seed: of the stationary bootstrap (Politis and Romano 1994; blocks of n^(1/3) days on average).
    QuantityError: shapes, order, values that are not positive and finite, or less than three days.
    """
    _check(times, value, benchmark)
    at = day_ends(times)
    if at.size < 4:
        raise QuantityError("times", "cover less than three days", "give more")
    daily = value[at]
    returns = np.diff(daily) / daily[:-1]
    other = None if benchmark is None else np.diff(benchmark[at]) / benchmark[at][:-1]
    draws = _stationary_draws(returns.size, resamples, seed)
    depth = drawdown(value)
    annual = _annual(returns)
    return Performance(
        days=int(returns.size),
        total_return=float(value[-1] / value[0] - 1),
        annual_return=_interval(annual, _resampled(_annual, returns, draws)),
        volatility=float(np.std(np.log1p(returns), ddof=1) * math.sqrt(YEAR_DAYS)),
        sharpe=_interval(_sharpe(returns), _resampled(_sharpe, returns, draws)),
        sortino=_sortino(returns),
        calmar=annual / float(depth.max()) if depth.max() > 0 else math.nan,
        max_drawdown=float(depth.max()),
        drawdown_days=_longest_under(times, value) / DAY_S,
        expected_shortfall=_shortfall(returns),
        worst_day=float(max(0.0, -returns.min())),
        skew=_moment(returns, 3),
        excess_kurtosis=_moment(returns, 4) - 3,
        best_share=float(np.mean(returns > 0)),
        beta=math.nan if other is None else _beta(returns, other),
        alpha=_alpha_interval(returns, other, draws),
    )


def day_ends(times: Ints) -> Ints:
    """Places of the last value known on each UTC day, the first value of all before them.

    A value at midnight belongs to the day that ends there.
    """
    day = (times - 1) // DAY_S
    last = np.flatnonzero(np.diff(day, append=day[-1] + 1))
    return np.concatenate([[0], last[last > 0]]).astype(np.int64)


def drawdown(value: Floats) -> Floats:
    """1 - value / its highest so far; (n,)."""
    return np.asarray(1 - value / np.maximum.accumulate(value))


def variance_cost(cost: float, variance: float, unhedged_variance: float) -> float:
    """What was paid for each unit of variance removed; NaN if none was."""
    removed = unhedged_variance - variance
    return cost / removed if removed > 0 else math.nan


def turnover(traded: float, mean_value: float, seconds: float) -> float:
    """Value traded a year over mean value."""
    if mean_value <= 0 or seconds <= 0:
        return math.nan
    return traded / mean_value * (YEAR_DAYS * DAY_S / seconds)


def _annual(returns: Floats) -> float:
    growth = float(np.sum(np.log1p(np.maximum(returns, -1 + 1e-12))))
    return math.expm1(growth * YEAR_DAYS / returns.size)


def _sharpe(returns: Floats) -> float:
    spread = float(np.std(returns, ddof=1))
    return float(np.mean(returns)) / spread * math.sqrt(YEAR_DAYS) if spread > 0 else math.nan


def _sortino(returns: Floats) -> float:
    falls = math.sqrt(float(np.mean(np.minimum(returns, 0.0) ** 2)))
    return float(np.mean(returns)) / falls * math.sqrt(YEAR_DAYS) if falls > 0 else math.nan


def _shortfall(returns: Floats) -> float:
    """Mean of the worst `TAIL` of days, the day at the edge counted in part."""
    ordered = np.sort(-returns)[::-1]
    wanted = TAIL * ordered.size
    whole = math.floor(wanted)
    rest = wanted - whole
    edge = rest * ordered[whole] if rest > 0 else 0.0
    return float((ordered[:whole].sum() + edge) / wanted)


def _moment(returns: Floats, power: int) -> float:
    spread = float(np.std(returns))
    if spread <= 0:
        return math.nan
    return float(np.mean(((returns - returns.mean()) / spread) ** power))


def _longest_under(times: Ints, value: Floats) -> float:
    at_peak = value >= np.maximum.accumulate(value)
    since = np.maximum.accumulate(np.where(at_peak, times, times[0]))
    return float(np.max(times - since))


def _beta(returns: Floats, other: Floats) -> float:
    spread = float(np.var(other))
    if spread <= 0:
        return math.nan
    return float(np.mean((returns - returns.mean()) * (other - other.mean())) / spread)


def _alpha(returns: Floats, other: Floats) -> float:
    return float(np.mean(returns) - _beta(returns, other) * np.mean(other)) * YEAR_DAYS


def _alpha_interval(returns: Floats, other: Floats | None, draws: Ints) -> Interval:
    if other is None:
        return Interval(math.nan, math.nan, math.nan)
    found = np.array([_alpha(returns[d], other[d]) for d in draws])
    return _interval(_alpha(returns, other), found)


def _resampled(figure: Callable[[Floats], float], returns: Floats, draws: Ints) -> Floats:
    return np.array([figure(returns[draw]) for draw in draws])


def _stationary_draws(size: int, resamples: int, seed: int) -> Ints:
    """Places (resamples, size): blocks of geometric length, n^(1/3) on average, round the end."""
    if resamples == 0:
        return np.empty((0, size), dtype=np.int64)
    generator = np.random.default_rng(np.random.SeedSequence(seed))
    fresh = generator.random((resamples, size)) < size ** (-1 / 3)
    fresh[:, 0] = True
    starts = generator.integers(0, size, (resamples, size))
    steps = np.arange(size)
    begun = np.maximum.accumulate(np.where(fresh, steps, 0), axis=1)
    return np.asarray(
        (np.take_along_axis(starts, begun, axis=1) + steps - begun) % size, dtype=np.int64
    )


def _interval(value: float, found: Floats) -> Interval:
    known = found[np.isfinite(found)]
    if known.size == 0 or not math.isfinite(value):
        return Interval(value, math.nan, math.nan)
    low, high = np.quantile(known, (0.05, 0.95))
    return Interval(value, float(low), float(high))


def _check(times: Ints, value: Floats, benchmark: Floats | None) -> None:
    for name, array in (("value", value), ("benchmark", benchmark)):
        if array is None:
            continue
        if array.shape != times.shape or times.ndim != 1:
            raise QuantityError(name, f"has shape {array.shape}, times {times.shape}", "match them")
        bad = ~(np.isfinite(array) & (array > 0))
        if bad.any():
            place = int(np.argmax(bad))
            problem = f"is {array[place]}, not a positive number"
            raise QuantityError(name, problem, "leave out what has no value", place)
    back = np.diff(times) <= 0
    if back.any():
        place = int(np.argmax(back)) + 1
        raise QuantityError("times", "do not increase", "sort them", place)
