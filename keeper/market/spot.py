"""The pool's spot price in the oracle's terms, so that the two can be compared."""

from keeper.model.market import Readings
from keeper.model.units import WAD, Wad

Q192 = 2**192


def spot_price_wad(readings: Readings) -> Wad:
    """Asset per whole base at the pool's current price, WAD, rounded down; 0 if it has none."""
    pool = readings.pool
    square = pool.sqrt_price_x96**2  # token1 units per token0 unit, Q192
    if square == 0:
        return Wad(0)
    per_base = 10**readings.base.decimals * WAD
    per_asset = 10**readings.asset.decimals
    if pool.base_is_token0:
        return Wad(square * per_base // (Q192 * per_asset))
    return Wad(Q192 * per_base // (square * per_asset))
