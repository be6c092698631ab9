"""Frozen policies: the settings each pure stage needs, and nothing else."""

from dataclasses import dataclass, field

from keeper.model.exposure import RiskInputs
from keeper.model.units import BPS, Bps, Raw

UNBOUNDED_BPS = Bps(BPS)
"""The whole: a limit that does not bind."""
HALF_BPS = Bps(BPS // 2)


@dataclass(frozen=True, slots=True)
class MarketPolicy:
    """When readings may be believed."""

    chain_id: int
    max_feed_age_s: int
    """Greatest age of the base feed's answer the keeper trades on, seconds.
    The vault's own limit binds as well, and alone binds the quote feed with its daily heartbeat."""
    max_deviation_bps: Bps
    """Greatest difference between Chainlink and the pool's TWAP that routine moves trade on; for protection the vault's
    own limit alone binds."""
    max_spot_deviation_bps: Bps
    """Greatest difference between the pool's spot price and Chainlink that routine moves trade on; what protection
    sells is bounded by the mandate's limit on a swap's loss."""


@dataclass(frozen=True, slots=True)
class OptionPolicy:
    """How written options are sold and bought back; the mandate's limits bind as well."""

    start_over_mark_bps: int = 1_500
    """A sale starts so far over the greater of the vault's mark and the market's price. Both are taken at a worse
    spot and volatility first, as they may be when the sale opens."""
    spot_margin_bps: int = 100
    """How far the oracle's price may move until a plan is in."""
    volatility_margin_bps: int = 200
    """The same for volatility, of itself."""
    buy_back_over_mark_bps: int = 300
    """A purchase ends at most so far over the mid mark."""
    start_window_s: int = 3_600
    """Each span of so many seconds has one hidden instant from which series are written; 0 writes at once. The
    auction draws its own start after that."""
    limit_margin_bps: int = 50
    """Room left under each limit of the mandate, part of it."""
    delta_margin_bps: int = 100
    """Room between an option's delta and the mandate's bounds on it, of a delta of 1."""
    resize_bps: int = 500
    """A change of a series by less than this part of it is left undone."""
    max_writes: int = 2
    """Auctions opened by one plan."""


@dataclass(frozen=True, slots=True)
class PlanningPolicy:
    """How a target becomes moves."""

    slippage_bps: Bps
    """Slippage allowed on a swap on top of fee and computed impact, against the oracle price."""
    min_trade: Raw
    """Smallest change worth making, asset units."""
    max_swap: Raw
    """Largest single swap, asset units; larger changes are finished on later ticks."""
    idle_reserve: Raw
    """Idle asset never used by routine moves, asset units."""
    loss_margin_bps: Bps
    """Intent's maximum loss over the expected loss, as bps of traded value."""
    max_loss_bps: Bps = UNBOUNDED_BPS
    """NAV loss one plan may accept; give it the guard's own limit so that plans are sized to pass it.
    The mandate's limit and the loss budget bound it in any case."""
    options: OptionPolicy = OptionPolicy()
    order_tolerance_bps: int = 100
    """How far from the mark an order elsewhere may be filled."""
    option_venue: str = ""
    """Where options are bought; without it none are."""
    option_tolerance_bps: int = 500
    """How far from the smile's volatility, part of it, an option may be bought or sold elsewhere."""
    protective_slice_risk: float = 0.0
    """A protective change is sliced only if after its first slice the probability of falling to the mandate's limits
    within `slice_horizon_s` is at most this; 0: never sliced."""
    resize_bps: int = 1_000
    """A change of a supply, a loan or options bought by less than this part of what is held is left undone."""
    risk_aversion: float = 0.0
    """Relative, of whoever owns the vault: what waiting costs, hence which changes are worth their cost and how fast
    large ones are made. 0: every change a strategy wants and that is large enough is made."""
    waiting_days: float = 30.0
    """How long what is not done is expected to be left undone."""
    slice_impact_bps: int = BPS
    """A routine change that would move the pool's price by more is made in slices."""
    slice_horizon_s: int = 3_600
    """Over which a change is sliced."""
    slice_every_s: int = 60
    """From one slice to the next: the pool is back at the market by then."""


@dataclass(frozen=True, slots=True)
class GuardPolicy:
    """The keeper's own limits, at most as wide as the mandate's."""

    max_routine_base_fee_wei: int
    """Routine plans wait above this base fee; protective ones never do."""
    max_loss_bps: Bps
    """NAV loss of one plan."""
    min_keeper_balance_wei: int
    """Routine plans stop below this balance of the keeper's account."""
    connected_venues: tuple[str, ...] = ()
    """Venues beyond the vault's contract that orders can be sent to; a plan with any other is refused."""


@dataclass(frozen=True, slots=True)
class MarkPolicy:
    """When marks are posted to the vault's volatility oracle, by a keeper that is its poster."""

    post: bool = True
    """Whether it is a duty at all."""
    band_bps: int = 200
    """Marks further from the market's smiles than this part of a volatility are posted anew."""
    refresh_bps: int = 5_000
    """Part of the age at which marks turn stale, after which they are posted even if they are right."""


@dataclass(frozen=True, slots=True)
class UpkeepPolicy:
    """Which work is done without being asked for by a strategy."""

    beat_after_bps: Bps = HALF_BPS
    """Part of the mandate's silence after which the heart is beaten, if no rebalance has."""
    settle: bool = True
    """Settle an epoch that is over and that somebody waits for."""
    options: bool = True
    """What the vault's options need of anybody: series, observations of volatility, settlements, clearing away."""
    marks: MarkPolicy = MarkPolicy()


@dataclass(frozen=True, slots=True)
class ModulePolicy:
    """What third-party risk modules may stop."""

    silence_refuses: bool = True
    """A module that is asked and gives no usable answer counts as a veto."""


@dataclass(frozen=True, slots=True)
class Policies:
    """All of them."""

    market: MarketPolicy
    planning: PlanningPolicy
    guard: GuardPolicy
    upkeep: UpkeepPolicy = UpkeepPolicy()
    risk: RiskInputs = field(default_factory=RiskInputs)
    modules: ModulePolicy = ModulePolicy()
