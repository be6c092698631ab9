"""Was value at risk right? How often it was exceeded, and whether the exceptions cluster."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats  # type: ignore[import-untyped]

from keeper.errors import QuantityError
from keeper.quant.tails.inputs import events, level, sample


@dataclass(frozen=True, slots=True)
class RatioTest:
    """A likelihood-ratio test; a small p-value speaks against the estimates."""

    statistic: float
    p_value: float
    degrees: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """All of what the exceptions say."""

    observations: int
    exceptions: int
    expected: float
    transitions: tuple[int, int, int, int]
    """Quiet-quiet, quiet-exception, exception-quiet, exception-exception."""
    unconditional: RatioTest
    independence: RatioTest
    conditional: RatioTest


class Zone(StrEnum):
    """Of the Basel traffic light."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


@dataclass(frozen=True, slots=True)
class TrafficLight:
    """Zone, and what it adds to the multiplier of capital."""

    zone: Zone
    exceptions: int
    probability: float
    """Of at most so many exceptions if the estimates are right."""
    increase: float


def exceptions(losses: ArrayLike, value_at_risk: ArrayLike) -> NDArray[np.bool_]:
    """(n,) true where the loss was greater than its estimate; both (n,), the estimate (n,) or scalar."""
    found = sample("losses", losses)
    estimate = sample("value_at_risk", np.atleast_1d(np.asarray(value_at_risk)))
    if estimate.size not in {1, found.size}:
        problem = f"has {estimate.size} values for {found.size} losses"
        raise QuantityError("value_at_risk", problem, "give one for each loss")
    beyond: NDArray[np.bool_] = found > estimate
    return beyond


def kupiec(observations: int, exceeded: int, confidence: float) -> RatioTest:
    """Proportion of failures: do as many losses exceed as the confidence says? (Kupiec, 1995.)"""
    at = level("confidence", confidence)
    if observations < 1 or not 0 <= exceeded <= observations:
        problem = f"{exceeded} of {observations}"
        raise QuantityError("exceeded", problem, "give 0 to `observations` of at least 1")
    rate, quiet = 1.0 - at, observations - exceeded
    seen = exceeded / observations
    likely = _log_likelihood(quiet, exceeded, seen) - _log_likelihood(quiet, exceeded, rate)
    return _ratio(2.0 * likely, 1)


def christoffersen(exceeded: ArrayLike) -> tuple[RatioTest, tuple[int, int, int, int]]:
    """Independence: is an exception as likely after one as after none? (Christoffersen, 1998.)

    exceeded: (n,) of true and false in order of time, n >= 2. With no exception before the last observation
    there is nothing to compare, and the statistic is 0. Also returns the transitions counted.
    """
    hit = events("exceeded", exceeded, least=2)
    before, after = hit[:-1], hit[1:]
    n00 = int((~before & ~after).sum())
    n01 = int((~before & after).sum())
    n10 = int((before & ~after).sum())
    n11 = int((before & after).sum())
    if n00 + n01 == 0 or n10 + n11 == 0:
        return RatioTest(0.0, 1.0, 1), (n00, n01, n10, n11)
    pooled = (n01 + n11) / (n00 + n01 + n10 + n11)
    split = _log_likelihood(n00, n01, n01 / (n00 + n01)) + _log_likelihood(
        n10, n11, n11 / (n10 + n11)
    )
    one = _log_likelihood(n00 + n10, n01 + n11, pooled)
    return _ratio(2.0 * (split - one), 1), (n00, n01, n10, n11)


def coverage_tests(exceeded: ArrayLike, confidence: float) -> Coverage:
    """Kupiec, Christoffersen, and their sum: conditional coverage with two degrees of freedom."""
    hit = events("exceeded", exceeded, least=2)
    found = int(hit.sum())
    unconditional = kupiec(hit.size, found, confidence)
    independence, transitions = christoffersen(hit)
    both = _ratio(unconditional.statistic + independence.statistic, 2)
    expected = hit.size * (1.0 - confidence)
    return Coverage(hit.size, found, expected, transitions, unconditional, independence, both)


def traffic_light(
    exceeded: int, *, observations: int = 250, confidence: float = 0.99
) -> TrafficLight:
    """Basel Committee (1996, 2019 MAR99): yellow from a probability of 95 %, red from 99.99 %.

    The probability is that of *fewer or equally many* exceptions under correct estimates. The increase of the
    multiplier follows the Committee's table at 250 days and 99 % (0.40, 0.50, 0.65, 0.75, 0.85; 1.00 in red);
    elsewhere it is the table's value at the same probability.
    """
    at = level("confidence", confidence)
    if observations < 1 or not 0 <= exceeded <= observations:
        problem = f"{exceeded} of {observations}"
        raise QuantityError("exceeded", problem, "give 0 to `observations` of at least 1")
    probability = float(stats.binom.cdf(exceeded, observations, 1.0 - at))
    if probability < 0.95:
        return TrafficLight(Zone.GREEN, exceeded, probability, 0.0)
    if probability >= 0.9999:
        return TrafficLight(Zone.RED, exceeded, probability, 1.0)
    table = stats.binom.cdf(np.arange(5, 10), 250, 0.01)
    increase = np.array([0.40, 0.50, 0.65, 0.75, 0.85])
    step = int(np.clip(np.searchsorted(table, probability + 1e-12) - 1, 0, 4))
    return TrafficLight(Zone.YELLOW, exceeded, probability, float(increase[step]))


def quantile_score(losses: ArrayLike, value_at_risk: ArrayLike, confidence: float) -> float:
    """Mean pinball loss: comparable between estimates of one sample, smaller is better (Gneiting, 2011)."""
    found = sample("losses", losses)
    estimate = sample("value_at_risk", np.atleast_1d(np.asarray(value_at_risk)))
    gap = found - np.broadcast_to(estimate, found.shape)
    at = level("confidence", confidence)
    return float(np.where(gap > 0, at * gap, (at - 1.0) * gap).mean())


def time_to_first(first: int, confidence: float) -> RatioTest:
    """Time until the first failure, counted from 1 (Kupiec, 1995)."""
    at = level("confidence", confidence)
    if first < 1:
        raise QuantityError("first", f"is {first}", "count observations from 1")
    seen = _log_likelihood(first - 1, 1, 1.0 / first)
    return _ratio(2.0 * (seen - _log_likelihood(first - 1, 1, 1.0 - at)), 1)


def _log_likelihood(quiet: int, exceeded: int, rate: float) -> float:
    """Of independent events; 0 log 0 is 0."""
    return float(special.xlog1py(quiet, -rate) + special.xlogy(exceeded, rate))


def _ratio(statistic: float, degrees: int) -> RatioTest:
    value = max(0.0, statistic)
    return RatioTest(value, float(stats.chi2.sf(value, degrees)), degrees)
