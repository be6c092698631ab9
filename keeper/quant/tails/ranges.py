"""Volatility ahead from the ranges of bars and the last loss: a filter quick enough that exceptions do not cluster.

An EWMA of squared returns over some thirty hours knows an hour late that a storm has begun, and the losses of its first
hours come in pairs. The range of a bar says far more of its volatility than its close does (Parkinson 1980), the means
of ranges over an hour, a quarter of a day, a day and a week together forecast the next (Corsi 2009), and a loss raises
volatility more than a gain (Glosten, Jagannathan and Runkle 1993). The weights are least squares over the past alone,
made anew now and then; filtered historical simulation needs volatility up to a constant only.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from keeper.errors import QuantityError
from keeper.quant.tails.historical import Filter
from keeper.quant.tails.inputs import Floats, sample
from keeper.quant.tails.rolling import filter_volatility

LAGS = (1, 6, 24, 168)
"""Bars: of an hour, they are an hour, a quarter of a day, a day and a week."""
LEAST_FIT = 1_000
"""Bars before the first fit."""
USUAL = Filter(0.0, 0.03, 0.97)
"""What the last loss is measured by (RiskMetrics 1996, its longer decay)."""
FOUR_LN_2 = 4.0 * np.log(2.0)


class Ahead(NamedTuple):
    """Volatility of losses[start], losses[start + 1], ... and of the one after the last: each known before its loss."""

    start: int
    volatility: Floats


def filter_ranges(
    losses: ArrayLike,
    ranges: ArrayLike,
    *,
    lags: tuple[int, ...] = LAGS,
    window: int = 8_760,
    refit_every: int = 168,
    least: int = LEAST_FIT,
) -> Ahead:
    """Fit and forecast through time; losses and ranges (n,), in time order, n > least.

    ranges: ln(high / low) of the bar of each loss, >= 0 (a bar that stood still counts as the quietest that did not).
    ln of the next bar's variance is regressed on the logarithms of the mean variances of the last m bars for each lag m
    and on ln(1 + loss over its usual volatility) of the last loss, 0 for a gain: on the last `window` bars, every
    `refit_every`. The result has n - least + 1 volatilities. QuantityError names what cannot be used.
    """
    found, wide = sample("losses", losses, least=least + 1), sample("ranges", ranges)
    longest = _check(found, wide, lags, window, refit_every, least)
    variances = wide * wide / FOUR_LN_2
    variances = np.maximum(variances, variances[variances > 0.0].min())
    rows, target = _rows(found, variances, lags), np.log(variances)
    ahead = np.empty(found.size - least + 1)
    for at in range(least, found.size + 1, refit_every):
        past = slice(max(longest, at - window), at)
        weights = np.linalg.lstsq(rows[past], target[past], rcond=None)[0]
        ahead[at - least : at - least + refit_every] = rows[at : at + refit_every] @ weights
    return Ahead(least, np.exp(0.5 * ahead))


def _rows(losses: Floats, variances: Floats, lags: tuple[int, ...]) -> Floats:
    """What is known before each period and after the last, (n + 1, lags + 2)."""
    sums = np.concatenate(([0.0], np.cumsum(variances)))
    at = np.arange(sums.size)
    means = [(sums - sums[np.maximum(at - m, 0)]) / np.clip(at, 1, m) for m in lags]
    # A sum of many less a sum of many keeps the last digits of neither: never below what was seen.
    floor = float(variances.min())
    usual = filter_volatility(losses, USUAL, float(np.std(losses[: max(lags)])))[:-1]
    bad = np.log1p(np.maximum(losses, 0.0) / usual)
    columns = [np.log(np.maximum(mean, floor)) for mean in means]
    return np.column_stack([np.ones(at.size), *columns, np.concatenate(([0.0], bad))])


def _check(
    losses: Floats,
    ranges: Floats,
    lags: tuple[int, ...],
    window: int,
    refit_every: int,
    least: int,
) -> int:
    """The longest lag."""
    if ranges.shape != losses.shape:
        problem = f"has {ranges.size} values for {losses.size} losses"
        raise QuantityError("ranges", problem, "give one for each loss")
    if (ranges < 0.0).any():
        at = int(np.argmax(ranges < 0.0))
        raise QuantityError("ranges", f"is {ranges[at]:g}", "give ln(high / low)", at)
    if not (ranges > 0.0).any() or not np.std(losses[: max(lags, default=1)]) > 0.0:
        raise QuantityError("ranges", "or losses do not vary", "give a market that moves")
    if not lags or min(lags) < 1:
        raise QuantityError("lags", f"are {lags}", "give bars such as (1, 6, 24, 168)")
    enough = max(lags) + 10 * (len(lags) + 2)
    if least < enough or window < enough:
        problem = f"{min(least, window)} bars do not fit {len(lags) + 2} weights"
        raise QuantityError("window", problem, f"give at least {enough}, `least` too")
    if refit_every < 1:
        raise QuantityError("refit_every", f"is {refit_every}", "give at least 1")
    return max(lags)
