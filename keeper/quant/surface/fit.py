"""Fit a surface to quotes: clean, solve, set outliers aside, solve again."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from math import sqrt

import numpy as np
import numpy.typing as npt

from keeper.errors import QuantityError
from keeper.quant.compiled import kernel
from keeper.quant.surface import barrier
from keeper.quant.surface.objective import Data
from keeper.quant.surface.quotes import Codes, Fate, Quotes, clean
from keeper.quant.surface.smile import variance
from keeper.quant.surface.start import cold, inside, max_log_ratio, warm
from keeper.quant.surface.surface import Surface

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

MU_COLD = 1.0
MU_WARM = 1e-4
OUTLIER = 6.0
"""A quote is an outlier beyond so many scales, and so many times the surface's own spread of residuals."""
NORMAL_MAD = 1.4826
"""Standard deviation over median absolute deviation, of normal residuals."""
ROUNDS = 2


class Ending(IntEnum):
    """How the solver stopped; the surface is free of arbitrage after each."""

    CONVERGED = barrier.CONVERGED
    STALLED = barrier.STALLED
    """No step improves any more, by rounding: as good as converged."""
    EXHAUSTED = barrier.EXHAUSTED
    """Iterations ran out: the surface may be improved by fitting again from it."""


@dataclass(frozen=True, slots=True)
class FitSettings:
    """What a fit may be told."""

    max_age_s: float = 900.0
    """Quotes older than this are stale."""
    max_rho: float = 0.999
    """Bound of |rho|; 0.7 gives what the volatility oracle accepts."""
    model_error: float = 0.0025
    """Of volatility at the money: no quote is trusted more finely, however tight. It grows as the root of 1 + z^2
    with the distance z from the money in standard deviations: three numbers cannot follow a market into far wings.
    The scale of a residual is the root of the sum of its square and the squared half spread."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A surface and what it was made of."""

    surface: Surface
    quotes: Quotes
    """As given."""
    fate: Codes
    """Of each quote given: see `Fate`."""
    iterations: int
    ending: Ending


DEFAULT = FitSettings()


def fit_surface(
    quotes: Quotes, previous: Surface | None = None, settings: FitSettings = DEFAULT
) -> Fit:
    """The eSSVI surface nearest to the quotes, free of butterfly and calendar arbitrage at all strikes and times.

    Minimises Huber's loss of the differences of volatility over the quotes' scales (see `objective`) by an
    interior-point method (see `barrier`). Expiries are the distinct times of the quotes kept; one quote is enough for
    an expiry. `previous` is where to begin: the same quotes give the same surface to the solver's tolerance, sooner.
    Errors: `QuantityError` if no quote can be used, or a setting is out of bounds.
    """
    _check(settings)
    fate, kept = clean(quotes, settings.max_age_s)
    if kept.size == 0:
        counts = ", ".join(f"{n} {reason}" for reason, n in tally(fate).items()) or "none given"
        raise QuantityError(
            "quotes", f"not one can be used: {counts}", "give two-sided live quotes"
        )
    t = quotes.years[kept]
    first = np.flatnonzero(np.diff(t, prepend=-1.0))
    start = np.append(first, t.size).astype(np.int64)
    y = np.empty((first.size, 3))
    k, mid, years = quotes.k[kept], quotes.mid[kept], t[first]
    weight = 1.0 / _scale(k, mid, t, 0.5 * (quotes.ask - quotes.bid)[kept], settings.model_error)
    ratio = max_log_ratio(settings.max_rho)
    if previous is None:
        cold(k, mid, start, years, y)
    else:
        warm(previous.smiles, years, ratio, y)
    mu = MU_COLD if previous is None else MU_WARM
    used = np.ones(kept.size, dtype=np.bool_)
    iterations, ending = _run(y, Data(k, mid, weight, start, years), ratio, mu, used)
    fate[kept[~used]] = Fate.OUTLIER
    theta, right, left = np.exp(y.T)
    return Fit(Surface(years, theta, right, left), quotes, fate, iterations, Ending(ending))


def _scale(k: Floats, mid: Floats, years: Floats, half: Floats, model_error: float) -> Floats:
    z = k / mid
    return np.asarray(np.sqrt(half * half + model_error**2 * (1.0 + z * z / years)))


def tally(fate: Codes) -> dict[str, int]:
    """How many quotes were dropped, by reason in words."""
    counts = np.bincount(fate, minlength=len(Fate))
    return {code.words: int(counts[code]) for code in Fate if code and counts[code]}


def _check(settings: FitSettings) -> None:
    if not settings.max_age_s >= 0:
        problem = f"{settings.max_age_s:g} is not a time"
        raise QuantityError("max_age_s", problem, "give seconds, 0 or more")
    if not 0 < settings.max_rho < 1:
        problem = f"{settings.max_rho:g} is outside (0, 1)"
        raise QuantityError("max_rho", problem, "give a number between 0 and 1")
    if not 0 < settings.model_error < 1:
        problem = f"{settings.model_error:g} is outside (0, 1)"
        raise QuantityError("model_error", problem, "give a volatility such as 0.0025")


@kernel
def _run(y: Floats, data: Data, ratio: float, mu: float, used: Flags) -> tuple[int, int]:
    """Solve, unset `used` of the outliers, solve again; improves `y` in place."""
    total, ending = barrier.solve(y, data, ratio, mu)
    for _ in range(ROUNDS):
        if not _set_aside(y, data, used):
            break
        start = np.zeros(data.start.shape[0], dtype=np.int64)
        for i in range(data.years.shape[0]):
            start[i + 1] = start[i] + np.sum(used[data.start[i] : data.start[i + 1]])
        rest = Data(data.k[used], data.volatility[used], data.weight[used], start, data.years)
        inside(y, ratio)
        more, ending = barrier.solve(y, rest, ratio, MU_WARM)
        total += more
    return total, ending


@kernel
def _set_aside(y: Floats, data: Data, used: Flags) -> bool:
    """Unset `used` of quotes too far off, the worst first and of no expiry more than half; whether there were any."""
    k, volatility, weight, start, years = data
    away = np.zeros(k.shape[0])
    for i in range(years.shape[0]):
        theta, right, left = np.exp(y[i, 0]), np.exp(y[i, 1]), np.exp(y[i, 2])
        for j in range(start[i], start[i + 1]):
            w = variance(theta, right, left, k[j])
            away[j] = abs(sqrt(w / years[i]) - volatility[j]) * weight[j]
    limit = OUTLIER * max(1.0, NORMAL_MAD * np.median(away[used]))
    found = False
    for i in range(years.shape[0]):
        allowed = (start[i + 1] - start[i]) // 2
        for j in range(start[i], start[i + 1]):
            allowed -= not used[j]
        while allowed > 0:
            worst, at = limit, -1
            for j in range(start[i], start[i + 1]):
                if used[j] and away[j] > worst:
                    worst, at = away[j], j
            if at < 0:
                break
            used[at] = False
            found = True
            allowed -= 1
    return found
