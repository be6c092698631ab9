"""Readings (what the chain said) and MarketState (what we believe after checking it)."""

from dataclasses import dataclass
from enum import IntEnum

from keeper.model.block import BlockStamp
from keeper.model.desk import DeskState
from keeper.model.exposure import Exposure
from keeper.model.mandate import Limits, MandateState
from keeper.model.outlook import NO_OUTLOOK, Outlook
from keeper.model.quick import quick
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


@quick
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
    min_answer: int
    """Answers must be above it."""
    max_answer: int
    """And below it."""


@quick
@dataclass(frozen=True, slots=True)
class SequencerReading:
    """The rollup's sequencer by its uptime feed; no fault where there is none."""

    feed: str
    """The zero address on a chain without one."""
    up: bool
    since: int
    """Unix seconds when it went up or down; 0 if unknown."""
    grace_s: int
    fault: PriceFault


@quick
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
    sequencer: SequencerReading


@quick
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


@quick
@dataclass(frozen=True, slots=True)
class VenueAccount:
    """The account as the venue values it, in its base currency (USD, 8 decimals)."""

    collateral_base: int
    debt_base: int
    health_wad: Wad


@quick
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
class Token:
    """An ERC-20 by address and decimals."""

    address: str
    decimals: int


@quick
@dataclass(frozen=True, slots=True)
class Marks:
    """NAVs that a settlement would price at now, asset units."""

    low: Raw
    high: Raw
    open: bool
    """Deposits can be priced."""


@quick
@dataclass(frozen=True, slots=True)
class Fees:
    """What the depositors are charged, and who gets it (IVaultShares.Fees)."""

    recipient: str
    management_bps: Bps
    performance_bps: Bps


@quick
@dataclass(frozen=True, slots=True)
class Depositors:
    """The depositors' side: who waits, until when, at what price."""

    epoch: int
    settled_at: int
    due_at: int
    """Unix seconds; from then on anybody may settle."""
    pending_deposits: Raw
    pending_redemptions: int
    """Shares."""
    reserved: Raw
    """Asset units settled and not yet claimed."""
    settled_nav: Raw
    high_water_mark: int
    """Asset units of one whole share, times 1e12."""
    halted: bool
    """Deposits are neither taken nor settled."""
    cap: Raw
    minimum: Raw
    allow_listed: bool
    fees: Fees
    next_fees: Fees
    """From the next settlement on."""
    marks: Marks | None
    """None while nothing can be settled."""


@quick
@dataclass(frozen=True, slots=True)
class Measure:
    """What a rebalance would be judged by now (IMandate.Measure); asset units unless said."""

    priced: bool
    options_known: bool
    """False while volatility is unusable: options then count at intrinsic value."""
    price_wad: Wad
    price_at: int
    health_wad: Wad
    gross: Raw
    debt: Raw
    nav: Raw
    debt_asset: Raw
    debt_base: Raw
    supplied_asset: Raw
    supplied_base: Raw
    delta_base: int
    """Base units, signed."""
    lent: Raw
    option_collateral: Raw
    notional: Raw
    vega: Raw
    """For a volatility 1.00 higher or lower."""


@quick
@dataclass(frozen=True, slots=True)
class OptionPosition:
    """One series the vault has written (IOptionDesk.Position); base units unless said."""

    series_id: str
    """Decimal: it does not fit a JSON number."""
    is_call: bool
    strike_wad: Wad
    second_strike_wad: Wad
    """Of the other option of a spread; 0 for none."""
    expiry: int
    written: Raw
    sold: Raw
    in_auction: Raw
    mark_low: Raw
    """Asset units owed for what is sold; 0 while `fault` is set."""
    mark_mid: Raw
    mark_high: Raw
    delta_base: int
    gamma_base: int
    """Change of `delta_base` for one asset of spot, x 1e18."""
    vega: int
    """Asset units for volatility +1.00; negative when the vault is short volatility."""
    fault: int
    awaiting: bool
    """Expired and not collected."""


@quick
@dataclass(frozen=True, slots=True)
class BookValue:
    """The options as NAV sees them (IOptionDesk); asset units unless said."""

    collateral_base: Raw
    """Base units held for calls."""
    collateral_asset: Raw
    escrow_asset: Raw
    """Cash waiting in purchases."""
    liability_low: Raw
    liability_mid: Raw
    liability_high: Raw
    delta_base: int
    """Base units, signed."""
    vega: Raw
    notional_base: Raw
    open_series: int
    awaiting: bool


NO_OPTIONS = BookValue(Raw(0), Raw(0), Raw(0), Raw(0), Raw(0), Raw(0), 0, Raw(0), Raw(0), 0, False)


@quick
@dataclass(frozen=True, slots=True)
class Options:
    """The vault's desk; `value` and `positions` are at the oracle's Chainlink price."""

    desk: str
    """The zero address for a vault that writes none."""
    value: BookValue | None
    """None in the middle of a call."""
    volatility_known: bool
    """False while volatility is unusable: `value` is then intrinsic, as the mandate counts it."""
    positions: tuple[OptionPosition, ...]
    state: DeskState | None = None
    """What the lens does not show; None without a desk."""

    @property
    def has_desk(self) -> bool:
        """True if the vault can write options."""
        return int(self.desk, 16) != 0


@quick
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
    """What moves may use: neither reserved for claims nor waiting for a settlement."""
    idle_base: Raw
    unhedged: bool
    """A venue holds less than the vault opened there."""
    mandate: MandateState
    depositors: Depositors
    measure: Measure | None
    """None in the middle of a call."""
    options: Options
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
    keeper_balance_wei: Wei

    @property
    def limits(self) -> Limits:
        """The mandate's limits on every rebalance."""
        return self.mandate.terms.limits

    @property
    def paused(self) -> bool:
        """Only what reduces risk passes: the vault is paused or winding down."""
        return self.mandate.paused or self.mandate.winding_down


@quick
@dataclass(frozen=True, slots=True)
class MarketState:
    """Readings that passed (or named) every check; without faults price exposure may be traded."""

    readings: Readings
    faults: tuple[str, ...]
    """Human reasons why prices must not be traded on (stale, disagreeing, not positive, ...)."""
    outlook: Outlook = NO_OUTLOOK
    """Forecasts, and what other venues offer."""
    holdings: tuple[Exposure, ...] = ()
    """Positions that the readings do not show: perpetuals, options bought, supplies and loans at other venues. The
    id of each names its instrument at its venue."""
    cautions: tuple[str, ...] = ()
    """Those of the faults that are the keeper's own narrower limits: the vault itself would trade."""

    @property
    def tradable(self) -> bool:
        """True if moves with price exposure are allowed."""
        return not self.faults

    @property
    def protectable(self) -> bool:
        """True if protection may trade: nothing but the keeper's own caution is against it.

        A venue liquidates whether or not the keeper trusts the price; what the vault's own limits allow is bounded by
        them, at the oracle's price.
        """
        return all(fault in self.cautions for fault in self.faults)
