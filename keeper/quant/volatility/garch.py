"""GARCH(1,1) and GJR-t by maximum likelihood: fit, filter, update by one return, forecast."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, log

import numpy as np

from keeper.errors import QuantityError
from keeper.quant.volatility import garch_kernel as g
from keeper.quant.volatility.inputs import Floats, Numbers, series

LEAST = 50
"""Returns that a fit needs."""
BACKCAST = 75
BACKCAST_DECAY = 0.94
"""The variance before the first return: a weighted mean of the first squares."""
STARTS = ((0.05, 0.94), (0.10, 0.80), (0.20, 0.75), (0.03, 0.60))
"""alpha and beta to begin from; the likeliest is taken."""


@dataclass(frozen=True, slots=True)
class Garch:
    """A fitted model; variances are per period of the returns.

    h' = omega + (alpha + gamma [e < 0]) e^2 + beta h, e = return - mean; residuals e / sqrt(h) are normal, or
    Student's t of `shape` degrees of freedom scaled to unit variance.
    """

    mean: float
    omega: float
    alpha: float
    gamma: float
    """0 without asymmetry; negative returns count alpha + gamma."""
    beta: float
    shape: float
    """inf: normal."""
    backcast: float
    """Variance assumed before the first return."""
    variance_next: float
    """Of the return after the last one fitted to."""
    log_likelihood: float
    errors: tuple[float, ...]
    """Standard errors of mean, omega, alpha, gamma, beta, shape from the inverse information; NaN for what is
    fixed."""
    observations: int
    iterations: int
    converged: bool

    @property
    def persistence(self) -> float:
        """What is left of a deviation from the long-run variance after a period, below 1."""
        return self.alpha + 0.5 * self.gamma + self.beta

    @property
    def variance_long_run(self) -> float:
        """Unconditional variance per period."""
        return self.omega / (1.0 - self.persistence)

    def variances(self, returns: Numbers) -> Floats:
        """Conditional variance of each return and of the next one, (n + 1,), from the backcast on."""
        r = series("returns", returns, 0)
        out = np.empty(r.size + 1)
        g.variances(r, self._natural(), self.backcast, out)
        return out

    def update(self, variance: float, value: float) -> float:
        """The next period's variance after a return of `value` in a period of `variance`: a tick's work between
        fits."""
        e = value - self.mean
        return (
            self.omega
            + (self.alpha + (self.gamma if e < 0 else 0.0)) * e * e
            + (self.beta * variance)
        )

    def forecast(self, horizon: int, variance_next: float | None = None) -> Floats:
        """Expected variances of the next `horizon` periods, (horizon,)."""
        if horizon < 1:
            raise QuantityError("horizon", f"{horizon} is not positive", "give 1 period or more")
        first = self.variance_next if variance_next is None else variance_next
        # Without division by 1 - persistence, which may vanish: a geometric sum, term by term.
        p = self.persistence ** np.arange(horizon)
        return np.asarray(first * p + self.omega * (np.cumsum(p) - p))

    def _natural(self) -> Floats:
        falling = self.alpha + self.gamma
        return np.array([self.mean, self.omega, self.alpha, falling, self.beta, self.shape])


def fit_garch(
    returns: Numbers,
    *,
    asymmetric: bool = False,
    student: bool = False,
    with_mean: bool = True,
    start: Garch | None = None,
    backcast: float | None = None,
) -> Garch:
    """Maximum likelihood on returns (n,), in time order, as fractions; n >= 50.

    asymmetric: GJR; student: t residuals; with_mean: a constant mean, else 0; start: an earlier fit to begin from;
    backcast: variance before the first return, by default a weighted mean of the first squares.
    Errors: `QuantityError` for what is not a finite series of that length, or one that does not vary; for a backcast
    that is no variance.
    """
    r = series("returns", returns, LEAST)
    scale = float(np.std(r))
    if not scale > 1e-12 * float(np.max(np.abs(r), initial=1e-300)):
        raise QuantityError("returns", "do not vary", "give returns that do")
    scaled = r / scale
    before = _before(scaled, with_mean, None if backcast is None else backcast / scale**2)
    kind = (asymmetric, student, with_mean)
    x = _begin(scaled, before, kind, start, scale)
    best, iterations, converged = g.climb(scaled, x, before, kind)
    natural, jacobian = np.empty(6), np.empty((6, 6))
    g.to_natural(x, asymmetric, natural, jacobian)
    errors = _errors(scaled, natural, before, kind)
    unit = np.array([scale, scale**2, 1.0, 1.0, 1.0, 1.0])
    mean, omega, rising, falling, beta, shape = natural * unit
    fitted = Garch(
        mean=float(mean) if with_mean else 0.0,
        omega=float(omega),
        alpha=float(rising),
        gamma=float(falling - rising) if asymmetric else 0.0,
        beta=float(beta),
        shape=float(shape) if student else inf,
        backcast=before * scale**2,
        variance_next=before * scale**2,
        log_likelihood=best - r.size * log(scale),
        errors=tuple(errors * unit),
        observations=r.size,
        iterations=iterations,
        converged=converged,
    )
    return replace(fitted, variance_next=float(fitted.variances(r)[-1]))


def _before(scaled: Floats, with_mean: bool, given: float | None) -> float:
    """The variance before the first return."""
    if given is not None:
        if not (np.isfinite(given) and given > 0):
            raise QuantityError("backcast", f"{given} is no variance", "give a number above 0")
        return given
    first = (scaled - (np.mean(scaled) if with_mean else 0.0))[:BACKCAST]
    weights = BACKCAST_DECAY ** np.arange(first.size)
    return float(np.sum(weights * first * first) / np.sum(weights))


def _begin(
    scaled: Floats,
    backcast: float,
    kind: tuple[bool, bool, bool],
    start: Garch | None,
    scale: float,
) -> Floats:
    asymmetric, student, with_mean = kind
    mean = float(np.mean(scaled)) if with_mean else 0.0
    if start is not None:
        slack = max(1.0 - start.persistence, 1e-6)
        shape = start.shape if np.isfinite(start.shape) else 8.0
        falling = max(start.alpha + start.gamma, 1e-6)
        x = _unbounded(max(start.alpha, 1e-6), falling, max(start.beta, 1e-6), slack, asymmetric)
        x[g.MEAN] = start.mean / scale if with_mean else 0.0
        x[g.OMEGA] = log(max(start.omega, 1e-12 * scale**2) / scale**2)
        x[g.SHAPE] = log(max(shape - g.LEAST_SHAPE, 0.05))
        return x
    best, found = -inf, np.empty(6)
    natural, jacobian = np.empty(6), np.empty((6, 6))
    score, information = np.empty(6), np.empty((6, 6))
    for alpha, beta in STARTS:
        x = _unbounded(alpha, alpha, beta, 1.0 - alpha - beta, asymmetric)
        x[g.MEAN], x[g.OMEGA], x[g.SHAPE] = mean, log(1.0 - alpha - beta), log(6.0)
        g.to_natural(x, asymmetric, natural, jacobian)
        height = g.log_likelihood_normal(scaled, natural, backcast, score, information)
        if height > best:
            best, found = height, x
    if student:
        found[g.SHAPE] = log(6.0)
    return found


def _unbounded(
    rising: float, falling: float, beta: float, slack: float, asymmetric: bool
) -> Floats:
    x = np.zeros(6)
    x[g.RISING] = log((0.5 if asymmetric else 1.0) * rising / beta)
    x[g.FALLING] = log(0.5 * falling / beta)
    x[g.BETA] = log(slack / beta)
    return x


def _errors(
    scaled: Floats, natural: Floats, backcast: float, kind: tuple[bool, bool, bool]
) -> Floats:
    """In the order mean, omega, alpha, gamma, beta, shape."""
    asymmetric, student, with_mean = kind
    score, information = np.empty(6), np.empty((6, 6))
    likelihood = g.log_likelihood_student if student else g.log_likelihood_normal
    likelihood(scaled, natural, backcast, score, information)
    errors = np.empty(6)
    free = np.array([with_mean, True, True, asymmetric, True, student])
    g.standard_errors(information, free, errors)
    return errors
