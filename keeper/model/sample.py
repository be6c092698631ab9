"""A market state to try a strategy on: a vault of base and assets on a calm day, each number within reach.

market = sample_market(price=2_000, idle_base=100, idle_asset=300_000)
target = MyStrategy()(market, assess(market))
"""

from dataclasses import replace
from math import isqrt

from keeper.model.block import BlockStamp
from keeper.model.exposure import Exposure
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
    Depositors,
    FeedReading,
    Fees,
    MarketState,
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
from keeper.model.outlook import Outlook, Smile
from keeper.model.units import INFINITE_HEALTH, WAD, Bps, Raw, Wad, Wei

NOW = 1_700_000_000
"""Block time of every sample, unix seconds: a Tuesday."""
DAY = 86_400
ASSET, BASE = "0x" + "a5" * 20, "0x" + "ba" * 20
_NOWHERE = "0x" + "00" * 20
_DESK = "0x" + "de" * 20
_DOLLAR, _ETHER = 10**6, 10**18
_RAY = 10**27
_DEPTH = 400_000_000
"""Value of the pool's virtual reserve on each side, dollars."""


def sample_market(
    *,
    price: float = 2_000.0,
    idle_base: float = 100.0,
    idle_asset: float = 300_000.0,
    supplied_base: float = 0.0,
    debt_asset: float = 0.0,
    volatility: float | None = 0.7,
    implied: float | None = 0.8,
    base_fee_gwei: float = 20.0,
    paused: bool = False,
    faults: tuple[str, ...] = (),
    holdings: tuple[Exposure, ...] = (),
) -> MarketState:
    """Amounts in whole tokens, price in assets; `implied` is the volatility at the money of every expiry.

    None leaves the forecast, or the smiles, unknown. What else there is to change, change by `dataclasses.replace`.
    """
    readings = _readings(price, idle_base, idle_asset, supplied_base, debt_asset)
    readings = replace(
        readings,
        block=replace(readings.block, base_fee_wei=round(base_fee_gwei * 10**9)),
        mandate=replace(readings.mandate, paused=paused),
    )
    smiles = () if implied is None else _smiles(price, implied)
    return MarketState(readings, faults, Outlook(volatility=volatility, smiles=smiles), holdings)


def _smiles(price: float, implied: float) -> tuple[Smile, ...]:
    """Dearer at both ends and most on the downside, as in ether's options."""
    points = tuple(
        (x, implied - 0.1 * x + 0.3 * x * x) for x in (-0.6, -0.3, -0.1, 0.0, 0.1, 0.3, 0.6)
    )
    return tuple(Smile(NOW + days * DAY, price, points) for days in (3, 14, 45, 120))


def _readings(
    price: float, idle_base: float, idle_asset: float, supplied_base: float, debt_asset: float
) -> Readings:
    bare = Readings(
        block=BlockStamp(100, "0x" + "b1" * 32, "0x" + "b0" * 32, NOW, 20 * 10**9),
        chain_id=31_337,
        vault="0x" + "7a" * 20,
        asset=Token(ASSET, 6),
        base=Token(BASE, 18),
        total_shares=_ETHER * 10**6,
        nav_valid=price > 0,
        nav=Raw(0),
        idle_asset=Raw(int(idle_asset * _DOLLAR)),
        idle_base=Raw(int(idle_base * _ETHER)),
        unhedged=False,
        mandate=_mandate(),
        depositors=_depositors(),
        measure=None,
        options=Options(_DESK, NO_OPTIONS, volatility_known=True, positions=()),
        venue_readable=True,
        lending_adapter="0x" + "1e" * 20,
        account=VenueAccount(0, 0, INFINITE_HEALTH),
        asset_position=_position(ASSET, 0, int(debt_asset * _DOLLAR), 10**8 * _DOLLAR),
        base_position=_position(BASE, int(supplied_base * _ETHER), 0, 50_000 * _ETHER),
        pool_readable=True,
        swap_adapter="0x" + "5a" * 20,
        pool=_pool(price),
        price=_price(price),
        keeper="0x" + "ce" * 20,
        keeper_balance_wei=Wei(_ETHER),
    )
    ledger = Ledger.of(bare)
    dollars = ledger.asset_scale * _DOLLAR
    account = VenueAccount(
        ledger.collateral_scaled() * 10**8 // dollars,
        ledger.debt_scaled() * 10**8 // dollars,
        ledger.health_wad(),
    )
    nav = Raw(max(0, ledger.nav_down()))
    return replace(bare, nav=nav, account=account, measure=_measure(bare, ledger, nav))


def _measure(r: Readings, ledger: Ledger, nav: Raw) -> Measure:
    """As the mandate would count it now."""
    return Measure(
        priced=nav > 0,
        options_known=True,
        price_wad=ledger.price_wad,
        price_at=r.price.base.updated_at,
        health_wad=ledger.health_wad(),
        gross=Raw(ledger.gross_scaled() // ledger.asset_scale),
        debt=Raw(-(-ledger.debt_scaled() // ledger.asset_scale)),
        nav=nav,
        debt_asset=r.asset_position.debt,
        debt_base=r.base_position.debt,
        supplied_asset=r.asset_position.supplied,
        supplied_base=r.base_position.supplied,
        delta_base=ledger.net_delta(),
        lent=Raw(ledger.collateral_scaled() // ledger.asset_scale),
        option_collateral=Raw(0),
        notional=Raw(0),
        vega=Raw(0),
    )


def _position(token: str, supplied: int, debt: int, available: int) -> TokenPosition:
    ltv, threshold = (7_700, 8_000) if token == ASSET else (8_050, 8_300)
    return TokenPosition(
        token,
        Raw(supplied),
        Raw(debt),
        Bps(ltv),
        Bps(threshold),
        Bps(10_500),
        2 * _RAY // 100,
        3 * _RAY // 100,
        Raw(available),
        frozen_or_paused=False,
    )


def _pool(price: float) -> PoolState:
    """In range at the price; the asset is token 0."""
    asset, base = _DEPTH * _DOLLAR, int(_DEPTH / max(price, 1e-9) * _ETHER)
    root = isqrt(base * 2**192 // asset)
    return PoolState("0x" + "90" * 20, 500, 0, root, isqrt(asset * base), base_is_token0=False)


def _price(price: float) -> PriceReading:
    def feed(name: str, answer: int, most_age: int) -> FeedReading:
        at = NOW - 60
        return FeedReading(
            "0x" + "fe" * 20, name, 8, 10, 10, answer, at, most_age, PriceFault.NONE, 10**6, 10**14
        )

    wad = Wad(round(price * 10**9) * 10**9)
    return PriceReading(
        wad,
        wad,
        Bps(0),
        Bps(200),
        1_800,
        PriceFault.NONE,
        feed("ETH / USD", round(price * 10**8), 4_500),
        feed("USDC / USD", 10**8, 90_000),
        SequencerReading(_NOWHERE, up=True, since=0, grace_s=0, fault=PriceFault.NONE),
    )


def _mandate() -> MandateState:
    terms = Terms(
        Limits(Wad(105 * WAD // 100), Bps(200), Bps(200), Bps(500), Bps(9_000)),
        Caps(
            Bps(0), Bps(20_000), Bps(10_000), Bps(10_000), Bps(50_000), 0, 3_600, Bps(500)
        ),
        Emergency(
            Wad(104 * WAD // 100), Wad(103 * WAD // 100), 3_600, Bps(1_000), 60, Bps(50), Raw(10**9)
        ),
        OptionLimits(
            3_600, 90 * DAY, Bps(100), Bps(7_000), Bps(15_000), Bps(10_000), Bps(1_000), Bps(1_000),
            3_600, 600, Bps(0), Bps(5_000), 8,
        ),
    )  # fmt: skip
    full = Budget(Wad(WAD // 20), Wad(WAD // 20))
    return MandateState(
        "0x" + "3a" * 20,
        terms,
        "0x" + "7e" * 32,
        "0x" + "5e" * 32,
        NOW - 60,
        0,
        paused=False,
        winding_down=False,
        keeper_allowed=True,
        routine=full,
        protective=full,
        turnover=Budget(Wad(5 * WAD), Wad(5 * WAD)),
    )


def _depositors() -> Depositors:
    fees = Fees(_NOWHERE, Bps(0), Bps(0))
    return Depositors(
        epoch=3,
        settled_at=NOW - 3_000,
        due_at=NOW + 600,
        pending_deposits=Raw(0),
        pending_redemptions=0,
        reserved=Raw(0),
        settled_nav=Raw(500_000 * _DOLLAR),
        high_water_mark=10**18,
        halted=False,
        cap=Raw(2**128 - 1),
        minimum=Raw(0),
        allow_listed=False,
        fees=fees,
        next_fees=fees,
        marks=None,
    )
