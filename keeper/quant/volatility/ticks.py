"""Realised variance from ticks, in spite of the noise of bid and ask: the realised kernel.

Barndorff-Nielsen, Hansen, Lunde and Shephard (2008, 2009): autocovariances of the returns weighted by Parzen's
kernel, the ends averaged, and a bandwidth that balances noise against the integrated quarticity. Never negative.
"""

from __future__ import annotations

from math import ceil, sqrt

import numpy as np

from keeper.errors import QuantityError
from keeper.quant.compiled import kernel
from keeper.quant.volatility.inputs import Floats, Numbers, prices, series

PARZEN = 3.5134
"""Constant of the optimal bandwidth of Parzen's kernel: ((12)^2 / 0.269)^(1/5)."""
JITTER = 2
"""Prices averaged at each end."""
SPARSE = 72
"""Returns of the sparse sample from which integrated variance is first guessed."""
LEAST = 20


def realised_kernel(ticks: Numbers, bandwidth: int | None = None) -> float:
    """Variance of the log price over the whole span of `ticks` (n,), in time order, n >= 20; not annualised.

    bandwidth: autocovariances on each side; None: the optimal one, estimated (`optimal_bandwidth`).
    Errors: `QuantityError` for prices that are not finite and positive, too few of them, a bandwidth outside [0, n /
    2].
    """
    log_price = np.log(series("ticks", prices("ticks", ticks), LEAST))
    if bandwidth is None:
        bandwidth = optimal_bandwidth(np.exp(log_price))
    if not 0 <= bandwidth <= log_price.size // 2:
        problem = f"{bandwidth} is outside 0 to {log_price.size // 2}"
        raise QuantityError("bandwidth", problem, "give None for the optimal one")
    first, last = np.mean(log_price[:JITTER]), np.mean(log_price[-JITTER:])
    inner = log_price[JITTER:-JITTER]
    returns = np.diff(np.concatenate(([first], inner, [last])))
    return float(_weighted_sum(returns, bandwidth))


def optimal_bandwidth(ticks: Numbers) -> int:
    """H = 3.5134 (omega^2 / sqrt(IQ))^(2/5) n^(3/5), with noise omega^2 = (dense sum of squares) / 2n and sqrt(IQ)
    guessed by the sum of squares of a sparse sample, over all its offsets (section 2.2 of the paper of 2009)."""
    log_price = np.log(series("ticks", prices("ticks", ticks), LEAST))
    n = log_price.size - 1
    noise = float(np.sum(np.diff(log_price) ** 2)) / (2 * n)
    apart = max(1, n // SPARSE)
    sparse = float(np.sum((log_price[apart:] - log_price[:-apart]) ** 2)) / apart
    if sparse <= 0.0:
        return 0
    wanted: int = ceil(PARZEN * sqrt(noise / sparse) ** 0.8 * n**0.6)
    return int(min(wanted, log_price.size // 2))


@kernel
def _weighted_sum(returns: Floats, bandwidth: int) -> float:
    n = returns.shape[0]
    total = 0.0
    for h in range(bandwidth + 1):
        covariance = 0.0
        for t in range(h, n):
            covariance += returns[t] * returns[t - h]
        x = h / (bandwidth + 1.0)
        weight = 1.0 - 6.0 * x * x + 6.0 * x * x * x if x <= 0.5 else 2.0 * (1.0 - x) ** 3
        total += covariance * weight * (1.0 if h == 0 else 2.0)
    return total
