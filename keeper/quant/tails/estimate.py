"""What an estimate of a tail returns, and the two intervals that need no distribution.

Losses are positive. `confidence` is the probability of *not* losing more, 0.99 for one day in a hundred;
`coverage` is how sure the intervals are.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy import stats  # type: ignore[import-untyped]

from keeper.quant.tails.inputs import Floats

NAN = float("nan")


class TailStatus(StrEnum):
    """Whether the figures may be used; they are NaN unless it says so."""

    OK = "ok"
    OUT_OF_DOMAIN = "out-of-domain"
    """Cornish-Fisher: the expansion is not monotone at these moments."""
    SHORT_SAMPLE = "short-sample"
    """Fewer observations than the tail needs: the figures stand, an end of an interval is infinite."""
    INFINITE_MEAN = "infinite-mean"
    """Generalised Pareto with a shape of 1 or more: value at risk stands, the shortfall is infinite."""
    ABOVE_THRESHOLD = "above-threshold"
    """The confidence asks for a quantile below the threshold of the fit."""


@dataclass(frozen=True, slots=True)
class Tail:
    """Value at risk and expected shortfall with intervals, in units of the losses."""

    value_at_risk: float
    expected_shortfall: float
    var_interval: tuple[float, float]
    es_interval: tuple[float, float]
    confidence: float
    coverage: float
    observations: int
    status: TailStatus = TailStatus.OK

    @property
    def usable(self) -> bool:
        """True if value at risk is a number one may act on."""
        return self.status not in (TailStatus.OUT_OF_DOMAIN, TailStatus.ABOVE_THRESHOLD)

    def scaled(self, factor: float) -> "Tail":
        """The same tail in other units; `factor` is positive."""
        (a, b), (c, d) = self.var_interval, self.es_interval
        return Tail(
            self.value_at_risk * factor,
            self.expected_shortfall * factor,
            (a * factor, b * factor),
            (c * factor, d * factor),
            self.confidence,
            self.coverage,
            self.observations,
            self.status,
        )


def unusable(status: TailStatus, confidence: float, coverage: float, observations: int) -> Tail:
    """A refusal that cannot be mistaken for a number."""
    nowhere = (NAN, NAN)
    return Tail(NAN, NAN, nowhere, nowhere, confidence, coverage, observations, status)


def quantile_rank(count: int, confidence: float) -> int:
    """Index, ascending, of the smallest loss that `confidence` of the sample does not exceed.

    The left-continuous inverse of the empirical distribution; count x confidence is forgiven its rounding.
    """
    return min(count - 1, max(0, int(np.ceil(count * confidence - 1e-9)) - 1))


def order_interval(ordered: Floats, confidence: float, coverage: float) -> tuple[float, float]:
    """Distribution-free interval of a quantile from two order statistics.

    The number of losses at or under the quantile is binomial (n, confidence); the ranks leave at most
    (1 - coverage) / 2 on each side (David and Nagaraja, Order Statistics, 7.1). An end that no rank of this
    sample can give is infinite.
    """
    count, half = ordered.size, (1.0 - coverage) / 2.0
    low = int(stats.binom.ppf(half, count, confidence)) - 1
    high = int(stats.binom.ppf(1.0 - half, count, confidence))
    return (
        float(ordered[low]) if low >= 0 else -np.inf,
        float(ordered[high]) if high < count else np.inf,
    )


def shortfall_of(ordered: Floats, confidence: float) -> float:
    """Mean of the worst 1 - confidence of an ascending sample, the boundary loss counted in part.

    Acerbi and Tasche (2002), equation 4.14: coherent, and continuous in confidence.
    """
    weight = ordered.size * (1.0 - confidence)
    whole = min(ordered.size, int(np.floor(weight + 1e-9)))
    part = max(0.0, weight - whole)
    worst = float(ordered[ordered.size - whole :].sum()) if whole else 0.0
    boundary = float(ordered[max(0, ordered.size - whole - 1)])
    return (worst + part * boundary) / (whole + part)


def shortfall_error(ordered: Floats, confidence: float, at: float, shortfall: float) -> float:
    """Asymptotic standard error of the empirical shortfall (Manistre and Hancock, 2005).

    Var = (Var(L | L > VaR) + c (ES - VaR)^2) / (n (1 - c)) for confidence c.
    """
    beyond = ordered[ordered > at]
    spread = float(beyond.var()) if beyond.size > 1 else 0.0
    variance = spread + confidence * (shortfall - at) ** 2
    return float(np.sqrt(variance / (ordered.size * (1.0 - confidence))))


def around(centre: float, error: float, coverage: float) -> tuple[float, float]:
    """Normal interval of an estimate with a standard error."""
    reach = float(stats.norm.ppf(0.5 + coverage / 2.0)) * error
    return centre - reach, centre + reach
