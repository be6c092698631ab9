"""Series for tests: simulated markets whose parameters are known."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def generator(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(seed))


def garch_returns(
    size: int,
    *,
    alpha: float = 0.08,
    gamma: float = 0.0,
    beta: float = 0.88,
    shape: float = np.inf,
    seed: int = 3,
) -> Floats:
    """Returns in percent with a mean of 0.02 and a long-run variance of about 1."""
    rng = generator(seed)
    z = rng.standard_normal(size)
    if np.isfinite(shape):
        z = rng.standard_t(shape, size) * np.sqrt((shape - 2) / shape)
    omega = 1 - alpha - gamma / 2 - beta
    out, h = np.empty(size), 1.0
    for t in range(size):
        e = z[t] * np.sqrt(h)
        out[t] = 0.02 + e
        h = omega + (alpha + gamma * (e < 0)) * e * e + beta * h
    return out


def bars(
    count: int,
    steps: int,
    volatility: float,
    *,
    drift: float = 0.0,
    gap: float = 0.0,
    seed: int = 1,
) -> tuple[Floats, Floats, Floats, Floats]:
    """Open, high, low, close of bars of `steps` normal steps; volatility per bar, within it; `gap` between bars."""
    rng = generator(seed)
    inner = (
        drift / steps + volatility / np.sqrt(steps) * rng.standard_normal((count, steps))
    ).cumsum(1)
    jumps = gap * rng.standard_normal(count)
    opens = np.concatenate(([0.0], inner[:-1, -1])).cumsum() + jumps.cumsum()
    paths = np.concatenate((np.zeros((count, 1)), inner), axis=1) + opens[:, None]
    log_bars = (paths[:, 0], paths.max(1), paths.min(1), paths[:, -1])
    o, h, low, c = (np.exp(x) for x in log_bars)
    return o, h, low, c
