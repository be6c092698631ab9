"""When a price that wanders hits a barrier: first passage of geometric Brownian motion.

With b the log distance to the barrier, v the volatility and n the drift of the log price *towards* the barrier, the
time T of first passage has (Borodin and Salminen, Handbook of Brownian Motion, 2.0.2; Harrison, 1985)

    P(T <= t) = N((n t - b) / (v sqrt t)) + exp(2 n b / v^2) N((-b - n t) / (v sqrt t))

A price without drift has a log drift of -v^2 / 2: towards a barrier below, away from one above. Watching without
pause makes the figure an upper bound for a venue that looks once a block. With jumps the probability is that of
`keeper.quant.passage`; times to it are of the diffusion alone, at the whole volatility.
"""

import math

from scipy.special import log_ndtr  # type: ignore[import-untyped]

from keeper.model.risk_report import Jumps
from keeper.quant.passage import touch_probability

NO_JUMPS = Jumps()
LEAST_DIFFUSION = 0.25
"""Part of the forecast variance that stays with the diffusion, whatever the jumps would take of it."""


def log_distance(price: float, barrier: float) -> float:
    """|log(barrier / price)| of two positive prices; 0 for a barrier already at the price."""
    if 0.5 < barrier / price < 2.0:
        return abs(math.log1p((barrier - price) / price))
    return abs(math.log(barrier) - math.log(price))


def hit_probability(
    distance: float, volatility: float, years: float, *, rising: bool, drift: float = 0.0
) -> float:
    """P(hit within `years`), for a barrier `distance` away in log price, above if `rising`.

    drift: of the price, a year (0: a martingale). 1 where there is no distance, 0 where there is no time or no
    volatility (and no drift that gets there).
    """
    if distance <= 0.0:
        return 1.0
    variance = volatility * volatility
    towards = (drift - 0.5 * variance) * (1.0 if rising else -1.0)
    if years <= 0.0:
        return 0.0
    spread = volatility * math.sqrt(years)
    if variance <= 0.0 or distance > 1e150 * spread:
        return 1.0 if towards * years >= distance else 0.0
    direct = float(log_ndtr((towards * years - distance) / spread))
    mirrored = 2.0 * towards * distance / variance + float(
        log_ndtr((-distance - towards * years) / spread)
    )
    return min(1.0, math.exp(direct) + math.exp(min(0.0, mirrored)))


def jump_probability(
    distance: float, volatility: float, years: float, jumps: Jumps, *, rising: bool
) -> float:
    """As `hit_probability` of a martingale, jumps included: their variance is taken out of the volatility's.

    QuantityError naming the field for jumps that cannot be meant, and for more than 100 expected within `years`.
    """
    if jumps.intensity == 0.0 or distance <= 0.0 or years <= 0.0:
        return hit_probability(distance, volatility, years, rising=rising)
    taken = jumps.intensity * (jumps.mean**2 + jumps.deviation**2)
    diffusion = math.sqrt(max(LEAST_DIFFUSION * volatility**2, volatility**2 - taken))
    signed = -distance if rising else distance
    shape = (jumps.intensity, jumps.mean, jumps.deviation)
    return float(touch_probability(signed, 0.0, diffusion, years, *shape))


def expected_time(distance: float, volatility: float, *, rising: bool) -> float | None:
    """Mean years until a driftless price hits; None where infinite: above, it may never be hit."""
    if distance <= 0.0:
        return 0.0
    if rising or volatility <= 0.0:
        return None
    return 2.0 * distance / (volatility * volatility)


def median_time(distance: float, volatility: float, *, rising: bool) -> float | None:
    """Years within which a driftless price hits with probability one half; None if it never gets so likely.

    By bisection of `hit_probability` on the logarithm of time, to 1e-9 of it.
    """
    if distance <= 0.0:
        return 0.0
    if volatility <= 0.0 or (rising and math.exp(-distance) <= 0.5):
        return None
    low, high = -60.0, 60.0
    if hit_probability(distance, volatility, math.exp(high), rising=rising) < 0.5:
        return None
    while high - low > 1e-9:
        middle = 0.5 * (low + high)
        if hit_probability(distance, volatility, math.exp(middle), rising=rising) < 0.5:
            low = middle
        else:
            high = middle
    return math.exp(high)
