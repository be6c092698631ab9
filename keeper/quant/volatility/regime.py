"""Calm, normal or stressed: a flag that does not flutter."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from keeper.errors import QuantityError
from keeper.quant.compiled import kernel
from keeper.quant.volatility.inputs import Floats, Numbers, series


class Regime(IntEnum):
    """State of the market, by how volatile it is beside its own past."""

    CALM = -1
    NORMAL = 0
    STRESSED = 1


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Of the ratio short volatility / usual volatility. To enter a state takes more than to stay in it."""

    stressed_from: float = 1.6
    stressed_until: float = 1.25
    calm_from: float = 0.6
    calm_until: float = 0.75

    def __post_init__(self) -> None:
        order = (0.0, self.calm_from, self.calm_until, self.stressed_until, self.stressed_from)
        rising = all(a < b for a, b in pairwise(order))
        if not rising or not np.isfinite(self.stressed_from):
            problem = f"{order[1:]} do not rise from above 0"
            remedy = "keep calm_from < calm_until < stressed_until < stressed_from"
            raise QuantityError("thresholds", problem, remedy)


DEFAULT = Thresholds()


def regimes(
    ratio: Numbers, thresholds: Thresholds = DEFAULT, before: Regime = Regime.NORMAL
) -> npt.NDArray[np.int8]:
    """The regime after each ratio (n,), in time order, n >= 1; elements are of `Regime`.

    Stressed begins where the ratio reaches `stressed_from` and ends where it falls below `stressed_until`; calm
    begins where it falls to `calm_from` and ends where it rises above `calm_until`. Between, the state stays.
    `before` is the state before the first.
    Errors: `QuantityError` for ratios that are not finite or negative.
    """
    r = series("ratio", ratio, 1)
    if (r < 0).any():
        index = int(np.argmax(r < 0))
        raise QuantityError("ratio", f"{r[index]:g} is negative", "give volatilities' ratio", index)
    out = np.empty(r.size, dtype=np.int8)
    t = thresholds
    bounds = (t.calm_from, t.calm_until, t.stressed_until, t.stressed_from)
    _run(r, bounds, int(before), out)
    return out


def volatility_ratio(variances: Numbers, window: int) -> Floats:
    """sqrt of each variance over the median of the `window` before and with it, (n - window + 1,): the regime's
    measure."""
    v = series("variances", variances, max(window, 1))
    if window < 2:
        raise QuantityError("window", f"{window} is below 2", "give periods such as 365")
    if (v <= 0).any():
        index = int(np.argmax(v <= 0))
        raise QuantityError("variances", f"{v[index]:g} is not positive", "give variances", index)
    usual = np.median(np.lib.stride_tricks.sliding_window_view(v, window), axis=-1)
    return np.asarray(np.sqrt(v[window - 1 :] / usual))


@kernel
def _run(
    ratio: Floats,
    bounds: tuple[float, float, float, float],
    state: int,
    out: npt.NDArray[np.int8],
) -> None:
    calm_from, calm_until, stressed_until, stressed_from = bounds
    for i in range(ratio.shape[0]):
        x = ratio[i]
        if x >= stressed_from:
            state = 1
        elif x <= calm_from:
            state = -1
        elif (state == 1 and x < stressed_until) or (state == -1 and x > calm_until):
            state = 0
        out[i] = state
