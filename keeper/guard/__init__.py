"""Plan to verdict: the mandate mirrored off-chain, and the keeper's own limits."""

from keeper.guard.check import check

__all__ = ["check"]
