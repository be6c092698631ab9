"""Hold options that are cheap against the forecast, and trade base against their delta."""

from dataclasses import dataclass, replace
from typing import Annotated

from keeper.model.decision import Target
from keeper.model.market import MarketState
from keeper.model.parameters import Range, check_ranges, require
from keeper.model.risk import RiskReport
from strategies.parts.buying import held_units, more_of, near_expiry, to_spend
from strategies.parts.gates import blocked, forecast
from strategies.parts.hedging import Hedge, hedge
from strategies.parts.needs import NO_FORECAST, Need, lacks
from strategies.parts.positions import nav_of, option_book, unit
from strategies.parts.series import Chosen, at_money, expiry_at, sized
from strategies.parts.targets import hold, with_series


@dataclass(frozen=True, slots=True)
class GammaScalping:
    """While implied volatility is at least `least_edge` under the forecast hold straddles near the money whose decay
    is `most_decay` of NAV a day at most, and keep the delta of the whole book inside its optimal band.

    Earns: realised less implied variance: each move away from the last hedge is sold high and bought low.
    Risks: time: the premium decays every day, whatever happens; and a fall of implied volatility.
    Loses: in quiet markets, at most the premium; and when moves are large and reverse before they reach the band.
    """

    least_edge: Annotated[float, Range(0.0, 1.0, "volatility")] = 0.05
    """Forecast over implied, at least, to buy."""
    most_decay: Annotated[float, Range(0.0, 0.05, "of NAV a day")] = 0.0005
    """Theta of every option held, at most, when bought."""
    most_premium: Annotated[float, Range(0.0, 1.0, "of NAV")] = 0.03
    """Premium of what is held, at most."""
    tenor_days: Annotated[float, Range(2, 365, "days")] = 30.0
    renew_days: Annotated[float, Range(0, 180, "days")] = 5.0
    """Options are sold so long before expiry."""
    aversion: Annotated[float, Range(0.01, 1_000, "relative risk aversion")] = 5.0
    cost_rate: Annotated[float, Range(0.0, 0.10, "of a trade's value")] = 0.0008
    gas: Annotated[float, Range(0, 1e7, "gas of one trade")] = 600_000
    least_band: Annotated[float, Range(0.0, 1.0, "of NAV, each side")] = 0.005
    health_margin: Annotated[float, Range(0.0, 10.0, "over the mandate's minimum")] = 0.10
    strike_step: Annotated[float, Range(0.001, 0.10, "of price")] = 0.01
    """Distance of strikes, rounded down to 1, 2 or 5 times a power of ten."""
    least_value: Annotated[float, Range(0.0, 1e9, "assets")] = 1_000.0
    """Value of base under the options, under which none are bought."""
    venue: str = ""
    """Perpetual venue to hedge at; empty: spot and the vault's own lending venue."""

    def __post_init__(self) -> None:
        check_ranges(self)
        require(
            self,
            self.renew_days <= self.tenor_days / 2,
            "renew_days <= tenor_days / 2",
            renew_days=self.renew_days,
            tenor_days=self.tenor_days,
        )

    @property
    def needs(self) -> tuple[Need, ...]:
        """Beyond the readings."""
        own = (Need.FORECAST, Need.SMILES, Need.OPTION_VENUE)
        return (*own, Need.FUNDING) if self.venue else own

    @property
    def claims(self) -> tuple[str, ...]:
        """What it alone may change."""
        perpetual = (f"perpetual {self.venue}",) if self.venue else ()
        return ("held calls", "held puts", *perpetual)

    def __call__(self, market: MarketState, risk: RiskReport) -> Target:
        """The straddles to hold and the hedge of the book, each if it is due."""
        reason = blocked(market, risk)
        if reason:
            return hold(reason)
        scalp = hedge(market, risk, self._hedge())
        options = self._straddles(market, risk)
        if options.hold:
            return scalp if not scalp.hold else hold(f"{options.reason}; {scalp.reason}")
        if scalp.hold:
            return options
        both = f"{options.reason}; {scalp.reason}"
        return replace(scalp, options=options.options, reason=both)

    def _hedge(self) -> Hedge:
        return Hedge(
            0.0,
            self.aversion,
            self.cost_rate,
            self.gas,
            self.least_band,
            self.health_margin,
            self.venue,
        )

    def _straddles(self, market: MarketState, risk: RiskReport) -> Target:
        old = near_expiry(market, True, self.renew_days) | near_expiry(
            market, False, self.renew_days
        )
        found = self._cheap(market)
        running = min(held_units(market, is_call, self.renew_days) for is_call in (True, False))
        if isinstance(found, str):
            # Nothing new is bought, and what decays fastest is sold all the same.
            return (
                with_series(market, (), f"sell what expires; {found}", old) if old else hold(found)
            )
        if running and not old:
            held = running / unit(market.readings.base.decimals)
            return hold(f"{held:.4f} straddles are held")
        tokens = self._tokens(market, risk, found)
        if sized(market, tokens, self.least_value) == 0:
            reason = f"{tokens:.4f} straddles fit the limits, which is not worth an order"
            return with_series(market, (), reason, old) if old else hold(reason)
        call, put = found
        reason = f"hold {tokens:.4f} straddles at {call.strike:g}, implied {call.volatility:.1%}"
        legs = tuple(more_of(market, leg, tokens, reason) for leg in (call, put))
        return with_series(market, legs, reason, old)

    def _cheap(self, market: MarketState) -> tuple[Chosen, Chosen] | str:
        """Both legs, or why they are not bought."""
        expected = forecast(market)
        if expected is None:
            return NO_FORECAST
        expiry = expiry_at(market.readings.block.timestamp, self.tenor_days)
        call = at_money(market, True, expiry, self.strike_step)
        put = at_money(market, False, expiry, self.strike_step)
        if call is None or put is None:
            return lacks("no option near the money has an implied volatility", Need.SMILES)
        edge = expected - call.volatility
        if edge < self.least_edge:
            return (
                f"the forecast {expected:.1%} is {edge:+.1%} from implied {call.volatility:.1%}, "
                f"under {self.least_edge:+.1%}"
            )
        return call, put

    def _tokens(self, market: MarketState, risk: RiskReport, legs: tuple[Chosen, Chosen]) -> float:
        """Whole straddles: by decay, by premium, by what is idle."""
        nav = nav_of(market, risk) or 0.0
        book = option_book(market)
        if book is None:
            return 0.0
        premium = sum(leg.price for leg in legs)
        # Near the money an option decays by about its time value over twice the time left.
        decay = premium / (2 * 365 * legs[0].years)
        spent = max(0.0, -book.theta) / 365, max(0.0, book.value)
        bounds = (
            (self.most_decay * nav - spent[0]) / decay,
            (self.most_premium * nav - spent[1]) / premium,
            to_spend(market) / premium,
        )
        return max(0.0, min(bounds))
