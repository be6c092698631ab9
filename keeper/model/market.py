"""Readings (what the chain said) and MarketState (what we believe after checking it)."""

from dataclasses import dataclass
from enum import IntEnum

from keeper.model.block import BlockStamp
from keeper.model.units import Bps, Raw, Wad, Wei


class PriceFault(IntEnum):
    """Mirror of IPriceOracle.Fault."""

    NONE = 0
    UNREADABLE = 1
    NOT_POSITIVE = 2
    INCOMPLETE = 3
    STALE = 4
    DEVIATES = 5
    OUT_OF_BOUNDS = 6
    SEQUENCER_DOWN = 7
    SEQUENCER_GRACE = 8


@dataclass(frozen=True, slots=True)
class FeedReading:
    """One Chainlink feed at the pinned block."""

    feed: str
    description: str
    decimals: int
    round_id: int
    answered_in_round: int
    answer: int
    updated_at: int
    max_age_s: int
    fault: PriceFault


@dataclass(frozen=True, slots=True)
class PriceReading:
    """Chainlink price and TWAP as the vault's oracle sees them; quote per whole base, WAD."""

    price_wad: Wad
    twap_wad: Wad
    deviation_bps: Bps
    max_deviation_bps: Bps
    twap_window_s: int
    fault: PriceFault
    base: FeedReading
    quote: FeedReading


@dataclass(frozen=True, slots=True)
class TokenPosition:
    """One token at the lending venue; amounts in token units, rates per year in RAY."""

    token: str
    supplied: Raw
    debt: Raw
    ltv_bps: Bps
    liquidation_threshold_bps: Bps
    liquidation_bonus_bps: Bps
    supply_rate_ray: int
    borrow_rate_ray: int
    available: Raw
    frozen_or_paused: bool


@dataclass(frozen=True, slots=True)
class VenueAccount:
    """The account as the venue values it, in its base currency (USD, 8 decimals)."""

    collateral_base: int
    debt_base: int
    health_wad: Wad


@dataclass(frozen=True, slots=True)
class PoolState:
    """The swap pool in range."""

    pool: str
    fee_pips: int
    tick: int
    sqrt_price_x96: int
    liquidity: int
    base_is_token0: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """The mandate's limits (IVault.Limits)."""

    min_health_wad: Wad
    max_swap_loss_bps: Bps
    max_loss_bps: Bps
    max_loss_per_day_bps: Bps
    max_borrow_bps: Bps


@dataclass(frozen=True, slots=True)
class Token:
    """An ERC-20 by address and decimals."""

    address: str
    decimals: int


@dataclass(frozen=True, slots=True)
class Readings:
    """VaultLens.snapshot at one block, decoded and not yet judged."""

    block: BlockStamp
    chain_id: int
    vault: str
    asset: Token
    base: Token
    total_shares: int
    nav_valid: bool
    nav: Raw
    idle_asset: Raw
    idle_base: Raw
    paused: bool
    limits: Limits
    loss_budget_left: Raw
    loss_budget_capacity: Raw
    venue_readable: bool
    lending_adapter: str
    account: VenueAccount
    asset_position: TokenPosition
    base_position: TokenPosition
    pool_readable: bool
    swap_adapter: str
    pool: PoolState
    price: PriceReading
    keeper: str
    keeper_allowed: bool
    keeper_balance_wei: Wei


@dataclass(frozen=True, slots=True)
class MarketState:
    """Readings that passed (or named) every check; without faults price exposure may be traded."""

    readings: Readings
    faults: tuple[str, ...]
    """Human reasons why prices must not be traded on (stale, disagreeing, not positive, ...)."""

    @property
    def tradable(self) -> bool:
        """True if moves with price exposure are allowed."""
        return not self.faults
