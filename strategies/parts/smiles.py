"""Implied volatility at any strike and expiry, from the outlook's smiles."""

import math
from bisect import bisect_right
from itertools import pairwise

from keeper.model.outlook import Outlook, Smile

SECONDS_A_YEAR = 365 * 86_400


def implied(outlook: Outlook, now: int, years: float, strike: float) -> float | None:
    """Volatility at a strike, `years` from `now`; None without a usable smile or beyond reason.

    Along a smile linear in ln(strike / forward) and flat beyond its ends; between two expiries linear in total
    variance at the same log-moneyness, which keeps a calendar spread worth something; beyond the first and the last
    expiry their volatility.
    """
    ahead, usable = _usable(outlook.smiles, now)
    if not usable or strike <= 0 or years <= 0:
        return None
    left = years * SECONDS_A_YEAR
    at = bisect_right(ahead, left)
    if at == 0 or at == len(usable):
        smile = usable[min(at, len(usable) - 1)]
        return _along(smile, math.log(strike / smile.forward))
    near, first, far, second = ahead[at - 1], usable[at - 1], ahead[at], usable[at]
    weight = (left - near) / (far - near)
    forward = first.forward + weight * (second.forward - first.forward)
    moneyness = math.log(strike / forward)
    variances = _along(first, moneyness) ** 2 * near, _along(second, moneyness) ** 2 * far
    return math.sqrt((variances[0] + weight * (variances[1] - variances[0])) / left)


class _Latest:
    """What was found of the smiles asked for last: a grid of strikes asks for the same ones a hundred times."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        # one value, so that another thread never sees half of it
        nothing: tuple[list[int], list[Smile]] = ([], [])
        self.found: tuple[tuple[Smile, ...], int, tuple[list[int], list[Smile]]] = ((), 0, nothing)


_latest = _Latest()


def _usable(smiles: tuple[Smile, ...], now: int) -> tuple[list[int], list[Smile]]:
    """Seconds to expiry, ascending, and the smiles that can be used, in their order."""
    known, then, found = _latest.found
    if known is smiles and then == now:
        return found
    usable = sorted((s for s in smiles if s.expiry > now and sound(s)), key=lambda s: s.expiry)
    found = ([s.expiry - now for s in usable], usable)
    _latest.found = (smiles, now, found)
    return found


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


def _along(smile: Smile, moneyness: float) -> float:
    points = smile.points
    at = bisect_right(points, (moneyness, math.inf))
    if at in (0, len(points)):
        return points[min(at, len(points) - 1)][1]
    (x0, v0), (x1, v1) = points[at - 1], points[at]
    return v0 + (moneyness - x0) / (x1 - x0) * (v1 - v0)
