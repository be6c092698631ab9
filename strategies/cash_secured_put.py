"""Sell puts against idle assets."""

from dataclasses import dataclass
from typing import Annotated

from keeper.model.decision import Target
from keeper.model.market import MarketState
from keeper.model.parameters import Range, check_ranges
from keeper.model.risk import RiskReport
from strategies.parts.needs import Need
from strategies.parts.positions import free_asset, nav_of
from strategies.parts.series import most_written, sized
from strategies.parts.targets import hold, with_series
from strategies.parts.writing import Terms, choose, described, write


@dataclass(frozen=True, slots=True)
class CashSecuredPut:
    """Each period write puts at `delta` against `cover` of the idle assets, and keep them to expiry.

    Earns: the premium; most of the time nothing else happens.
    Risks: base's fall below the strike, in full and at once; the greatest loss is the strike less the premium.
    Loses: in a fall of more than the way to the strike plus the premium within one period. Many small gains, few
    large losses: a good year says little about the next.
    """

    claims = ("written puts",)

    delta: Annotated[float, Range(0.01, 0.50)] = 0.20
    """Of the put when written, without its sign: about its probability to end in the money."""
    tenor_days: Annotated[float, Range(1, 90, "days")] = 7.0
    cover: Annotated[float, Range(0.0, 1.0, "of idle assets")] = 0.5
    least_premium: Annotated[float, Range(0.0, 1.0, "of the strike a year")] = 0.02
    """Nothing is written for less."""
    least_edge: Annotated[float, Range(-1.0, 1.0, "volatility")] = -1.0
    """Implied over forecast volatility, at least; -1 asks for no forecast."""
    strike_step: Annotated[float, Range(0.001, 0.10, "of price")] = 0.01
    """Distance of strikes, rounded down to 1, 2 or 5 times a power of ten."""
    window_hours: Annotated[float, Range(0.0, 24, "hours")] = 6.0
    """The auction starts at a random time within so long of the last series' expiry."""
    least_value: Annotated[float, Range(0.0, 1e9, "assets")] = 100.0
    """Less is not worth a transaction."""

    @property
    def needs(self) -> tuple[Need, ...]:
        """Beyond the readings."""
        return (Need.SMILES, Need.FORECAST) if self.least_edge > -1 else (Need.SMILES,)

    def __post_init__(self) -> None:
        check_ranges(self)

    def __call__(self, market: MarketState, risk: RiskReport) -> Target:
        """The period's puts, or why none are written."""
        terms = Terms(
            False,
            self.delta,
            self.tenor_days,
            self.strike_step,
            self.window_hours,
            self.least_premium,
            self.least_edge if self.least_edge > -1 else float("-inf"),
        )
        series = choose(market, risk, terms)
        if isinstance(series, str):
            return hold(series)
        wanted = self.cover * free_asset(market) / series.strike
        tokens = most_written(market, series, nav_of(market, risk) or 0.0, wanted)
        quantity = sized(market, tokens, self.least_value)
        if quantity == 0:
            return hold(f"{tokens:.4f} puts can be secured, which is not worth an auction")
        reason = f"write {described(series, tokens)} on idle assets"
        return with_series(market, (write(series, quantity, reason),), reason)
