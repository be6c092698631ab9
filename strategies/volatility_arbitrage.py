"""Take the side of implied volatility that the forecast says is wrong, under a vega limit."""

from dataclasses import dataclass
from typing import Annotated

from keeper.model.decision import OptionTarget, Target
from keeper.model.market import MarketState
from keeper.model.parameters import Range, check_ranges, require
from keeper.model.risk import RiskReport
from keeper.model.units import BPS
from strategies.parts.buying import all_held, held_units, more_of, to_spend
from strategies.parts.gates import blocked, forecast, no_options
from strategies.parts.needs import NO_FORECAST, Need, lacks
from strategies.parts.positions import nav_of
from strategies.parts.series import Chosen, at_money, expiry_at, most_written, sized, tenor_fits
from strategies.parts.targets import hold, with_series
from strategies.parts.writing import out_already


@dataclass(frozen=True, slots=True)
class VolatilityArbitrage:
    """Hold straddles near the money while implied volatility is `enter` or more under the forecast, write them while
    it is so much over it; what is held is sold once the gap is under `leave`, what is written runs to its expiry.
    The size grows with the gap and is the vega limit's at twice `enter`. Hedge it with `delta_hedge` in a composite.

    Earns: the gap between implied and realised volatility, on either side of it.
    Risks: the forecast: it is wrong exactly when volatility changes most; and vega until expiry.
    Loses: short before a shock, long through a calm; twice when it changes sides at the worst time, which the
    distance between `enter` and `leave` makes rarer.
    """

    needs = (Need.FORECAST, Need.SMILES, Need.OPTION_VENUE)

    claims = ("held calls", "held puts", "written calls", "written puts")

    enter: Annotated[float, Range(0.01, 1.0, "volatility")] = 0.08
    """Gap from which a side is taken."""
    leave: Annotated[float, Range(0.0, 1.0, "volatility")] = 0.03
    """Gap under which what is held is sold."""
    vega_limit: Annotated[float, Range(0.0, 2.0, "of NAV for volatility +1.00")] = 0.05
    """On either side: 0.05 loses 0.5 % of NAV for ten points."""
    tenor_days: Annotated[float, Range(2, 365, "days")] = 30.0
    strike_step: Annotated[float, Range(0.001, 0.10, "of price")] = 0.01
    """Distance of strikes, rounded down to 1, 2 or 5 times a power of ten."""
    least_value: Annotated[float, Range(0.0, 1e9, "assets")] = 1_000.0
    """Value of base under the options, under which nothing is done."""

    def __post_init__(self) -> None:
        check_ranges(self)
        require(self, self.leave < self.enter, "leave < enter", leave=self.leave, enter=self.enter)

    def __call__(self, market: MarketState, risk: RiskReport) -> Target:
        """The side to be on, or why none is taken."""
        reason = blocked(market, risk)
        expected = forecast(market)
        if not reason and expected is None:
            reason = NO_FORECAST
        expiry = expiry_at(market.readings.block.timestamp, self.tenor_days)
        legs = (
            []
            if reason
            else [at_money(market, side, expiry, self.strike_step) for side in (True, False)]
        )
        call, put = legs if legs else (None, None)
        if not reason and (call is None or put is None):
            reason = lacks("no option near the money has an implied volatility", Need.SMILES)
        if reason or expected is None or call is None or put is None:
            return hold(reason)
        gap = call.volatility - expected
        said = f"implied {call.volatility:.1%}, forecast {expected:.1%}"
        held = max(held_units(market, True, 0.0), held_units(market, False, 0.0))
        if held and gap > -self.leave:
            closed = all_held(market, True) | all_held(market, False)
            return with_series(market, (), f"{said}: sell what is held", closed)
        if abs(gap) < self.enter:
            return hold(f"{said}: the gap is inside {self.enter:.1%}")
        nav = nav_of(market, risk) or 0.0
        wanted = self._tokens(nav, abs(gap), (call, put))
        if gap < 0:
            return self._buy(market, (call, put), min(wanted, nav / (call.price + put.price)), said)
        return self._write(market, nav, (call, put), wanted, said)

    def _tokens(self, nav: float, gap: float, legs: tuple[Chosen, Chosen]) -> float:
        """Straddles whose vega is the limit's share that the gap asks for."""
        share = min(1.0, gap / (2 * self.enter))
        return self.vega_limit * nav * share / sum(leg.vega for leg in legs)

    def _buy(
        self, market: MarketState, legs: tuple[Chosen, Chosen], tokens: float, said: str
    ) -> Target:
        written = out_already(market, True) or out_already(market, False)
        if written:
            return hold(f"{said}: cheap, but {written}")
        if held_units(market, True, 0.0) or held_units(market, False, 0.0):
            return hold(f"{said}: straddles are held")
        tokens = min(tokens, to_spend(market) / sum(leg.price for leg in legs))
        if sized(market, tokens, self.least_value) == 0:
            return hold(f"{said}: {tokens:.4f} straddles are not worth an order")
        reason = f"{said}: hold {tokens:.4f} straddles at {legs[0].strike:g}"
        return with_series(
            market, tuple(more_of(market, leg, tokens, reason) for leg in legs), reason
        )

    def _write(
        self,
        market: MarketState,
        nav: float,
        legs: tuple[Chosen, Chosen],
        tokens: float,
        said: str,
    ) -> Target:
        reason = no_options(market) or out_already(market, True) or out_already(market, False)
        if not reason and not tenor_fits(market, legs[0].expiry):
            reason = "the mandate takes no series of that tenor"
        limits = market.readings.mandate.terms.options
        low, high = limits.min_delta_bps / BPS, limits.max_delta_bps / BPS
        if not reason and any(not low <= abs(leg.delta) <= high for leg in legs):
            reason = "the mandate takes no series near the money"
        if reason:
            return hold(f"{said}: dear, but {reason}")
        tokens = min(most_written(market, leg, nav, tokens, sharers=2) for leg in legs)
        quantity = sized(market, tokens, self.least_value)
        if quantity == 0:
            return hold(f"{said}: {tokens:.4f} straddles are not worth an auction")
        reason = f"{said}: write {tokens:.4f} straddles at {legs[0].strike:g}"
        wanted: tuple[OptionTarget, ...] = tuple(leg.target(-quantity, reason) for leg in legs)
        return with_series(market, wanted, reason)
