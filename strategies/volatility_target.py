"""Any other strategy, smaller when base is expected to move more."""

from dataclasses import dataclass
from typing import Annotated

from keeper.model.decision import Lane, Target
from keeper.model.market import MarketState
from keeper.model.parameters import Range, check_ranges
from keeper.model.ports import Strategy
from keeper.model.risk import RiskReport
from strategies.parts.asking import asked
from strategies.parts.gates import forecast
from strategies.parts.needs import NO_FORECAST, Need
from strategies.parts.scaling import all_smaller, scaled
from strategies.parts.targets import hold
from strategies.parts.wrapping import claims_of, must_be_strategy


@dataclass(frozen=True, slots=True)
class VolatilityTarget:
    """Size `inner`'s exposures by `volatility` over the forecast, at most its own size; what is held is reduced once
    it is more than `tolerance` too large. Protective targets pass as they are.

    Earns: about the same return for each unit of risk in calm and in storm.
    Risks: the forecast, which lags: size falls after the first shock and returns after the last.
    Loses: costs of changing size, and the rebound it is small in.
    """

    needs = (Need.FORECAST,)

    inner: Strategy
    """The strategy whose targets are sized."""
    volatility: Annotated[float, Range(0.01, 10.0, "a year")] = 0.60
    """Forecast at which `inner` has its own size."""
    tolerance: Annotated[float, Range(0.0, 10.0, "of the scaled size")] = 0.25

    def __post_init__(self) -> None:
        must_be_strategy(self, self.inner)
        check_ranges(self)

    @property
    def claims(self) -> tuple[str, ...]:
        """As the inner strategy's."""
        return claims_of(self.inner)

    def __call__(self, market: MarketState, risk: RiskReport) -> Target:
        """The inner target, sized."""
        target = asked(self.inner, market, risk)
        if target.lane is Lane.PROTECTIVE and not target.hold:
            return target
        expected = forecast(market)
        if expected is None:
            return hold(f"{NO_FORECAST}: {target.reason}")
        factor = min(1.0, self.volatility / expected)
        if target.hold and factor < 1.0 and market.tradable and not market.readings.paused:
            smaller = all_smaller(market, risk, self.inner, factor, self.tolerance)
            return target if smaller.hold else smaller
        return scaled(market, risk, target, factor, self.tolerance)
