"""Puts against a fall, paid for by calls on the rise."""

from dataclasses import dataclass
from typing import Annotated

from keeper.model.decision import OptionTarget, Target
from keeper.model.market import MarketState
from keeper.model.parameters import Range, check_ranges, require
from keeper.model.risk import RiskReport
from keeper.model.units import BPS, WAD
from strategies.parts.buying import held_units, more_of, near_expiry, to_spend
from strategies.parts.gates import blocked, no_options
from strategies.parts.needs import Need, lacks
from strategies.parts.positions import (
    free_base,
    nav_of,
    option_book,
    price_of,
    to_base_units,
    unit,
)
from strategies.parts.protection import put_near
from strategies.parts.series import (
    Chosen,
    at_strikes,
    expiry_at,
    most_written,
    sized,
    strike_grid,
    tenor_fits,
)
from strategies.parts.targets import hold, with_series
from strategies.parts.writing import out_already


@dataclass(frozen=True, slots=True)
class Collar:
    """On `cover` of the idle base hold puts at `floor` of the price, and write calls at the highest strike whose
    premium still pays `financed` of them. Both are of one expiry and kept until it.

    Earns: little: it turns base into something between a floor and a cap.
    Risks: base between the two strikes, and the rise above the cap.
    Loses: up to the floor in a fall; everything over the cap, against holding base, in a rise. The dearer puts are
    against calls (a steep smile), the lower the cap that pays for them; nothing is done when that is under
    `least_cap` of the price.
    """

    needs = (Need.SMILES, Need.OPTION_VENUE)

    claims = ("held puts", "written calls")

    floor: Annotated[float, Range(0.40, 1.0, "of price")] = 0.85
    """The put's strike."""
    least_cap: Annotated[float, Range(1.0, 2.0, "of price")] = 1.05
    """The call's strike, at least."""
    financed: Annotated[float, Range(0.0, 1.0, "of the put's premium")] = 1.0
    """1 costs nothing to put on, at the smile."""
    cover: Annotated[float, Range(0.0, 1.0, "of idle base")] = 1.0
    tenor_days: Annotated[float, Range(2, 365, "days")] = 30.0
    strike_step: Annotated[float, Range(0.001, 0.10, "of price")] = 0.01
    """Distance of strikes, rounded down to 1, 2 or 5 times a power of ten."""
    least_value: Annotated[float, Range(0.0, 1e9, "assets")] = 500.0
    """Covered value under which nothing is done."""

    def __post_init__(self) -> None:
        check_ranges(self)
        require(self, self.floor < self.least_cap, "floor < least_cap", floor=self.floor)

    def __call__(self, market: MarketState, risk: RiskReport) -> Target:
        """Both legs, equally many, or why neither; a leg that is alone gets the other first."""
        reason = blocked(market, risk) or no_options(market)
        if not reason and option_book(market) is None:
            reason = "an option's volatility is not known"
        if reason:
            return hold(reason)
        running = out_already(market, True)
        if running:
            covered = held_units(market, False, 0.0) > 0
            return hold(
                f"the collar is on: {running}" if covered else f"no put is held, and {running}"
            )
        expiry = expiry_at(market.readings.block.timestamp, self.tenor_days)
        put = put_near(market, expiry, self.floor, self.strike_step)
        call = self._call(market, expiry, self.financed * put.price) if put else None
        if not tenor_fits(market, expiry):
            return hold("the mandate takes no series of that tenor")
        if put is None or call is None:
            nothing = lacks("no put has an implied volatility", Need.SMILES)
            dear = f"no call from {self.least_cap:g} of the price on pays for the put"
            return hold(nothing if put is None else dear)
        return self._put_on(market, risk, put, call)

    def _call(self, market: MarketState, expiry: int, premium: float) -> Chosen | None:
        """The highest strike that brings the premium, within the mandate's deltas."""
        limits, price = market.readings.mandate.terms.options, price_of(market)
        grid = strike_grid(price, self.strike_step)
        above = [strike for strike in grid if strike >= self.least_cap * price * WAD]
        low, high = limits.min_delta_bps / BPS, limits.max_delta_bps / BPS
        paying = [
            one
            for one in at_strikes(market, True, expiry, above)
            if one.price >= premium and low <= one.delta <= high
        ]
        return max(paying, key=lambda one: one.strike_wad, default=None)

    def _put_on(self, market: MarketState, risk: RiskReport, put: Chosen, call: Chosen) -> Target:
        nav = nav_of(market, risk) or 0.0
        wanted = self.cover * free_base(market)
        # The puts are paid before the calls are sold.
        affordable = min(nav, to_spend(market)) / max(put.price, 1e-12)
        tokens = min(most_written(market, call, nav, wanted), affordable)
        quantity = sized(market, tokens, self.least_value)
        if quantity == 0:
            return hold(f"{tokens:.4f} base can be collared, which is not worth an order")
        reason = f"collar {tokens:.4f} base between {put.strike:g} and {call.strike:g}"
        legs: tuple[OptionTarget, ...] = (
            more_of(market, put, self._lacking(market, tokens), reason),
            call.target(-quantity, reason),
        )
        closed = near_expiry(market, False, 0.5)
        # Puts of an earlier collar may be enough: then none are asked for.
        wanted_legs = tuple(leg for leg in legs if leg.quantity)
        return with_series(market, wanted_legs, reason, closed)

    @staticmethod
    def _lacking(market: MarketState, tokens: float) -> float:
        """Puts of an earlier collar whose call was bought back still count."""
        held = held_units(market, False, 0.5) / unit(market.readings.base.decimals)
        return max(0.0, tokens - held) if to_base_units(market, tokens) else 0.0
