"""Long spot against a short perpetual while longs pay for the privilege."""

import math
from dataclasses import dataclass, replace
from typing import Annotated

from keeper.model.decision import PerpetualTarget, Target
from keeper.model.exposure import Kind
from keeper.model.market import MarketState
from keeper.model.outlook import Funding
from keeper.model.parameters import Range, check_ranges
from keeper.model.risk import RiskReport
from keeper.model.units import Raw
from strategies.parts.gates import blocked
from strategies.parts.hedging import margin_needed, margin_of, most_perpetual, offer
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
    """Hold base and be short as much of the perpetual where average funding pays for it, and end both where it costs.

    What is expected of funding is its average over the last days, for one payment says little of the next. In:
    where that average over `hold_days` pays the way in and out, two spot trades and two at the venue. Out: where as
    long would cost more than the way out, a trade of each. Between the two nothing is done, so the band has the
    width of the costs. Negative funding is not traded. The defaults (a week, a month, the costs of a deep pool) are
    reasoned and not fitted: a week is 21 payments at most venues, and positioning changes over weeks, not hours.

    Earns: the funding that longs pay, and the perpetual's premium when it closes.
    Risks: the venue (its failure, or its closing of the short in a crash, leaves the spot alone); a jump larger than
    the margin bears (a slower rise sells spot for margin); funding that turns while it costs to leave.
    Loses: fees when funding does not last; the short's margin when the venue fails.
    """

    needs = (Need.FUNDING,)

    hold_days: Annotated[float, Range(0.1, 365, "days")] = 30.0
    """Time that average funding is expected to last: what it pays and costs over it is set against the trades."""
    least_days: Annotated[float, Range(0.1, 90, "days")] = 7.0
    """An average over less is not believed: nothing is entered, and nothing left."""
    share: Annotated[float, Range(0.0, 1.0, "of NAV")] = 0.40
    """Value of base held against the short; less where a rise by `stress` would need more margin than is left."""
    stress: Annotated[float, Range(0.05, 10.0, "rise of the price")] = 0.50
    """The rest of NAV bears such a rise with the venue's maintenance margin to spare."""
    cost_rate: Annotated[float, Range(0.0, 0.10, "of a spot trade's value")] = 0.0008
    resize: Annotated[float, Range(0.01, 1.0, "of the wanted size")] = 0.15
    """Legs nearer than this to their size are left."""
    other_delta: Annotated[float, Range(-1e9, 1e9, "whole base tokens")] = 0.0
    """Base the vault is to be long for other reasons."""
    venue: str = ""
    """The perpetual's; empty: that with the highest average funding."""

    def __post_init__(self) -> None:
        check_ranges(self)

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
        average = self._average(offered)
        known = "not known" if average is None else f"{average:.1%} a year"
        said = f"average funding at {offered.venue} is {known}"
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
        offers = [f for f in market.outlook.funding if f.mark > 0 and f.index > 0]
        rates = {f.venue: -math.inf if f.average is None else f.average for f in offers}
        return max(rates, key=lambda venue: (rates[venue], venue), default="")

    def _wanted(
        self, market: MarketState, risk: RiskReport, offered: Funding, short: float
    ) -> float:
        """Base tokens of each leg."""
        if not self._pays(offered, short):
            return 0.0
        price, nav = price_of(market), nav_of(market, risk) or 0.0
        # Of NAV in spot: what is left bears the stress of the short and its maintenance margin.
        bearable = 1 / (1 + self.stress + max(0.0, offered.maintenance) * (1 + self.stress))
        size = min(self.share, bearable) * nav / price
        affordable = self._affordable(market, risk, offered, price)
        return max(0.0, min(size, affordable, most_perpetual(offered)))

    def _average(self, offered: Funding) -> float | None:
        """Of funding, a year; None if there is none over long enough."""
        average = offered.average
        if average is None or not math.isfinite(average) or offered.average_days < self.least_days:
            return None
        return average

    def _pays(self, offered: Funding, short: float) -> bool:
        """Whether to be in: what is expected against what the trades cost, as fractions of the position."""
        average, one_way = self._average(offered), self.cost_rate + max(0.0, offered.fee)
        if average is None:
            return short > 0  # no word on it is no reason to pay for a trade
        expected = average * self.hold_days / 365
        return expected > (-one_way if short > 0 else 2 * one_way)

    def _affordable(
        self, market: MarketState, risk: RiskReport, offered: Funding, price: float
    ) -> float:
        """Base tokens of each leg that leave the short's margin bearing the stress.

        What buys more of the long is no margin any more, and what is sold of it is, so with w of each leg

            margin + (long - w) x price = w x needed
        """
        long = max(0.0, self._spot(market, risk) - self.other_delta)
        needed = margin_needed(offered, self.stress)
        return (margin_of(market, offered) + long * price) / (price + needed)

    @staticmethod
    def _spot(market: MarketState, risk: RiskReport) -> float:
        """Base tokens the vault itself is long, without the delta of its options."""
        value = market.readings.options.value
        options = value.delta_base if value else 0
        return (risk.net_delta - options) / unit(market.readings.base.decimals)

    def _net_delta(self, market: MarketState, risk: RiskReport, wanted: float) -> Raw:
        change = wanted + self.other_delta - self._spot(market, risk)
        return Raw(risk.net_delta + to_base_units(market, change))
