"""How the hedge bands compare: `python -m scripts.bands.compare`.

A written at-the-money call is hedged along the same simulated paths by every rule; what counts is the certainty
equivalent of the loss, ln(E[exp(aversion x loss)]) / aversion, and its distance from the optimum's. The simulation
shares nothing with the dynamic program but the region it is given; the optimum is that program's region solved for
the very cell, and the program's own value stands beside what the simulation found for it.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from keeper.quant import bands
from keeper.quant.bands import dynamic, impulse

Floats = NDArray[np.float64]
Rule = Callable[[Floats, float], tuple[Floats, Floats, Floats, Floats]]
"""(spots of a grid, years left) -> outer lower, inner lower, inner upper, outer upper hedge."""

SPOT = STRIKE = 100.0
YEARS, VOLATILITY = 0.25, 0.6
CELLS = tuple((cost, aversion) for cost in (0.001, 0.01) for aversion in (0.1, 1.0))
FIXED_CELLS = ((0.001, 0.1, 0.05), (0.001, 1.0, 0.05), (0.01, 0.1, 0.2), (0.01, 1.0, 0.2))
"""(cost, aversion, fixed cost of a trade): gas of half a dollar on one ether of 1,000 is 0.05 here."""
GRID_SD = np.linspace(-6.0, 6.0, 241)
FINE = dynamic.Resolution(cells_per_band=24.0, reach=1.5)


@dataclass(frozen=True, slots=True)
class Size:
    """How much is simulated."""

    paths: int = 20_000
    steps: int = 2_000
    seed: int = 20_240_817


@dataclass(frozen=True, slots=True)
class Outcome:
    """One rule in one cell."""

    equivalent: float
    """Certainty equivalent of the loss, quote currency per option."""
    gap: float
    """Over the optimum's."""
    gap_error: float
    """Standard error of the gap, from common random numbers."""


def option(spots: Floats, years: float) -> bands.Exposure:
    """The written call, at each of `spots`."""
    return bands.Exposure.of_options(spots, STRIKE, years, VOLATILITY)


def closed_rule(
    function: Callable[[bands.Exposure, bands.Terms], bands.Band], terms: bands.Terms
) -> Rule:
    """A band of `keeper.quant.bands` as a rule of the simulation."""

    def rule(spots: Floats, years: float) -> tuple[Floats, Floats, Floats, Floats]:
        band = function(option(spots, years), terms)
        return band.lower, band.lower_target, band.upper_target, band.upper

    return rule


def leland_rule(terms: bands.Terms, size: Size, every: int) -> Rule:
    """Leland's delta at each `every`-th step, nothing in between."""
    step = YEARS / size.steps

    def rule(spots: Floats, years: float) -> tuple[Floats, Floats, Floats, Floats]:
        if round((YEARS - years) / step) % every:
            wide = np.full(spots.size, np.inf)
            return -wide, -wide, wide, wide
        band = bands.leland(option(spots, years), terms, every * step)
        return band.lower, band.lower, band.upper, band.upper

    return rule


def optimal_rule(
    cost: float, aversion: float, resolution: dynamic.Resolution = FINE
) -> tuple[Rule, float]:
    """The dynamic program solved for this cell, and the certainty equivalent it promises."""
    total = VOLATILITY**2 * YEARS
    variances = [total * 2.0 ** (-k / 4) for k in range(40, -1, -1)]
    problem = dynamic.Problem(cost, aversion * STRIKE, written=True)
    regions = dynamic.solve(problem, variances, resolution)
    edges = np.array([[_filled(r, r.lower)] * 2 + [_filled(r, r.upper)] * 2 for r in regions])
    last = regions[-1]
    promised = float(np.interp(0.0, last.log_moneyness, last.value)) * STRIKE
    return _grid_rule(variances, edges), promised


def impulse_rule(cost: float, aversion: float, fixed: float) -> tuple[Rule, float]:
    """As `optimal_rule`, where a trade also costs `fixed`."""
    total = VOLATILITY**2 * YEARS
    variances = [total * 2.0 ** (-k / 4) for k in range(28, -1, -1)]
    problem = dynamic.Problem(cost, aversion * STRIKE, written=True)
    regions, promised = impulse.solve_with_fixed_cost(problem, fixed / STRIKE, variances, 20)
    edges = np.array(
        [
            [
                np.interp(GRID_SD * math.sqrt(r.variance), r.log_moneyness, edge)
                for edge in (r.lower, r.lower_target, r.upper_target, r.upper)
            ]
            for r in regions
        ]
    )
    return _grid_rule(variances, edges), promised * STRIKE


def _grid_rule(variances: list[float], edges: Floats) -> Rule:
    """The rule of four edges (variance, edge, standard deviations), linear in between."""
    logs = np.log(variances)

    def rule(spots: Floats, years: float) -> tuple[Floats, Floats, Floats, Floats]:
        at = math.log(max(VOLATILITY**2 * years, variances[0]))
        k = min(int(np.searchsorted(logs, at, side="right")) - 1, len(logs) - 2)
        weight = (at - logs[k]) / (logs[k + 1] - logs[k])
        sd = np.log(spots / STRIKE) / math.sqrt(math.exp(at))
        lower, lower_target, upper_target, upper = (
            (1 - weight) * np.interp(sd, GRID_SD, edges[k, side])
            + weight * np.interp(sd, GRID_SD, edges[k + 1, side])
            for side in range(4)
        )
        return lower, lower_target, upper_target, upper

    return rule


def _filled(region: dynamic.Region, edge: Floats) -> Floats:
    """An edge on the grid of standard deviations; where too narrow to be seen its neighbours' middle."""
    seen = np.isfinite(edge)
    if not seen.any():  # wider than the grid: never trade
        side = -1.0 if edge is region.lower else 1.0
        return np.full(GRID_SD.size, side * 10.0)
    x = GRID_SD * math.sqrt(region.variance)
    inside: Floats = np.interp(x, region.log_moneyness[seen], edge[seen])
    return inside


def losses(rule: Rule, cost: float, size: Size, fixed: float = 0.0) -> Floats:
    """Payoff less the hedge's gains plus what trading cost, per path; the hedge starts from nothing."""
    random = np.random.default_rng(size.seed)
    half = size.paths // 2
    dt = YEARS / size.steps
    log_spot = np.zeros(2 * half)
    spot = np.full(2 * half, SPOT)
    hedge, loss = np.zeros(2 * half), np.zeros(2 * half)
    for step in range(size.steps):
        years = YEARS - step * dt
        width = max(VOLATILITY * math.sqrt(YEARS * (step + 1) / size.steps), 0.02)
        grid = SPOT * np.exp(GRID_SD * width)
        place = (log_spot / width - GRID_SD[0]) / (GRID_SD[1] - GRID_SD[0])
        low, low_target, high_target, high = (_at(place, edge) for edge in rule(grid, years))
        traded = np.where(hedge < low, low_target - hedge, 0.0)
        traded = np.where(hedge > high, high_target - hedge, traded)
        loss += cost * spot * np.abs(traded) + fixed * (traded != 0)
        hedge += traded
        normal = random.standard_normal(half)
        log_spot += VOLATILITY * math.sqrt(dt) * np.concatenate([normal, -normal])
        log_spot -= VOLATILITY**2 * dt / 2
        after = SPOT * np.exp(log_spot)
        loss -= hedge * (after - spot)
        spot = after
    total: Floats = loss + np.maximum(spot - STRIKE, 0.0)
    return total


def _at(place: Floats, values: Floats) -> Floats:
    index = np.clip(place.astype(np.int64), 0, values.size - 2)
    weight = place - index
    with np.errstate(invalid="ignore"):
        mixed: Floats = (1 - weight) * values[index] + weight * values[index + 1]
    found: Floats = np.where(np.isfinite(values[index]), mixed, values[index])
    return found


def equivalent(loss: Floats, aversion: float) -> tuple[float, Floats]:
    """Certainty equivalent, and each path's influence on it."""
    top = float(np.max(loss))
    weight = np.exp(aversion * (loss - top))
    mean = float(np.mean(weight))
    return top + math.log(mean) / aversion, weight / mean / aversion


def compare(
    cost: float, aversion: float, size: Size, fixed: float = 0.0, *, leland: bool = True
) -> tuple[dict[str, Outcome], float]:
    """Every rule in one cell (Leland's only if asked), and what the dynamic program promised for its own."""
    terms = bands.Terms(cost, aversion, fixed)
    if fixed > 0:
        best, promised = impulse_rule(cost, aversion, fixed)
    else:
        best, promised = optimal_rule(cost, aversion)
    rules: dict[str, Rule] = {
        "optimum": best,
        "hodges_neuberger": closed_rule(bands.hodges_neuberger, terms),
        "zakamouline": closed_rule(bands.zakamouline, terms),
        "whalley_wilmott": closed_rule(bands.whalley_wilmott, terms),
    }
    for every in (size.steps // 100, size.steps // 25) if leland else ():
        rules[f"leland_{size.steps // every}"] = leland_rule(terms, size, every)
    outcomes: dict[str, Outcome] = {}
    reference = (0.0, np.zeros(0))
    for name, rule in rules.items():
        value, influence = equivalent(losses(rule, cost, size, fixed), aversion)
        if name == "optimum":
            reference = value, influence
        outcomes[name] = Outcome(value, value - reference[0], _error(influence - reference[1]))
    return outcomes, promised


def _error(influence: Floats) -> float:
    """Standard error of the mean of antithetic pairs."""
    pairs = influence.reshape(2, -1).mean(axis=0)
    return float(np.std(pairs, ddof=1) / math.sqrt(pairs.size))


def main(arguments: list[str] | None = None) -> int:
    """Print the table of every cell and write it as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--paths", type=int, default=Size().paths)
    parser.add_argument("--steps", type=int, default=Size().steps)
    parser.add_argument("--output", type=Path, default=Path("build/bench/bands.json"))
    options = parser.parse_args(arguments)
    size = Size(options.paths, options.steps)
    report = []
    for cost, aversion, fixed in [(*cell, 0.0) for cell in CELLS] + list(FIXED_CELLS):
        outcomes, promised = compare(cost, aversion, size, fixed)
        print(
            f"cost {cost:.1%} and {fixed:g} a trade, aversion {aversion:g}: "
            f"program promises {promised:.4f}"
        )
        for name, one in outcomes.items():
            print(f"  {name:17} {one.equivalent:9.4f}   gap {one.gap:8.4f} +- {one.gap_error:.4f}")
            cell = {"cost": cost, "fixed": fixed, "aversion": aversion, "rule": name}
            report.append({**cell, **asdict(one)})
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
