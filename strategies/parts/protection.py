"""What is to be protected, and the put that does it."""

from keeper.model.market import MarketState
from keeper.model.risk import RiskReport
from keeper.model.units import WAD
from strategies.parts.positions import delta_of, option_book, price_of
from strategies.parts.series import Chosen, at_strikes, strike_grid


def linear_base(market: MarketState, risk: RiskReport) -> float:
    """Base tokens the vault is long without its options; what calls have as collateral is among them."""
    book = option_book(market)
    return delta_of(market, risk) - (book.delta if book is not None else 0.0)


def put_near(market: MarketState, expiry: int, floor: float, step_share: float) -> Chosen | None:
    """The put whose strike is the highest of the grid at or under `floor` of the price."""
    price = price_of(market)
    under = [strike for strike in strike_grid(price, step_share) if strike <= floor * price * WAD]
    return next(iter(at_strikes(market, False, expiry, under[-1:])), None)
