"""What the options of a vault depend on beyond the lens: auctions, volatility marks, settlements, known series."""

from dataclasses import dataclass
from enum import IntEnum

from keeper.model.quick import quick
from keeper.model.units import Bps, Raw, Wad


class VolatilityFault(IntEnum):
    """Mirror of IVolatilityOracle.Fault; up to FROZEN volatility is usable."""

    NONE = 0
    STALE = 1
    FROZEN = 2
    EXPIRED = 3
    FLOOR_UNKNOWN = 4
    OUT_OF_RANGE = 5


class SettlementStatus(IntEnum):
    """Mirror of ISettlementOracle.Status."""

    OPEN = 0
    QUARANTINED = 1
    SETTLED = 2
    VOID = 3


@quick
@dataclass(frozen=True, slots=True)
class VolatilityMark:
    """The smile of one tenor (VolatilitySmile.Mark)."""

    tenor_s: int
    level_ppm: int
    skew_bps: int
    convexity_bps: Bps


@quick
@dataclass(frozen=True, slots=True)
class Posting:
    """Who may post marks, and how far they may move (IVolatilityOracle.Limits); basis points of log-volatility."""

    poster: str
    marked_at: int
    """Unix seconds of the last post."""
    frozen: bool
    min_interval_s: int
    """Between posts."""
    max_age_s: int
    """Beyond which marks are stale and their spread widens."""
    max_step_bps: Bps
    """Most one post may move any volatility."""
    left_wad: Wad
    """What is left of the day's moves."""


@dataclass(frozen=True, slots=True)
class VolatilityReading:
    """The vault's volatility oracle; what marks and reserves are made of."""

    oracle: str
    fault: VolatilityFault
    floor_wad: Wad
    """No volatility is under it; 0 while `fault` makes it unusable."""
    half_spread_bps: Bps
    observed_at: int
    """Unix seconds of the last observation."""
    interval_s: int
    """Between observations; a slot starts at each multiple of it."""
    slack_s: int
    """Into a slot, within which it can be observed."""
    marks: tuple[VolatilityMark, ...]
    """Ascending in tenor."""
    posting: Posting | None = None
    """None where it was not read."""

    @property
    def usable(self) -> bool:
        """True if options can be valued."""
        return self.fault <= VolatilityFault.FROZEN


@quick
@dataclass(frozen=True, slots=True)
class Auction:
    """One auction of the vault's desk that is not cancelled."""

    auction_id: int
    series_id: str
    sells: bool
    """False: it buys back."""
    start_at: int
    end_at: int
    """Last second of fills."""
    left: Raw
    """Unsold, or still wanted; base units."""
    cash: Raw
    """What a purchase may still spend, asset units."""
    limit_price_wad: Wad
    """A sale's first price; the most a purchase pays."""


@quick
@dataclass(frozen=True, slots=True)
class SeriesStatus:
    """Whether the book knows a series that somebody wants."""

    series_id: str
    exists: bool


@dataclass(frozen=True, slots=True)
class Straddle:
    """The round of a feed in force at an instant and the one after it (ISettlementOracle.Straddle)."""

    round_id: int
    next_round_id: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """An expiry that a series of the vault waits for."""

    expiry: int
    status: SettlementStatus
    recorded: bool
    """The pool's average is stored."""
    record_from: int
    """Unix seconds from which it can be, until `record_until`; without it, proofs count from then on."""
    record_until: int
    quarantined_at: int
    resolve_at: int
    """Unix seconds from which a quarantine can be resolved; 0 for none."""
    proven: bool
    """The feeds' price is known."""
    base_rounds: Straddle | None = None
    """Found on the feeds; None where there is nothing to prove yet."""
    quote_rounds: Straddle | None = None


@quick
@dataclass(frozen=True, slots=True)
class DeskState:
    """All of it at one block."""

    book: str
    auction: str
    settlement_oracle: str
    volatility: VolatilityReading
    auctions: tuple[Auction, ...] = ()
    series: tuple[SeriesStatus, ...] = ()
    """Those that were asked for; what is not named is not known."""
    settlements: tuple[Settlement, ...] = ()

    def exists(self, series_id: str) -> bool | None:
        """Whether the book knows a series; None if it was not asked."""
        return next((s.exists for s in self.series if s.series_id == series_id), None)
