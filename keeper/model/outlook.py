"""What a strategy may know beyond the vault's own readings: forecasts, smiles, rates and prices elsewhere.

Everything has a default that says "not known", so that a strategy which needs more than it is given holds, and an
old journal reads as what was known then. Floats are estimates in whole units: prices in assets per whole base,
rates and volatilities a year as fractions.
"""

from dataclasses import dataclass

from keeper.model.quick import quick
from keeper.model.units import Raw


@quick
@dataclass(frozen=True, slots=True)
class Smile:
    """Implied volatilities of one expiry."""

    expiry: int
    """Unix seconds."""
    forward: float
    points: tuple[tuple[float, float], ...]
    """(ln(strike / forward), implied volatility), ascending in the first; at least one."""
    own: bool = False
    """True if it is read off the vault's own volatility oracle: what was posted there, and no word of the market."""


@quick
@dataclass(frozen=True, slots=True)
class LendingRate:
    """One token at one lending venue, as it is offered now."""

    venue: str
    token: str
    """Address."""
    supply_rate: float
    borrow_rate: float
    ltv: float
    """Most that may be borrowed against its value, fraction; 0 if it is no collateral."""
    threshold: float
    """Part of its value that counts for health, fraction."""
    available: Raw
    """Token units that can be withdrawn or borrowed now."""
    cap: Raw
    """Token units that can still be supplied."""


@quick
@dataclass(frozen=True, slots=True)
class Funding:
    """The perpetual on base at one venue."""

    venue: str
    rate: float
    """A year, paid by longs to shorts; negative: the other way."""
    mark: float
    index: float
    maintenance: float
    """Equity under which the venue liquidates, as a fraction of the position's value."""
    fee: float
    """Of a trade's value, as a taker."""
    most_notional: float
    """Largest position the venue takes, assets."""
    average: float | None = None
    """Mean of `rate` over the last `average_days`, each payment by its time, known payments only; None: not known.
    Who offers a venue gives it over about a week or more: one payment says little of the next month's."""
    average_days: float = 0.0
    """Days that `average` covers; 0 where there is none."""


@quick
@dataclass(frozen=True, slots=True)
class PoolQuote:
    """One swap pool of asset and base."""

    pool: str
    fee_pips: int
    """1e-6 of what is sold."""
    price: float
    liquidity: float
    """Virtual reserve of base in range, whole tokens: selling dx of base moves the price by the factor
    (1 + dx / liquidity)^-2."""
    tick: int = 0


@quick
@dataclass(frozen=True, slots=True)
class Outlook:
    """All of it at one block."""

    volatility: float | None = None
    """Forecast for base over the next days; None: unknown."""
    volatility_low: float | None = None
    """Ends of the forecast's own range (four in five)."""
    volatility_high: float | None = None
    regime: str = ""
    """Of volatility, as the regime filter names it; empty if not known."""
    smiles: tuple[Smile, ...] = ()
    """Ascending in expiry."""
    lending: tuple[LendingRate, ...] = ()
    funding: tuple[Funding, ...] = ()
    pools: tuple[PoolQuote, ...] = ()
    base_fee_wei: int | None = None
    """Expected for the next hour; None: the block's."""
    drawdown: float | None = None
    """1 - share value / its highest so far."""
    returns_volatility: float | None = None
    """Of the vault's own NAV per share, realised lately."""


NO_OUTLOOK = Outlook()
