"""HAR-RV: tomorrow's realised variance from that of the last day, week and month (Corsi 2009), in logarithms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keeper.errors import QuantityError
from keeper.quant.volatility.inputs import Floats, Numbers, series

LAGS = (1, 7, 30)
"""Days: a market that never closes has weeks of seven."""


@dataclass(frozen=True, slots=True)
class Har:
    """A fitted regression of ln(mean realised variance of the next `horizon` days)."""

    lags: tuple[int, ...]
    horizon: int
    coefficients: Floats
    """Constant, then one a lag."""
    residuals: Floats
    """In logarithms, sorted: what the forecast was wrong by where it was fitted."""
    r_squared: float

    def variance(self, realised: Numbers) -> float:
        """Expected mean realised variance of the days after the last of `realised` (at least the longest lag).

        The logarithm's forecast is made a mean by the residuals' own (Duan 1983), so that no normality is assumed.
        """
        return float(np.exp(self._log(realised)) * np.mean(np.exp(self.residuals)))

    def interval(self, realised: Numbers, level: float) -> tuple[float, float]:
        """Bounds between which the mean realised variance lies with probability `level`, by the residuals'
        quantiles."""
        tail = 0.5 * (1 - _probability(level))
        low, high = np.quantile(self.residuals, (tail, 1 - tail))
        centre = self._log(realised)
        return float(np.exp(centre + low)), float(np.exp(centre + high))

    def _log(self, realised: Numbers) -> float:
        rv = _variances(realised, max(self.lags))
        return float(self.coefficients @ _row(rv, self.lags))


def fit_har(realised: Numbers, horizon: int = 1, lags: tuple[int, ...] = LAGS) -> Har:
    """Least squares of ln(mean of the next `horizon`) on ln(mean of the last m) for each lag m.

    realised: variances by day (n,), positive, in time order; n of at least the longest lag + horizon + 30.
    Errors: `QuantityError` for what is not finite and positive, too few days, lags or horizon below 1.
    """
    if not lags or min(lags) < 1:
        raise QuantityError("lags", f"{lags} are not positive", "give days such as (1, 7, 30)")
    if horizon < 1:
        raise QuantityError("horizon", f"{horizon} is not positive", "give 1 day or more")
    longest = max(lags)
    rv = _variances(realised, longest + horizon + 30)
    sums = np.concatenate(([0.0], np.cumsum(rv)))
    at = np.arange(longest, rv.size - horizon + 1)
    columns = [np.log((sums[at] - sums[at - m]) / m) for m in lags]
    matrix = np.column_stack((np.ones(at.size), *columns))
    target = np.log((sums[at + horizon] - sums[at]) / horizon)
    coefficients = np.linalg.lstsq(matrix, target, rcond=None)[0]
    residuals = target - matrix @ coefficients
    spread = float(np.sum((target - target.mean()) ** 2))
    r_squared = 1.0 - float(np.sum(residuals**2)) / spread if spread > 0 else 0.0
    return Har(tuple(lags), horizon, coefficients, np.sort(residuals), r_squared)


def _row(rv: Floats, lags: tuple[int, ...]) -> Floats:
    return np.array([1.0, *(np.log(np.mean(rv[-m:])) for m in lags)])


def _variances(realised: Numbers, least: int) -> Floats:
    rv = series("realised", realised, least)
    if (rv <= 0).any():
        index = int(np.argmax(rv <= 0))
        raise QuantityError("realised", f"{rv[index]:g} is not positive", "give variances", index)
    return rv


def _probability(level: float) -> float:
    if not 0 < level < 1:
        raise QuantityError("level", f"{level} is outside (0, 1)", "give 0.9 for 90 %")
    return level
