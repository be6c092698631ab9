"""The backtest of a deployed vault: its world is made of what the chain says of the vault when the replay begins."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from keeper.backtest.events import Event, GasEvent, LiquidityEvent, PriceEvent, RoundEvent
from keeper.backtest.ledger import CashLedger
from keeper.backtest.mandate import Bucket
from keeper.backtest.spec import (
    BacktestSpec,
    ChainSpec,
    FeeSpec,
    Holdings,
    OracleSpec,
    PoolSpec,
    ReserveSpec,
)
from keeper.backtest.world import World
from keeper.localnet.protocols.aave import USDC_TERMS, WETH_TERMS, ReserveTerms
from keeper.model.mandate import Budget
from keeper.model.market import Readings
from keeper.quant.uniswap_v3 import tick_at_sqrt_price

LATENCY_BLOCKS = 1
"""A transaction sent at a block is in the next one: nobody on the local chain crowds it out."""

ARBITRAGE_BLOCKS = 1
"""Its arbitrageur sees a block and sends for the next, so a keeper's own trade is still in the pool's price at the
block it landed in."""


@dataclass(frozen=True, slots=True)
class Surrounding:
    """What the lens does not say of the vault's venues."""

    owed_of_asset: int
    """All debt at the lending venue, token units; as the next."""
    owed_of_base: int
    tip_wei: int
    """That the keeper pays over the base fee."""
    block_s: int


def spec_of(readings: Readings, around: Surrounding) -> BacktestSpec:
    """A world with the vault's holdings, mandate, oracle terms, reserves, pool and latency."""
    a, b = readings.asset_position, readings.base_position
    price, depositors = readings.price, readings.depositors
    return BacktestSpec(
        holdings=Holdings(
            idle_asset=int(readings.idle_asset),
            idle_base=int(readings.idle_base),
            supplied_asset=int(a.supplied),
            supplied_base=int(b.supplied),
            debt_asset=int(a.debt),
            debt_base=int(b.debt),
        ),
        asset=readings.asset,
        base=readings.base,
        asset_reserve=_reserve(
            USDC_TERMS, int(a.available), around.owed_of_asset, (int(a.supplied), int(a.debt))
        ),
        base_reserve=_reserve(
            WETH_TERMS, int(b.available), around.owed_of_base, (int(b.supplied), int(b.debt))
        ),
        pool=PoolSpec(
            fee_pips=readings.pool.fee_pips,
            depth=_depth(readings),
            base_is_token0=readings.pool.base_is_token0,
            twap_window_s=price.twap_window_s,
        ),
        oracle=OracleSpec(
            max_age_s=price.base.max_age_s,
            quote_max_age_s=price.quote.max_age_s,
            max_deviation_bps=int(price.max_deviation_bps),
            min_answer=price.base.min_answer,
            max_answer=price.base.max_answer,
        ),
        chain=ChainSpec(
            block_s=around.block_s,
            latency_blocks=LATENCY_BLOCKS,
            arbitrage_blocks=ARBITRAGE_BLOCKS,
            base_fee_wei=readings.block.base_fee_wei,
            tip_wei=around.tip_wei,
            keeper_balance_wei=int(readings.keeper_balance_wei),
        ),
        terms=readings.mandate.terms,
        fees=FeeSpec(int(depositors.fees.management_bps), int(depositors.fees.performance_bps)),
        epoch_s=depositors.due_at - depositors.settled_at,
        follow_ups=0,  # every block of the replay is an event, and says itself whether the keeper ticks
    )


def set_as(world: World, readings: Readings) -> None:
    """What a specification cannot say: pool price, moments and buckets of the mandate, ages and rates."""
    pool, mandate = readings.pool, readings.mandate
    world.pool.sqrt_price_x96 = pool.sqrt_price_x96
    world.pool.tick = tick_at_sqrt_price(pool.sqrt_price_x96)
    world.pool.liquidity = pool.liquidity
    world.oracle.base.answer = readings.price.base.answer
    world.oracle.base.updated_at = readings.price.base.updated_at
    world.oracle.quote.answer = readings.price.quote.answer
    world.oracle.quote.updated_at = readings.price.quote.updated_at
    world.mandate.beat_at = mandate.last_beat
    world.mandate.routine_at = mandate.last_routine_at
    now = readings.block.timestamp
    world.mandate.routine = _bucket(mandate.routine, now)
    world.mandate.protective = _bucket(mandate.protective, now)
    world.mandate.turnover = _bucket(mandate.turnover, now)
    for reserve, position in (
        (world.lending.asset, readings.asset_position),
        (world.lending.base, readings.base_position),
    ):
        reserve.supply_ray = position.supply_rate_ray
        reserve.borrow_ray = position.borrow_rate_ray
    world.shares.settled_at = readings.depositors.settled_at
    world.shares.epoch = readings.depositors.epoch
    world.ledger = CashLedger.opened(world.nav())


@dataclass(frozen=True, slots=True)
class MadeBlock:
    """One block as it was made on the chain: the market it was made with, and whether the keeper ticked."""

    time: int
    price_wad: int
    base_fee_wei: int
    answer: int | None
    liquidity: int
    """Of the pool, in range after it."""
    ticked: bool


def events_of(blocks: Sequence[MadeBlock]) -> Iterator[Event]:
    """The replay's blocks as the backtest's events. Nothing of the vault's or the keeper's is in them."""
    for block in blocks:
        yield GasEvent(block.time, block.base_fee_wei)
        yield PriceEvent(block.time, block.price_wad, decides=block.ticked)
        if block.answer is not None:
            yield RoundEvent(block.time, block.answer, decides=False)
        yield LiquidityEvent(block.time, block.liquidity)


def _reserve(terms: ReserveTerms, available: int, owed: int, ours: tuple[int, int]) -> ReserveSpec:
    """Others are all that is not ours, so that utilisation is the chain's."""
    supplied, debt = ours
    return ReserveSpec(
        ltv_bps=terms.ltv,
        threshold_bps=terms.liquidation_threshold,
        bonus_bps=terms.liquidation_bonus,
        others_supplied=max(0, available + owed - supplied),
        others_borrowed=max(0, owed - debt),
        reserve_factor_bps=terms.reserve_factor,
        optimal_ray=terms.curve.optimal_usage,
        base_ray=terms.curve.base,
        slope1_ray=terms.curve.slope1,
        slope2_ray=terms.curve.slope2,
    )


def _depth(readings: Readings) -> int:
    """The pool's virtual reserve of asset, units."""
    pool = readings.pool
    if pool.base_is_token0:
        return pool.liquidity * pool.sqrt_price_x96 >> 96
    return (pool.liquidity << 96) // pool.sqrt_price_x96


def _bucket(budget: Budget, now: int) -> Bucket:
    return Bucket(max(0, int(budget.capacity_wad) - int(budget.left_wad)), now)
