"""What a live keeper knows beyond its vault's readings: forecast, smiles, rates, pools, the vault's own past.

Nothing here asks anything on a tick's way: rates, pool and volatility marks come with the readings that are agreed on
anyway, the past of the feed is read back beside it. What is found is part of the journalled market state (K-07).
"""

from keeper.app.outlook.live import LiveSurroundings, OutlookTerms

__all__ = ["LiveSurroundings", "OutlookTerms"]
