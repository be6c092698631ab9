"""One strategy of several, with its part of NAV."""

from dataclasses import dataclass

from keeper.model.decision import Lane, Target
from keeper.model.market import MarketState
from keeper.model.ports import Strategy
from keeper.model.risk import RiskReport
from strategies.parts.asking import asked
from strategies.parts.needs import Need, needs_of
from strategies.parts.scaling import all_smaller, scaled
from strategies.parts.targets import hold
from strategies.parts.wrapping import claims_of


@dataclass(frozen=True, slots=True)
class Weighted:
    """`inner` at `weight` of its full size; what is held beyond that is reduced. Protection passes as it is."""

    inner: Strategy
    weight: float
    tolerance: float
    name: str = ""
    """What it is called in the objective."""

    @property
    def claims(self) -> tuple[str, ...]:
        """As the inner strategy's."""
        return claims_of(self.inner)

    @property
    def needs(self) -> tuple[Need, ...]:
        """As the inner strategy's."""
        return needs_of(self.inner)

    def __call__(self, market: MarketState, risk: RiskReport) -> Target:
        """The inner target, at its weight."""
        target = asked(self.inner, market, risk)
        if target.lane is Lane.PROTECTIVE and not target.hold:
            return target
        if self.weight <= 0 and not target.hold:
            target = hold(f"the objective gives nothing to it: {target.reason}")
        acts = market.tradable and not market.readings.paused
        if target.hold and self.weight < 1 and acts:
            smaller = all_smaller(market, risk, self.inner, self.weight, self.tolerance)
            return target if smaller.hold else smaller
        return scaled(market, risk, target, self.weight, self.tolerance)
