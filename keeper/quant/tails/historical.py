"""Tails of a sample as it is, and as it is once its volatility is taken out and today's put in."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from keeper.errors import QuantityError
from keeper.quant.tails.estimate import (
    Tail,
    TailStatus,
    around,
    order_interval,
    quantile_rank,
    shortfall_error,
    shortfall_of,
)
from keeper.quant.tails.inputs import Floats, level, positive, sample

MOST_PATHS = 50_000_000
"""Numbers one simulation may hold at once (400 MB)."""


class Filter(NamedTuple):
    """Variance of the next step: omega + alpha x loss^2 + beta x variance, per step.

    EWMA with decay d is (0, 1 - d, d); GARCH(1,1) as fitted.
    """

    omega: float
    alpha: float
    beta: float


def historical(losses: ArrayLike, confidence: float, *, coverage: float = 0.95) -> Tail:
    """Value at risk and shortfall of the sample itself.

    losses: (n,), positive is a loss. The interval of value at risk holds for any distribution of independent
    losses; that of the shortfall is asymptotic. With fewer than 1 / (1 - confidence) losses the status says
    SHORT_SAMPLE: the largest loss then stands for both, and the truth may be larger.
    """
    ordered = np.sort(sample("losses", losses))
    at, sure = level("confidence", confidence), level("coverage", coverage)
    quantile = float(ordered[quantile_rank(ordered.size, at)])
    shortfall = max(quantile, shortfall_of(ordered, at))
    error = shortfall_error(ordered, at, quantile, shortfall)
    short = ordered.size * (1.0 - at) < 1.0 - 1e-9
    return Tail(
        quantile,
        shortfall,
        order_interval(ordered, at, sure),
        (-np.inf, np.inf) if short else around(shortfall, error, sure),
        at,
        sure,
        ordered.size,
        TailStatus.SHORT_SAMPLE if short else TailStatus.OK,
    )


def filtered_historical(
    losses: ArrayLike,
    volatility: ArrayLike,
    forecast: float,
    confidence: float,
    *,
    coverage: float = 0.95,
) -> Tail:
    """Tail of the losses in units of the volatility of their time, at tomorrow's volatility.

    losses: (n,); volatility: (n,) or scalar, each known *before* its loss; forecast: the volatility of the
    period ahead, all three per the same period. Hull and White (1998); Barone-Adesi, Giannopoulos and Vosper
    (1999). The intervals take the volatilities as known.
    """
    found = sample("losses", losses)
    spread = positive("volatility", volatility, found.shape)
    ahead = float(positive("forecast", forecast, (1,))[0])
    return historical(found / spread, confidence, coverage=coverage).scaled(ahead)


def filtered_paths(
    residuals: ArrayLike,
    rule: Filter,
    variance: float,
    steps: int,
    paths: int,
    *,
    seed: int,
) -> Floats:
    """Losses summed over `steps`, the volatility of each path following its own losses; shape (paths,).

    residuals: (n,) losses over their volatility, drawn with replacement; variance: of the first step. Feed the
    result to `historical`. Barone-Adesi, Giannopoulos and Vosper (1999).
    """
    pool = sample("residuals", residuals, least=2)
    if steps < 1 or paths < 1 or steps * paths > MOST_PATHS:
        problem = f"{paths} paths of {steps} steps"
        raise QuantityError("paths", problem, f"give 1 to {MOST_PATHS} numbers in all")
    if min(rule) < 0.0 or not np.isfinite(rule).all():
        raise QuantityError("rule", f"is {tuple(rule)}", "give finite parameters, none negative")
    spread = np.full(paths, float(positive("variance", variance, (1,))[0]))
    draws = np.random.default_rng(seed).integers(0, pool.size, size=(steps, paths))
    total = np.zeros(paths)
    for step in range(steps):
        loss = pool[draws[step]] * np.sqrt(spread)
        total += loss
        spread = rule.omega + rule.alpha * loss * loss + rule.beta * spread
    return total
