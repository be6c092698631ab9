"""Readings and market states with sensible values, so that a test names only the numbers it is about.

The default vault: one million dollars of equity, levered three times long ether at 2,000 dollars, on a
venue with mainnet-like terms, beside a deep 0.05 % pool at the oracle's price.
"""

from dataclasses import replace
from math import isqrt

from keeper.model.block import BlockStamp
from keeper.model.ledger import Ledger
from keeper.model.mandate import (
    Budget,
    Caps,
    Emergency,
    Limits,
    MandateState,
    OptionLimits,
    Terms,
)
from keeper.model.market import (
    NO_OPTIONS,
    BookValue,
    Depositors,
    FeedReading,
    Fees,
    MarketState,
    Marks,
    Measure,
    Options,
    PoolState,
    PriceFault,
    PriceReading,
    Readings,
    SequencerReading,
    Token,
    TokenPosition,
    VenueAccount,
)
from keeper.model.policy import GuardPolicy, MarketPolicy, PlanningPolicy
from keeper.model.units import INFINITE_HEALTH, WAD, Bps, Raw, Wad, Wei

NOW = 1_700_000_000
ASSET = "0x" + "a5" * 20
BASE = "0x" + "ba" * 20
LENDING = "0x" + "1e" * 20
SWAPPER = "0x" + "5a" * 20
VAULT = "0x" + "7a" * 20
KEEPER = "0x" + "ce" * 20
POOL = "0x" + "90" * 20
MANDATE = "0x" + "3a" * 20
NOWHERE = "0x" + "00" * 20
STATE_HASH = "0x" + "5e" * 32
CHAIN_ID = 31_337


def dollars(amount: float, decimals: int = 6) -> Raw:
    """Whole dollars as asset units."""
    return Raw(round(amount * 10**6) * 10**decimals // 10**6)


def ether(amount: float, decimals: int = 18) -> Raw:
    """Whole base tokens as base units."""
    return Raw(round(amount * 10**8) * 10**decimals // 10**8)


def wad(value: float) -> Wad:
    """A ratio or a price, exact to 1e-9."""
    return Wad(round(value * 10**9) * 10**9)


def market_policy(
    *,
    chain_id: int = CHAIN_ID,
    max_feed_age_s: int = 3_900,
    max_deviation_bps: int = 150,
    max_spot_deviation_bps: int = 150,
) -> MarketPolicy:
    """A keeper that trusts what a healthy mainnet day shows."""
    return MarketPolicy(
        chain_id, max_feed_age_s, Bps(max_deviation_bps), Bps(max_spot_deviation_bps)
    )


def planning_policy(
    *,
    slippage_bps: int = 30,
    min_trade: float = 100,
    max_swap: float = 10_000_000,
    idle_reserve: float = 0,
    loss_margin_bps: int = 20,
    max_loss_bps: int = 10_000,
    asset_decimals: int = 6,
) -> PlanningPolicy:
    """Amounts in whole dollars."""
    return PlanningPolicy(
        slippage_bps=Bps(slippage_bps),
        min_trade=dollars(min_trade, asset_decimals),
        max_swap=dollars(max_swap, asset_decimals),
        idle_reserve=dollars(idle_reserve, asset_decimals),
        loss_margin_bps=Bps(loss_margin_bps),
        max_loss_bps=Bps(max_loss_bps),
    )


def guard_policy(
    *,
    max_routine_base_fee_gwei: float = 100,
    max_loss_bps: int = 10_000,
    min_keeper_balance_eth: float = 0.05,
) -> GuardPolicy:
    """A guard that only refuses what the mandate refuses, unless told otherwise."""
    return GuardPolicy(
        max_routine_base_fee_wei=round(max_routine_base_fee_gwei * 10**9),
        max_loss_bps=Bps(max_loss_bps),
        min_keeper_balance_wei=round(min_keeper_balance_eth * 10**18),
    )


def make_limits(
    *,
    min_health: float = 1.05,
    max_swap_loss_bps: int = 200,
    max_loss_bps: int = 200,
    max_loss_per_day_bps: int = 500,
    max_borrow_bps: int = 9_000,
) -> Limits:
    """A mandate as a curator of a leveraged vault would write it."""
    return Limits(
        min_health_wad=wad(min_health),
        max_swap_loss_bps=Bps(max_swap_loss_bps),
        max_loss_bps=Bps(max_loss_bps),
        max_loss_per_day_bps=Bps(max_loss_per_day_bps),
        max_borrow_bps=Bps(max_borrow_bps),
    )


def make_caps(
    *,
    delta_target_bps: int = 0,
    delta_band_bps: int = 100_000,
    max_venue_bps: int = 10_000,
    turnover_per_day_bps: int = 200_000,
    cooldown_s: int = 0,
    max_oracle_age_s: int = 3_600,
) -> Caps:
    """Caps that bind nothing unless told otherwise."""
    return Caps(
        delta_target_bps=Bps(delta_target_bps),
        delta_band_bps=Bps(delta_band_bps),
        max_venue_bps=Bps(max_venue_bps),
        max_option_bps=Bps(0),
        turnover_per_day_bps=Bps(turnover_per_day_bps),
        cooldown_s=cooldown_s,
        max_oracle_age_s=max_oracle_age_s,
        protective_loss_per_day_bps=Bps(500),
    )


def make_emergency(*, health: float = 1.04, silence_s: int = 3_600) -> Emergency:
    """Others may protect under `health` after an hour of silence."""
    return Emergency(
        emergency_health_wad=wad(health),
        critical_health_wad=wad(health - 0.01),
        silence_s=silence_s,
        slice_bps=Bps(1_000),
        cooldown_s=60,
        bounty_bps=Bps(50),
        max_bounty=dollars(1_000),
    )


def make_mandate(
    *,
    limits: Limits | None = None,
    caps: Caps | None = None,
    emergency: Emergency | None = None,
    nav: int = 1,
    routine_left: int = 0,
    protective_left: int = 0,
    turnover_left: int = 20 * WAD,
    paused: bool = False,
    winding_down: bool = False,
    keeper_allowed: bool = True,
    last_beat: int = NOW - 60,
    last_routine_at: int = 0,
) -> MandateState:
    """A mandate with so many asset units left of each loss bucket at a NAV."""
    options = OptionLimits(
        3_600, 86_400, Bps(500), Bps(5_000), Bps(0), Bps(0), Bps(0), Bps(0), 300, 60, Bps(0),
        Bps(500), 0,
    )  # fmt: skip
    terms = Terms(
        limits or make_limits(), caps or make_caps(), emergency or make_emergency(), options
    )

    def budget(left: int) -> Budget:
        # rounded up, so that the amount comes back as it was given
        return Budget(Wad(-(-left * WAD // nav) if nav > 0 else 0), Wad(WAD // 20))

    return MandateState(
        address=MANDATE,
        terms=terms,
        terms_hash="0x" + "7e" * 32,
        state_hash=STATE_HASH,
        last_beat=last_beat,
        last_routine_at=last_routine_at,
        paused=paused,
        winding_down=winding_down,
        keeper_allowed=keeper_allowed,
        routine=budget(routine_left),
        protective=budget(protective_left),
        turnover=Budget(Wad(turnover_left), Wad(20 * WAD)),
    )


def make_depositors(
    *,
    pending_deposits: float = 0,
    pending_redemptions: int = 0,
    due_in_s: int = 600,
    halted: bool = False,
    priced: bool = True,
    open_marks: bool = True,
) -> Depositors:
    """An epoch that ends in ten minutes and that nobody waits for."""
    fees = Fees(NOWHERE, Bps(0), Bps(0))
    return Depositors(
        epoch=3,
        settled_at=NOW + due_in_s - 3_600,
        due_at=NOW + due_in_s,
        pending_deposits=dollars(pending_deposits),
        pending_redemptions=pending_redemptions,
        reserved=Raw(0),
        settled_nav=dollars(1_000_000),
        high_water_mark=10**18,
        halted=halted,
        cap=Raw(2**128 - 1),
        minimum=Raw(0),
        allow_listed=False,
        fees=fees,
        next_fees=fees,
        marks=Marks(dollars(999_000), dollars(1_001_000), open_marks) if priced else None,
    )


def make_feed(
    *,
    description: str = "ETH / USD",
    answer: int = 2_000 * 10**8,
    age_s: int = 60,
    max_age_s: int = 4_500,
    fault: PriceFault = PriceFault.NONE,
) -> FeedReading:
    """One Chainlink feed, `age_s` old at the block of the readings."""
    return FeedReading(
        feed="0x" + "fe" * 20,
        description=description,
        decimals=8,
        round_id=10,
        answered_in_round=10,
        answer=answer,
        updated_at=NOW - age_s,
        max_age_s=max_age_s,
        fault=fault,
        min_answer=10**6,
        max_answer=10**14,
    )


def make_price(
    price: float = 2_000, *, twap: float | None = None, fault: PriceFault = PriceFault.NONE
) -> PriceReading:
    """Oracle price and pool average, dollars per ether."""
    twap = price if twap is None else twap
    apart = round(abs(price - twap) / price * 10_000) if price else 0
    return PriceReading(
        price_wad=wad(price),
        twap_wad=wad(twap),
        deviation_bps=Bps(apart),
        max_deviation_bps=Bps(200),
        twap_window_s=1_800,
        fault=fault,
        base=make_feed(answer=round(price * 10**8)),
        quote=make_feed(description="USDC / USD", answer=10**8, max_age_s=90_000),
        sequencer=SequencerReading(NOWHERE, up=True, since=0, grace_s=0, fault=PriceFault.NONE),
    )


def make_pool(
    spot: float = 2_000,
    *,
    depth: float = 400_000_000,
    fee_pips: int = 500,
    asset_decimals: int = 6,
    base_decimals: int = 18,
    base_is_token0: bool = False,
) -> PoolState:
    """A pool in range; `depth` is what the virtual asset reserve is worth, dollars."""
    asset_reserve = dollars(depth, asset_decimals)
    base_reserve = ether(depth / spot, base_decimals)
    reserves = (base_reserve, asset_reserve) if base_is_token0 else (asset_reserve, base_reserve)
    return PoolState(
        pool=POOL,
        fee_pips=fee_pips,
        tick=0,
        sqrt_price_x96=isqrt(reserves[1] * 2**192 // reserves[0]),
        liquidity=isqrt(reserves[0] * reserves[1]),
        base_is_token0=base_is_token0,
    )


def _position(
    token: str, amounts: tuple[float, float, float], decimals: int, frozen: bool
) -> TokenPosition:
    """Supplied, debt and available in whole tokens, under mainnet's terms for USDC and WETH."""
    whole = dollars if token == ASSET else ether
    supplied, debt, available = (whole(amount, decimals) for amount in amounts)
    ltv_bps, threshold_bps = (7_700, 8_000) if token == ASSET else (8_050, 8_300)
    return TokenPosition(
        token=token,
        supplied=supplied,
        debt=debt,
        ltv_bps=Bps(ltv_bps),
        liquidation_threshold_bps=Bps(threshold_bps),
        liquidation_bonus_bps=Bps(10_500),
        supply_rate_ray=2 * 10**25,
        borrow_rate_ray=3 * 10**25,
        available=available,
        frozen_or_paused=frozen,
    )


def make_readings(
    *,
    price: float = 2_000,
    spot: float | None = None,
    depth: float = 400_000_000,
    idle_asset: float = 0,
    idle_base: float = 0,
    supplied_asset: float = 0,
    supplied_base: float = 1_500,
    debt_asset: float = 2_000_000,
    debt_base: float = 0,
    available: float = 100_000_000,
    frozen: bool = False,
    limits: Limits | None = None,
    caps: Caps | None = None,
    emergency: Emergency | None = None,
    loss_budget_left: float = 50_000,
    protective_left: float | None = None,
    turnover_left: float = 20,
    paused: bool = False,
    winding_down: bool = False,
    unhedged: bool = False,
    last_beat: int = NOW - 60,
    last_routine_at: int = 0,
    depositors: Depositors | None = None,
    book: BookValue = NO_OPTIONS,
    asset_decimals: int = 6,
    base_decimals: int = 18,
    base_is_token0: bool = False,
    keeper_allowed: bool = True,
    keeper_balance_eth: float = 1,
    base_fee_gwei: float = 20,
) -> Readings:
    """A vault at one block; amounts in whole tokens, venue and vault figures follow from them.

    Both loss buckets have `loss_budget_left` dollars unless the protective one is given; turnover is a
    multiple of NAV.
    """
    spot = (price or 2_000) if spot is None else spot
    readings = Readings(
        block=BlockStamp(
            100, "0x" + "b1" * 32, "0x" + "b0" * 32, NOW, round(base_fee_gwei * 10**9)
        ),
        chain_id=CHAIN_ID,
        vault=VAULT,
        asset=Token(ASSET, asset_decimals),
        base=Token(BASE, base_decimals),
        total_shares=10**24,
        nav_valid=price > 0,
        nav=Raw(0),
        idle_asset=dollars(idle_asset, asset_decimals),
        idle_base=ether(idle_base, base_decimals),
        unhedged=unhedged,
        mandate=make_mandate(),
        depositors=depositors or make_depositors(),
        measure=None,
        options=Options(NOWHERE, book, volatility_known=True, positions=()),
        venue_readable=True,
        lending_adapter=LENDING,
        account=VenueAccount(0, 0, INFINITE_HEALTH),
        asset_position=_position(
            ASSET, (supplied_asset, debt_asset, available), asset_decimals, frozen
        ),
        base_position=_position(
            BASE, (supplied_base, debt_base, available / 2_000), base_decimals, frozen
        ),
        pool_readable=True,
        swap_adapter=SWAPPER,
        pool=make_pool(
            spot,
            depth=depth,
            asset_decimals=asset_decimals,
            base_decimals=base_decimals,
            base_is_token0=base_is_token0,
        ),
        price=make_price(price),
        keeper=KEEPER,
        keeper_balance_wei=Wei(round(keeper_balance_eth * 10**18)),
    )
    nav = Ledger.of(readings).nav_down()
    safe = loss_budget_left if protective_left is None else protective_left
    mandate = make_mandate(
        limits=limits,
        caps=caps,
        emergency=emergency,
        nav=nav,
        routine_left=dollars(loss_budget_left, asset_decimals),
        protective_left=dollars(safe, asset_decimals),
        turnover_left=round(turnover_left * 10**9) * 10**9,
        paused=paused,
        winding_down=winding_down,
        keeper_allowed=keeper_allowed,
        last_beat=last_beat,
        last_routine_at=last_routine_at,
    )
    return settled(replace(readings, mandate=mandate))


def settled(readings: Readings) -> Readings:
    """The readings with venue account and NAV as they follow from holdings and price."""
    ledger = Ledger.of(readings)
    to_dollars = ledger.asset_scale * 10**readings.asset.decimals
    account = VenueAccount(
        collateral_base=ledger.collateral_scaled() * 10**8 // to_dollars,
        debt_base=ledger.debt_scaled() * 10**8 // to_dollars,
        health_wad=ledger.health_wad(),
    )
    nav = Raw(max(0, ledger.nav_down()))
    measure = Measure(
        priced=readings.price.price_wad > 0 and readings.price.fault is PriceFault.NONE,
        options_known=True,
        price_wad=readings.price.price_wad,
        price_at=readings.price.base.updated_at,
        health_wad=account.health_wad,
        gross=Raw(ledger.gross_scaled() // ledger.asset_scale),
        debt=Raw(-(-ledger.owed_scaled() // ledger.asset_scale)),
        nav=nav,
        debt_asset=readings.asset_position.debt,
        debt_base=readings.base_position.debt,
        supplied_asset=readings.asset_position.supplied,
        supplied_base=readings.base_position.supplied,
        delta_base=ledger.net_delta(),
        lent=Raw(ledger.collateral_scaled() // ledger.asset_scale),
        option_collateral=Raw(0),
        notional=Raw(0),
        vega=Raw(0),
    )
    return replace(readings, account=account, nav=nav, measure=measure)


def make_market(readings: Readings | None = None, *, faults: tuple[str, ...] = ()) -> MarketState:
    """A market state without faults unless they are given."""
    return MarketState(readings or make_readings(), faults)


def health_of(readings: Readings) -> float:
    """Health as a ratio."""
    return readings.account.health_wad / WAD
