"""The curve of a compiled run, in one pass: what its ratios need of every step, and the curve at the ends of days."""

from __future__ import annotations

from keeper.sweep.kernel_compiled import compiled
from keeper.sweep.kernel_plan import Rows
from keeper.sweep.kernel_vault import Ints

ASSET = 1e6
"""Units of a whole asset."""


@compiled
def curve(steps: Rows, ends: Ints, daily: Rows) -> tuple[float, float]:
    """(deepest drawdown, least value) of the share after gas; `daily` (m, 1) is filled with its value at `ends`.

    The operations of `keeper.backtest.result.after_gas` and `statistics.drawdowns` in their order, so the same bits.
    """
    opening = steps[0, 0] + 1.0
    before, kept, day = 0.0, 1.0, 0
    peak, least, lowest = 0.0, 0.0, 1.0
    for i in range(steps.shape[0]):
        gas = steps[i, 1] / ASSET
        spent = gas - before
        before = gas
        if spent > 0.0:  # where nothing is spent the factor is 1
            nav = steps[i, 0] / ASSET
            part = spent / nav if nav > 0.0 else 1.0
            kept *= 1.0 - min(part, 1.0)
        value = (steps[i, 0] + 1.0) / opening * kept
        if i == 0 or value > peak:
            peak = value
        if i == 0 or value < least:
            least = value
        if value < peak and peak > 0.0:
            lowest = min(lowest, value / peak)
        if day < ends.shape[0] and i == ends[day]:
            daily[day, 0] = value
            day += 1
    # 1 - x falls as x grows, rounded too: the deepest fall is where the quotient is least
    return 1.0 - lowest, least
