"""Lend what lies idle, where it pays most within its caps, and keep enough at hand."""

from dataclasses import dataclass, replace
from typing import Annotated

from keeper.model.decision import SupplyTarget, Target
from keeper.model.market import MarketState
from keeper.model.parameters import Range, check_ranges
from keeper.model.risk import RiskReport
from keeper.model.units import Raw
from strategies.parts.gates import blocked
from strategies.parts.hedging import fixed_cost
from strategies.parts.lending import Offer, asset_offers
from strategies.parts.positions import nav_of, to_asset_units, unit
from strategies.parts.targets import hold


@dataclass(frozen=True, slots=True)
class IdleYield:
    """Keep `reserve` of NAV, and what waits to be redeemed, idle; supply the rest of the idle assets at the venues
    with the highest rates, at most `per_venue` of NAV at each and `of_liquidity` of what it could pay out.

    Earns: the supply rate.
    Risks: the venues: bad debt, a freeze, or nothing left to withdraw when it is wanted, which the caps bound.
    Loses: gas when rates move; everything lent at a venue that fails. Debt is never made, and collateral of a debt
    is never moved.
    """

    claims = ("supplies",)

    reserve: Annotated[float, Range(0.0, 1.0, "of NAV")] = 0.05
    per_venue: Annotated[float, Range(0.0, 1.0, "of NAV")] = 0.40
    of_liquidity: Annotated[float, Range(0.0, 1.0, "of what the venue can pay out")] = 0.10
    least_rate: Annotated[float, Range(0.0, 1.0, "a year")] = 0.005
    """Venues that pay less are not lent to."""
    horizon_days: Annotated[float, Range(0.1, 365, "days")] = 14.0
    """A change must earn its gas within so long."""
    gas: Annotated[float, Range(0, 1e7, "gas of one change")] = 300_000

    def __post_init__(self) -> None:
        check_ranges(self)

    def __call__(self, market: MarketState, risk: RiskReport) -> Target:
        """What should be lent where, or why it is left."""
        reason = blocked(market, risk)
        if reason:
            return hold(reason)
        offers = asset_offers(market)
        if not offers:
            return hold("no lending rate is known")
        nav = nav_of(market, risk) or 0.0
        idle = market.readings.idle_asset / unit(market.readings.asset.decimals)
        kept = self._reserve(market, nav)
        wanted = self._spread(offers, nav, idle - kept)
        changes = {o.venue: wanted[o.venue] - o.supplied for o in offers}
        yearly = sum(change * o.rate for o in offers for change in (changes[o.venue],))
        gain = yearly * self.horizon_days / 365
        cost = fixed_cost(market, self.gas) * sum(abs(c) > 0.01 for c in changes.values())
        short = idle < kept and any(change < 0 for change in changes.values())
        if not short and gain <= cost:
            return hold(
                f"a change would earn {gain:.2f} in {self.horizon_days:g} days and cost {cost:.2f}"
            )
        why = f"{kept - idle:.2f} are wanted idle" if short else f"{yearly:.2f} a year more"
        supplies = tuple(
            SupplyTarget(o.venue, market.readings.asset.address, self._amount(market, o, wanted))
            for o in offers
            if abs(changes[o.venue]) > 0.01
        )
        return replace(hold(f"lend where it pays most: {why}"), supplies=supplies)

    def _reserve(self, market: MarketState, nav: float) -> float:
        """Assets to keep idle."""
        r = market.readings
        waiting = r.depositors.pending_redemptions / r.total_shares if r.total_shares > 0 else 0.0
        return nav * min(1.0, self.reserve + max(0.0, waiting))

    def _spread(self, offers: tuple[Offer, ...], nav: float, spare: float) -> dict[str, float]:
        """Supplied at each venue: what must stay there first, then by rate as far as caps go."""
        wanted = {o.venue: max(0.0, o.least, o.supplied - o.withdrawable) for o in offers}
        left = spare + sum(o.supplied for o in offers) - sum(wanted.values())
        for o in sorted(offers, key=lambda o: (-o.rate, o.venue)):
            room = min(self.per_venue * nav, o.most) - wanted[o.venue]
            # What is there already counts among what the venue could pay out.
            room = min(room, self.of_liquidity * o.withdrawable_with_ours - wanted[o.venue])
            added = max(0.0, min(room, left)) if o.rate >= self.least_rate else 0.0
            wanted[o.venue] += added
            left -= added
        return wanted

    @staticmethod
    def _amount(market: MarketState, offered: Offer, wanted: dict[str, float]) -> Raw:
        return Raw(max(0, to_asset_units(market, wanted[offered.venue])))
