"""Estimates made at every step from what was known before it: the input of every backtest."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from keeper.errors import QuantityError
from keeper.quant.tails.estimate import quantile_rank
from keeper.quant.tails.historical import Filter
from keeper.quant.tails.inputs import Floats, level, positive, sample
from keeper.quant.tails.pareto import choose_threshold, fit_pareto, pareto_tail


class Rolling(NamedTuple):
    """Estimates for losses[start:], each from the `window` losses before it."""

    start: int
    value_at_risk: Floats
    expected_shortfall: Floats


def filter_volatility(losses: ArrayLike, rule: Filter, first: float) -> Floats:
    """(n + 1,): the volatility before each loss, and after the last; `first` is that before the first."""
    found = sample("losses", losses)
    path = np.empty(found.size + 1)
    variance = float(positive("first", first, (1,))[0]) ** 2
    path[0] = variance
    for index, square in enumerate((found * found).tolist()):
        variance = rule.omega + rule.alpha * square + rule.beta * variance
        path[index + 1] = variance
    if not np.all(path > 0.0):
        at = int(np.argmin(path > 0.0))
        raise QuantityError("losses", "leave no variance", "give a positive omega", at)
    return np.sqrt(path)


def rolling_historical(losses: ArrayLike, window: int, confidence: float) -> Rolling:
    """`historical` over the last `window` losses before each step."""
    found = sample("losses", losses)
    return _rolling(found, np.ones(found.size), window, confidence)


def rolling_filtered(
    losses: ArrayLike, volatility: ArrayLike, window: int, confidence: float
) -> Rolling:
    """`filtered_historical` at each step; volatility: (n,), each known before its loss."""
    found = sample("losses", losses)
    return _rolling(found, positive("volatility", volatility, found.shape), window, confidence)


def rolling_pareto(
    losses: ArrayLike,
    volatility: ArrayLike,
    window: int,
    confidence: float,
    *,
    refit_every: int = 24,
) -> Rolling:
    """A generalised Pareto tail of the filtered losses (McNeil and Frey, 2000), refitted now and then."""
    found = sample("losses", losses)
    spread = positive("volatility", volatility, found.shape)
    _check(found.size, window)
    at = level("confidence", confidence)
    if refit_every < 1:
        raise QuantityError("refit_every", f"is {refit_every}", "give at least 1")
    z = found / spread
    var, es = np.empty(found.size - window), np.empty(found.size - window)
    for index in range(0, var.size, refit_every):
        past = z[index : index + window]
        tail = pareto_tail(fit_pareto(past, choose_threshold(past, at)), at)
        var[index : index + refit_every] = tail.value_at_risk
        es[index : index + refit_every] = tail.expected_shortfall
    return Rolling(window, var * spread[window:], es * spread[window:])


def _rolling(found: Floats, spread: Floats, window: int, confidence: float) -> Rolling:
    _check(found.size, window)
    at = level("confidence", confidence)
    z = found / spread
    rank = quantile_rank(window, at)
    # Only the tail matters: the worst of each window, sorted, a block of windows at a time.
    view = np.lib.stride_tricks.sliding_window_view(z, window)[:-1]
    var, es = np.empty(view.shape[0]), np.empty(view.shape[0])
    block = max(1, 2_000_000 // window)
    for begin in range(0, view.shape[0], block):
        tails = np.sort(np.partition(view[begin : begin + block], rank, axis=1)[:, rank:], axis=1)
        var[begin : begin + block] = tails[:, 0]
        es[begin : begin + block] = _shortfalls(tails, window, at)
    return Rolling(window, var * spread[window:], es * spread[window:])


def _shortfalls(tails: Floats, window: int, confidence: float) -> Floats:
    """`shortfall_of` of each row, which holds the worst of `window` losses, ascending."""
    weight = window * (1.0 - confidence)
    whole = int(np.floor(weight + 1e-9))
    part = max(0.0, weight - whole)
    worst = tails[:, tails.shape[1] - whole :].sum(axis=1)
    boundary = tails[:, max(0, tails.shape[1] - whole - 1)]
    value: Floats = (worst + part * boundary) / (whole + part)
    return value


def _check(count: int, window: int) -> None:
    if not 2 <= window < count:
        raise QuantityError(
            "window", f"is {window} of {count} losses", "give 2 to one less than all"
        )
