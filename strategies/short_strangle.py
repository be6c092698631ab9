"""Sell calls and puts together while options are dear against the forecast."""

from dataclasses import dataclass
from typing import Annotated

from keeper.model.decision import Target
from keeper.model.market import MarketState
from keeper.model.parameters import Range, check_ranges
from keeper.model.risk import RiskReport
from strategies.parts.gates import blocked, no_options
from strategies.parts.needs import Need
from strategies.parts.positions import nav_of, price_of
from strategies.parts.series import Chosen, most_written, sized
from strategies.parts.targets import hold, with_series
from strategies.parts.writing import Terms, choose_series, described, out_already, write

AT_THE_MONEY = 0.5


@dataclass(frozen=True, slots=True)
class ShortStrangle:
    """Each period write a call and a put at `delta` (a straddle: both near the money) if implied volatility is at
    least `least_edge` over the forecast on both sides. Hedge the delta with `delta_hedge` after it in a composite.

    Earns: implied less realised variance, roughly vega x (implied - realised).
    Risks: large moves either way, a rise of implied volatility while it is out, and jumps that no hedge catches.
    Loses: in every crash and every melt-up, and over weeks in which realised volatility rises past what was sold;
    the filter keeps it out of weeks that look dear only because the forecast is stale.
    """

    needs = (Need.SMILES, Need.FORECAST)

    claims = ("written calls", "written puts")

    delta: Annotated[float, Range(0.01, 0.50)] = 0.15
    """Of each side when written, without its sign; of a straddle 0.50 whatever this says."""
    straddle: bool = False
    """True writes both sides as near the money as the mandate lets it."""
    notional: Annotated[float, Range(0.0, 1.0, "of NAV")] = 0.25
    """Value of base under each side."""
    vega_limit: Annotated[float, Range(0.0, 2.0, "of NAV for volatility +1.00")] = 0.10
    """Of both sides together: 0.10 loses 1 % of NAV for ten points."""
    least_edge: Annotated[float, Range(-0.5, 1.0, "volatility")] = 0.05
    """Implied over forecast, at least, on both sides."""
    tenor_days: Annotated[float, Range(1, 90, "days")] = 7.0
    least_premium: Annotated[float, Range(0.0, 1.0, "of the covered value a year")] = 0.0
    strike_step: Annotated[float, Range(0.001, 0.10, "of price")] = 0.01
    """Distance of strikes, rounded down to 1, 2 or 5 times a power of ten."""
    window_hours: Annotated[float, Range(0.0, 24, "hours")] = 6.0
    """The auction starts at a random time within so long of the last series' expiry."""
    least_value: Annotated[float, Range(0.0, 1e9, "assets")] = 100.0
    """Less is not worth a transaction."""

    def __post_init__(self) -> None:
        check_ranges(self)

    def __call__(self, market: MarketState, risk: RiskReport) -> Target:
        """Both sides, equally many, or why neither."""
        reason = (
            blocked(market, risk)
            or no_options(market)
            or out_already(market, True)
            or out_already(market, False)
        )
        if reason:
            return hold(reason)
        sides: list[Chosen] = []
        for is_call in (True, False):
            found = choose_series(market, self._terms(is_call))
            if isinstance(found, str):
                return hold(found)
            sides.append(found)
        tokens = self._tokens(market, nav_of(market, risk) or 0.0, sides)
        quantity = sized(market, tokens, self.least_value)
        if quantity == 0:
            return hold(f"{tokens:.4f} of each side fit the limits, which is not worth an auction")
        reason = " and ".join(described(side, tokens) for side in sides)
        wanted = tuple(write(side, quantity, self._name()) for side in sides)
        return with_series(market, wanted, f"write {reason}")

    def _name(self) -> str:
        return "straddle" if self.straddle else "strangle"

    def _terms(self, is_call: bool) -> Terms:
        return Terms(
            is_call,
            AT_THE_MONEY if self.straddle else self.delta,
            self.tenor_days,
            self.strike_step,
            self.window_hours,
            self.least_premium,
            self.least_edge,
        )

    def _tokens(self, market: MarketState, nav: float, sides: list[Chosen]) -> float:
        """Whole options of each side."""
        wanted = self.notional * nav / price_of(market)
        vega = sum(side.vega for side in sides)
        if vega > 0:
            wanted = min(wanted, self.vega_limit * nav / vega)
        return min(most_written(market, side, nav, wanted, sharers=2) for side in sides)
