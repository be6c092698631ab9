"""What is held, in one form: options of the vault's desk and of other venues, perpetuals, their Greeks."""

from collections.abc import Iterator
from dataclasses import dataclass

from keeper.model.decision import OptionTarget
from keeper.model.exposure import ASSET, BASE, Exposure, Kind
from keeper.model.ledger import Ledger
from keeper.model.market import MarketState, OptionPosition
from keeper.model.risk import RiskReport
from keeper.model.units import WAD, Wad
from strategies.parts.smiles import implied

SECONDS_A_YEAR = 365 * 86_400
LEAST_YEARS = 60 / SECONDS_A_YEAR
"""An option in its last minute is valued as if it had one: Greeks end with it."""
FLOAT_CARE = 1 - 1e-12
"""What is free is taken a part in 10^12 smaller, so that no rounding on the way asks for more than there is."""


@dataclass(frozen=True, slots=True)
class OptionBook:
    """Greeks of every option, in base tokens and assets."""

    delta: float
    gamma: float
    """Change of delta for one asset of price."""
    vega: float
    """Assets for volatility +1.00."""
    vanna: float
    """Change of delta for volatility +1.00."""
    theta: float
    """Assets a year."""
    years: float
    """To the expiry of the option with the most gamma; 0 without options."""
    value: float
    """Assets; negative: owed."""


EMPTY_BOOK = OptionBook(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def unit(decimals: int) -> int:
    """Token units of a whole token."""
    return int(10**decimals)


def price_of(market: MarketState) -> float:
    """Oracle price, assets per whole base; 0 if there is none."""
    return market.readings.price.price_wad / WAD


def nav_of(market: MarketState, risk: RiskReport) -> float | None:
    """Whole assets, with what is held elsewhere; None without a price."""
    if risk.nav is None:
        return None
    price = price_of(market)
    own = risk.nav / unit(market.readings.asset.decimals)
    return own + sum(_value(market, held, price) for held in market.holdings)


def delta_of(market: MarketState, risk: RiskReport) -> float:
    """Whole book, base tokens: the vault's net delta and that of everything held elsewhere."""
    own = risk.net_delta / unit(market.readings.base.decimals)
    return own + delta_elsewhere(market)


def delta_elsewhere(market: MarketState) -> float:
    """Base tokens, of the holdings that the readings do not show."""
    total = 0.0
    for held in market.holdings:
        if held.kind is Kind.OPTION:
            total += _book(market, [_held_leg(held)]).delta
        elif held.underlying == BASE:
            total += held.quantity
    return total


def perpetuals_of(market: MarketState, venue: str) -> float:
    """Base tokens long (negative: short) of the perpetual there."""
    return sum(
        held.quantity
        for held in market.holdings
        if held.kind is Kind.PERPETUAL and held.venue == venue
    )


def written(market: MarketState, is_call: bool) -> tuple[OptionPosition, ...]:
    """Series of one kind that the vault has written, expired ones that wait among them."""
    positions = market.readings.options.positions
    return tuple(p for p in positions if p.is_call is is_call and p.written > 0)


def held_series(market: MarketState) -> tuple[OptionTarget, ...]:
    """Everything in options that has not expired, as a target that changes nothing."""
    readings = market.readings
    own = (
        OptionTarget(p.is_call, p.strike_wad, p.expiry, -p.written, p.second_strike_wad, "held")
        for p in readings.options.positions
        if p.written > 0 and p.expiry > readings.block.timestamp
    )
    bought: dict[tuple[bool, Wad, int], int] = {}
    for held in market.holdings:
        if held.kind is not Kind.OPTION or held.years <= 0:
            continue
        key = (held.is_call, Wad(grid_wad(held.strike)), expiry_of(market, held))
        amount = round(held.quantity * unit(readings.base.decimals))
        bought[key] = bought.get(key, 0) + amount
    elsewhere = (OptionTarget(*key, amount, reason="held") for key, amount in bought.items())
    return (*own, *elsewhere)


def expiry_of(market: MarketState, held: Exposure) -> int:
    """Unix seconds, to the minute: `years` is a float of it."""
    left = held.years * SECONDS_A_YEAR
    return round((market.readings.block.timestamp + left) / 60) * 60


def grid_wad(strike: float) -> int:
    """A strike as WAD, to a millionth of an asset: floats of a grid come back to it."""
    return round(strike * 10**6) * 10**12


def option_book(market: MarketState) -> OptionBook | None:
    """Greeks of every option at the smile, else at the forecast; None where a volatility is needed and unknown."""
    legs = [*_written_legs(market)]
    legs += [_held_leg(held) for held in market.holdings if held.kind is Kind.OPTION]
    legs = [leg for leg in legs if leg[0] != 0.0]
    if not legs:
        return EMPTY_BOOK
    if any(_volatility(market, leg) is None for leg in legs):
        return None
    return _book(market, legs)


Leg = tuple[float, bool, float, float, float | None]
"""Quantity (negative: written), is_call, strike, years, volatility if it has one of its own."""


def _written_legs(market: MarketState) -> Iterator[Leg]:
    readings = market.readings
    for p in readings.options.positions:
        years = (p.expiry - readings.block.timestamp) / SECONDS_A_YEAR
        if p.awaiting or years <= 0:
            continue  # settled in all but the transfer: it no longer moves
        sold = p.sold / unit(readings.base.decimals)
        yield -sold, p.is_call, p.strike_wad / WAD, years, None
        if p.second_strike_wad:
            yield sold, p.is_call, p.second_strike_wad / WAD, years, None


def _held_leg(held: Exposure) -> Leg:
    quantity = held.quantity if held.years > 0 else 0.0
    return quantity, held.is_call, held.strike, held.years, held.volatility


def _volatility(market: MarketState, leg: Leg) -> float | None:
    """Of the smile; without one the option's own, and without that the forecast."""
    _, _, strike, years, own = leg
    at = implied(market.outlook, market.readings.block.timestamp, years, strike)
    return at or own or market.outlook.volatility


def _book(market: MarketState, legs: list[Leg]) -> OptionBook:
    import numpy as np

    from keeper.quant import black

    price = price_of(market)
    if not legs or price <= 0:
        return EMPTY_BOOK
    quantity = np.array([leg[0] for leg in legs])
    years = np.maximum([leg[3] for leg in legs], LEAST_YEARS)
    sign = [1.0 if leg[1] else -1.0 for leg in legs]
    volatility = [_volatility(market, leg) or 0.0 for leg in legs]
    g = black.greeks(price, [leg[2] for leg in legs], years, volatility, sign)
    gammas = np.abs(quantity * g.gamma)
    return OptionBook(
        delta=float(quantity @ g.delta),
        gamma=float(quantity @ g.gamma),
        vega=float(quantity @ g.vega),
        vanna=float(quantity @ g.vanna),
        theta=float(quantity @ g.theta),
        years=float(years[int(np.argmax(gammas))]),
        value=float(quantity @ g.price),
    )


def _value(market: MarketState, held: Exposure, price: float) -> float:
    """Assets; another underlying than asset and base is not known here and counts for nothing."""
    if held.kind is Kind.REQUEST:
        return 0.0
    if held.kind is Kind.OPTION:
        return _book(market, [_held_leg(held)]).value
    if held.kind is Kind.PERPETUAL:
        return held.quantity * (price - held.entry)
    return held.quantity * {ASSET: 1.0, BASE: price}.get(held.underlying, 0.0)


def free_base(market: MarketState) -> float:
    """Idle base, whole tokens, a trifle less."""
    return market.readings.idle_base / unit(market.readings.base.decimals) * FLOAT_CARE


def free_asset(market: MarketState) -> float:
    """Idle assets, whole, a trifle less."""
    return market.readings.idle_asset / unit(market.readings.asset.decimals) * FLOAT_CARE


def gross_of(market: MarketState) -> float:
    """Everything the readings show that is held, whole assets."""
    ledger = Ledger.of(market.readings)
    return ledger.gross_scaled() / ledger.asset_scale / unit(market.readings.asset.decimals)


def to_base_units(market: MarketState, tokens: float) -> int:
    """Whole tokens as base units, towards zero and exactly: no float is multiplied."""
    return _units(tokens, market.readings.base.decimals)


def to_asset_units(market: MarketState, assets: float) -> int:
    """Whole assets as asset units, towards zero and exactly."""
    return _units(assets, market.readings.asset.decimals)


def _units(amount: float, decimals: int) -> int:
    numerator, denominator = abs(amount).as_integer_ratio()
    units = numerator * unit(decimals) // denominator
    return -units if amount < 0 else units
