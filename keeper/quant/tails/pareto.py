"""Peaks over a threshold: the generalised Pareto distribution of what exceeds it.

Distribution of an excess y >= 0: 1 - (1 + shape y / scale)^(-1/shape), exponential at shape 0.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from keeper.errors import QuantityError
from keeper.quant.tails.estimate import Tail, TailStatus, around, unusable
from keeper.quant.tails.inputs import Floats, level, sample

LEAST_EXCESSES = 20
"""Fewer excesses say nothing about a tail."""
LARGEST_SHARE = 0.10
"""Most of a sample that may be called its tail (the usual rule; McNeil and Frey, 2000, take 10 %)."""
SMALLEST_SHAPE = -0.5
"""Under it the likelihood's theory fails (Smith, 1985); fits stop there."""
_FLAT = 1e-9


@dataclass(frozen=True, slots=True)
class ParetoFit:
    """A fitted tail: of `observations` losses `excesses` were above the threshold."""

    threshold: float
    shape: float
    scale: float
    covariance: tuple[float, float, float]
    """Asymptotic variance of shape, covariance of shape and scale, variance of scale."""
    excesses: int
    observations: int
    method: Literal["ml", "pwm"]


def choose_threshold(losses: ArrayLike, confidence: float | None = None) -> float:
    """The documented rule: the worst n^(2/3) / log(log n) losses, at least 20, at most a tenth, are the tail.

    (Loretan and Phillips, 1994.) With a confidence the tail holds at least twice what lies beyond it, so that
    the quantile is inside of the fit, still at most a tenth. The threshold is the largest loss that is not
    among them. Needs 200 losses.
    """
    ordered = np.sort(sample("losses", losses, least=int(LEAST_EXCESSES / LARGEST_SHARE)))
    count = ordered.size
    rule = int(count ** (2.0 / 3.0) / np.log(np.log(count)))
    asked = 0.0 if confidence is None else 2.0 * (1.0 - level("confidence", confidence)) * count
    kept = min(max(rule, LEAST_EXCESSES, int(np.ceil(asked))), int(LARGEST_SHARE * count))
    return float(ordered[count - kept - 1])


def fit_pareto(
    losses: ArrayLike,
    threshold: float | None = None,
    *,
    method: Literal["ml", "pwm"] = "ml",
) -> ParetoFit:
    """Fit the losses above a threshold, by default that of `choose_threshold`.

    "ml" maximises the profile likelihood over shape / scale (Grimshaw, 1993), for shapes above -0.5; "pwm"
    matches probability-weighted moments (Hosking and Wallis, 1987), steadier in short samples, for shapes
    under 0.5. QuantityError where fewer than 20 losses exceed the threshold.
    """
    found = sample("losses", losses, least=LEAST_EXCESSES)
    above = choose_threshold(found) if threshold is None else float(threshold)
    if not np.isfinite(above):
        raise QuantityError("threshold", f"is {above!r}", "give a finite number")
    excess = np.sort(found[found > above] - above)
    if excess.size < LEAST_EXCESSES:
        problem = f"only {excess.size} losses exceed {above:g}"
        raise QuantityError("threshold", problem, f"lower it until {LEAST_EXCESSES} do")
    if float(excess[-1]) <= 0.0 or float(np.ptp(excess)) <= 1e-12 * float(excess[-1]):
        raise QuantityError("losses", "exceed the threshold all alike", "give losses that vary")
    if method not in {"ml", "pwm"}:
        raise QuantityError("method", f"is {method!r}", "give 'ml' or 'pwm'")
    shape, scale = _likelihood(excess) if method == "ml" else _moments(excess)
    errors = (_likelihood_errors if method == "ml" else _moments_errors)(shape, scale, excess.size)
    return ParetoFit(above, shape, scale, errors, excess.size, found.size, method)


def pareto_tail(fit: ParetoFit, confidence: float, *, coverage: float = 0.95) -> Tail:
    """Tail of a fit: McNeil, Frey and Embrechts, Quantitative Risk Management, 5.2.3.

    With u the threshold, f the share above it and r = (f / (1 - c)): VaR = u + scale (r^shape - 1) / shape and
    ES = (VaR + scale - shape u) / (1 - shape). Intervals are the delta method over shape, scale and f, the
    shortfall's on the logarithm of its distance to the threshold, as its error is skewed. ABOVE_THRESHOLD and
    NaN if the quantile lies under u; the shortfall is infinite for shapes of 1 or more.
    """
    at, sure = level("confidence", confidence), level("coverage", coverage)
    share = fit.excesses / fit.observations
    if 1.0 - at > share:
        return unusable(TailStatus.ABOVE_THRESHOLD, at, sure, fit.observations)
    far = np.log(share / (1.0 - at))
    reach = fit.scale * _growth(fit.shape, far)
    var = fit.threshold + reach
    error = _delta(fit, far, _var_slopes)
    var_interval = around(var, error, sure)
    if fit.shape >= 1.0:
        status, es, es_interval = TailStatus.INFINITE_MEAN, np.inf, (var_interval[0], np.inf)
        return Tail(var, es, var_interval, es_interval, at, sure, fit.observations, status)
    beyond = (reach + fit.scale) / (1.0 - fit.shape)
    low, high = around(float(np.log(beyond)), _delta(fit, far, _es_slopes) / beyond, sure)
    es_interval = (
        fit.threshold + float(np.exp(low)),
        fit.threshold + float(np.exp(min(high, 700.0))),
    )
    return Tail(var, fit.threshold + beyond, var_interval, es_interval, at, sure, fit.observations)


def peaks_over_threshold(
    losses: ArrayLike,
    confidence: float,
    *,
    threshold: float | None = None,
    method: Literal["ml", "pwm"] = "ml",
    coverage: float = 0.95,
) -> Tail:
    """`fit_pareto` and `pareto_tail` in one."""
    above = choose_threshold(losses, confidence) if threshold is None else threshold
    return pareto_tail(fit_pareto(losses, above, method=method), confidence, coverage=coverage)


def _growth(shape: float, far: float) -> float:
    """(e^(shape far) - 1) / shape, continuous at 0."""
    return float(np.expm1(shape * far) / shape) if abs(shape) > _FLAT else float(far)


def _growth_slope(shape: float, far: float) -> float:
    """Derivative of `_growth` by shape; by its series where the quotient cancels."""
    if abs(shape * far) < 1e-4:
        return float(far * far * (0.5 + shape * far / 3.0))
    return float((far * np.exp(shape * far) - _growth(shape, far)) / shape)


def _var_slopes(fit: ParetoFit, far: float) -> tuple[float, float, float]:
    """By shape, scale and log of the share."""
    return (
        fit.scale * _growth_slope(fit.shape, far),
        _growth(fit.shape, far),
        fit.scale * float(np.exp(fit.shape * far)),
    )


def _es_slopes(fit: ParetoFit, far: float) -> tuple[float, float, float]:
    by_shape, by_scale, by_share = _var_slopes(fit, far)
    rest = 1.0 - fit.shape
    beyond = (fit.scale * _growth(fit.shape, far) + fit.scale) / rest
    return (by_shape + beyond) / rest, (by_scale + 1.0) / rest, by_share / rest


Slopes = Callable[[ParetoFit, float], tuple[float, float, float]]


def _delta(fit: ParetoFit, far: float, slopes: Slopes) -> float:
    by_shape, by_scale, by_share = slopes(fit, far)
    shape, mixed, scale = fit.covariance
    share = fit.excesses / fit.observations
    variance = (
        by_shape**2 * shape
        + 2.0 * by_shape * by_scale * mixed
        + by_scale**2 * scale
        + by_share**2 * (1.0 - share) / fit.excesses
    )
    return float(np.sqrt(max(0.0, variance)))


def _profile(ratio: Floats, excess: Floats) -> tuple[Floats, Floats]:
    """Mean log-likelihood and shape along scale = shape / ratio, for every ratio; shape (m,)."""
    logs = np.log1p(np.outer(ratio, excess))
    shape = logs.mean(axis=1)
    small = np.abs(ratio) * excess[-1] < _FLAT
    scale = np.where(small, excess.mean(), shape / np.where(small, 1.0, ratio))
    return -np.log(scale) - shape - 1.0, shape


def _likelihood(excess: Floats) -> tuple[float, float]:
    """Shape and scale of the greatest profile likelihood: a grid, then ever finer around its best."""
    mean, largest = float(excess.mean()), float(excess[-1])
    # Ratios run from just above -1 / largest to shapes far over 1, evenly in log(1 + ratio x largest).
    low, high = np.log(1e-6), np.log1p(1e4 * largest / mean)
    for _ in range(12):
        grid = np.linspace(low, high, 65)
        ratio = np.expm1(grid) / largest
        value, shape = _profile(ratio, excess)
        value = np.where(shape >= SMALLEST_SHAPE, value, -np.inf)
        best = int(np.argmax(value))
        low, high = grid[max(0, best - 1)], grid[min(grid.size - 1, best + 1)]
    found = float(shape[best])
    if abs(ratio[best]) * largest < _FLAT:
        return found, mean
    return found, found / float(ratio[best])


def _moments(excess: Floats) -> tuple[float, float]:
    """Hosking and Wallis (1987) with plotting positions (i - 0.35) / n."""
    count = excess.size
    position = (np.arange(1, count + 1) - 0.35) / count
    first, second = float(excess.mean()), float(((1.0 - position) * excess).mean())
    return 2.0 - first / (first - 2.0 * second), 2.0 * first * second / (first - 2.0 * second)


def _likelihood_errors(shape: float, scale: float, count: int) -> tuple[float, float, float]:
    """Inverse Fisher information (Smith, 1987; Embrechts, Klueppelberg and Mikosch, 6.5.1)."""
    lift = 1.0 + shape
    return lift * lift / count, -lift * scale / count, 2.0 * lift * scale * scale / count


def _moments_errors(shape: float, scale: float, count: int) -> tuple[float, float, float]:
    """Hosking and Wallis (1987), section 4, in k = -shape; beyond shape 0.5 the variances are infinite."""
    k = -shape
    if k <= -0.5:
        return np.inf, 0.0, np.inf
    down = (1.0 + 2.0 * k) * (3.0 + 2.0 * k) * count
    of_scale = (7.0 + 18.0 * k + 11.0 * k**2 + 2.0 * k**3) * scale**2
    mixed = (2.0 + k) * (2.0 + 6.0 * k + 7.0 * k**2 + 2.0 * k**3) * scale
    of_shape = (1.0 + k) * (2.0 + k) ** 2 * (1.0 + k + 2.0 * k**2)
    return of_shape / down, -mixed / down, of_scale / down
