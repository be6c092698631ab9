"""What risk is measured of: generic exposures, the tempo of chain and keeper, and what depends on what.

Floats here are estimates in whole units: assets for money, base tokens for quantities, years for time, fractions
for volatilities and rates.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from keeper.model.quick import quick
from keeper.model.risk_report import Jumps

ASSET = "asset"
"""The vault's unit of account, as an underlying."""
BASE = "base"
"""The vault's other token, as an underlying."""


class Kind(StrEnum):
    """What an exposure is, hence how it is valued."""

    CASH = "cash"
    """Value = quantity, in assets."""
    SPOT = "spot"
    """Value = quantity x price; as the next two."""
    SUPPLY = "supply"
    LOAN = "loan"
    OPTION = "option"
    """European, cash-settled: value = quantity x Black-76 at the price."""
    PERPETUAL = "perpetual"
    """Value = quantity x (price - entry)."""
    REQUEST = "request"
    """Of depositors, waiting for a settlement: not part of NAV until then."""


@quick
@dataclass(frozen=True, slots=True)
class Exposure:
    """One position at one venue. Quantity is signed: negative for what is owed or sold."""

    id: str
    kind: Kind
    venue: str
    underlying: str
    quantity: float
    is_call: bool = True
    strike: float = 0.0
    years: float = 0.0
    """To expiry."""
    volatility: float | None = None
    """None: not known; the option is then valued at its intrinsic value and the report says so."""
    entry: float = 0.0
    """Price a perpetual was opened at."""
    rate: float = 0.0
    """A year: interest on the value (a loan's is paid as its quantity is negative); of a perpetual, funding paid
    by longs."""
    problem: str = ""
    """Why its figures are worth less than they look."""
    raw: int | None = None
    """The quantity in the token's own units, exact; None where a venue gives no more than the float."""


@dataclass(frozen=True, slots=True)
class Underlying:
    """Something with a price in assets, other than the vault's base."""

    id: str
    price: float
    volatility: float
    """Annualised."""
    correlation: float
    """Of its log returns with those of base."""


@dataclass(frozen=True, slots=True)
class MarginVenue:
    """A venue that liquidates when equity is under a part of the positions' value."""

    id: str
    maintenance: float
    """Fraction of the value of all perpetuals there, long or short."""


@dataclass(frozen=True, slots=True)
class Dependence:
    """If `upstream` fails, `downstream` fails to `severity` (0 to 1)."""

    upstream: str
    downstream: str
    severity: float


@dataclass(frozen=True, slots=True)
class Tempo:
    """How long the vault is on its own before the keeper's next action takes effect."""

    block_time_s: float = 12.0
    inclusion_blocks: float = 2.0
    """Blocks a protective transaction waits for in a calm market."""
    calm_base_fee_wei: int = 20 * 10**9
    """Base fee of a calm market; above it inclusion is slower in proportion."""
    oracle_latency_s: float = 30.0
    """From a move of the market to the oracle's answer on chain."""
    gas_of_protection: int = 1_500_000
    """Gas of the dearest protective transaction the keeper must be able to pay."""


@dataclass(frozen=True, slots=True)
class RiskPolicy:
    """What is measured, and the keeper's own limits; None is no limit."""

    confidence: float = 0.99
    horizon_days: float = 1.0
    """Of value at risk, of the scenarios, and of distances."""
    volatility_of_volatility: float = 0.9
    """Annualised, of log volatility: 0.88 was measured of the 30-day index of ether in 2023."""
    spot_volatility_correlation: float = 0.0
    """The same measurement gave +0.21, older ones a negative sign: none is assumed."""
    liquidation_tolerance: float = 1e-6
    """Probability of liquidation per wait that the dynamic health target allows."""
    jump: float = 0.05
    """Fraction by which the price may gap past every reaction; the health target covers it as well."""
    highest_health_target: float = 3.0
    depeg: float = 0.10
    """Fall of a stablecoin that fails."""
    slice_impact_bps: float = 30.0
    """Most price impact of one slice of an exit."""
    pool_recovery_s: float = 60.0
    """Until arbitrage has refilled the pool after a slice."""
    short_option_floor: float = 0.005
    """Least margin of a short option, as a fraction of the underlying's value."""
    extreme_share: float = 0.35
    """Part of an extreme scenario's loss that counts for margin (as SPAN counts it)."""
    max_liquidation_probability: float | None = 1e-3
    max_var_of_nav: float | None = 0.25
    max_margin_of_nav: float | None = 1.0
    max_failure_of_nav: float | None = None
    max_exit_days: float | None = None
    warn_share: float = 0.8
    """Part of a limit from which a verdict warns."""


@dataclass(frozen=True, slots=True)
class RiskInputs:
    """All that the market state does not say."""

    volatility: float | None = None
    """Forecast for base over the horizon, annualised; None: unknown, and what needs it is unknown too."""
    option_volatilities: tuple[tuple[str, float], ...] = ()
    """By series id, from a surface; else implied by the vault's own mark, else the forecast."""
    residuals: tuple[float, ...] = ()
    """Past log returns over the volatility forecast for them: the shape of the loss distribution. Fewer than 250
    are not used; a Student t with 4 degrees stands in for them."""
    overlap: int = 1
    """How many consecutive residuals share a part: 24 for returns of a day taken every hour."""
    jumps: Jumps = field(default_factory=Jumps)
    """Of base; their variance is a part of the forecast volatility's."""
    exposures: tuple[Exposure, ...] = ()
    """Beyond those of the market state (perpetuals, other venues)."""
    underlyings: tuple[Underlying, ...] = ()
    margin_venues: tuple[MarginVenue, ...] = ()
    dependences: tuple[Dependence, ...] = ()
    tempo: Tempo = field(default_factory=Tempo)
    policy: RiskPolicy = field(default_factory=RiskPolicy)
