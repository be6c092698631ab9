"""What a backtest plays in: the vault, its venues, and how the world around it behaves. Integers on the chain side."""

from dataclasses import dataclass, field, replace

from keeper.errors import SettingError
from keeper.model.mandate import Caps, Emergency, Limits, OptionLimits, Terms
from keeper.model.market import Token
from keeper.model.policy import (
    GuardPolicy,
    MarketPolicy,
    OptionPolicy,
    PlanningPolicy,
    Policies,
)
from keeper.model.units import BPS, WAD, Bps, Raw, Wad

RAY = 10**27
ASSET_ADDRESS, BASE_ADDRESS = "0x" + "a5" * 20, "0x" + "ba" * 20
ASSET, BASE = Token(ASSET_ADDRESS, 6), Token(BASE_ADDRESS, 18)
CHAIN_ID = 1


@dataclass(frozen=True, slots=True)
class ReserveSpec:
    """One token at the lending venue; rates a year in RAY, amounts in token units."""

    ltv_bps: int
    threshold_bps: int
    bonus_bps: int
    """What a liquidator gets for 10,000 of what it repays."""
    others_supplied: int
    others_borrowed: int
    reserve_factor_bps: int
    optimal_ray: int
    base_ray: int
    slope1_ray: int
    slope2_ray: int


@dataclass(frozen=True, slots=True)
class PoolSpec:
    """The swap pool: liquidity in range worth `depth` asset units of virtual reserve at the first price."""

    fee_pips: int = 500
    depth: int = 400_000_000 * 10**6
    base_is_token0: bool = False
    twap_window_s: int = 600


@dataclass(frozen=True, slots=True)
class OracleSpec:
    """When the base feed answers (where no rounds are given), and when the vault's oracle believes it."""

    deviation_bps: int = 50
    heartbeat_s: int = 3_600
    latency_s: int = 0
    """From the market's move to the round."""
    max_age_s: int = 4_500
    quote_max_age_s: int = 90_000
    max_deviation_bps: int = 500
    """Between round and pool average."""
    min_answer: int = 10**8
    max_answer: int = 10**14


@dataclass(frozen=True, slots=True)
class ChainSpec:
    """Blocks, gas, and how long a transaction takes."""

    block_s: int = 12
    latency_blocks: int = 2
    """A decision on block n takes effect on block n + this, on the state there."""
    arbitrage_blocks: int = 0
    """From a trade of the vault's to the arbitrageur's answer; 0: in its own block, as searchers do who follow it."""
    base_fee_wei: int = 20 * 10**9
    """Until a gas event says otherwise."""
    tip_wei: int = 10**9
    gas_beat: int = 50_000
    gas_settle: int = 450_000
    revert_gas_bps: int = 4_000
    """Gas of a transaction that reverts, of what it was estimated at."""
    keeper_balance_wei: int = 10 * 10**18


@dataclass(frozen=True, slots=True)
class LiquidatorSpec:
    """Others who liquidate what may be liquidated, as Aave v3 lets them."""

    latency_blocks: int = 1
    close_factor_bps: int = 5_000
    full_below_wad: int = 95 * 10**16
    """Health below which the whole debt may be repaid."""
    most_rounds: int = 8
    """In a row, at one moment of the market."""


@dataclass(frozen=True, slots=True)
class PerpetualSpec:
    """The simulated perpetual venue; basis points of the position's value."""

    venue: str = "perp"
    instrument: str = "perpetual"
    fee_bps: int = 5
    spread_bps: int = 2
    """From the mark to what a taker gets."""
    initial_bps: int = 1_000
    maintenance_bps: int = 500
    keep_bps: int = 3_300
    """Equity that is kept there."""
    top_up_bps: int = 2_000
    """Equity under which it is brought back up to it."""
    liquidation_fee_bps: int = 100
    most_notional: int = 10_000_000 * 10**6
    asset_decimals: int = 6
    average_s: int = 7 * 86_400
    """Time over which the offer's mean funding is taken; shorter until so much has been heard."""


@dataclass(frozen=True, slots=True)
class OptionsSpec:
    """Who trades options with the vault, and at what volatilities."""

    venue: str = "options"
    """Where options are bought."""
    half_spread_bps: int = 300
    """Of volatility: between a mid mark and the low and high ones of the settlement."""
    bid_discount_bps: int = 300
    """Of volatility: how far under the market the best bidder values a sale."""
    bidder_step_bps: int = 100
    """Of volatility: how much less each further bidder pays."""
    bidders: int = 5
    bidder_size: int = 200 * 10**18
    """Base units one bidder takes."""
    ask_premium_bps: int = 300
    """Of volatility: how far over the market options are bought (back)."""
    floor_ratio_bps: int = 8_000
    """Reserve volatility over the realised one: nothing is sold under the model's value there, less the mandate's
    discount."""
    start_premium_bps: int = 2_000
    """Of volatility: where an auction starts over the market."""
    assumed_premium_bps: int | None = None
    """Implied over realised volatility where no option data are given; None: no options without data."""
    realised_days: int = 30
    """Length of memory of the realised volatility."""


@dataclass(frozen=True, slots=True)
class FeeSpec:
    """What depositors are charged."""

    management_bps: int = 0
    performance_bps: int = 0


@dataclass(frozen=True, slots=True)
class Holdings:
    """What the vault starts with, token units."""

    idle_asset: int = 0
    idle_base: int = 0
    supplied_asset: int = 0
    supplied_base: int = 0
    debt_asset: int = 0
    debt_base: int = 0


MAINNET_BASE = ReserveSpec(
    ltv_bps=8_050,
    threshold_bps=8_300,
    bonus_bps=10_500,
    others_supplied=500_000 * 10**18,
    others_borrowed=250_000 * 10**18,
    reserve_factor_bps=1_500,
    optimal_ray=RAY * 80 // 100,
    base_ray=0,
    slope1_ray=RAY * 38 // 1000,
    slope2_ray=RAY * 80 // 100,
)
MAINNET_ASSET = ReserveSpec(
    ltv_bps=7_700,
    threshold_bps=8_000,
    bonus_bps=10_450,
    others_supplied=500_000_000 * 10**6,
    others_borrowed=350_000_000 * 10**6,
    reserve_factor_bps=1_000,
    optimal_ray=RAY * 90 // 100,
    base_ray=0,
    slope1_ray=RAY * 55 // 1000,
    slope2_ray=RAY * 60 // 100,
)
DEFAULT_TERMS = Terms(
    limits=Limits(
        min_health_wad=Wad(WAD * 110 // 100),
        max_swap_loss_bps=Bps(200),
        max_loss_bps=Bps(200),
        max_loss_per_day_bps=Bps(500),
        max_borrow_bps=Bps(8_200),
    ),
    caps=Caps(
        delta_target_bps=Bps(0),
        delta_band_bps=Bps(100_000),
        max_venue_bps=Bps(BPS),
        max_option_bps=Bps(BPS),
        turnover_per_day_bps=Bps(200_000),
        cooldown_s=60,
        max_oracle_age_s=3_900,
        protective_loss_per_day_bps=Bps(1_000),
    ),
    emergency=Emergency(
        emergency_health_wad=Wad(WAD * 105 // 100),
        critical_health_wad=Wad(WAD * 1025 // 1000),
        silence_s=24 * 3_600,
        slice_bps=Bps(2_500),
        cooldown_s=60,
        bounty_bps=Bps(50),
        max_bounty=Raw(1_000 * 10**6),
    ),
    options=OptionLimits(
        min_tenor_s=3_600,
        max_tenor_s=95 * 86_400,
        min_delta_bps=Bps(100),
        max_delta_bps=Bps(6_000),
        max_notional_bps=Bps(20_000),
        max_vega_bps=Bps(20_000),
        reserve_discount_bps=Bps(500),
        buy_back_premium_bps=Bps(500),
        auction_duration_s=3_600,
        start_window_s=0,
        min_bid_bps=Bps(0),
        max_bid_bps=Bps(BPS),
        max_series=16,
    ),
)
"""A mandate wide enough for every strategy; a study of limits brings its own."""


@dataclass(frozen=True, slots=True)
class BacktestSpec:
    """Everything beside the events, the strategy and the policies."""

    holdings: Holdings = Holdings(idle_asset=1_000_000 * 10**6)
    asset: Token = ASSET
    base: Token = BASE
    asset_reserve: ReserveSpec = MAINNET_ASSET
    base_reserve: ReserveSpec = MAINNET_BASE
    pool: PoolSpec = PoolSpec()
    oracle: OracleSpec = OracleSpec()
    chain: ChainSpec = ChainSpec()
    liquidator: LiquidatorSpec = LiquidatorSpec()
    terms: Terms = field(default=DEFAULT_TERMS)
    perpetual: PerpetualSpec = PerpetualSpec()
    options: OptionsSpec = OptionsSpec()
    fees: FeeSpec = FeeSpec()
    epoch_s: int = 86_400
    curator_resolves_s: int = 86_400
    """How long a vault stays marked as unhedged after a liquidation."""
    follow_ups: int = 20
    """Most further ticks on the blocks after one that changed something, until the next event."""

    @property
    def venues(self) -> tuple[str, ...]:
        """Simulated venues beyond the vault's contract."""
        return (self.perpetual.venue, self.options.venue)

    def __post_init__(self) -> None:
        h = self.holdings
        amounts = (h.idle_asset, h.idle_base, h.supplied_asset, h.supplied_base)
        if min(*amounts, h.debt_asset, h.debt_base) < 0:
            raise SettingError("holdings", "an amount is negative", "give token units from 0")
        if max(amounts) == 0:
            raise SettingError("holdings", "the vault starts with nothing", "give it something")
        chain = self.chain
        if chain.block_s <= 0 or chain.latency_blocks < 1 or chain.arbitrage_blocks < 0:
            problem = (
                f"{chain.block_s} s, {chain.latency_blocks} and {chain.arbitrage_blocks} blocks"
            )
            remedy = (
                "give blocks of at least 1 s, a latency of at least 1 block, an answer of 0 or more"
            )
            raise SettingError("chain", problem, remedy)
        if not 0 < self.pool.fee_pips < 10**6 or self.pool.depth <= 0:
            raise SettingError("pool", "fee or depth out of bounds", "give 0 < fee < 1, depth > 0")


def default_policies(asset_decimals: int = 6, connected: tuple[str, ...] = ()) -> Policies:
    """The settings' own defaults, for an asset of so many decimals, with simulated venues connected."""
    unit = 10**asset_decimals
    return Policies(
        market=MarketPolicy(CHAIN_ID, 4_500, Bps(300), Bps(300)),
        planning=PlanningPolicy(
            slippage_bps=Bps(50),
            min_trade=Raw(100 * unit),
            max_swap=Raw(500_000 * unit),
            idle_reserve=Raw(0),
            loss_margin_bps=Bps(50),
            max_loss_bps=Bps(100),
            options=OptionPolicy(start_window_s=0),  # a hidden start means nothing between bars
            risk_aversion=3.0,
            slice_impact_bps=100,
        ),
        guard=GuardPolicy(100 * 10**9, Bps(100), 2 * 10**16, connected),
    )


def levered(spec: BacktestSpec, health: float, price_wad: int) -> BacktestSpec:
    """The same equity, held as base collateral against asset debt at a health; nothing is charged for getting there.

    SettingError for a health that the venue's loan to value does not allow.
    """
    terms, h = spec.base_reserve, spec.holdings
    scale = WAD * 10 ** (spec.base.decimals - spec.asset.decimals)
    equity = h.idle_asset + h.supplied_asset - h.debt_asset
    equity += (h.idle_base + h.supplied_base - h.debt_base) * price_wad // scale
    wad = round(health * 10**6) * 10**12
    least = WAD * terms.threshold_bps // terms.ltv_bps
    if wad <= least:
        problem = f"health {health} is not above {least / WAD:.4f}, where the venue stops lending"
        raise SettingError("health", problem, "give more")
    backed = BPS * wad - terms.threshold_bps * WAD
    collateral = equity * BPS * wad // backed
    supplied = collateral * scale // price_wad
    debt = supplied * price_wad // scale - equity
    return replace(spec, holdings=Holdings(supplied_base=supplied, debt_asset=debt))
