"""What may still be done while prices must not be traded on: repay from idle, supply from idle.

Sizes follow the venue's own health, because that is what it liquidates by. None of these moves can lose
value, so where no price is known at all too much is better than too little.
"""

from dataclasses import replace

from keeper.model.decision import MoveKind
from keeper.model.units import WAD
from keeper.planning.deleverage import use_idle
from keeper.planning.state import Draft


def raise_health_without_price(draft: Draft, health_wad: int, target_wad: int) -> Draft:
    """The draft with the moves towards `target_wad` that need no usable price."""
    if draft.ledger.price_wad > 0:
        return use_idle(draft, target_wad, tops_up=health_wad <= draft.bounds.top_up_wad)
    if health_wad >= target_wad:
        return draft
    draft = replace(draft, bounds=replace(draft.bounds, min_trade=0))
    asset, base = draft.ledger.asset, draft.ledger.base
    wanted = asset.debt
    if base.debt == 0:
        # With one debt only, health scales with 1 / debt, whatever the price.
        wanted = -(-asset.debt * (target_wad - health_wad) // max(target_wad, WAD))
    draft = draft.do(MoveKind.REPAY, asset, min(wanted, asset.idle))
    return draft.do(MoveKind.REPAY, base, min(base.debt, base.idle))
