"""Was expected shortfall right? The first two tests of Acerbi and Szekely (2014).

With losses L, exceptions I = (L > VaR) and tail probability a = 1 - confidence:

    Z1 = 1 - mean over the exceptions of L / ES          (given the exceptions, were they as deep as said?)
    Z2 = 1 - sum(L I / ES) / (T a)                       (how many and how deep, together)

Both are 0 on average if the estimates are right and negative if losses were worse. Their distributions depend
on the losses', so p-values come from losses simulated under the model that gave the estimates.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from keeper.errors import QuantityError
from keeper.quant.tails.inputs import Floats, level, positive, sample

MOST_NUMBERS = 4_000_000
"""Simulated losses held at once (32 MB)."""

Simulator = Callable[[np.random.Generator, int], Floats]
"""(generator, paths) -> losses (paths, n) under the null: the model that gave the estimates."""


@dataclass(frozen=True, slots=True)
class ShortfallTest:
    """Statistic and simulated one-sided p-value: small if losses were deeper than estimated."""

    statistic: float
    p_value: float
    critical: float
    """Value under which the statistic is at the test's level."""
    paths: int


@dataclass(frozen=True, slots=True)
class AcerbiSzekely:
    """Z1 is NaN, with a p-value of 1, if nothing exceeded value at risk."""

    z1: ShortfallTest
    z2: ShortfallTest
    exceptions: int
    observations: int


def location_scale(
    residuals: ArrayLike, volatility: ArrayLike, *, window: int | None = None
) -> Simulator:
    """Losses of a volatility path times residuals drawn with replacement: the null of filtered history.

    residuals: (m,), volatility: (n,). With a window w, m is w + n and step t draws from residuals[t : t + w],
    the very ones that `rolling_filtered` estimates step t from; without, every step draws from all.
    """
    pool = sample("residuals", residuals, least=2)
    path = sample("volatility", volatility)
    if window is not None and (window < 2 or pool.size != window + path.size):
        problem = f"are {pool.size} for a window of {window} and {path.size} steps"
        raise QuantityError("residuals", problem, "give window + steps")
    reach = pool.size if window is None else window
    first = 0 if window is None else np.arange(path.size)

    def simulate(generator: np.random.Generator, paths: int) -> Floats:
        drawn = pool[first + generator.integers(0, reach, size=(paths, path.size))]
        losses: Floats = drawn * path
        return losses

    return simulate


def acerbi_szekely(
    losses: ArrayLike,
    value_at_risk: ArrayLike,
    shortfall: ArrayLike,
    confidence: float,
    simulate: Simulator,
    *,
    paths: int = 10_000,
    level_of_test: float = 0.05,
    seed: int = 0,
) -> AcerbiSzekely:
    """Both tests of n estimates; losses, value_at_risk and shortfall are (n,), the estimates positive.

    p = (1 + simulated statistics at or under the observed) / (1 + paths): never 0, exact for any number of
    paths (Davison and Hinkley, 1997, 4.2.5). The same seed gives the same p-value on every machine.
    """
    found = sample("losses", losses)
    at, size = level("confidence", confidence), level("level_of_test", level_of_test)
    var = positive("value_at_risk", value_at_risk, found.shape)
    es = positive("shortfall", shortfall, found.shape)
    low = es < var
    if low.any():
        first = int(np.argmax(low))
        raise QuantityError("shortfall", "is under value at risk", "give the tail's mean", first)
    if paths < 100:
        raise QuantityError("paths", f"is {paths}", "give at least 100")
    judge = partial(statistics, var=var, es=es, confidence=at)
    z1, z2 = judge(found[None, :])
    null = _simulated(simulate, judge, (paths, found.size), seed)
    return AcerbiSzekely(
        _test(float(z1[0]), null[0], size),
        _test(float(z2[0]), null[1], size),
        int((found > var).sum()),
        found.size,
    )


def statistics(losses: Floats, var: Floats, es: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Z1 and Z2 of every row of losses (paths, n); Z1 is NaN where nothing exceeded."""
    beyond = losses > var
    depth = np.where(beyond, losses / es, 0.0).sum(axis=1)
    count = beyond.sum(axis=1)
    z1 = np.where(count > 0, 1.0 - depth / np.maximum(count, 1), np.nan)
    return z1, 1.0 - depth / (losses.shape[1] * (1.0 - confidence))


def _simulated(
    simulate: Simulator,
    judge: Callable[[Floats], tuple[Floats, Floats]],
    shape: tuple[int, int],
    seed: int,
) -> tuple[Floats, Floats]:
    """Both statistics under the null, in batches of fixed size so that memory is bounded."""
    paths, n = shape
    generator = np.random.default_rng(seed)
    batch = max(1, min(paths, MOST_NUMBERS // n))
    parts: list[tuple[Floats, Floats]] = []
    done = 0
    while done < paths:
        count = min(batch, paths - done)
        drawn = np.asarray(simulate(generator, count), dtype=np.float64)
        if drawn.shape != (count, n) or not np.isfinite(drawn).all():
            problem = f"gave shape {drawn.shape} or numbers that are not finite"
            raise QuantityError("simulate", problem, f"return finite losses of shape {(count, n)}")
        parts.append(judge(drawn))
        done += count
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


def _test(statistic: float, null: Floats, size: float) -> ShortfallTest:
    known = null[np.isfinite(null)]
    if not np.isfinite(statistic) or known.size == 0:
        return ShortfallTest(statistic, 1.0, float("nan"), known.size)
    p_value = (1 + int((known <= statistic).sum())) / (1 + known.size)
    return ShortfallTest(statistic, p_value, float(np.quantile(known, size)), known.size)
