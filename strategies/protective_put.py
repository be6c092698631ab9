"""Hold puts against the base that the vault is long."""

from dataclasses import dataclass
from typing import Annotated

from keeper.model.decision import Target
from keeper.model.market import MarketState
from keeper.model.parameters import Range, check_ranges, require
from keeper.model.risk import RiskReport
from strategies.parts.buying import held_units, more_of, near_expiry, to_spend
from strategies.parts.gates import blocked
from strategies.parts.needs import Need, lacks
from strategies.parts.positions import (
    nav_of,
    option_book,
    price_of,
    to_base_units,
    unit,
)
from strategies.parts.protection import linear_base, put_near
from strategies.parts.series import expiry_at, sized
from strategies.parts.targets import hold, with_series


@dataclass(frozen=True, slots=True)
class ProtectivePut:
    """Hold puts with a strike at `floor` of the price on `cover` of the base the vault is long without its options;
    sell and renew them `renew_days` before they expire.

    Earns: what base loses under the strike, as long as the put runs; and sleep.
    Risks: the premium, and nothing else.
    Loses: the premium in every period without a crash: some per cent of what is covered a year, more when fear is
    dear. Nothing is bought while it would cost more than `most_cost` a year.
    """

    needs = (Need.SMILES, Need.OPTION_VENUE)

    claims = ("held puts",)

    floor: Annotated[float, Range(0.40, 1.0, "of price")] = 0.80
    """Strike when bought."""
    cover: Annotated[float, Range(0.0, 1.0, "of base held long")] = 1.0
    tenor_days: Annotated[float, Range(2, 365, "days")] = 30.0
    renew_days: Annotated[float, Range(0, 180, "days")] = 7.0
    """Before expiry; decay is fastest at the end."""
    most_cost: Annotated[float, Range(0.0, 2.0, "of the covered value a year")] = 0.30
    strike_step: Annotated[float, Range(0.001, 0.10, "of price")] = 0.01
    """Distance of strikes, rounded down to 1, 2 or 5 times a power of ten."""
    least_value: Annotated[float, Range(0.0, 1e9, "assets")] = 500.0
    """Covered value under which nothing is bought."""

    def __post_init__(self) -> None:
        check_ranges(self)
        require(
            self,
            self.renew_days <= self.tenor_days / 2,
            "renew_days <= tenor_days / 2",
            renew_days=self.renew_days,
            tenor_days=self.tenor_days,
        )

    def __call__(self, market: MarketState, risk: RiskReport) -> Target:
        """The puts that should be held, or why they are left as they are."""
        reason = blocked(market, risk)
        if reason:
            return hold(reason)
        if option_book(market) is None:
            return hold("an option's volatility is not known, so neither is what is to be covered")
        covered = self.cover * max(0.0, linear_base(market, risk))
        held = held_units(market, False, self.renew_days)
        missing = to_base_units(market, covered) - held
        lacking = missing / unit(market.readings.base.decimals)
        if sized(market, lacking, self.least_value) == 0:
            return hold(
                f"puts on {held / unit(market.readings.base.decimals):.4f} of {covered:.4f} base are held"
            )
        return self._buy(market, risk, lacking)

    def _buy(self, market: MarketState, risk: RiskReport, lacking: float) -> Target:
        expiry = expiry_at(market.readings.block.timestamp, self.tenor_days)
        put = put_near(market, expiry, self.floor, self.strike_step)
        if put is None:
            return hold(lacks("no put has an implied volatility", Need.SMILES))
        yearly = put.price / price_of(market) / put.years
        if yearly > self.most_cost:
            return hold(f"protection costs {yearly:.2%} a year, over {self.most_cost:.2%}")
        affordable = min(to_spend(market), nav_of(market, risk) or 0.0) / max(put.price, 1e-12)
        tokens = min(lacking, affordable)
        if sized(market, tokens, self.least_value) == 0:
            return hold(f"idle assets pay for {tokens:.4f} puts, which is not worth an order")
        reason = f"hold puts at {put.strike:g} on {tokens:.4f} base more ({yearly:.2%} a year)"
        wanted = more_of(market, put, tokens, reason)
        return with_series(market, (wanted,), reason, near_expiry(market, False, self.renew_days))
