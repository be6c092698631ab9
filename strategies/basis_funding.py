"""Long spot against a short perpetual while longs pay for the privilege."""

from dataclasses import dataclass, replace
from typing import Annotated

from keeper.model.decision import PerpetualTarget, Target
from keeper.model.exposure import Kind
from keeper.model.market import MarketState
from keeper.model.outlook import Funding
from keeper.model.parameters import Range, check_ranges, require
from keeper.model.risk import RiskReport
from keeper.model.units import Raw
from strategies.parts.gates import blocked
from strategies.parts.hedging import bearable_perpetual, margin_of, most_perpetual, offer
from strategies.parts.needs import Need, lacks
from strategies.parts.positions import (
    nav_of,
    perpetuals_of,
    price_of,
    to_base_units,
    unit,
)
from strategies.parts.targets import hold


@dataclass(frozen=True, slots=True)
class BasisFunding:
    """Hold base and be short as much of the perpetual while funding is at least `enter` a year and pays the way in
    and out back within `payback_days`; end both once it is under `leave`. Negative funding is not traded.

    Earns: the funding that longs pay, and the perpetual's premium when it closes.
    Risks: the venue (its failure, or its closing of the short in a crash, leaves the spot alone); a rise that eats
    the short's margin before it is topped up; funding that turns while it costs to leave.
    Loses: fees when funding does not last; the short's margin when the venue fails.
    """

    needs = (Need.FUNDING,)

    enter: Annotated[float, Range(0.0, 10.0, "a year")] = 0.10
    leave: Annotated[float, Range(-1.0, 10.0, "a year")] = 0.03
    share: Annotated[float, Range(0.0, 1.0, "of NAV")] = 0.40
    """Value of base held against the short; less where a rise by `stress` would need more margin than is left."""
    stress: Annotated[float, Range(0.05, 10.0, "rise of the price")] = 0.50
    """The rest of NAV bears such a rise with the venue's maintenance margin to spare."""
    payback_days: Annotated[float, Range(0.1, 365, "days")] = 20.0
    cost_rate: Annotated[float, Range(0.0, 0.10, "of a spot trade's value")] = 0.0008
    resize: Annotated[float, Range(0.01, 1.0, "of the wanted size")] = 0.15
    """Legs nearer than this to their size are left."""
    other_delta: Annotated[float, Range(-1e9, 1e9, "whole base tokens")] = 0.0
    """Base the vault is to be long for other reasons."""
    venue: str = ""
    """The perpetual's; empty: that with the highest funding."""

    def __post_init__(self) -> None:
        check_ranges(self)
        require(self, self.leave < self.enter, "leave < enter", leave=self.leave, enter=self.enter)

    @property
    def claims(self) -> tuple[str, ...]:
        """What it alone may change."""
        return (f"perpetual {self.venue}",) if self.venue else ("perpetuals",)

    def __call__(self, market: MarketState, risk: RiskReport) -> Target:
        """Both legs as they should be, or why they are left."""
        reason = blocked(market, risk)
        if reason:
            return hold(reason)
        venue = self._held_at(market) or self._best(market)
        offered = offer(market, venue) if venue else None
        if offered is None:
            return hold(
                lacks(f"no perpetual is offered{f' at {venue}' if venue else ''}", Need.FUNDING)
            )
        short = -perpetuals_of(market, offered.venue)
        wanted = self._wanted(market, risk, offered, short)
        spot = self._spot(market, risk)
        off = max(abs(wanted - short), abs(wanted + self.other_delta - spot))
        said = f"funding {offered.rate:.1%} a year at {offered.venue}"
        if off <= self.resize * max(wanted, short) or off * price_of(market) < 1.0:
            return hold(f"{said}: short {short:.4f}, long {spot:.4f}")
        reason = f"{said}: be long and short {wanted:.4f} base"
        return replace(
            hold(reason),
            net_delta=self._net_delta(market, risk, wanted),
            perpetuals=(PerpetualTarget(offered.venue, -to_base_units(market, wanted)),),
        )

    def _held_at(self, market: MarketState) -> str:
        """Where a short is on already."""
        if self.venue:
            return self.venue
        shorts = {
            held.venue: held.quantity
            for held in market.holdings
            if held.kind is Kind.PERPETUAL and held.quantity < 0
        }
        return min(shorts, key=lambda venue: (shorts[venue], venue), default="")

    @staticmethod
    def _best(market: MarketState) -> str:
        rates = {f.venue: f.rate for f in market.outlook.funding if f.mark > 0 and f.index > 0}
        return max(rates, key=lambda venue: (rates[venue], venue), default="")

    def _wanted(
        self, market: MarketState, risk: RiskReport, offered: Funding, short: float
    ) -> float:
        """Base tokens of each leg."""
        cost = 2 * (self.cost_rate + max(0.0, offered.fee))
        pays = offered.rate * self.payback_days / 365 > cost
        on = short > 0
        if offered.rate < self.leave or (not on and (offered.rate < self.enter or not pays)):
            return 0.0
        price, nav = price_of(market), nav_of(market, risk) or 0.0
        # Of NAV in spot: what is left bears the stress of the short and its maintenance margin.
        bearable = 1 / (1 + self.stress + max(0.0, offered.maintenance) * (1 + self.stress))
        size = min(self.share, bearable) * nav / price
        affordable = self._affordable(market, risk, offered, price)
        return max(0.0, min(size, affordable, most_perpetual(offered)))

    def _affordable(
        self, market: MarketState, risk: RiskReport, offered: Funding, price: float
    ) -> float:
        """Base tokens of which the long is there or can be bought, and of which the short's margin is left then."""
        margin = bearable_perpetual(market, offered, self.stress)
        long = max(0.0, self._spot(market, risk) - self.other_delta)
        if margin <= long:
            return margin
        # what buys more of the long is no margin any more: assets = w x price + w x mark x needed
        needed = self.stress + max(0.0, offered.maintenance) * (1 + self.stress)
        return (margin_of(market, offered) + long * price) / (price + offered.mark * needed)

    @staticmethod
    def _spot(market: MarketState, risk: RiskReport) -> float:
        """Base tokens the vault itself is long, without the delta of its options."""
        value = market.readings.options.value
        options = value.delta_base if value else 0
        return (risk.net_delta - options) / unit(market.readings.base.decimals)

    def _net_delta(self, market: MarketState, risk: RiskReport, wanted: float) -> Raw:
        change = wanted + self.other_delta - self._spot(market, risk)
        return Raw(risk.net_delta + to_base_units(market, change))
