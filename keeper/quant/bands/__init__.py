"""Hedge bands: how far a hedge may stray from the delta before trading it is worth its cost.

    exposure = Exposure.of_book(spot, delta, gamma, vega, vanna, volatility, years)
    band = hodges_neuberger(exposure, Terms(cost_rate=0.0008, aversion=5 / nav, fixed_cost=gas))
    band.trade(holding)     # 0 inside the band

In falling order of how well they do: `hodges_neuberger`, `zakamouline`, `whalley_wilmott`, `leland`.
"""

from keeper.quant.bands.closed import leland, leland_volatility, whalley_wilmott, zakamouline
from keeper.quant.bands.exposure import Band, Exposure, Terms
from keeper.quant.bands.optimal import hodges_neuberger

__all__ = [
    "Band",
    "Exposure",
    "Terms",
    "hodges_neuberger",
    "leland",
    "leland_volatility",
    "whalley_wilmott",
    "zakamouline",
]
