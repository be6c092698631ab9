"""Lowering health to its target when it is needlessly high: rounds of borrow, swap, supply."""

from keeper.model.decision import MoveKind
from keeper.model.ledger import Holding
from keeper.model.units import BPS, WAD
from keeper.planning.deleverage import ITERATIONS, shortfall
from keeper.planning.state import MAX_ROUNDS, Draft, other


def lower_health(draft: Draft, target_wad: int) -> Draft:
    """The draft with rounds that bring health down to `target_wad`, never under the mandate's minimum.

    The vault keeps the direction it has: the token with the larger collateral is bought, the other is
    borrowed.
    """
    target_wad = max(target_wad, draft.bounds.health_floor_wad)
    ledger = draft.ledger
    long = ledger.base.supplied * ledger.base_scale >= ledger.asset.supplied * ledger.asset_scale
    bought = ledger.base.token if long else ledger.asset.token
    while draft.rounds < MAX_ROUNDS and shortfall(draft.ledger, target_wad) < 0:
        held = draft.ledger.holding(bought)
        lent = other(draft.ledger, held)
        after = lever_round(draft, lent, loan_for(draft, lent, target_wad))
        if after is draft:
            break
        draft = after
    return draft


def lever_round(draft: Draft, lent: Holding, wanted: int) -> Draft:
    """Borrow at most `wanted` units, sell them and supply the proceeds; the same draft if not worth it."""
    held = other(draft.ledger, lent)
    amount = loan_size(draft, lent, wanted)
    if held.frozen or not draft.worth_it(lent, amount):
        return draft
    quote = draft.quote(lent, amount)
    draft = draft.do(MoveKind.BORROW, lent, amount).swap(quote)
    return draft.do(MoveKind.SUPPLY, held, quote.min_out).next_round()


def loan_for(draft: Draft, lent: Holding, target_wad: int) -> int:
    """Units to borrow, swap and supply for health `target_wad`, rounded down.

    With W the weighted collateral, D the debt, L the threshold of what is bought and r the share of value
    that the swap keeps at least:   (W + y r L) / (D + y) = h   =>   y = (W - h D) / (h - r L).
    """
    ledger = draft.ledger
    held = other(ledger, lent)
    spare = max(0, -shortfall(ledger, target_wad))
    scale, threshold = ledger.scale(lent), held.liquidation_threshold_bps * WAD
    amount, kept, whole = 0, 1, 1
    for _ in range(ITERATIONS):
        cost = target_wad * BPS * whole - threshold * kept
        if cost <= 0:
            return amount
        amount = spare * whole // (scale * cost)
        if amount == 0:
            return 0
        kept = draft.quote(lent, amount).min_out * ledger.scale(held)
        whole = amount * scale
    return amount


def loan_size(draft: Draft, lent: Holding, wanted: int) -> int:
    """At most `wanted`, within health, loan-to-value, the mandate's ratios and the swap's bounds."""
    bounds = draft.bounds
    amount = min(wanted, draft.borrowable(lent, bounds.health_floor_wad))
    amount = draft.largest_swap(lent, amount)
    if amount <= 0:
        return 0
    return min(amount, _ratio_room(draft, lent, amount), _venue_room(draft, lent, amount))


def _ratio_room(draft: Draft, lent: Holding, amount: int) -> int:
    """Units that may be borrowed and swapped with debt / gross assets still inside the mandate.

    (D + y) = m (G + y r)   =>   y = (m G - D) / (1 - m r),  r taken at `amount`, where it is least.
    """
    ledger, most = draft.ledger, draft.bounds.max_borrow_bps
    scale = ledger.scale(lent)
    kept = draft.quote(lent, amount).min_out * ledger.scale(other(ledger, lent))
    whole = amount * scale
    room = most * ledger.gross_scaled() - BPS * ledger.owed_scaled()
    per_unit = BPS * whole - most * kept
    if room <= 0:
        return 0
    return amount if per_unit <= 0 else room * whole // (scale * per_unit)


def _venue_room(draft: Draft, lent: Holding, amount: int) -> int:
    """Units that may be borrowed, swapped and supplied with the venue's share still inside the mandate.

    (L + y r) = m (G + y r)   =>   y = (m G - L) / (r (1 - m)),  r taken as 1, where it is greatest.
    """
    ledger, most = draft.ledger, draft.bounds.max_venue_bps
    if most >= BPS:
        return amount
    room = most * ledger.gross_scaled() - BPS * ledger.collateral_scaled()
    return max(0, min(amount, room // (ledger.scale(lent) * (BPS - most))))
