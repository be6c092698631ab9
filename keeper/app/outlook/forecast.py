"""Volatility forecasts from an oracle's rounds, which come when the price moves and not by the clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from keeper.errors import QuantityError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

HOUR, DAY = 3_600, 86_400
HOURS_A_YEAR, DAYS_A_YEAR = 8_760.0, 365.0
LEVEL = 0.8
"""Of the interval, as `Outlook` says it."""
HORIZON_DAYS = 7
LEAST_HOURS = 48
HALF_LIFE_HOURS = 72.0
HAR_DAYS = 30 + HORIZON_DAYS + 30
"""What the regression needs: its longest lag, its horizon, thirty days to fit."""
BELIEVED = 4.0
"""Times the variance of recent days, either way."""
LEAST, MOST = 0.01, 10.0
"""A year; what is outside is a fault of the feed and no forecast of anything."""
REGIME_DAYS = 60
RATIO_DAYS = 20


@dataclass(frozen=True, slots=True)
class VolatilityForecast:
    """Annualised, for about the next week."""

    volatility: float
    low: float | None
    high: float | None
    regime: str
    days: float
    """Of history it was made from."""
    method: str
    made_at: int
    """Unix seconds."""


def forecast_of(times: list[int], prices: list[float], now: int) -> VolatilityForecast | None:
    """From rounds in order of time (unix seconds, any unit of price); None with less than two days of them.

    Hourly returns at the price in force make realised variances of whole days that end now. With 67 days or more
    HAR-RV on them, where that can be believed; else an exponentially weighted variance of the hourly returns
    (half-life three days), with bounds by how its past forecasts did once there are twenty days of those. A feed that
    answers to moves of half a per cent hides smaller ones: single hours come out a little high, days do not.
    """
    import numpy as np

    closes = _hourly(times, prices, now)
    returns = np.diff(np.log(closes))
    if returns.size < LEAST_HOURS:
        return None
    days = returns.size // 24
    realised = (returns[returns.size - days * 24 :] ** 2).reshape(days, 24).sum(axis=1)
    positive = realised[np.argmax(realised > 0) :] if (realised > 0).any() else realised[:0]
    try:
        found = _by_har(positive) if (positive > 0).all() and positive.size >= HAR_DAYS else None
        method = "HAR-RV of days" if found else "exponentially weighted hours"
        volatility, low, high = found or _by_weights(returns)
    except QuantityError:
        return None
    if not LEAST <= volatility <= MOST:
        return None
    # a bound that cannot be meant is none, but caution keeps the most there is
    low = low if low is not None and 0.0 <= low <= volatility else None
    high = None if high is None else min(high, MOST) if high >= volatility else None
    regime = _regime(positive)
    return VolatilityForecast(volatility, low, high, regime, returns.size / 24, method, now)


def _hourly(times: list[int], prices: list[float], now: int) -> Floats:
    """Prices in force at whole hours before now, the last of them now."""
    import numpy as np

    at = np.array(times, dtype=np.int64)
    hours = max(0, (now - int(at[0])) // HOUR) if at.size else 0
    grid = now - HOUR * np.arange(hours, -1, -1)
    place = np.searchsorted(at, grid, side="right") - 1
    return np.array(prices, dtype=np.float64)[place] if at.size else np.zeros(0)


def _by_har(realised: Floats) -> tuple[float, float | None, float | None] | None:
    from keeper.quant.volatility import fit_har, forecast_har

    model = fit_har(realised, horizon=HORIZON_DAYS)
    found = forecast_har(model, realised, DAYS_A_YEAR, level=LEVEL)
    # A regression fitted in a calm that is all alike says anything of a storm: what it says must lie about where
    # the last day, week and month lie, or it is not believed.
    recent = [float(realised[-days:].mean()) for days in (1, 7, 30)]
    low, high = min(recent) / BELIEVED, max(recent) * BELIEVED
    if not low <= found.volatility**2 / DAYS_A_YEAR <= high:
        return None
    return found.volatility, found.low, found.high


def _by_weights(returns: Floats) -> tuple[float, float | None, float | None]:
    import numpy as np

    from keeper.quant.volatility import decay_of, ewma_variances, forecast_by_past

    variances = ewma_variances(returns**2, decay_of(HALF_LIFE_HOURS))
    last = float(variances[-1])
    # each forecast beside what the day after it realised, a day apart so that they do not overlap
    starts = np.arange(LEAST_HOURS, returns.size - 23, 24)
    known = starts[variances[starts] > 0]
    ratios = np.array([np.mean(returns[i : i + 24] ** 2) / variances[i] for i in known])
    if last > 0 and ratios.size >= RATIO_DAYS:
        found = forecast_by_past(last, ratios, 24, HOURS_A_YEAR, level=LEVEL)
        return found.volatility, found.low, found.high
    return float(np.sqrt(last * HOURS_A_YEAR)), None, None


def _regime(realised: Floats) -> str:
    """By the last days beside the median of what is known; empty where too little is."""
    if realised.size < REGIME_DAYS or not (realised > 0).all():
        return ""
    from keeper.quant.volatility import Regime, ewma_variances, regimes, volatility_ratio

    ratio = volatility_ratio(ewma_variances(realised)[1:], REGIME_DAYS // 2)
    return Regime(int(regimes(ratio)[-1])).name.lower()
