"""Market history through the real contracts beside the same blocks in the backtest: decisions, and the gap."""

from keeper.replay_market.run import Replayed, ReplayOptions, replay_market
from keeper.replay_market.source import Wanted
from keeper.replay_market.stage import Vault

__all__ = ["ReplayOptions", "Replayed", "Vault", "Wanted", "replay_market"]
