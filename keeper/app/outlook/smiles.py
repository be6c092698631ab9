"""Implied volatilities: of an option chain in a file, or of the marks on the vault's own volatility oracle."""

from math import isfinite
from pathlib import Path

from keeper.errors import MarketDataError
from keeper.model.desk import VolatilityReading
from keeper.model.option_marks import marked_volatility
from keeper.model.outlook import Smile

HOUR = 3_600
POINTS = (-0.7, -0.45, -0.3, -0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.2, 0.3, 0.45, 0.7)
"""ln(strike / spot) at which the oracle's surface is read."""
Points = tuple[tuple[float, float], ...]


def smiles_of_file(path: Path, now: int, max_age_s: int) -> tuple[tuple[Smile, ...], str]:
    """(smiles, why there are none): a book summary as `keeper data fetch chain` writes it, not older than it may be."""
    from keeper.history.chain import read_chain

    try:
        chain = read_chain(path)
    except MarketDataError as error:
        return (), str(error)
    age = now - chain.taken_at
    if age > max_age_s:
        return (
            (),
            f"{path.name} is {age / HOUR:.1f} h old, at most {max_age_s / HOUR:g} h are taken",
        )
    found = tuple(smile for smile in chain.smiles() if smile.expiry > now)
    return found, "" if found else f"{path.name} has no two-sided option that has not expired"


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
