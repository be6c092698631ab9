"""The mandate: what the vault lets any keeper do, and what has been used of it (IMandate)."""

from dataclasses import dataclass

from keeper.model.quick import quick
from keeper.model.units import WAD, Bps, Raw, Wad

DUST_UNITS = 5
"""Units of a token that one move may lose to the venue's rounding, as the vault counts."""
TOP_UP_TIMES = 4
"""More collateral is protection up to so many times the minimum health; beyond, it is lending."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits on every rebalance (IMandate.Limits); basis points are of NAV before it unless said."""

    min_health_wad: Wad
    max_swap_loss_bps: Bps
    max_loss_bps: Bps
    max_loss_per_day_bps: Bps
    """Of the routine bucket, refilled in a day."""
    max_borrow_bps: Bps
    """Debt over gross assets where the debt of either token rose."""


@dataclass(frozen=True, slots=True)
class Caps:
    """Limits on every rebalance that does not reduce every measured risk (IMandate.Caps)."""

    delta_target_bps: Bps
    """Wanted value of the net delta over NAV."""
    delta_band_bps: Bps
    """Most the net delta may be away from it; holds for reducing rebalances too (V-06)."""
    max_venue_bps: Bps
    """Supplied at the lending venue over gross assets."""
    max_option_bps: Bps
    """Collateral of options over gross assets."""
    turnover_per_day_bps: Bps
    """Sold in swaps, refilled in a day."""
    cooldown_s: int
    max_oracle_age_s: int
    """Since the price's last round."""
    protective_loss_per_day_bps: Bps
    """Of the bucket of reducing rebalances."""


@dataclass(frozen=True, slots=True)
class Emergency:
    """When and how anybody may protect the vault (IMandate.Emergency)."""

    emergency_health_wad: Wad
    """Below it, if the heart is silent."""
    critical_health_wad: Wad
    """Below it, always."""
    silence_s: int
    slice_bps: Bps
    cooldown_s: int
    bounty_bps: Bps
    max_bounty: Raw


@dataclass(frozen=True, slots=True)
class OptionLimits:
    """What the vault may do with options (OptionLimits); tenors and durations in seconds."""

    min_tenor_s: int
    max_tenor_s: int
    min_delta_bps: Bps
    max_delta_bps: Bps
    max_notional_bps: Bps
    max_vega_bps: Bps
    reserve_discount_bps: Bps
    buy_back_premium_bps: Bps
    auction_duration_s: int
    start_window_s: int
    min_bid_bps: Bps
    max_bid_bps: Bps
    max_series: int


@dataclass(frozen=True, slots=True)
class Terms:
    """Every parameter of the mandate."""

    limits: Limits
    caps: Caps
    emergency: Emergency
    options: OptionLimits


@quick
@dataclass(frozen=True, slots=True)
class Budget:
    """What may still be used of a bucket, as parts of NAV."""

    left_wad: Wad
    capacity_wad: Wad

    def left_down(self, nav: int) -> Raw:
        """Asset units left at a NAV, rounded down."""
        return Raw(max(0, nav) * self.left_wad // WAD)

    def capacity_down(self, nav: int) -> Raw:
        """Asset units held when full at a NAV, rounded down."""
        return Raw(max(0, nav) * self.capacity_wad // WAD)


@quick
@dataclass(frozen=True, slots=True)
class MandateState:
    """The mandate of one vault at one block."""

    address: str
    terms: Terms
    terms_hash: str
    state_hash: str
    """What the next intent must name; 0x and 32 bytes."""
    last_beat: int
    """Unix seconds."""
    last_routine_at: int
    """Unix seconds of the last rebalance that did not reduce every risk; 0 for none."""
    paused: bool
    winding_down: bool
    keeper_allowed: bool
    routine: Budget
    protective: Budget
    turnover: Budget
