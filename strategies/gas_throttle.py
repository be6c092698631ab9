"""Any other strategy, waiting while gas is dear unless the change is worth it."""

from dataclasses import dataclass
from typing import Annotated

from keeper.model.decision import Lane, Target
from keeper.model.market import MarketState
from keeper.model.parameters import Range, check_ranges, require
from keeper.model.ports import Strategy
from keeper.model.risk import RiskReport
from strategies.parts.asking import asked
from strategies.parts.hedging import fixed_cost
from strategies.parts.positions import (
    held_series,
    nav_of,
    perpetuals_of,
    price_of,
    to_base_units,
    unit,
)
from strategies.parts.targets import hold, series_key
from strategies.parts.wrapping import claims_of, must_be_strategy


@dataclass(frozen=True, slots=True)
class GasThrottle:
    """Routine targets of `inner` pass if gas costs less than `most_cost` of the value that they change, or the base
    fee is at most `calm_gwei`; none pass above `most_gwei`. Protective targets pass as they are.

    Earns: gas not paid for small changes in congested hours.
    Risks: what waits drifts further from its target meanwhile.
    Loses: when congestion is the market moving, which is why large changes pass and protection always does.
    """

    inner: Strategy
    """The strategy whose targets wait."""
    calm_gwei: Annotated[float, Range(0.0, 1e6, "gwei")] = 15.0
    most_gwei: Annotated[float, Range(0.0, 1e6, "gwei")] = 150.0
    most_cost: Annotated[float, Range(0.0, 1.0, "of the changed value")] = 0.001
    gas: Annotated[float, Range(0, 1e7, "gas of one change")] = 600_000

    def __post_init__(self) -> None:
        must_be_strategy(self, self.inner)
        check_ranges(self)
        require(
            self,
            self.calm_gwei < self.most_gwei,
            "calm_gwei < most_gwei",
            calm_gwei=self.calm_gwei,
            most_gwei=self.most_gwei,
        )

    @property
    def claims(self) -> tuple[str, ...]:
        """As the inner strategy's."""
        return claims_of(self.inner)

    def __call__(self, market: MarketState, risk: RiskReport) -> Target:
        """The inner target, or why it waits."""
        target = asked(self.inner, market, risk)
        if target.hold or target.lane is Lane.PROTECTIVE:
            return target
        fee = market.outlook.base_fee_wei
        gwei = (market.readings.block.base_fee_wei if fee is None else fee) / 1e9
        if gwei <= self.calm_gwei:
            return target
        if gwei > self.most_gwei:
            return hold(f"gas is {gwei:.1f} gwei, over {self.most_gwei:g}: {target.reason}")
        changed, cost = changed_value(market, risk, target), fixed_cost(market, self.gas)
        if changed is not None and cost > self.most_cost * changed:
            return hold(
                f"gas of {cost:.2f} at {gwei:.1f} gwei is too much for a change of {changed:.2f}: "
                f"{target.reason}"
            )
        return target


def changed_value(market: MarketState, risk: RiskReport, target: Target) -> float | None:
    """Value of base that a target moves, whole assets; None where it wants what this cannot measure (health,
    supplies), which then passes."""
    if target.health_wad is not None or target.supplies is not None or nav_of(market, risk) is None:
        return None
    units = 0
    if target.net_delta is not None:
        units += abs(target.net_delta - risk.net_delta)
    if target.options is not None:
        before = {series_key(one): one.quantity for one in held_series(market)}
        after = {series_key(one): one.quantity for one in target.options}
        units += sum(abs(after.get(key, 0) - before.get(key, 0)) for key in before | after)
    for one in target.perpetuals or ():
        held = to_base_units(market, perpetuals_of(market, one.venue))
        units += abs(one.quantity - held)
    return units / unit(market.readings.base.decimals) * price_of(market)
