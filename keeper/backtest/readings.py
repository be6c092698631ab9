"""The world as the vault's lens would show it: real `Readings`, so that nothing after them knows it is a backtest."""

from dataclasses import replace

from keeper.backtest.desk_state import desk_state
from keeper.backtest.oracle import NOWHERE
from keeper.backtest.spec import CHAIN_ID
from keeper.backtest.venue_lending import NO_ACCOUNT
from keeper.backtest.venue_options import DESK_ADDRESS
from keeper.backtest.world import World
from keeper.model.block import BlockStamp
from keeper.model.market import (
    NO_OPTIONS,
    Marks,
    Measure,
    Options,
    PriceFault,
    Readings,
    VenueAccount,
)
from keeper.model.units import INFINITE_HEALTH, Raw, Wad, Wei

VAULT_ADDRESS, KEEPER_ADDRESS = "0x" + "7a" * 20, "0x" + "ce" * 20
LENDING_ADAPTER, SWAP_ADAPTER = "0x" + "1e" * 20, "0x" + "5a" * 20
_NO_OPTIONS = Options(NOWHERE, NO_OPTIONS, True, ())
_NO_ACCOUNT = VenueAccount(NO_ACCOUNT.collateral, NO_ACCOUNT.debt, Wad(NO_ACCOUNT.health_wad))
_NOTHING = Raw(0)
_UNPRICED = Measure(
    priced=False,
    options_known=False,
    price_wad=Wad(0),
    price_at=0,
    health_wad=Wad(0),
    gross=_NOTHING,
    debt=_NOTHING,
    nav=_NOTHING,
    debt_asset=_NOTHING,
    debt_base=_NOTHING,
    supplied_asset=_NOTHING,
    supplied_base=_NOTHING,
    delta_base=0,
    lent=_NOTHING,
    option_collateral=_NOTHING,
    notional=_NOTHING,
    vega=_NOTHING,
)


def block_of(world: World) -> BlockStamp:
    """The block at the world's time; its hash is its number."""
    number = world.block
    return BlockStamp(
        number, f"0x{number:064x}", f"0x{number - 1:064x}", world.time, world.base_fee_wei
    )


def readings_of(world: World, block: BlockStamp) -> Readings:
    """VaultLens.snapshot of the simulated chain."""
    now, lending, mandate, oracle = world.time, world.lending, world.mandate, world.oracle
    twap = world.pool.average_wad(now)
    price = oracle.reading(now, twap)
    account = lending.account(oracle.quote.answer, oracle.base.answer)
    measure = measure_of(world, fault=price.fault, health_wad=account.health_wad)
    marks = marks_of(world, fault=price.fault, twap_wad=twap)
    spec, halted = world.spec, mandate.paused or mandate.winding_down
    valued = measure.priced and measure.options_known
    return Readings(
        block,
        CHAIN_ID,
        VAULT_ADDRESS,
        spec.asset,
        spec.base,
        world.shares.supply,
        valued,
        measure.nav if valued else _NOTHING,
        Raw(world.idle_asset),
        Raw(world.idle_base),
        world.unhedged,
        mandate.state(now),
        world.shares.depositors(marks, halted=halted),
        measure,
        _options(world),
        True,
        LENDING_ADAPTER,
        _NO_ACCOUNT
        if account is NO_ACCOUNT
        else VenueAccount(account.collateral, account.debt, Wad(account.health_wad)),
        lending.asset.shown(spec.asset),
        lending.base.shown(spec.base),
        True,
        SWAP_ADAPTER,
        world.pool.state(),
        price,
        KEEPER_ADDRESS,
        Wei(world.keeper_wei),
    )


def measure_of(
    world: World,
    before: Measure | None = None,
    *,
    fault: PriceFault | None = None,
    health_wad: int | None = None,
) -> Measure:
    """`Valuation.measure`; after a rebalance, with the price and age of the one before."""
    a, b, desk, oracle = world.lending.asset, world.lending.base, world.desk, world.oracle
    if health_wad is None:
        health_wad = world.lending.account(*oracle.answers).health_wad
    if not (a.debt or b.debt):
        health_wad = INFINITE_HEALTH
    if fault is None:
        fault = PriceFault.NONE if before is not None and before.priced else world.fault()
    health = Wad(health_wad)
    if fault is not PriceFault.NONE:
        return replace(_UNPRICED, health_wad=health)
    price, scale = oracle.price_wad, world.scale
    long = world.idle_base + b.supplied + desk.collateral_base
    gross = world.idle_asset + a.supplied + desk.collateral_asset + long * price // scale
    debt = a.debt + desk.liability_mid
    if b.debt:
        debt -= -b.debt * price // scale
    optional = desk.collateral_asset - desk.escrow
    if desk.collateral_base:
        optional += desk.collateral_base * price // scale
    written = sum(s.written for s in desk.series.values()) if desk.series else 0
    return Measure(
        True,
        desk.known,
        Wad(price),
        oracle.base.updated_at,
        health,
        Raw(gross),
        Raw(debt),
        Raw(gross - debt if gross > debt else 0),
        Raw(a.debt),
        Raw(b.debt),
        Raw(a.supplied),
        Raw(b.supplied),
        long - b.debt + desk.delta_base,
        Raw(a.supplied + b.supplied * price // scale if b.supplied else a.supplied),
        Raw(optional),
        Raw(-(-written * price // scale) if written else 0),
        Raw(desk.vega),
    )


def marks_of(
    world: World,
    *,
    fault: PriceFault | None = None,
    twap_wad: int | None = None,
) -> Marks | None:
    """`Valuation.marks`: low and high over both prices; None while nothing can be settled.

    What is at venues beyond the contract counts too, as if an adapter reported it: depositors share in all of it.
    """
    twap = world.pool.average_wad(world.time) if twap_wad is None else twap_wad
    fault = world.oracle.fault(world.time, twap) if fault is None else fault
    a, b, desk = world.lending.asset, world.lending.base, world.desk
    long = world.idle_base + b.supplied + desk.collateral_base
    if not long and not b.debt and not desk.series:
        value = world.idle_asset + a.supplied + desk.collateral_asset - a.debt
        value += world.perpetual.equity + desk.bought_value
        return Marks(Raw(max(0, value)), Raw(max(0, value)), value >= 0)
    if fault is not PriceFault.NONE:
        return None
    fixed = world.idle_asset + a.supplied + desk.collateral_asset - a.debt
    fixed += world.perpetual.equity + desk.bought_value
    price, scale, written = world.oracle.price_wad, world.scale, bool(desk.series)
    one, other = fixed + long * price // scale, fixed + long * twap // scale
    if b.debt:
        one, other = one + (-b.debt * price // scale), other + (-b.debt * twap // scale)
    if not written:
        low, high = (one, other) if one < other else (other, one)
    else:
        cheap, dear = desk.liabilities_at(price, world.time)
        low, high = one - dear, one - cheap
        cheap, dear = desk.liabilities_at(twap, world.time)
        low, high = min(low, other - dear), max(high, other - cheap)
    return Marks(Raw(low if low > 0 else 0), Raw(high if high > 0 else 0), low >= 0)


def _options(world: World) -> Options:
    desk = world.desk
    if not desk.market.open:
        return _NO_OPTIONS
    state = desk_state(world)
    if not desk.series and not desk.auctions:
        return Options(DESK_ADDRESS, NO_OPTIONS, True, (), state)
    positions = desk.positions(world.oracle.price_wad, world.time)
    return Options(DESK_ADDRESS, desk.book(), desk.known, positions, state)
