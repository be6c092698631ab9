"""Moving the vault's net base exposure to a target.

Less exposure: sell idle base, then borrow base and sell it, then withdraw base and sell it. Borrowing comes
before withdrawing because the collateral earns and carries the other debt.
More exposure: buy with idle asset and repay base debt, then buy with asset collateral against base debt,
then borrow asset, buy and supply.
Proceeds repay debt of their token where there is any; what is left stays idle for the way back.
"""

from collections.abc import Callable

from keeper.model.decision import MoveKind
from keeper.model.ledger import Holding
from keeper.planning.deleverage import ITERATIONS, unwind_round
from keeper.planning.relever import lever_round, loan_size
from keeper.planning.state import MAX_ROUNDS, Draft


def move_delta(draft: Draft, target: int) -> Draft:
    """The draft with moves that bring net delta (base units) to `target`, or as near as bounds allow."""
    if delta_gap(draft, target) < 0:
        steps: tuple[Callable[[Draft, int], Draft], ...] = (
            _sell_idle,
            _borrow_and_sell,
            _withdraw_and_sell,
        )
    else:
        steps = (_buy_from_idle, _buy_from_collateral, _borrow_and_buy)
    for step in steps:
        while draft.rounds < MAX_ROUNDS:
            after = step(draft, abs(delta_gap(draft, target)))
            if after is draft:
                break
            draft = after
    return draft


def delta_gap(draft: Draft, target: int) -> int:
    """Base units still to buy (positive) or sell (negative), with what swaps are expected to give."""
    return target - draft.ledger.net_delta() - draft.surplus_base


def _sell_idle(draft: Draft, amount: int) -> Draft:
    base = draft.ledger.base
    amount = draft.largest_swap(base, min(amount, base.idle))
    if not draft.worth_it(base, amount):
        return draft
    return _repay_asset(draft, base, amount).next_round()


def _borrow_and_sell(draft: Draft, amount: int) -> Draft:
    base = draft.ledger.base
    amount = loan_size(draft, base, amount)
    if not draft.worth_it(base, amount):
        return draft
    return _repay_asset(draft.do(MoveKind.BORROW, base, amount), base, amount).next_round()


def _withdraw_and_sell(draft: Draft, amount: int) -> Draft:
    base = draft.ledger.base
    amount = min(amount, draft.withdrawable(base, draft.bounds.health_floor_wad))
    amount = draft.largest_swap(base, amount)
    if not draft.worth_it(base, amount):
        return draft
    return _repay_asset(draft.do(MoveKind.WITHDRAW, base, amount), base, amount).next_round()


def _repay_asset(draft: Draft, base: Holding, amount: int) -> Draft:
    """Sell idle base; the proceeds that are certain repay asset debt."""
    quote = draft.quote(base, amount)
    draft = draft.swap(quote)
    asset = draft.ledger.asset
    return draft.do(MoveKind.REPAY, asset, min(quote.min_out, asset.debt))


def _buy_from_idle(draft: Draft, amount: int) -> Draft:
    asset = draft.ledger.asset
    spendable = asset.idle - draft.bounds.idle_reserve
    spent = draft.largest_swap(asset, min(spendable, _cost(draft, amount)))
    if not draft.worth_it(asset, spent):
        return draft
    quote = draft.quote(asset, spent)
    draft = draft.swap(quote)
    base = draft.ledger.base
    return draft.do(MoveKind.REPAY, base, min(quote.min_out, base.debt)).next_round()


def _buy_from_collateral(draft: Draft, amount: int) -> Draft:
    ledger = draft.ledger
    if ledger.base.debt == 0:
        return draft
    return unwind_round(draft, ledger.asset, ledger.base, _cost(draft, amount))


def _borrow_and_buy(draft: Draft, amount: int) -> Draft:
    return lever_round(draft, draft.ledger.asset, _cost(draft, amount))


def _cost(draft: Draft, amount: int) -> int:
    """Asset units that are expected to buy `amount` units of base."""
    asset, base = draft.ledger.asset, draft.ledger.base
    cost = draft.ledger.value_up(base, amount)
    for _ in range(ITERATIONS):
        out = draft.quote(asset, cost).expected_out
        if out <= 0:
            return 0
        cost = -(-cost * amount // out)
    return cost
