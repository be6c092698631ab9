"""Readings to a checked market state: pure, and says every fault it finds."""

from keeper.market.build import build_market
from keeper.market.spot import spot_price_wad

__all__ = ["build_market", "spot_price_wad"]
