"""FullReport: everything the risk engine says of one vault at one block, for people, programs and modules.

Money is in whole assets, quantities in whole base tokens, time in years unless said; None is "not known", never
zero. Field names and meanings are the contract of `SCHEMA`: a change that a reader could trip over makes a new
number.
"""

from dataclasses import dataclass
from enum import StrEnum

from keeper.model.quick import quick

SCHEMA = "gimbal.risk/2"


class Standing(StrEnum):
    """How far a report, or one limit, may be relied on."""

    OK = "ok"
    WARN = "warn"
    """Near its limit."""
    BREACH = "breach"
    UNKNOWN = "unknown"
    """Cannot be judged; `problems` says why."""


@dataclass(frozen=True, slots=True)
class GreekSet:
    """Value and sensitivities, in assets and base tokens."""

    value: float
    delta: float
    """Base tokens (for another underlying: its value over the price of base)."""
    gamma: float
    """Change of delta for one asset of price."""
    vega: float
    """Assets for volatility +1.00."""
    theta: float
    """Assets a year: decay, interest and funding."""
    rho: float
    """Assets for a discount rate +1.00."""
    vanna: float
    """Change of delta for volatility +1.00."""
    volga: float
    """Change of vega for volatility +1.00."""


@dataclass(frozen=True, slots=True)
class Jumps:
    """How base jumps: at the times of a Poisson process, by normal amounts of the log price (Merton, 1976)."""

    intensity: float = 0.0
    """Jumps a year; 0 for none."""
    mean: float = 0.0
    """Of the log price in one jump."""
    deviation: float = 0.0
    """Standard, of the same."""


@dataclass(frozen=True, slots=True)
class PositionRisk:
    """One exposure."""

    id: str
    kind: str
    venue: str
    underlying: str
    quantity: float
    in_nav: bool
    greeks: GreekSet
    volatility: float | None
    problem: str


@dataclass(frozen=True, slots=True)
class LiquidationRisk:
    """One price in one direction at which a venue may liquidate."""

    underlying: str
    direction: str
    """`fall` or `rise`."""
    price: float
    """In assets; for the asset itself, as a part of its par."""
    move: float
    """Fraction from today's price, positive; 0 if it is reached."""
    sigmas: float | None
    """Log distance in deviations of the horizon."""
    expected_time: float | None
    """Years until it is hit, on average, without drift of the price; None if that is infinite or not known."""
    median_time: float | None
    """Years until it is hit with probability one half; None if it never is."""
    probability: float | None
    """Of being hit, or jumped over, before the keeper's next action takes effect."""
    probability_horizon: float | None
    """Of being hit within the horizon, if nobody acts."""


@dataclass(frozen=True, slots=True)
class VenueRisk:
    """One venue that may liquidate."""

    id: str
    readable: bool
    health: float | None
    """Collateral x threshold / debt, or equity / maintenance; None if infinite or not known."""
    collateral: float
    debt: float
    liquidations: tuple[LiquidationRisk, ...]


@quick
@dataclass(frozen=True, slots=True)
class Wait:
    """Until the keeper's next action takes effect, seconds."""

    seconds: float
    price_age_s: float
    inclusion_s: float
    congestion: float
    """Base fee over that of a calm market, at least 1."""
    keeper_can_pay: bool
    """If not, the wait is until others may protect the vault."""


@dataclass(frozen=True, slots=True)
class ScenarioRisk:
    """One scenario."""

    name: str
    spot: float
    """Change of the base price, fraction."""
    volatility: float
    """Change of every volatility, fraction."""
    days: float
    extreme: bool
    pnl: float
    """Change of NAV, assets; in a depeg in assets at par."""
    health: float | None
    """Of the lending venue after it."""


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Change of NAV by change of price (columns) and of volatility (rows), over the horizon."""

    spots: tuple[float, ...]
    volatilities: tuple[float, ...]
    pnl: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole, by name."""

    name: str
    amount: float


@dataclass(frozen=True, slots=True)
class Margin:
    """What the worst of the scan and the contingencies ask for."""

    scan: float
    worst: str
    contingencies: tuple[Share, ...]
    required: float
    headroom: float
    """NAV less what is required."""
    attribution: tuple[Share, ...]
    """Change of every position in the worst scenario; they sum to minus the scan (before an extreme's share)."""


@dataclass(frozen=True, slots=True)
class TailRisk:
    """Loss of NAV over the horizon."""

    confidence: float
    horizon_days: float
    method: str
    value_at_risk: float
    expected_shortfall: float
    var_interval: tuple[float, float] | None
    """Of 95 %, from as many observations as do not overlap; None where the distribution is a formula or the interval
    has no end."""
    losses: tuple[float, ...]
    """Quantiles of the loss at 0.5 %, 1 %, ... 99.5 %, ascending."""


@dataclass(frozen=True, slots=True)
class LiquidityRisk:
    """Getting out of every price exposure."""

    exit_notional: float
    exit_cost: float
    """All at once through the pool in range: fee and impact."""
    exit_cost_share: float
    """Of the notional."""
    sliced_cost: float
    slices: int
    horizon_days: float | None
    """Until a sliced exit is done within turnover and loss budgets; None if those never allow it."""
    bound_by: str
    """What sets the horizon: pool, turnover, losses or venue."""
    locked: float
    """Supplied at the venue beyond what it can pay out now."""


@dataclass(frozen=True, slots=True)
class FailureCost:
    """What the failure of one thing costs, alone and with all that depends on it."""

    node: str
    direct: float
    total: float
    share_of_nav: float | None
    reaches: tuple[Share, ...]
    """What fails with it, and how far (0 to 1)."""
    chain: tuple[str, ...]
    """The chain of dependence that carries the largest part of the loss."""


@quick
@dataclass(frozen=True, slots=True)
class CollateralTarget:
    """Health to keep: protect under `low`, return to `target`, release above `high`."""

    low: float
    target: float
    high: float
    bounded: bool
    """True where the policy's highest target cut it."""


@dataclass(frozen=True, slots=True)
class Concentration:
    """Largest share and Herfindahl index of one way to cut the gross value."""

    by: str
    largest: str
    share: float
    herfindahl: float


@dataclass(frozen=True, slots=True)
class LimitVerdict:
    """One limit."""

    limit: str
    value: float | None
    bound: float
    headroom: float | None
    """What is left, as a fraction of the bound; negative in breach."""
    standing: Standing


@dataclass(frozen=True, slots=True)
class Measure:
    """One number of a third-party module."""

    name: str
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class ModuleResult:
    """What a third-party module said, or why it did not."""

    module: str
    standing: Standing
    veto: str
    """Its reason not to act; empty for none."""
    measures: tuple[Measure, ...]
    problem: str


@dataclass(frozen=True, slots=True)
class Profile:
    """The vault over a range of prices, for plots."""

    spots: tuple[float, ...]
    value_now: tuple[float, ...]
    value_horizon: tuple[float, ...]
    value_expiry: tuple[float, ...]
    """With every option at its intrinsic value."""
    delta: tuple[float, ...]
    gamma: tuple[float, ...]
    vega: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class FullReport:
    """The whole. Parts that cannot be known are None or empty, and `problems` says why."""

    schema: str
    vault: str
    chain_id: int
    block_number: int
    block_hash: str
    timestamp: int
    standing: Standing
    """UNKNOWN if price or venue cannot be used; else the worst of the limits, UNKNOWN at best if the market
    state has faults."""
    problems: tuple[str, ...]
    price: float | None
    volatility: float | None
    jumps: Jumps
    """Of base, in the probabilities of liquidation; part of the volatility."""
    nav: float | None
    greeks: GreekSet | None
    """Of everything in NAV: the sum of those positions."""
    greeks_after_requests: GreekSet | None
    """As if every waiting request were settled now."""
    positions: tuple[PositionRisk, ...]
    wait: Wait
    venues: tuple[VenueRisk, ...]
    collateral: CollateralTarget | None
    scenarios: tuple[ScenarioRisk, ...]
    heat_map: HeatMap | None
    margin: Margin | None
    tail: TailRisk | None
    liquidity: LiquidityRisk | None
    contagion: tuple[FailureCost, ...]
    concentration: tuple[Concentration, ...]
    limits: tuple[LimitVerdict, ...]
    modules: tuple[ModuleResult, ...]
    profile: Profile | None

    @property
    def vetoes(self) -> tuple[str, ...]:
        """Reasons of modules not to act, each with its module."""
        return tuple(f"{m.module}: {m.veto}" for m in self.modules if m.veto)


@dataclass(frozen=True, slots=True)
class ModuleAnswer:
    """What a third-party module returns: measures, and a reason not to act if it has one."""

    measures: tuple[Measure, ...] = ()
    veto: str = ""
