"""Exponentially weighted variance: one number to keep, one multiplication a tick."""

from __future__ import annotations

import numpy as np

from keeper.errors import QuantityError
from keeper.quant.compiled import kernel
from keeper.quant.volatility.inputs import Floats, Numbers, series

DAILY_DECAY = 0.94
"""Of RiskMetrics (1996), for daily returns."""


def ewma_variances(
    squares: Numbers, decay: float = DAILY_DECAY, start: float | None = None
) -> Floats:
    """Variance before each period and after the last, (n + 1,): v' = decay v + (1 - decay) square.

    squares: squared returns or realised variances (n,), n >= 1, in time order. start: variance before the first;
    None: the mean of the first tenth of them, which the first forecasts then know already: leave those out of
    comparisons.
    Errors: `QuantityError` for what is not finite, negative squares, a decay outside (0, 1).
    """
    s = series("squares", squares, 1)
    if (s < 0).any():
        index = int(np.argmax(s < 0))
        raise QuantityError("squares", f"{s[index]:g} is negative", "give squares", index)
    if not 0 < decay < 1:
        raise QuantityError("decay", f"{decay} is outside (0, 1)", "give 0.94 for daily data")
    begin = float(np.mean(s[: max(1, s.size // 10)])) if start is None else float(start)
    if not (np.isfinite(begin) and begin >= 0):
        raise QuantityError("start", f"{begin} is no variance", "give a number of 0 or more")
    out = np.empty(s.size + 1)
    _run(s, decay, begin, out)
    return out


def decay_of(half_life: float) -> float:
    """The decay with which a square counts half after `half_life` periods (> 0)."""
    if not half_life > 0:
        raise QuantityError("half_life", f"{half_life} is not positive", "give periods above 0")
    return float(0.5 ** (1.0 / half_life))


@kernel
def _run(squares: Floats, decay: float, begin: float, out: Floats) -> None:
    out[0] = begin
    for t in range(squares.shape[0]):
        out[t + 1] = decay * out[t] + (1.0 - decay) * squares[t]
