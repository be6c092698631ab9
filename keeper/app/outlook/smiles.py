"""Implied volatilities: of an option chain in a file, or of the marks on the vault's own volatility oracle."""

from dataclasses import dataclass, replace
from math import isfinite, log
from pathlib import Path

from keeper.app.outlook.forecast import LEAST, MOST
from keeper.errors import MarketDataError
from keeper.model.desk import VolatilityReading
from keeper.model.option_marks import marked_volatility
from keeper.model.outlook import Smile

HOUR = 3_600
POINTS = (-0.7, -0.45, -0.3, -0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.2, 0.3, 0.45, 0.7)
"""ln(strike / spot) at which the oracle's surface is read."""
AHEAD_S = 600
"""A file may be newer than the block it is looked at from, but not by more."""
MOST_APART = 0.25
"""|ln(forward / price)| of a smile that can be meant of this base at its price."""
MOST_BYTES = 16_000_000
MOST_OPTIONS = 10_000
"""Of one file: exchanges list a thousand or two, and every tick looks through them."""
Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """What an option market listed, and when."""

    smiles: tuple[Smile, ...] = ()
    taken_at: int = 0
    """Unix seconds of its newest row."""

    def usable(self, price: float, now: int, max_age_s: int) -> tuple[Smile, ...]:
        """Those that have not expired and whose forward is near the price: others are of another coin, or of another
        market than there is now. None while all of it is too old, or from a time that has not come."""
        if not (-AHEAD_S <= now - self.taken_at <= max_age_s and price > 0):
            return ()
        return tuple(
            smile
            for smile in self.smiles
            if smile.expiry > now and abs(log(smile.forward / price)) <= MOST_APART
        )


def smiles_of_file(path: Path, now: int, max_age_s: int) -> tuple[Listed, str]:
    """(smiles, why there are none): a book summary as `keeper data fetch chain` writes it, not older than it may be."""
    from keeper.history.chain import read_chain

    try:
        if path.is_file() and path.stat().st_size > MOST_BYTES:
            return Listed(), f"{path.name} has more than {MOST_BYTES:,} bytes"
        chain = read_chain(path)
    except MarketDataError as error:
        return Listed(), str(error)
    age, problem = now - chain.taken_at, ""
    if len(chain.names) > MOST_OPTIONS:
        problem = f"{path.name} has more than {MOST_OPTIONS:,} options"
    elif age > max_age_s:
        problem = f"{path.name} is {age / HOUR:.1f} h old, at most {max_age_s / HOUR:g} h are taken"
    elif age < -AHEAD_S:
        problem = f"{path.name} is from {-age / HOUR:.1f} h ahead of the chain"
    if problem:
        return Listed(), problem
    meant = (_meant(smile) for smile in chain.smiles() if smile.expiry > now)
    found = tuple(smile for smile in meant if smile.points)
    problem = "" if found else f"{path.name} has no two-sided option that has not expired"
    return Listed(found, chain.taken_at), problem


def _meant(smile: Smile) -> Smile:
    """Without points of a volatility that no market has: wide or broken quotes."""
    points = (point for point in smile.points if LEAST <= point[1] <= MOST)
    return replace(smile, points=tuple(points))


def surface_points(reading: VolatilityReading) -> tuple[tuple[int, Points], ...]:
    """(seconds to expiry, points) of each tenor that is marked; none while the oracle's volatility is unusable."""
    if not reading.usable:
        return ()
    found = []
    for mark in reading.marks:
        points = tuple((k, marked_volatility(reading, _exp(k), 1.0, mark.tenor_s)) for k in POINTS)
        if all(isfinite(volatility) and volatility > 0 for _, volatility in points):
            found.append((mark.tenor_s, points))
    return tuple(found)


def smiles_of_oracle(
    surface: tuple[tuple[int, Points], ...], spot: float, now: int
) -> tuple[Smile, ...]:
    """The surface as smiles of expiries that are whole hours from now: it has no expiries of its own."""
    start = now - now % HOUR
    return tuple(
        Smile(start + tenor, spot, points, own=True) for tenor, points in surface if spot > 0
    )


def _exp(k: float) -> float:
    from math import exp

    return exp(k)
