"""Plan to verdict: the mandate mirrored off-chain, and the keeper's own limits."""

from keeper.guard.check import check, check_upkeep

__all__ = ["check", "check_upkeep"]
