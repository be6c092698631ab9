"""What keeps a surface free of arbitrage, as slacks that must stay positive.

The unknowns of a smile are (ln theta, ln right, ln left). Per smile: the wings' slopes are at most 2 (right <= 4 and
left <= 4: Lee 2004); no butterfly arbitrage, psi right <= 4 theta and psi left <= 4 theta (Gatheral and Jacquier 2014,
theorem 4.2: theta phi (1 + |rho|) <= 4 and theta phi^2 (1 + |rho|) <= 4); |rho| is bounded. From a smile to the next:
right and left do not fall and psi / theta does not rise, which is sufficient against calendar arbitrage (Hendriks and
Martini 2017, proposition 3.5; the conditions behind the parametrisation of Mingone, arXiv 2204.00312). They imply
that theta does not fall. In logarithms most are linear.
"""

from __future__ import annotations

from math import exp, isnan, log

import numpy as np
import numpy.typing as npt

from keeper.quant.compiled import kernel

Floats = npt.NDArray[np.float64]

PER_SMILE = 6
PER_PAIR = 3
LN_4 = log(4.0)
LN_8 = log(8.0)


def count(smiles: int) -> int:
    """Number of slacks of a surface of so many smiles."""
    return PER_SMILE * smiles + PER_PAIR * (smiles - 1)


@kernel
def log_sum(b: float, c: float) -> float:
    """ln(e^b + e^c), which is ln(2 psi)."""
    if b < c:
        return c + log(1.0 + exp(b - c))
    return b + log(1.0 + exp(c - b))


@kernel
def slacks(y: Floats, max_log_ratio: float, out: Floats) -> float:
    """Fill `out` (count) from `y` (smiles, 3); returns the least, NaN if any is.

    `max_log_ratio` bounds |ln(right / left)|.
    """
    n = y.shape[0]
    least: float = np.inf
    before = 0.0
    for i in range(n):
        a, b, c = y[i, 0], y[i, 1], y[i, 2]
        total = log_sum(b, c)
        j = PER_SMILE * i
        out[j] = LN_4 - b
        out[j + 1] = LN_4 - c
        out[j + 2] = LN_8 + a - total - b
        out[j + 3] = LN_8 + a - total - c
        out[j + 4] = max_log_ratio - (b - c)
        out[j + 5] = max_log_ratio + (b - c)
        if i > 0:
            j = PER_SMILE * n + PER_PAIR * (i - 1)
            out[j] = b - y[i - 1, 1]
            out[j + 1] = c - y[i - 1, 2]
            out[j + 2] = (a - total) - before
        before = a - total
    for j in range(out.shape[0]):
        if isnan(out[j]):  # it would pass every comparison that follows
            return float(out[j])
        least = min(least, float(out[j]))
    return least


@kernel
def gradients(y: Floats, of_smile: Floats, of_pair: Floats) -> None:
    """Derivatives of the slacks: `of_smile` (smiles, 6, 3); `of_pair` (smiles - 1, 3, 6), earlier smile first."""
    n = y.shape[0]
    of_smile[:] = 0.0
    of_pair[:] = 0.0
    p_before = 0.0
    for i in range(n):
        p = 1.0 / (1.0 + exp(y[i, 2] - y[i, 1]))
        g = of_smile[i]
        g[0, 1] = -1.0
        g[1, 2] = -1.0
        g[2, 0], g[2, 1], g[2, 2] = 1.0, -1.0 - p, p - 1.0
        g[3, 0], g[3, 1], g[3, 2] = 1.0, -p, p - 2.0
        g[4, 1], g[4, 2] = -1.0, 1.0
        g[5, 1], g[5, 2] = 1.0, -1.0
        if i > 0:
            h = of_pair[i - 1]
            h[0, 1], h[0, 4] = -1.0, 1.0
            h[1, 2], h[1, 5] = -1.0, 1.0
            h[2, 0], h[2, 1], h[2, 2] = -1.0, p_before, 1.0 - p_before
            h[2, 3], h[2, 4], h[2, 5] = 1.0, -p, p - 1.0
        p_before = p
