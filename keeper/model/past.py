"""What was: a vault as ticks saw it, and intents that were mined. A report is made of these."""

from dataclasses import dataclass

from keeper.model.decision import Plan
from keeper.model.market import MarketState
from keeper.model.risk import RiskReport


@dataclass(frozen=True, slots=True)
class Seen:
    """A vault as one tick saw it."""

    market: MarketState
    risk: RiskReport


@dataclass(frozen=True, slots=True)
class Done:
    """An intent whose transaction was mined, as it was decided, and what it cost."""

    market: MarketState
    plan: Plan
    effect: bool
    """False if it reverted: it cost gas and changed nothing."""
    gas_wei: int
    """Of every transaction of the intent that was mined, those that failed among them."""
    loss: int | None
    """NAV lost by it as the vault measured it, asset units; None where that was not recorded."""
