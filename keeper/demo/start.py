"""How the twins start: the health they open with and the band the keeper holds, by stated rules."""

from collections.abc import Sequence
from dataclasses import dataclass

from keeper.report.story import Band

DEFAULT_HEALTH = 1.5
LEAST_HEALTH = 1.04
"""Nearest to liquidation that the venue's loan to value lets a position be opened."""
MOST_HEALTH = 1.8
SHARE_OF_FALL = 0.6
"""Where on the way from the start to the lowest price an untouched position is liquidated."""
PLACES = 4
"""Decimals of every health that is chosen here."""
WORTH_A_FALL = 0.02
"""A path that never falls by more has nothing to protect from; the default is used."""


@dataclass(frozen=True, slots=True)
class StartHealth:
    """The health both vaults open with, and why."""

    health: float
    reason: str

    @property
    def fall_to_liquidation(self) -> float:
        """Fraction the price may fall from the start before an untouched position is liquidated."""
        return 1 - 1 / self.health


def given_health(health: float) -> StartHealth:
    """As asked for."""
    return _explain(health, "as asked")


def default_health() -> StartHealth:
    """What built-in scenarios start with."""
    return _explain(DEFAULT_HEALTH, "the default")


def health_for(prices: Sequence[float]) -> StartHealth:
    """From the path's own fall below its first price.

    Health falls in proportion to the price, so it is 1 at first / health. That price is put
    `SHARE_OF_FALL` of the way from the first price to the lowest, then health is kept within
    [`LEAST_HEALTH`, `MOST_HEALTH`].
    """
    first, lowest = prices[0], min(prices)
    fall = 1 - lowest / first
    if fall <= WORTH_A_FALL:
        return _explain(
            DEFAULT_HEALTH, f"the path never falls more than {fall * 100:.1f} % below its start"
        )
    wanted = 1 / (1 - SHARE_OF_FALL * fall)
    health = round(min(MOST_HEALTH, max(LEAST_HEALTH, wanted)), PLACES)
    kept = (
        ""
        if LEAST_HEALTH <= wanted <= MOST_HEALTH
        else f", kept within {LEAST_HEALTH} and {MOST_HEALTH}"
    )
    return _explain(
        health,
        f"the path falls {fall * 100:.1f} % below its start; {SHARE_OF_FALL * 100:.0f} % of that"
        f" liquidates{kept}",
    )


def band_for(health: float) -> Band:
    """The strategy's band and the mandate's minimum from the health at the start.

    With d = health - 1, the distance to liquidation: the keeper acts when less than 0.8 d is left
    and restores d; it re-levers only above 1.6 d; the mandate allows nothing that leaves less
    than 0.5 d.
    """
    distance = health - 1
    return Band(
        low=round(1 + 0.8 * distance, PLACES),
        target=round(1 + distance, PLACES),
        high=round(1 + 1.6 * distance, PLACES),
        minimum=round(1 + 0.5 * distance, PLACES),
    )


def _explain(health: float, why: str) -> StartHealth:
    fall = (1 - 1 / health) * 100
    return StartHealth(
        health,
        f"health {health:.3f} ({why}): opened so that a fall of {fall:.1f} % liquidates",
    )
