"""How much of a large routine change is made now: the first slice of the Almgren-Chriss schedule for what is left.

Nothing is remembered: each plan schedules what is then left over the whole horizon. With aversion to risk that is the
schedule's own exponential decay, so a change is made the faster the more the market moves; without, and without a
forecast, a fixed part is made each time. When a protective change may be sliced is told in `urgency`.
"""

from math import ceil

from keeper.errors import QuantityError
from keeper.model.market import MarketState, PoolState
from keeper.model.policy import PlanningPolicy
from keeper.model.units import BPS, WAD
from keeper.planning.swap_quote import Q96
from keeper.quant.schedule import almgren_chriss

YEAR_S = 365 * 24 * 3_600


def slice_up(market: MarketState, policy: PlanningPolicy, value: int) -> int:
    """Asset units to trade now of a change of `value`, rounded up; all of it where its impact is small.

    The pool's price moves by (1 + x / reserve)^2 - 1 and is back by the next slice, so trading x units in an
    interval dt costs price x^2 / reserve: temporary impact = price dt / reserve.
    """
    readings = market.readings
    reserve = base_reserve(readings.pool, readings.base.decimals)
    price = readings.price.price_wad / WAD
    if value <= 0 or reserve <= 0 or price <= 0:
        return value
    units = value / 10**readings.asset.decimals / price
    if 2 * units / reserve * BPS <= policy.slice_impact_bps:
        return value
    slices = max(1, policy.slice_horizon_s // max(1, policy.slice_every_s))
    nav = max(1.0, readings.nav / 10**readings.asset.decimals)
    interval_years = policy.slice_every_s / YEAR_S
    try:
        schedule = almgren_chriss(
            units,
            slices * interval_years,
            slices,
            price=price,
            volatility=market.outlook.volatility or 0.0,
            risk_aversion=policy.risk_aversion / (2 * nav),
            temporary_impact=price * interval_years / reserve,
        )
    except (QuantityError, ArithmeticError):
        return (
            value  # of numbers that nobody can mean no schedule is made: the plan's own bounds hold
        )
    now = ceil(value * float(schedule.trades[0]) / units)
    return int(min(value, max(now, policy.min_trade)))


def base_reserve(pool: PoolState, base_decimals: int) -> float:
    """Virtual reserve of base in range, whole tokens."""
    root = pool.sqrt_price_x96 / Q96
    if root <= 0:
        return 0.0
    raw = pool.liquidity / root if pool.base_is_token0 else pool.liquidity * root
    return float(raw / 10**base_decimals)
