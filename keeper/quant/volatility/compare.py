"""Which forecast was best, judged only by what came after it.

Every method is handed the past and nothing else: slices that end where the forecast is made. Loss is QLIKE, realised /
forecast - ln(realised / forecast) - 1 (Patton 2011: it ranks rightly though variance is only measured, not seen); the
differences to the first method are tested after Diebold and Mariano (1995) with Newey and West's variance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np
import numpy.typing as npt

from keeper.errors import QuantityError
from keeper.quant.volatility.ewma import DAILY_DECAY, ewma_variances
from keeper.quant.volatility.garch import Garch, fit_garch
from keeper.quant.volatility.har import fit_har
from keeper.quant.volatility.inputs import Floats, Numbers, series

Ints = npt.NDArray[np.int64]

MONTH = 30
HOURS_FITTED = 2_160
"""Hourly models look back 90 days: within the day's pattern older hours tell little."""
COVERAGE_FROM = 100
"""Forecasts made before bounds are drawn from their errors."""


@dataclass(frozen=True, slots=True)
class Past:
    """What is known at the end of a day: arrays up to that moment."""

    realised: Floats
    """Realised variance by day."""
    returns: Floats
    """Log return by day."""
    hourly: Floats
    """Log returns by hour."""


Predictor = Callable[[Past], float]
"""Expected realised variance of the next day."""


@dataclass(frozen=True, slots=True)
class Method:
    """A way to forecast: `fit` sees the past at each refit, what it gives sees it each day."""

    name: str
    fit: Callable[[Past], Predictor]


@dataclass(frozen=True, slots=True)
class Score:
    """One method, out of sample."""

    name: str
    qlike: float
    """Mean loss."""
    gain: float
    """Part of the first method's loss that it saves."""
    statistic: float
    """Diebold and Mariano's against the first, below -1.96: better at 95 %; NaN for the first itself."""
    bias: float
    """Mean forecast over mean realised variance."""
    coverage: float
    """How often realised variance lay within bounds of 90 % drawn from the method's own earlier errors."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Forecasts (methods, days) of days `first` and after, what came, and the scores."""

    first: int
    forecasts: Floats
    realised: Floats
    scores: tuple[Score, ...]


def qlike(realised: Numbers, forecast: Numbers) -> Floats:
    """Loss of each forecast; 0 if it was right, and dearer where it was too low. Both positive."""
    r, f = np.asarray(realised, dtype=np.float64), np.asarray(forecast, dtype=np.float64)
    for name, values in (("realised", r), ("forecast", f)):
        bad = ~(values > 0) | ~np.isfinite(values)
        if bad.any():
            index = int(np.argmax(np.ravel(bad)))
            raise QuantityError(name, "is not a positive variance", "give variances", index)
    ratio = r / f
    return np.asarray(ratio - np.log(ratio) - 1.0)


def compare(
    realised: Numbers,
    returns: Numbers,
    hourly: Numbers,
    hours_known: npt.ArrayLike,
    *,
    methods: Sequence[Method] | None = None,
    first: int = 730,
    refit: int = 7,
) -> Comparison:
    """Walk through the days from `first` on: refit every `refit` days on all that is past, forecast, then look.

    realised, returns: (days,); hourly: (hours,); hours_known: for each day, how many of the hourly returns were known
    at its end, (days,). Errors: `QuantityError` for lengths that differ, too few days, a realised variance not
    positive.
    """
    chosen = standard_methods() if methods is None else tuple(methods)
    rv, days, hours = (
        series("realised", realised, 2),
        series("returns", returns, 2),
        series("hourly", hourly, 2),
    )
    known = np.asarray(hours_known)
    _check(rv, days, known, hours.size, first)
    forecasts = np.empty((len(chosen), rv.size - first))
    predictors: list[Predictor] = []
    for day in range(first, rv.size):
        past = Past(rv[:day], days[:day], hours[: known[day - 1]])
        if (day - first) % refit == 0:
            predictors = [method.fit(past) for method in chosen]
        forecasts[:, day - first] = [predict(past) for predict in predictors]
    return Comparison(first, forecasts, rv[first:], _scores(chosen, forecasts, rv[first:]))


def standard_methods() -> tuple[Method, ...]:
    """What is compared by default; the first is the one to beat. Nothing in them was tuned on the data compared."""
    return (
        Method("mean of 30 days", lambda _: lambda past: float(np.mean(past.realised[-MONTH:]))),
        Method(f"EWMA {DAILY_DECAY}, daily returns", lambda _: _ewma_of_returns),
        Method(f"EWMA {DAILY_DECAY}, realised", lambda _: _ewma_of_realised),
        Method("GARCH(1,1), daily returns", lambda past: _daily_garch(past, gjr=False)),
        Method("GJR-t, daily returns", lambda past: _daily_garch(past, gjr=True)),
        Method("GARCH(1,1), hourly returns", _hourly_garch),
        Method("HAR-RV, realised", _har),
        Method("HAR-RV and hourly GARCH", _both),
    )


def _ewma_of_returns(past: Past) -> float:
    return float(ewma_variances(past.returns**2)[-1])


def _ewma_of_realised(past: Past) -> float:
    return float(ewma_variances(past.realised)[-1])


def _daily_garch(past: Past, *, gjr: bool) -> Predictor:
    model: Garch = fit_garch(past.returns, asymmetric=gjr, student=gjr)
    return lambda now: float(model.variances(now.returns)[-1])


def _hourly_garch(past: Past) -> Predictor:
    model = fit_garch(past.hourly[-HOURS_FITTED:], with_mean=False)

    def predict(now: Past) -> float:
        last = float(model.variances(now.hourly[-HOURS_FITTED:])[-1])
        return float(np.sum(model.forecast(24, last)))

    return predict


def _har(past: Past) -> Predictor:
    model = fit_har(past.realised)
    return lambda now: model.variance(now.realised)


def _both(past: Past) -> Predictor:
    """The geometric mean of the two: what errs in different ways errs less together."""
    har, garch = _har(past), _hourly_garch(past)
    return lambda now: exp(0.5 * (log(har(now)) + log(garch(now))))


def _check(rv: Floats, days: Floats, known: Ints, hours: int, first: int) -> None:
    if days.size != rv.size or known.shape != rv.shape:
        problem = f"{rv.size} variances, {days.size} returns, {known.size} counts of hours"
        raise QuantityError("realised", problem, "give arrays of one length")
    if not (np.diff(known) >= 0).all() or known[-1] > hours or known[0] < 0:
        raise QuantityError("hours_known", "falls or exceeds the hours", "count from the start")
    if not 0 < first < rv.size:
        problem = f"{first} leaves no day of {rv.size} to forecast"
        raise QuantityError("first", problem, "begin earlier")
    if (rv <= 0).any():
        index = int(np.argmax(rv <= 0))
        raise QuantityError("realised", f"{rv[index]:g} is not positive", "drop the day", index)


def _scores(methods: Sequence[Method], forecasts: Floats, realised: Floats) -> tuple[Score, ...]:
    losses = qlike(np.broadcast_to(realised, forecasts.shape), forecasts)
    base = losses[0]
    return tuple(
        Score(
            name=method.name,
            qlike=float(np.mean(loss)),
            gain=1.0 - float(np.mean(loss) / np.mean(base)),
            statistic=diebold_mariano(loss, base) if i else float("nan"),
            bias=float(np.mean(forecast) / np.mean(realised)),
            coverage=_coverage(realised / forecast),
        )
        for i, (method, forecast, loss) in enumerate(zip(methods, forecasts, losses, strict=True))
    )


def diebold_mariano(loss: Numbers, other: Numbers) -> float:
    """The mean difference of two losses over its standard error (Newey and West 1987, lags of n^(1/3)); 0 if equal."""
    d = series("loss", loss, 2) - series("other", other, 2)
    centred, n = d - d.mean(), d.size
    lags = int(np.ceil(n ** (1 / 3)))
    variance = float(centred @ centred) / n
    for lag in range(1, lags + 1):
        weight = 1.0 - lag / (lags + 1.0)
        variance += 2.0 * weight * float(centred[lag:] @ centred[:-lag]) / n
    return float(d.mean() / sqrt(variance / n)) if variance > 0 else 0.0


def _coverage(ratios: Floats) -> float:
    hits = [
        low <= ratios[i] <= high
        for i in range(COVERAGE_FROM, ratios.size)
        for low, high in [np.quantile(ratios[:i], (0.05, 0.95))]
    ]
    return float(np.mean(hits)) if hits else float("nan")
