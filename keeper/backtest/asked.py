"""A strategy in a backtest: what goes wrong in it ends the run with its name, the cause and the moment."""

from dataclasses import dataclass

from keeper.errors import StrategyError
from keeper.model.decision import Target
from keeper.model.market import MarketState
from keeper.model.ports import Strategy
from keeper.model.risk import RiskReport
from keeper.model.soundness import unsound


@dataclass(frozen=True, slots=True)
class Asked:
    """The strategy, but that what it raises, and what is no target, is a StrategyError."""

    strategy: Strategy
    name: str

    def __call__(self, market: MarketState, risk: RiskReport) -> Target:
        """Its target."""
        at = market.readings.block.timestamp
        try:
            target = self.strategy(market, risk)
        except (
            Exception,
            SystemExit,
        ) as error:  # one that exits would end the command without a word
            problem = f"raised {type(error).__name__}: {error}"
            raise StrategyError(self.name, problem, at) from error
        problem = unsound(target)
        if problem:
            raise StrategyError(self.name, problem, at)
        return target
