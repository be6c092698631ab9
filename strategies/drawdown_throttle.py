"""Any other strategy, smaller the further the vault is under its peak."""

from dataclasses import dataclass
from typing import Annotated

from keeper.model.decision import Lane, Target
from keeper.model.market import MarketState
from keeper.model.parameters import Range, check_ranges, require
from keeper.model.ports import Strategy
from keeper.model.risk import RiskReport
from strategies.parts.asking import asked
from strategies.parts.needs import Need, lacks
from strategies.parts.scaling import all_smaller, scaled
from strategies.parts.targets import hold
from strategies.parts.wrapping import claims_of, must_be_strategy


@dataclass(frozen=True, slots=True)
class DrawdownThrottle:
    """New exposure of `inner` at its full size up to a drawdown of `start`, then less in proportion, none from `stop`
    on. With `unwind` what is held is reduced likewise. Protective targets pass as they are.

    Earns: nothing; it bounds how much is put at risk after losses.
    Risks: being small in the recovery, which makes a drawdown last.
    Loses: in markets that fall and come back; with `unwind` it sells low and buys high.
    """

    needs = (Need.DRAWDOWN,)

    inner: Strategy
    """The strategy whose targets are sized."""
    start: Annotated[float, Range(0.0, 1.0, "of the peak")] = 0.05
    stop: Annotated[float, Range(0.0, 1.0, "of the peak")] = 0.20
    unwind: bool = False
    tolerance: Annotated[float, Range(0.0, 10.0, "of the scaled size")] = 0.25
    """How much too large a holding may be before it is reduced."""

    def __post_init__(self) -> None:
        must_be_strategy(self, self.inner)
        check_ranges(self)
        require(self, self.start < self.stop, "start < stop", start=self.start, stop=self.stop)

    @property
    def claims(self) -> tuple[str, ...]:
        """As the inner strategy's."""
        return claims_of(self.inner)

    def factor(self, drawdown: float) -> float:
        """Part of the full size that is left: 1 up to `start`, 0 from `stop` on, never rising with the drawdown."""
        return min(1.0, max(0.0, (self.stop - drawdown) / (self.stop - self.start)))

    def __call__(self, market: MarketState, risk: RiskReport) -> Target:
        """The inner target, throttled."""
        target = asked(self.inner, market, risk)
        if target.lane is Lane.PROTECTIVE and not target.hold:
            return target
        drawdown = market.outlook.drawdown
        if drawdown is None or not 0 <= drawdown <= 1:
            return hold(f"{lacks('the drawdown is not known', Need.DRAWDOWN)}: {target.reason}")
        factor = self.factor(drawdown)
        acts = market.tradable and not market.readings.paused
        if target.hold and self.unwind and factor < 1.0 and acts:
            smaller = all_smaller(market, risk, self.inner, factor, self.tolerance)
            return target if smaller.hold else smaller
        return scaled(market, risk, target, factor, self.tolerance if self.unwind else None)
