"""The normal quantile corrected for skewness and kurtosis, where that correction is a quantile at all."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats  # type: ignore[import-untyped]

from keeper.errors import QuantityError
from keeper.quant.tails.estimate import Tail, TailStatus, around, unusable
from keeper.quant.tails.inputs import Floats, level, sample

LARGEST_SKEW = 6.0 * (np.sqrt(2.0) - 1.0)
"""Beyond it no kurtosis makes the expansion monotone (Maillard, 2012)."""


def in_domain(skew: ArrayLike, excess_kurtosis: ArrayLike) -> np.bool_ | NDArray[np.bool_]:
    """True where the expansion is increasing everywhere, hence a quantile function.

    Its derivative is a z^2 + S z / 3 + c with a = K/8 - S^2/6 and c = 1 - K/8 + 5 S^2/36, and is nowhere
    negative if and only if a, c >= 0 and S^2/9 <= 4 a c. (Maillard, 2012, "A user's guide to the
    Cornish-Fisher expansion".) False for NaN.
    """
    s, k = np.asarray(skew, dtype=np.float64), np.asarray(excess_kurtosis, dtype=np.float64)
    a = k / 8.0 - s * s / 6.0
    c = 1.0 - k / 8.0 + 5.0 * s * s / 36.0
    inside: np.bool_ | NDArray[np.bool_] = (a >= 0.0) & (c >= 0.0) & (s * s / 9.0 <= 4.0 * a * c)
    return inside


def expansion(z: ArrayLike, skew: float, excess_kurtosis: float) -> Floats:
    """The corrected standard quantile for normal quantiles `z`, any shape."""
    x = np.asarray(z, dtype=np.float64)
    value: Floats = (
        x
        + (x * x - 1.0) * skew / 6.0
        + (x**3 - 3.0 * x) * excess_kurtosis / 24.0
        - (2.0 * x**3 - 5.0 * x) * skew * skew / 36.0
    )
    return value


def standard_tail(confidence: float, skew: float, excess_kurtosis: float) -> tuple[float, float]:
    """Value at risk and shortfall for mean 0 and deviation 1, both in closed form.

    The shortfall is the integral of the expansion over the tail: with z the normal quantile and phi its
    density, phi / (1 - c) x (1 + z S/6 + (z^2 - 1) K/24 - (2 z^2 - 1) S^2/36). NaN outside of the domain.
    """
    if not in_domain(skew, excess_kurtosis):
        return float("nan"), float("nan")
    z = float(stats.norm.ppf(confidence))
    lift = (
        1.0
        + z * skew / 6.0
        + (z * z - 1.0) * excess_kurtosis / 24.0
        - (2.0 * z * z - 1.0) * skew * skew / 36.0
    )
    shortfall = float(stats.norm.pdf(z)) / (1.0 - confidence) * lift
    return float(expansion(z, skew, excess_kurtosis)), shortfall


def cornish_fisher(losses: ArrayLike, confidence: float, *, coverage: float = 0.95) -> Tail:
    """Tail from the sample's mean, deviation, skewness and excess kurtosis.

    losses: (n,), n >= 8. OUT_OF_DOMAIN and NaN where the expansion is no quantile function at the sample's
    moments: heavy skew with little kurtosis, or an excess kurtosis above 8. The parameters of the expansion are
    taken to be the moments, as is usual; the intervals are the delta method over the moments.
    """
    found = sample("losses", losses, least=8)
    at, sure = level("confidence", confidence), level("coverage", coverage)
    mean, deviation = float(found.mean()), float(found.std())
    if deviation <= 1e-14 * max(1.0, float(np.abs(found).max())):
        raise QuantityError("losses", "are all equal", "give a sample that varies")
    z = (found - mean) / deviation
    skew, kurtosis = float((z**3).mean()), float((z**4).mean())
    quantile, shortfall = standard_tail(at, skew, kurtosis - 3.0)
    if not np.isfinite(quantile):
        return unusable(TailStatus.OUT_OF_DOMAIN, at, sure, found.size)
    errors = _errors(z, at, skew, kurtosis)
    var, es = mean + deviation * quantile, mean + deviation * shortfall
    return Tail(
        var,
        es,
        around(var, deviation * errors[0], sure),
        around(es, deviation * errors[1], sure),
        at,
        sure,
        found.size,
    )


def _errors(z: Floats, confidence: float, skew: float, kurtosis: float) -> tuple[float, float]:
    """Standard errors of both figures in deviations, from the moments' influence functions."""
    square = z * z - 1.0
    of_skew = z**3 - skew - 3.0 * z - 1.5 * skew * square
    of_kurtosis = z**4 - kurtosis - 4.0 * skew * z - 2.0 * kurtosis * square
    q = float(stats.norm.ppf(confidence))
    heavy = float(stats.norm.pdf(q)) / (1.0 - confidence)
    slopes = (
        (
            (q * q - 1.0) / 6.0 - (2.0 * q**3 - 5.0 * q) * skew / 18.0,
            (q**3 - 3.0 * q) / 24.0,
        ),
        (
            heavy * (q / 6.0 - (2.0 * q * q - 1.0) * skew / 18.0),
            heavy * (q * q - 1.0) / 24.0,
        ),
    )
    levels = standard_tail(confidence, skew, kurtosis - 3.0)
    found = (
        z + at * square / 2.0 + by_skew * of_skew + by_kurtosis * of_kurtosis
        for at, (by_skew, by_kurtosis) in zip(levels, slopes, strict=True)
    )
    var, es = (float(influence.std() / np.sqrt(z.size)) for influence in found)
    return var, es
