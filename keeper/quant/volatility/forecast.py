"""Volatility over a horizon, with bounds: what a model expects and what may as well happen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from keeper.errors import QuantityError
from keeper.quant.compiled import kernel
from keeper.quant.volatility.garch import Garch
from keeper.quant.volatility.har import Har
from keeper.quant.volatility.inputs import Floats, Numbers, per_year, series

Ints = npt.NDArray[np.int64]

PATHS = 4_000


@dataclass(frozen=True, slots=True)
class Forecast:
    """Annualised volatility over the next `horizon` periods."""

    volatility: float
    """Root of the expected variance."""
    low: float
    high: float
    """Between them realised volatility lies with probability `level`."""
    level: float
    horizon: int


def forecast_garch(
    model: Garch,
    returns: Numbers,
    horizon: int,
    periods_per_year: float,
    *,
    level: float = 0.9,
    seed: int = 0,
) -> Forecast:
    """From a model and the returns up to now (n,), n >= 50.

    Volatility by the model's own recursion; bounds by filtered historical simulation (Barone-Adesi and others 1999):
    the standardised residuals are drawn again, `PATHS` times, by a counter-based generator, so that a seed gives one
    answer.
    """
    r = series("returns", returns, 50)
    variances = model.variances(r)
    standardised = (r - model.mean) / np.sqrt(variances[:-1])
    # Drawn from as they are, but of unit size: else bounds and expectation would disagree.
    standardised /= np.sqrt(np.mean(standardised**2))
    rng = np.random.Generator(np.random.Philox(seed))
    expected = float(np.sum(model.forecast(horizon, float(variances[-1]))))
    drawn = rng.integers(0, r.size, size=(PATHS, horizon))
    sums = np.empty(PATHS)
    arch = np.array([model.omega, model.alpha, model.alpha + model.gamma, model.beta])
    _simulate(arch, float(variances[-1]), standardised, drawn, sums)
    low, high = _quantiles(sums, level)
    year = per_year(periods_per_year) / horizon
    return _forecast((expected, low, high), year, level, horizon)


def forecast_har(
    model: Har, realised: Numbers, periods_per_year: float, *, level: float = 0.9
) -> Forecast:
    """From a model and the realised variances up to now; bounds by the residuals of the fit."""
    low, high = model.interval(realised, level)
    year = per_year(periods_per_year)
    variances = (model.variance(realised), low, high)
    return _forecast(variances, year, level, model.horizon)


def forecast_by_past(
    variance: float,
    ratios: Numbers,
    horizon: int,
    periods_per_year: float,
    *,
    level: float = 0.9,
) -> Forecast:
    """From any method's variance a period, and the ratios realised / expected of its past forecasts (n,), n >= 20."""
    past = series("ratios", ratios, 20)
    if not (np.isfinite(variance) and variance > 0) or (past < 0).any():
        raise QuantityError("variance", "it or a ratio is not positive", "give variances above 0")
    low, high = _quantiles(past, level)
    year = per_year(periods_per_year)
    variances = (variance, variance * low, variance * high)
    return _forecast(variances, year, level, horizon)


def _forecast(
    variances: tuple[float, float, float], year: float, level: float, horizon: int
) -> Forecast:
    volatility, low, high = (float(np.sqrt(v * year)) for v in variances)
    return Forecast(volatility, low, high, level, horizon)


def _quantiles(values: Floats, level: float) -> tuple[float, float]:
    if not 0 < level < 1:
        raise QuantityError("level", f"{level} is outside (0, 1)", "give 0.9 for 90 %")
    low, high = np.quantile(values, (0.5 - 0.5 * level, 0.5 + 0.5 * level))
    return float(low), float(high)


@kernel
def _simulate(arch: Floats, variance: float, residuals: Floats, drawn: Ints, sums: Floats) -> None:
    omega, rising, falling, beta = arch
    for path in range(drawn.shape[0]):
        h, total = variance, 0.0
        for step in range(drawn.shape[1]):
            z = residuals[drawn[path, step]]
            square = z * z * h
            total += square
            h = omega + (rising if z >= 0.0 else falling) * square + beta * h
        sums[path] = total
