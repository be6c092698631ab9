"""What the vault's one swap pool costs, beside the best split over all fee tiers of its pair.

A vault is bound to one pool for life: who deploys the next version should know which. A plan cannot use the split.
"""

from collections.abc import Sequence

from keeper.model.market import PoolState, Readings
from keeper.model.units import BPS, WAD
from keeper.ops.doctor.line import Line, ok, warn
from keeper.planning.routes import route

WORTH_BPS = 10
"""A split that saves less is not worth naming."""


def pool_cost(readings: Readings, pools: Sequence[PoolState], value: int) -> list[Line]:
    """One line; none while there is no price, or nothing to sell. `value`: asset units of base that are sold."""
    price = int(readings.price.price_wad)
    amount = (
        value * 10**readings.base.decimals * WAD // (price * 10**readings.asset.decimals)
        if price > 0
        else 0
    )
    alone, split = route(pools[:1], True, amount), route(pools, True, amount)
    if amount <= 0 or not alone.legs:
        return []
    whole = value / 10**readings.asset.decimals
    here, there = (max(0, (value - found.expected_out) * BPS // value) for found in (alone, split))
    found = f"selling base worth {whole:,.0f} costs {here} bps in the vault's pool"
    if here - there < WORTH_BPS:
        return [ok("pool", f"{found}, the best of the pair's {len(pools)} tiers")]
    best = max(split.legs, key=lambda leg: leg.amount_in)
    tiers = " + ".join(f"{leg.pool.fee_pips / 100:g} bps" for leg in split.legs)
    remedy = f"lower planning.max_swap; bind the vault's next version to {best.pool.pool}"
    return [warn("pool", f"{found}, and {there} bps split over {tiers}", remedy)]
