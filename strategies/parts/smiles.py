"""Implied volatility at any strike and expiry, from the outlook's smiles."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

from keeper.model.outlook import Outlook, Smile

SECONDS_A_YEAR = 365 * 86_400


def implied(outlook: Outlook, now: int, years: float, strike: float) -> float | None:
    """Volatility at a strike, `years` from `now`; None without a usable smile or beyond reason.

    Along a smile linear in ln(strike / forward) and flat beyond its ends; between two expiries linear in total
    variance at the same log-moneyness, which keeps a calendar spread worth something; beyond the first and the last
    expiry their volatility.
    """
    return implied_at(outlook, now, years, (strike,))[0]


def implied_at(
    outlook: Outlook, now: int, years: float, strikes: Sequence[float]
) -> list[float | None]:
    """`implied` of every strike; the smiles are looked through once, which is most of the work."""
    usable = [(s.expiry - now, s) for s in outlook.smiles if s.expiry > now and sound(s)]
    if not usable or years <= 0:
        return [None] * len(strikes)
    usable.sort(key=lambda pair: pair[0])
    left = years * SECONDS_A_YEAR
    at = bisect_right([seconds for seconds, _ in usable], left)
    if at in (0, len(usable)):
        smile = usable[min(at, len(usable) - 1)][1]
        forward, near, first, far, second = smile.forward, 0, smile, 0, smile
    else:
        (near, first), (far, second) = usable[at - 1], usable[at]
        weight = (left - near) / (far - near)
        forward = first.forward + weight * (second.forward - first.forward)

    def between(strike: float) -> float:
        moneyness = math.log(strike / forward)
        one = _along(first.points, moneyness)
        if first is second:
            return one
        early, late = one**2 * near, _along(second.points, moneyness) ** 2 * far
        return math.sqrt((early + weight * (late - early)) / left)

    return [between(strike) if strike > 0 else None for strike in strikes]


def sound(smile: Smile) -> bool:
    """Whether its numbers can be meant: ascending strikes, volatilities between 1 % and 1,000 %."""
    xs = [x for x, _ in smile.points]
    return (
        bool(xs)
        and math.isfinite(smile.forward)
        and smile.forward > 0
        and all(math.isfinite(x) for x in xs)
        and all(a < b for a, b in pairwise(xs))
        and all(0.01 <= volatility <= 10.0 for _, volatility in smile.points)
    )


def _along(points: tuple[tuple[float, float], ...], moneyness: float) -> float:
    if len(points) == 1:
        return points[0][1]
    at = bisect_right(points, (moneyness, math.inf))
    if at in (0, len(points)):
        return points[min(at, len(points) - 1)][1]
    (x0, v0), (x1, v1) = points[at - 1], points[at]
    return v0 + (moneyness - x0) / (x1 - x0) * (v1 - v0)
