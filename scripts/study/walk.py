"""Parameters chosen on years before the one reported, and never on it."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

DEFAULT = 0
"""Place of a strategy's own defaults among its candidates."""


def sharpe(returns: Floats) -> float:
    """Mean over deviation of daily returns; -inf where there is nothing to judge, so that it is never chosen."""
    if returns.size < 2:
        return -math.inf
    deviation = float(returns.std(ddof=1))
    # A curve that never moved earned nothing at no risk: 0, not undefined.
    return float(returns.mean()) / deviation if deviation > 1e-12 else 0.0


def choose(daily: Mapping[int, Sequence[Floats]], year: int) -> int:
    """The candidate with the best Sharpe ratio over all years before `year`; the defaults where there are none.

    daily: by year, the daily returns of every candidate. Equal candidates: the first, so the defaults win ties.
    """
    before = sorted(known for known in daily if known < year)
    if not before:
        return DEFAULT
    count = len(daily[before[0]])
    pooled = [
        sharpe(np.concatenate([daily[known][place] for known in before])) for place in range(count)
    ]
    return int(np.argmax(pooled))
