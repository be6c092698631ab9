"""Hedging written options on real hourly ether: cost of each rule against the variance it leaves.

One 30-day at-the-money call is written each day, sold for Black-Scholes at the forecast volatility and hedged by the
hour with spot at a proportional cost and a fixed one (gas) per trade. Every rule sees the same forecast (EWMA of the
past 23 hours and more, known at each hour), the same delta and the same prices; each has one parameter, swept over a
grid that was fixed beforehand. Nothing is fitted to the outcome. Everything is in parts of the spot price at the start,
so that 2018 and 2021 count alike.

    python -m scripts.study.hedging [--bars FILE] [--quick]

What is compared: the variance of the hedging error (before costs) at equal mean cost, and the mean cost at equal
variance, by interpolation on each rule's own frontier (logarithms of both). Twice: of the whole error, most of which is
that volatility came out other than forecast and that no rule can hedge; and of the error against hedging to neutral
every hour, which is what a rule answers for. Intervals: 90 %, by resampling whole
months of starts with the frontiers drawn anew each time.
"""

import argparse
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from keeper.history.bars import Bars, read_bars
from keeper.quant.bands.closed import whalley_wilmott, zakamouline
from keeper.quant.bands.exposure import Band, Exposure, Terms
from keeper.quant.bands.optimal import hodges_neuberger
from keeper.quant.tails import Filter, filter_volatility
from scripts.study.output import HOURLY, Table, data_or_skip, save

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

HOURS = 30 * 24
HOURS_A_YEAR = 365 * 24
FIRST_S = 1_514_764_800
"""2018-01-01; what is before warms the forecast up."""
DECAY = 0.97
"""Of the variance of an hour, as the keeper's own forecast (RiskMetrics 1996)."""
MONTH_HOURS = 30 * 24
RESAMPLES = 400


@dataclass(frozen=True, slots=True)
class Costs:
    """Of one trade: share of its value, and gas in parts of one ether's price at a size of `ether` options."""

    rate: float
    gas_usd: float
    ether: float

    @property
    def name(self) -> str:
        """For tables."""
        return f"{self.rate:.2%} + {self.gas_usd:g} USD on {self.ether:g} ETH"


@dataclass(frozen=True, slots=True)
class State:
    """All options at one hour, in parts of the price at their start; arrays (starts,)."""

    hour: int
    spot: Floats
    years: float
    volatility: Floats
    gas: Floats
    rate: float


Rule = Callable[[State, Floats], Floats]
"""(state, holding) -> what to buy of the hedge."""


def _neutral(state: State) -> Floats:
    return -Exposure.of_options(state.spot, 1.0, state.years, state.volatility).delta


def interval(hours: float) -> Rule:
    """To neutral every so many hours."""
    every = round(hours)

    def rule(state: State, held: Floats) -> Floats:
        if state.hour % every:
            return np.zeros_like(held)
        return _neutral(state) - held

    return rule


def threshold(width: float) -> Rule:
    """To neutral when delta is off by more than so much."""

    def rule(state: State, held: Floats) -> Floats:
        off = _neutral(state) - held
        return np.where(np.abs(off) > width, off, 0.0)

    return rule


def band(form: Callable[[Exposure, Terms], Band]) -> Callable[[float], Rule]:
    """To the edge of an optimal band, by risk aversion."""

    def of(aversion: float) -> Rule:
        def rule(state: State, held: Floats) -> Floats:
            exposure = Exposure.of_options(state.spot, 1.0, state.years, state.volatility)
            terms = Terms(state.rate, aversion, state.gas)
            return form(exposure, terms).trade(held)

        return rule

    return of


RULES: dict[str, tuple[Callable[[float], Rule], tuple[float, ...]]] = {
    "fixed interval": (interval, (1, 2, 4, 8, 12, 24, 48, 72, 120, 168, 240, 360)),
    "fixed threshold": (
        threshold,
        (0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.14, 0.2, 0.28, 0.4),
    ),
    "Whalley-Wilmott": (band(whalley_wilmott), tuple(np.geomspace(0.3, 3_000, 13).tolist())),
    "Zakamouline": (band(zakamouline), tuple(np.geomspace(0.3, 3_000, 13).tolist())),
    "ours (Hodges-Neuberger)": (
        band(hodges_neuberger),
        tuple(np.geomspace(0.3, 3_000, 13).tolist()),
    ),
}
OURS, FIXED = "ours (Hodges-Neuberger)", ("fixed interval", "fixed threshold")


def paths(bars: Bars, every_hours: int) -> tuple[Floats, Floats, Ints]:
    """(starts, HOURS + 1) prices over the first, volatilities known at each hour, and the starts' times.

    Starts whose 30 days have a hole are left out.
    """
    logs = np.log(bars.close)
    returns = np.diff(logs)
    first = float(returns[:500].std())
    spread = filter_volatility(returns, Filter(0.0, 1.0 - DECAY, DECAY), max(first, 1e-8))
    known = np.concatenate([[first], spread[1:], [spread[-1]]])[: bars.close.size]
    starts = np.flatnonzero(
        (bars.times >= FIRST_S) & (np.arange(bars.times.size) % every_hours == 0)
    )
    starts = starts[starts + HOURS < bars.times.size]
    whole = bars.times[starts + HOURS] - bars.times[starts] == HOURS * 3_600
    starts = starts[whole]
    places = starts[:, None] + np.arange(HOURS + 1)
    price = bars.close[places] / bars.close[starts][:, None]
    return price, known[places] * math.sqrt(HOURS_A_YEAR), bars.times[starts]


def hedge(
    price: Floats, volatility: Floats, gas: Floats, rate: float, rule: Rule
) -> tuple[Floats, Floats, Floats]:
    """(error before costs, costs, trades) of each start: price and volatility (starts, HOURS + 1), gas (starts,)."""
    starts = price.shape[0]
    held, gain, cost = np.zeros(starts), np.zeros(starts), np.zeros(starts)
    trades = np.zeros(starts)
    for hour in range(HOURS):
        spot = price[:, hour]
        state = State(hour, spot, (HOURS - hour) / HOURS_A_YEAR, volatility[:, hour], gas, rate)
        bought = rule(state, held)
        traded = bought != 0
        cost += rate * np.abs(bought) * spot + gas * traded
        trades += traded
        held = held + bought
        gain += held * (price[:, hour + 1] - spot)
    payoff = np.maximum(price[:, -1] - 1.0, 0.0)
    cost += rate * np.abs(held) * price[:, -1]
    return gain - payoff, cost, trades


def premium(volatility: Floats) -> Floats:
    """Black-Scholes of an at-the-money call over 30 days, in parts of the price."""
    from scipy.special import ndtr  # type: ignore[import-untyped]

    root = volatility * math.sqrt(HOURS / HOURS_A_YEAR)
    return np.asarray(2 * ndtr(root / 2) - 1)


@dataclass(frozen=True, slots=True)
class Frontier:
    """A rule's runs over its grid: (grid, starts) errors and costs."""

    errors: Floats
    costs: Floats

    def points(self, weights: Floats) -> tuple[Floats, Floats]:
        """Log mean cost and log variance at each place of the grid, starts weighted (starts,)."""
        total = weights.sum()
        mean_cost = self.costs @ weights / total
        mean = self.errors @ weights / total
        variance = (self.errors**2) @ weights / total - mean**2
        return np.log(mean_cost), np.log(variance)


def saved(ours: Frontier, other: Frontier, weights: Floats) -> tuple[float, float]:
    """(variance saved at equal cost, cost saved at equal variance), means over the stretch both frontiers cover."""
    (our_cost, our_variance), (cost, variance) = ours.points(weights), other.points(weights)
    return (
        _gain(our_cost, our_variance, cost, variance),
        _gain(our_variance, our_cost, variance, cost),
    )


def _gain(our_x: Floats, our_y: Floats, x: Floats, y: Floats) -> float:
    low, high = max(our_x.min(), x.min()), min(our_x.max(), x.max())
    if not low < high:
        return math.nan
    at = np.linspace(low, high, 41)
    a, b = np.argsort(our_x), np.argsort(x)
    apart = np.interp(at, our_x[a], our_y[a]) - np.interp(at, x[b], y[b])
    return float(1 - np.exp(apart).mean())


def resampled(
    ours: Frontier, other: Frontier, times: Ints
) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Point estimates with 90 % intervals, whole months drawn with repetition."""
    month = (times - times[0]) // (MONTH_HOURS * 3_600)
    months = np.unique(month)
    point = saved(ours, other, np.ones(times.size))
    generator = np.random.default_rng(20_180_101)
    found = np.empty((RESAMPLES, 2))
    for draw in range(RESAMPLES):
        counts = np.bincount(generator.integers(0, months.size, months.size), minlength=months.size)
        found[draw] = saved(ours, other, counts[np.searchsorted(months, month)].astype(np.float64))
    low, high = np.nanquantile(found, (0.05, 0.95), axis=0)
    return (point[0], float(low[0]), float(high[0])), (point[1], float(low[1]), float(high[1]))


def study(bars: Bars, every_hours: int, costs: tuple[Costs, ...]) -> list[Table]:
    """Tables of savings and of the frontiers."""
    price, volatility, times = paths(bars, every_hours)
    dollars = bars.close[np.searchsorted(bars.times, times)]
    gains = Table(
        "hedging",
        f"{times.size} written 30-day calls, hourly ETH, one each {every_hours} h",
        (
            "costs",
            "against",
            "variance saved at equal cost",
            "cost saved at equal variance",
            "of the error against hourly: variance saved",
            "cost saved",
        ),
    )
    frontiers = Table(
        "hedging_frontiers",
        "each rule at each parameter, in bps of the price at the start",
        (
            "costs",
            "rule",
            "parameter",
            "mean cost",
            "deviation of the error",
            "against hourly",
            "trades",
        ),
    )
    for terms in costs:
        gas = terms.gas_usd / (dollars * terms.ether)
        runs, apart = {}, {}
        hourly = hedge(price, volatility, gas, terms.rate, interval(1))[0]
        for name, (make, grid) in RULES.items():
            errors, paid = np.empty((len(grid), times.size)), np.empty((len(grid), times.size))
            for place, parameter in enumerate(grid):
                error, cost, trades = hedge(price, volatility, gas, terms.rate, make(parameter))
                errors[place], paid[place] = error + premium(volatility[:, 0]), cost
                frontiers.add(
                    terms.name, name, f"{parameter:.4g}", f"{1e4 * cost.mean():.1f}",
                    f"{1e4 * errors[place].std():.1f}", f"{1e4 * (error - hourly).std():.1f}",
                    f"{trades.mean():.1f}",
                )  # fmt: skip
            runs[name] = Frontier(errors, paid)
            # hourly hedging itself is no point of that frontier: it has no such error
            real = [place for place in range(len(grid)) if (make, grid[place]) != (interval, 1)]
            tracked = errors - premium(volatility[:, 0]) - hourly
            apart[name] = Frontier(tracked[real], paid[real])
        for name in RULES:
            if name != OURS:
                whole = resampled(runs[OURS], runs[name], times)
                tracking = resampled(apart[OURS], apart[name], times)
                gains.add(terms.name, name, *map(_range, (*whole, *tracking)))
    return [gains, frontiers]


def _range(found: tuple[float, float, float]) -> str:
    return f"{found[0]:.1%} ({found[1]:.1%} to {found[2]:.1%})"


def main() -> None:
    """Run, print, save."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--bars", type=Path)
    asked.add_argument("--quick", action="store_true", help="a start a week instead of one a day")
    options = asked.parse_args()
    begun = time.monotonic()
    bars = read_bars(options.bars or data_or_skip(HOURLY), max_missing=48)
    costs = (Costs(0.0008, 0.0, 1.0), Costs(0.003, 0.0, 1.0), Costs(0.0008, 5.0, 100.0))
    command = "python -m scripts.study.hedging" + " --quick" * options.quick
    save(study(bars, 168 if options.quick else 24, costs), command, time.monotonic() - begun)


if __name__ == "__main__":
    main()
