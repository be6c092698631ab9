"""Standard ratios of an equity curve, and its beta to base against what is left (alpha).

Returns are of the share's value after gas, by UTC day (the last step of each), simple, without interest on cash; a year
has 365 days. Sources: Sharpe (1994), Sortino and van der Meer (1991), Young (1991) for Calmar; expected shortfall is
the mean of the worst share of days.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
DAYS = 365
TAIL = 0.01


@dataclass(frozen=True, slots=True)
class Statistics:
    """Ratios as fractions; None where there is too little to say (fewer than 20 days, or no variance)."""

    total_return: float
    annual_return: float | None
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    max_drawdown: float
    expected_shortfall: float | None
    """Mean loss of the worst day in a hundred, positive."""
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


def daily_last(times: Ints, values: Floats) -> Floats:
    """(days,) the last value of each UTC day that has one."""
    day = times // 86_400
    last = np.append(np.flatnonzero(np.diff(day)), day.size - 1)
    return np.asarray(values[last])


def statistics(times: Ints, equity: Floats, price: Floats) -> Statistics:
    """Of one curve (n,) beside the price of base (n,); n >= 1, times ascending in seconds."""
    worst = float(drawdowns(equity).max())
    total = float(equity[-1] / equity[0] - 1.0) if equity[0] > 0 else math.nan
    ends, prices = daily_last(times, equity), daily_last(times, price)
    if ends.size < 20 or ends.min() <= 0:
        return Statistics(
            total, None, None, None, None, None, worst, None, None, None, None, int(ends.size)
        )
    returns, market = np.diff(ends) / ends[:-1], np.diff(prices) / prices[:-1]
    years = (times[-1] - times[0]) / (DAYS * 86_400)
    annual = float((1.0 + total) ** (1.0 / years) - 1.0) if total > -1.0 else -1.0
    mean, deviation = float(returns.mean()) * DAYS, float(returns.std(ddof=1)) * math.sqrt(DAYS)
    down = math.sqrt(float(np.mean(np.minimum(returns, 0.0) ** 2)) * DAYS)
    count = max(1, math.ceil(TAIL * returns.size))
    shortfall = -float(np.sort(returns)[:count].mean())
    beta, alpha, correlation = _against(returns, market)
    return Statistics(
        total_return=total,
        annual_return=annual,
        volatility=deviation,
        sharpe=mean / deviation if deviation > 0 else None,
        sortino=mean / down if down > 0 else None,
        calmar=annual / worst if worst > 0 else None,
        max_drawdown=worst,
        expected_shortfall=shortfall,
        beta=beta,
        alpha=alpha,
        correlation=correlation,
        days=int(ends.size),
    )


def _against(returns: Floats, market: Floats) -> tuple[float | None, float | None, float | None]:
    """Ordinary least squares of returns on the market's."""
    spread = float(np.var(market, ddof=1))
    if spread <= 0:
        return None, None, None
    shared = float(np.cov(returns, market, ddof=1)[0, 1])
    beta = shared / spread
    alpha = (float(returns.mean()) - beta * float(market.mean())) * DAYS
    own = float(np.var(returns, ddof=1))
    return beta, alpha, shared / math.sqrt(spread * own) if own > 0 else None
