"""Strategies of other distributions: decided in a process of their own, within time and memory, or not at all.

Foreign code is never imported into the keeper. A strategy that hangs, dies, raises or answers nonsense makes the
vault hold still, and says so; see docs/strategies.md for what that does and does not protect from.
"""

from keeper.hosted.answer import BadTargetError
from keeper.hosted.host import HostedStrategy, StrategyLimits

__all__ = ["BadTargetError", "HostedStrategy", "StrategyLimits"]
