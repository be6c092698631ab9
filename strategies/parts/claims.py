"""Who may change what, where several strategies share a vault.

Claims are words: "written calls", "written puts", "held calls", "held puts", "supplies", "perpetual VENUE", and
"perpetuals" for those of every venue.
"""

from collections.abc import Sequence

from keeper.model.decision import OptionTarget


def series_claim(series: OptionTarget) -> str:
    """The claim a position in a series falls under."""
    side = "held" if series.quantity > 0 else "written"
    return f"{side} {'calls' if series.is_call else 'puts'}"


def claims_clash(claims: Sequence[tuple[str, ...]]) -> str:
    """The first thing that two of them claim; empty if there is none."""
    seen: set[str] = set()
    for one in claims:
        for claim in one:
            every = claim == "perpetuals" and any(c.startswith("perpetual ") for c in seen)
            if claim in seen or every or (claim.startswith("perpetual ") and "perpetuals" in seen):
                return claim
        seen |= set(one)
    return ""


def claims_perpetual(claims: tuple[str, ...], venue: str) -> bool:
    """Whether the perpetual at a venue is among them."""
    return "perpetuals" in claims or f"perpetual {venue}" in claims
