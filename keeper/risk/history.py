"""From a record of closes: the volatility to expect, and the shape of what the forecasts missed."""

import numpy as np
from numpy.typing import NDArray

from keeper.errors import QuantityError
from keeper.quant.tails import Filter, filter_volatility

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
DECAY = 0.97
"""Of the variance of an hour, whose half-life is then 23 hours (RiskMetrics, 1996)."""
LEAST_BARS = 500
YEAR_S = 365 * 86_400


def forecast_from_closes(
    times: Ints, closes: Floats, step_s: int, horizon_s: float
) -> tuple[float, tuple[float, ...]]:
    """Annualised EWMA volatility after the last close, and past log returns of the horizon over their forecasts.

    times, closes: (n,), one step apart but for gaps, n >= 500; returns that span a gap are left out. Returns of the
    horizon overlap, so that all of the record is used.
    """
    if times.size < LEAST_BARS:
        raise QuantityError("history", f"has {times.size} bars", f"give at least {LEAST_BARS}")
    logs = np.log(closes)
    returns = np.diff(logs)[np.diff(times) == step_s]
    first = float(returns[: LEAST_BARS // 5].std())
    spread = filter_volatility(returns, Filter(0.0, 1.0 - DECAY, DECAY), max(first, 1e-8))
    steps = max(1, round(horizon_s / step_s))
    total = np.concatenate(([0.0], np.cumsum(returns)))
    ahead = total[steps:] - total[:-steps]
    # The filter needs its own past before a forecast of it means anything.
    settled = LEAST_BARS // 5
    residuals = (ahead / (spread[: ahead.size] * np.sqrt(steps)))[settled:]
    return float(spread[-1] * np.sqrt(YEAR_S / step_s)), tuple(residuals.tolist())
