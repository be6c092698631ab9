"""Raising health: what is idle first, then rounds of withdraw, swap, repay.

Withdrawing lowers health before the repayment raises it. So that no step is worse than the mandate's
minimum, a change too deep for one withdrawal is made in rounds, each sized on the state that the round
before leaves. The vault itself judges health when all moves are done: where the careful way does not reach
the target (health near or under the minimum, nothing idle), rounds may go down to the venue's own limit.
"""

from dataclasses import replace

from keeper.model.decision import Lane, MoveKind
from keeper.model.ledger import Holding, Ledger
from keeper.model.units import BPS, MAX_UINT256, WAD
from keeper.planning.state import MAX_ROUNDS, VENUE_FLOOR_WAD, Draft, other

ITERATIONS = 10
"""Of size -> impact -> size; each brings the error down by the impact, a few per cent at most."""
PPM = 1_000_000
TOP_UP_MARGIN_BPS = 100
"""Room for swaps that bring more health than planned."""
WORTH_DEPTH_BPS = 25
"""Going under the mandate's minimum between moves must bring this much more health."""


def raise_health(draft: Draft, target_wad: int) -> Draft:
    """The draft with moves that bring health up to `target_wad`, or as near as the bounds allow."""
    # More collateral counts as protection only if the plan ends well under where it would be lending.
    protects = target_wad * (BPS + TOP_UP_MARGIN_BPS) <= draft.bounds.top_up_wad * BPS
    start = use_idle(draft, target_wad, tops_up=protects)
    careful = _rounds(start, target_wad)
    if shortfall(careful.ledger, target_wad) <= 0:
        return careful
    floor = min(VENUE_FLOOR_WAD, draft.bounds.health_floor_wad)
    deep = _rounds(replace(start, bounds=replace(start.bounds, health_floor_wad=floor)), target_wad)
    better = deep.ledger.health_wad() * BPS > careful.ledger.health_wad() * (BPS + WORTH_DEPTH_BPS)
    return deep if better else careful


def _rounds(draft: Draft, target_wad: int) -> Draft:
    asset, base = draft.ledger.asset.token, draft.ledger.base.token
    # Netting a token against itself costs nothing, so it goes before anything that must be swapped.
    for token in (asset, base):
        draft = _unwind(draft, token, token, target_wad)
    # The mandate takes swaps of one direction only for reducing; the other is left to a later plan.
    sells = _unwind(draft, base, asset, target_wad)
    if shortfall(sells.ledger, target_wad) <= 0:
        return sells
    buys = _unwind(draft, asset, base, target_wad)
    return max(sells, buys, key=lambda end: end.ledger.health_wad())


def use_idle(draft: Draft, target_wad: int, *, tops_up: bool) -> Draft:
    """Repay from what is idle, then, if it tops up, supply what is idle. Needs no price to be traded on."""
    for token in (draft.ledger.asset.token, draft.ledger.base.token):
        holding = draft.ledger.holding(token)
        need = shortfall(draft.ledger, target_wad)
        per_unit = draft.ledger.scale(holding) * BPS * target_wad
        amount = min(_spendable(draft, holding), holding.debt, -(-need // per_unit))
        if draft.worth_it(holding, amount):
            draft = draft.do(MoveKind.REPAY, holding, amount)
    for token in (draft.ledger.base.token, draft.ledger.asset.token):
        holding = draft.ledger.holding(token)
        need = shortfall(draft.ledger, target_wad)
        per_unit = draft.ledger.scale(holding) * holding.liquidation_threshold_bps * WAD
        if not tops_up or need <= 0 or holding.frozen or per_unit == 0:
            continue
        amount = min(_spendable(draft, holding), -(-need // per_unit))
        after = draft.do(MoveKind.SUPPLY, holding, amount)
        # The venue rounds the average threshold down: a little of a lower one can lower health.
        if (
            draft.worth_it(holding, amount)
            and after.ledger.health_wad() > draft.ledger.health_wad()
        ):
            draft = after
    return draft


def shortfall(ledger: Ledger, target_wad: int) -> int:
    """Threshold-weighted collateral missing for `target_wad` (scaled x BPS x WAD); negative if over."""
    return ledger.debt_scaled() * BPS * target_wad - ledger.threshold_scaled() * WAD


def _spendable(draft: Draft, holding: Holding) -> int:
    reserve = draft.bounds.idle_reserve if holding.token == draft.ledger.asset.token else 0
    return max(0, holding.idle - reserve)


def _unwind(draft: Draft, collateral: str, debt: str, target_wad: int) -> Draft:
    while draft.rounds < MAX_ROUNDS and shortfall(draft.ledger, target_wad) > 0:
        held, owed = draft.ledger.holding(collateral), draft.ledger.holding(debt)
        if owed.debt == 0 or held.supplied == 0:
            break
        after = unwind_round(draft, held, owed, needed(draft, held, owed, target_wad))
        if after is draft:
            break
        draft = after
    return draft


def unwind_round(draft: Draft, held: Holding, owed: Holding, wanted: int) -> Draft:
    """Withdraw at most `wanted` units of collateral and repay with it; the same draft if not worth it."""
    amount = min(wanted, draft.withdrawable(held, draft.bounds.health_floor_wad))
    if held.token == owed.token:
        amount = min(amount, owed.debt)
        if not draft.worth_it(held, amount):
            return draft
        draft = draft.do(MoveKind.WITHDRAW, held, amount)
        return draft.do(MoveKind.REPAY, owed, amount).next_round()
    amount = draft.largest_swap(held, amount)
    if not draft.worth_it(held, amount):
        return draft
    quote = draft.quote(held, amount)
    repaid = MAX_UINT256 if draft.bounds.repays_all else min(quote.min_out, owed.debt)
    draft = draft.do(MoveKind.WITHDRAW, held, amount).swap(quote)
    return draft.do(MoveKind.REPAY, owed, repaid).next_round()


def needed(draft: Draft, held: Holding, owed: Holding, target_wad: int) -> int:
    """Units of collateral to withdraw, turn into the debt's token and repay, for health `target_wad`.

    With W the weighted collateral, D the debt, L the threshold and r the share of value that the swap
    keeps at least:   (W - x L) / (D - x r) = h   =>   x = (h D - W) / (h r - L),  rounded up.
    r depends on x through the impact, so the two are iterated, from below: a millionth more makes sure
    that the end is not just short of the target.
    """
    ledger = draft.ledger
    missing = shortfall(ledger, target_wad)
    scale, threshold = ledger.scale(held), held.liquidation_threshold_bps * WAD
    amount, kept, whole = 0, 1, 1
    for _ in range(1 if held.token == owed.token else ITERATIONS):
        gain = target_wad * BPS * kept - threshold * whole
        if gain <= 0:
            break  # repaying with this collateral cannot raise health that far
        amount = min(held.supplied, -(-missing * whole // (scale * gain)))
        if held.token != owed.token and amount > 0:
            kept = draft.quote(held, amount).min_out * ledger.scale(other(ledger, held))
            whole = amount * scale
    if held.token != owed.token and amount > 0:
        amount = min(held.supplied, amount + amount // PPM + 1)
    return min(amount, _clears(draft, held, owed, amount))


def _clears(draft: Draft, held: Holding, owed: Holding, amount: int) -> int:
    """Units of `held` that are enough to repay all of `owed`, starting from a size `amount`.

    While base is owed, no more than is expected to repay it: what is bought beyond is not reducing.
    """
    if held.token == owed.token:
        return owed.debt
    if amount <= 0:
        return 0
    quote = draft.quote(held, amount)
    exact = draft.bounds.lane is Lane.PROTECTIVE and draft.ledger.base.debt > 0
    bought = max(quote.min_out, quote.expected_out) if exact else quote.min_out
    return amount if bought <= owed.debt else -(-amount * owed.debt // bought)
