"""What leaving every price exposure costs, and how long it takes.

The way out is the pool in range, a constant product of virtual reserves: selling r of its reserve of base costs 1 -
(1 - fee) / (1 + r) of the value. Liquidity beyond the range is not seen; a large r is therefore a guess, and said
so. A sliced exit waits between slices until arbitrage has refilled the pool, and stays within the mandate's budgets
of turnover and losses, which refill in a day.
"""

import math
from dataclasses import dataclass

from keeper.model.exposure import RiskPolicy
from keeper.model.market import Readings
from keeper.model.risk_report import LiquidityRisk
from keeper.model.units import BPS, WAD

SHALLOW = 0.2
"""Part of the pool's reserve beyond which the cost is a lower bound."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Virtual reserve of base in range, whole tokens, and the fee as a fraction."""

    base: float
    fee: float

    @classmethod
    def of(cls, readings: Readings) -> "Pool | None":
        """None if it cannot be read or holds nothing in range."""
        pool = readings.pool
        if not readings.pool_readable or pool.liquidity <= 0 or pool.sqrt_price_x96 <= 0:
            return None
        root = pool.sqrt_price_x96 / 2**96
        raw = pool.liquidity / root if pool.base_is_token0 else pool.liquidity * root
        return cls(raw / 10**readings.base.decimals, pool.fee_pips / 1e6)

    def cost(self, base: float) -> float:
        """Fraction of the value lost by trading so much base at once."""
        return 1.0 - (1.0 - self.fee) / (1.0 + base / self.base)


def liquidity_of(
    readings: Readings, delta: float, price: float, nav: float, policy: RiskPolicy
) -> tuple[LiquidityRisk | None, str]:
    """The exit from a net delta in base tokens, and a problem with the figure if there is one."""
    pool = Pool.of(readings)
    if pool is None:
        return None, "the pool cannot be read or is empty: the cost of an exit is not known"
    size = abs(delta)
    notional = size * price
    at_once = pool.cost(size)
    # The price itself moves by twice the part of the reserve that is traded.
    slices = max(1, math.ceil(2.0 * size / pool.base / (policy.slice_impact_bps / BPS)))
    sliced = notional * pool.cost(size / slices)
    days, bound_by = _horizon(readings, notional, sliced, nav, slices * policy.pool_recovery_s)
    position, unit = readings.base_position, 10**readings.base.decimals
    asset, asset_unit = readings.asset_position, 10**readings.asset.decimals
    locked = max(0, position.supplied - position.available) / unit * price
    locked += max(0, asset.supplied - asset.available) / asset_unit
    shallow = size / pool.base > SHALLOW
    return (
        LiquidityRisk(
            notional,
            notional * at_once,
            at_once if notional else 0.0,
            sliced,
            slices,
            None if locked > 0.0 else days,
            "venue" if locked > 0.0 else bound_by,
            locked,
        ),
        f"an exit is {size / pool.base:.0%} of the pool in range: its cost is a lower bound"
        if shallow
        else "",
    )


def _horizon(
    readings: Readings, notional: float, loss: float, nav: float, pool_s: float
) -> tuple[float | None, str]:
    """Days, and what sets them; None where a budget never refills."""
    mandate = readings.mandate
    found: list[tuple[float, str]] = [(pool_s / 86_400.0, "pool")]
    for name, asked, budget in (
        ("turnover", notional, mandate.turnover),
        ("losses", loss, mandate.routine),
    ):
        over = asked - max(0.0, nav) * budget.left_wad / WAD
        refill = max(0.0, nav) * budget.capacity_wad / WAD
        if over > 0.0:
            found.append((over / refill if refill > 0.0 else math.inf, name))
    days, name = max(found)
    return (days if math.isfinite(days) else None), name
