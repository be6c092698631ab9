"""What a hedge rule is worth, without sampling noise: `python -m scripts.bands.policy`.

`scripts.bands.compare` draws paths; where rules differ by a thousandth of the certainty equivalent their noise is
larger than what is asked. Here the certainty equivalent G of a written call and its hedge follows the equation of
`keeper.quant.bands.dynamic` on a grid of (price, hedge) between trades, and trades are those of the rule: outside its
band G is that of its target, plus the cost of going there. The optimum is the same scheme with the best trade at every
point, so that what the grid does is in both.

With a fixed cost bands are wide beside the grid and the gaps hold to a few thousandths of the quote currency per option
(the program's own rule shows as many); narrow bands, of small costs without one or of high aversion, need `compare`.
"""

from __future__ import annotations

import argparse
import math
import sys

import numpy as np
from numpy.typing import NDArray

from keeper.quant import bands
from keeper.quant.bands import dynamic, impulse
from scripts.bands.compare import FIXED_CELLS, STRIKE, VOLATILITY, YEARS, Rule, closed_rule

Floats = NDArray[np.float64]

CELLS = (
    *(cell for cell in FIXED_CELLS if cell[1] < 1.0),
    (0.003, 0.05, 0.1),
    (0.01, 0.03, 0.5),
)
"""Of low aversion; the last two lie between the nodes of the table of fixed costs and were not looked at before it."""
WIDTH_SD = 6.0


def equivalent(
    rule: Rule | None,
    cost: float,
    aversion: float,
    fixed: float,
    *,
    cells_per_sd: int = 12,
    cells_per_band: float = 6.0,
) -> float:
    """Certainty equivalent of the loss, quote currency per option, from no hedge at the money; None: of the optimum."""
    total = VOLATILITY**2 * YEARS
    step = math.sqrt(total) / cells_per_sd
    half = math.ceil(WIDTH_SD * math.sqrt(total) / step)
    x = step * np.arange(-half, half + 1, dtype=np.float64)
    problem = dynamic.Problem(cost, aversion * STRIKE, written=True)
    narrow = dynamic.narrow_half_band(problem, total)
    hedge = impulse.hedge_grid(min(0.02, narrow / cells_per_band), reach=1.0)
    steps = math.ceil(total / (dynamic.DIFFUSION_NUMBER * step**2))
    spot = np.exp(x)[:, None]
    values = np.repeat(np.maximum(spot - 1.0, 0.0), hedge.size, axis=1)
    for n in range(1, steps + 1):
        values = _between_trades(values, spot * hedge, step, total / steps, aversion * STRIKE)
        if rule is None:
            values = _best_trades(values, hedge, cost * spot, fixed / STRIKE)
        else:
            years = total * n / steps / VOLATILITY**2
            edges = rule(STRIKE * spot[:, 0], years)
            values = _trades_of(edges, values, hedge, cost * spot, fixed / STRIKE)
    return float(np.interp(0.0, hedge, values[half])) * STRIKE


def _between_trades(
    values: Floats, held: Floats, step: float, dv: float, aversion: float
) -> Floats:
    slope = (values[2:] - values[:-2]) / (2.0 * step)
    curve = (values[2:] - 2.0 * values[1:-1] + values[:-2]) / step**2
    gap = slope - held[1:-1]
    after = np.empty_like(values)
    after[1:-1] = values[1:-1] + 0.5 * dv * (curve - slope + aversion * gap * gap)
    # At the ends the value is linear in the price.
    after[0] = after[1] + math.exp(-step) * (after[1] - after[2])
    after[-1] = after[-2] + math.exp(step) * (after[-2] - after[-3])
    return after


def _best_trades(values: Floats, hedge: Floats, rate: Floats, fixed: float) -> Floats:
    """The least of not trading and of trading to any other hedge."""
    paid = rate * hedge
    bought = np.minimum.accumulate((values + paid)[:, ::-1], axis=1)[:, ::-1] - paid
    sold = np.minimum.accumulate(values - paid, axis=1) + paid
    best: Floats = np.minimum(values, np.minimum(bought, sold) + fixed)
    return best


def _trades_of(
    edges: tuple[Floats, Floats, Floats, Floats],
    values: Floats,
    hedge: Floats,
    rate: Floats,
    fixed: float,
) -> Floats:
    lower, lower_target, upper_target, upper = (np.broadcast_to(e, values.shape[0]) for e in edges)
    rows, after = np.arange(values.shape[0]), values
    for edge, target, side in ((lower, lower_target, -1.0), (upper, upper_target, 1.0)):
        trades = np.isfinite(target)
        to = np.clip(np.where(trades, target, 0.0), hedge[0], hedge[-1])
        place = (to - hedge[0]) / (hedge[1] - hedge[0])
        cell = np.minimum(place.astype(np.int64), hedge.size - 2)
        weight = place - cell
        there = (1.0 - weight) * values[rows, cell] + weight * values[rows, cell + 1]
        outside = trades[:, None] & (side * (hedge - edge[:, None]) > 0.0)
        moved = there[:, None] + rate * np.abs(hedge - to[:, None]) + fixed
        after = np.where(outside, moved, after)
    return after


def gaps(
    cost: float,
    aversion: float,
    fixed: float,
    *,
    cells_per_sd: int = 12,
    cells_per_band: float = 6.0,
) -> dict[str, float]:
    """Over the optimum, of every band of `keeper.quant.bands` that has one."""
    terms = bands.Terms(cost, aversion, fixed)
    rules: dict[str, Rule | None] = {
        "optimum": None,
        "hodges_neuberger": closed_rule(bands.hodges_neuberger, terms),
        "zakamouline": closed_rule(bands.zakamouline, terms),
        "whalley_wilmott": closed_rule(bands.whalley_wilmott, terms),
    }
    found = {
        name: equivalent(
            rule, cost, aversion, fixed, cells_per_sd=cells_per_sd, cells_per_band=cells_per_band
        )
        for name, rule in rules.items()
    }
    return {name: value - found["optimum"] for name, value in found.items() if name != "optimum"}


def main(arguments: list[str] | None = None) -> int:
    """Print the gaps of every cell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cells-per-sd", type=int, default=16)
    parser.add_argument("--cells-per-band", type=float, default=8.0)
    options = parser.parse_args(arguments)
    for cost, aversion, fixed in CELLS:
        found = gaps(
            cost,
            aversion,
            fixed,
            cells_per_sd=options.cells_per_sd,
            cells_per_band=options.cells_per_band,
        )
        print(f"cost {cost:.1%} and {fixed:g} a trade, aversion {aversion:g}")
        for name, gap in found.items():
            print(f"  {name:17} gap {gap:8.4f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
