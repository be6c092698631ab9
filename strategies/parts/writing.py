"""Selling one kind of option, period after period: when it may be done, and what becomes of what is out."""

from dataclasses import dataclass

from keeper.model.decision import OptionTarget
from keeper.model.market import MarketState
from keeper.model.risk import RiskReport
from strategies.parts.gates import blocked, forecast, no_options
from strategies.parts.needs import NO_FORECAST, Need, lacks
from strategies.parts.positions import price_of, written
from strategies.parts.series import Chosen, auction_start, by_delta, expiry_at, tenor_fits


@dataclass(frozen=True, slots=True)
class Terms:
    """How a kind of option is sold."""

    is_call: bool
    delta: float
    tenor_days: float
    step_share: float
    window_hours: float
    least_premium: float
    """Premium over what is covered, a year."""
    least_edge: float
    """Implied volatility over the forecast, at least; -inf asks for no forecast."""


def out_already(market: MarketState, is_call: bool) -> str:
    """What is written of this kind and not yet over; empty if nothing is.

    A series that runs is kept to its expiry; one that expired is settled before the next is written.
    """
    now = market.readings.block.timestamp
    kind = "call" if is_call else "put"
    for position in written(market, is_call):
        strike = position.strike_wad / 10**18
        if position.awaiting or position.expiry <= now:
            return f"the {kind} at {strike:g} has expired and waits to be collected"
        days = (position.expiry - now) / 86_400
        return f"the {kind} at {strike:g} runs for {days:.1f} days more"
    return ""


def choose(market: MarketState, risk: RiskReport, terms: Terms) -> Chosen | str:
    """The series to write now, or why none is."""
    reason = blocked(market, risk) or no_options(market) or out_already(market, terms.is_call)
    if reason:
        return reason
    return choose_series(market, terms)


def choose_series(market: MarketState, terms: Terms) -> Chosen | str:
    """As `choose`, whatever is written already."""
    now = market.readings.block.timestamp
    start = auction_start(market, terms.tenor_days, terms.window_hours)
    if now < start:
        return f"this period's series is offered in {start - now} s"
    expiry = expiry_at(now, terms.tenor_days)
    if not tenor_fits(market, expiry):
        return f"the mandate takes no series of {(expiry - now) / 86_400:.1f} days"
    kind = "call" if terms.is_call else "put"
    series = by_delta(market, terms.is_call, expiry, terms.delta, terms.step_share)
    if series is None:
        what = (
            f"no {kind} up to delta {terms.delta:g} has an implied volatility and fits the mandate"
        )
        return lacks(what, Need.SMILES)
    return _poor(market, series, terms) or series


def _poor(market: MarketState, series: Chosen, terms: Terms) -> str:
    """Why it pays too little to be sold."""
    covered = price_of(market) if series.is_call else series.strike
    yearly = series.price / covered / series.years
    if yearly < terms.least_premium:
        return (
            f"the premium is {yearly:.2%} a year of what it binds, under {terms.least_premium:.2%}"
        )
    if terms.least_edge == float("-inf"):
        return ""
    expected = forecast(market)
    if expected is None:
        return NO_FORECAST
    edge = series.volatility - expected
    if edge < terms.least_edge:
        return (
            f"implied volatility {series.volatility:.1%} is {edge:+.1%} from the forecast, "
            f"under {terms.least_edge:+.1%}"
        )
    return ""


def write(series: Chosen, quantity: int, why: str) -> OptionTarget:
    """So many base units of it written."""
    return series.target(-quantity, why)


def described(series: Chosen, quantity: float) -> str:
    """For a reason."""
    kind = "calls" if series.is_call else "puts"
    return (
        f"{quantity:.4f} {kind} at {series.strike:g} (delta {abs(series.delta):.2f}, "
        f"implied {series.volatility:.1%}, {series.years * 365:.1f} days)"
    )
