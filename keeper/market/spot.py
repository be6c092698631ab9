"""The pool's spot price in the oracle's terms, so that the two can be compared."""

from keeper.model.market import Readings
from keeper.model.units import WAD, Wad, ten_to

Q192 = 2**192


def spot_price_wad(readings: Readings) -> Wad:
    """Asset per whole base at the pool's current price, WAD, rounded down; 0 if it has none."""
    pool = readings.pool
    root = pool.sqrt_price_x96
    square = root * root  # token1 units per token0 unit, Q192
    if square == 0:
        return Wad(0)
    per_base = ten_to(readings.base.decimals) * WAD
    per_asset = ten_to(readings.asset.decimals)
    if pool.base_is_token0:
        return Wad(square * per_base // (Q192 * per_asset))
    return Wad(Q192 * per_base // (square * per_asset))
