"""What a strategy needs beyond its vault's readings, and what to do where it is missing."""

from enum import StrEnum
from typing import Any


class Need(StrEnum):
    """Something in `market.outlook`, or a venue beyond the vault's contract."""

    FORECAST = "forecast"
    SMILES = "smiles"
    FUNDING = "funding"
    OPTION_VENUE = "option venue"
    SECOND_LENDER = "second lender"
    DRAWDOWN = "drawdown"


REMEDY = {
    Need.FORECAST: "let outlook.days of the feed's past be read, or state risk.volatility",
    Need.SMILES: "name outlook.option_chain, or have the vault's volatility oracle marked",
    Need.FUNDING: "no perpetual venue can be connected to a live keeper yet",
    Need.OPTION_VENUE: "no option dealer can be connected to a live keeper yet",
    Need.SECOND_LENDER: "a live keeper knows its vault's own lending venue only",
    Need.DRAWDOWN: "it is known from the first value of a share on",
}
"""Live; a backtest has what its data give."""


def lacks(what: str, need: Need) -> str:
    """A reason to hold still: what is missing, and what to do about it."""
    return f"{what} ({REMEDY[need]})"


NO_FORECAST = lacks("there is no volatility forecast", Need.FORECAST)


def needs_of(strategy: Any) -> tuple[Need, ...]:
    """What a strategy says it needs, that of those inside it among them; nothing for one that does not say."""
    found = [Need(need) for need in getattr(strategy, "needs", ())]
    inner = [getattr(strategy, "inner", None)]
    for several in ("guards", "parts", "hedges"):
        inner += getattr(strategy, several, ())
    for one in inner:
        if one is not None:
            found += needs_of(one)
    return tuple(dict.fromkeys(found))
