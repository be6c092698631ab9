"""Sell calls against base that the vault holds."""

from dataclasses import dataclass
from typing import Annotated

from keeper.model.decision import Target
from keeper.model.market import MarketState
from keeper.model.parameters import Range, check_ranges
from keeper.model.risk import RiskReport
from strategies.parts.needs import Need
from strategies.parts.positions import free_base, nav_of
from strategies.parts.series import most_written, sized
from strategies.parts.targets import hold, with_series
from strategies.parts.writing import Terms, choose, described, write


@dataclass(frozen=True, slots=True)
class CoveredCall:
    """Each period write calls at `delta` on `cover` of the idle base, and keep them to expiry.

    Earns: the premium, and base's rise up to the strike.
    Risks: base itself, all the way down; the premium is a cushion of a few per cent.
    Loses: against holding base when it rises past the strike by more than the premium; against assets when base
    falls by more than the premium. Worst in a slow fall followed by a fast recovery, as strikes are sold low.
    """

    claims = ("written calls",)

    delta: Annotated[float, Range(0.01, 0.50)] = 0.20
    """Of the call when written: about its probability to end in the money."""
    tenor_days: Annotated[float, Range(1, 90, "days")] = 7.0
    cover: Annotated[float, Range(0.0, 1.0, "of idle base")] = 1.0
    least_premium: Annotated[float, Range(0.0, 1.0, "of the covered value a year")] = 0.02
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
        """The period's calls, or why none are written."""
        terms = Terms(
            True,
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
        wanted = self.cover * free_base(market)
        tokens = most_written(market, series, nav_of(market, risk) or 0.0, wanted)
        quantity = sized(market, tokens, self.least_value)
        if quantity == 0:
            return hold(f"{tokens:.4f} base can be covered, which is not worth an auction")
        reason = f"write {described(series, tokens)} on idle base"
        return with_series(market, (write(series, quantity, reason),), reason)
