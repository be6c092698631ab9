"""The planning of a delta target (`keeper.planning.delta` and what it calls), compiled, on pairs of floats.

A draft is an array of pairs, one row a quantity. Values are in asset units x 1e20, so that one base unit is worth the
oracle's answer: `keeper.model.ledger` has the same in another common scale.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from keeper.sweep.kernel_compiled import compiled, inlined
from keeper.sweep.kernel_wide import (
    Wide,
    add,
    down,
    least,
    less,
    most,
    mul,
    neg,
    positive,
    size,
    sub,
    times,
    up,
)

Rows = npt.NDArray[np.float64]
IDLE_A, IDLE_B, SUP_A, SUP_B, DEBT_A, DEBT_B, FREE_A, FREE_B, ROOT, LIQUIDITY = range(10)
"""Of a vault and of a draft; FREE is the venue's liquidity that can be taken."""
TRADED, LOSS, SURPLUS, NAV, CAN_LOSE, CAN_SWAP, LOW, HIGH, FLOOR, PRICE = range(10, 20)
"""Of a draft: costs so far, bounds; PRICE is the oracle's answer, eight decimals."""
DRAFT = 20
(
    F_MIN_TRADE,
    F_MARGIN,
    F_SLIPPAGE,
    F_SWAP_LOSS,
    F_FEE,
    F_LTV_A,
    F_LTV_B,
    F_LINE_A,
    F_LINE_B,
    F_MOST_BORROW,
) = range(10)
"""Settings that are small numbers; LINE is a liquidation threshold, bps."""
BPS, PIPS, Q96 = 1e4, 1e6, 2.0**96
UNIT = (1e20, 0.0)
"""Value of an asset unit."""
ROUNDS, TRIES, MOST_MOVES = 8, 10, 48
SUPPLY, WITHDRAW, BORROW, REPAY, SWAP = range(5)
"""As `MoveKind` numbers them."""
Quote = tuple[Wide, Wide, Wide, Wide, Wide, Wide]


@inlined
def row(d: Rows, i: int) -> Wide:
    return d[i, 0], d[i, 1]


@inlined
def put(d: Rows, i: int, x: Wide) -> None:
    d[i, 0] = x[0]
    d[i, 1] = x[1]


@inlined
def net_delta(d: Rows) -> Wide:
    return sub(add(row(d, IDLE_B), row(d, SUP_B)), row(d, DEBT_B))


@inlined
def both(d: Rows, a: int, b: int) -> Wide:
    """Value of a row of asset and one of base."""
    return add(mul(row(d, a), UNIT), mul(row(d, b), row(d, PRICE)))


@inlined
def owed(d: Rows) -> Wide:
    return both(d, DEBT_A, DEBT_B)


@inlined
def gross(d: Rows) -> Wide:
    return add(both(d, IDLE_A, IDLE_B), both(d, SUP_A, SUP_B))


@inlined
def weighted(d: Rows, of_asset: float, of_base: float) -> Wide:
    """Collateral by its thresholds or loans to value, times BPS."""
    a = times(mul(row(d, SUP_A), UNIT), of_asset)
    return add(a, times(mul(row(d, SUP_B), row(d, PRICE)), of_base))


@compiled
def value_up(d: Rows, base: Wide) -> Wide:
    return up(mul(base, row(d, PRICE)), UNIT)


@compiled
def swapped(d: Rows, f: Rows, sells_base: bool, amount: Wide) -> tuple[Wide, Wide]:
    """(what the pool gives, its root after): one range, asset is token0."""
    root, liquidity = row(d, ROOT), row(d, LIQUIDITY)
    net = down(times(amount, PIPS - f[F_FEE]), (PIPS, 0.0))
    if sells_base:
        step = down(times(net, Q96), liquidity)
        after = add(root, step)
        return down(mul(times(liquidity, Q96), step), mul(after, root)), after
    paid = mul(net, root)
    step = down(mul(paid, root), add(times(liquidity, Q96), paid))
    return down(mul(liquidity, step), (Q96, 0.0)), sub(root, step)


@compiled
def quote(d: Rows, f: Rows, sells_base: bool, amount: Wide) -> Quote:
    """(expected out, least of the mandate, least out, value, expected loss, root after)."""
    price, root = row(d, PRICE), row(d, ROOT)
    out, after = swapped(d, f, sells_base, amount)
    square = times(times(mul(root, root), 2.0**-96), 2.0**-96)
    if sells_base:
        sold = mul(amount, price)
        fair, spot = down(sold, UNIT), down(amount, square)
        loss = up(sub(sold, mul(out, UNIT)), UNIT)
        value = up(sold, UNIT)
    else:
        sold = mul(amount, UNIT)
        fair, spot = down(sold, price), down(mul(amount, square), (1.0, 0.0))
        loss = up(sub(sold, mul(out, price)), UNIT)
        value = amount
    mandate = add(up(times(fair, BPS - f[F_SWAP_LOSS]), (BPS, 0.0)), (1.0, 0.0))
    impacted = down(mul(fair, out), spot) if positive(spot) else (0.0, 0.0)
    wanted = down(times(least(out, impacted), BPS - f[F_SLIPPAGE]), (BPS, 0.0))
    return out, mandate, most(wanted, mandate), value, loss, after


@compiled
def accepted(d: Rows, f: Rows, moves: int, loss: Wide, traded: Wide) -> Wide:
    """Loss to accept: with margin, and dust of both tokens for each move."""
    dust = (5.0 * (moves + 3), 0.0)
    margin = up(times(traded, f[F_MARGIN]), (BPS, 0.0))
    return add(add(most(loss, (0.0, 0.0)), margin), add(dust, value_up(d, dust)))


@compiled
def affordable(d: Rows, f: Rows, moves: int, sells_base: bool, amount: Wide) -> bool:
    out, mandate, _, value, loss, _ = quote(d, f, sells_base, amount)
    traded = add(row(d, TRADED), value)
    if less(row(d, CAN_SWAP), traded):
        return False
    if less(row(d, CAN_LOSE), accepted(d, f, moves, add(row(d, LOSS), loss), traded)):
        return False
    return not less(times(out, BPS - f[F_SLIPPAGE]), times(mandate, BPS))


@compiled
def largest_swap(d: Rows, f: Rows, moves: int, sells_base: bool, wanted: Wide) -> Wide:
    """Within the mandate's delta band, then by bisection."""
    delta = net_delta(d)
    if sells_base:
        wanted = least(wanted, most((0.0, 0.0), sub(delta, row(d, LOW))))
    else:
        room = most((0.0, 0.0), sub(sub(row(d, HIGH), delta), row(d, SURPLUS)))
        wanted = least(wanted, down(mul(room, row(d, PRICE)), UNIT))
    if not positive(wanted):
        return 0.0, 0.0
    if affordable(d, f, moves, sells_base, wanted):
        return wanted
    low, high = (0.0, 0.0), wanted
    end = most((1.0, 0.0), down(wanted, (2.0**30, 0.0)))
    while less(end, sub(high, low)):
        middle = down(add(low, high), (2.0, 0.0))
        if affordable(d, f, moves, sells_base, middle):
            low = middle
        else:
            high = middle
    return low


@compiled
def worth_it(d: Rows, f: Rows, is_base: bool, amount: Wide) -> bool:
    value = down(mul(amount, row(d, PRICE)), UNIT) if is_base else amount
    return positive(amount) and not less(value, (f[F_MIN_TRADE], 0.0))


@inlined
def change(d: Rows, place: int, amount: Wide) -> None:
    put(d, place, add(row(d, place), amount))


@compiled
def do(d: Rows, moves: Rows, count: int, kind: int, is_base: bool, amount: Wide) -> int:
    """A move at the lending venue, applied; returns how many moves there are."""
    if not positive(amount):
        return count
    side, minus = int(is_base), neg(amount)
    if kind == SUPPLY or kind == REPAY:
        change(d, IDLE_A + side, minus)
        change(d, FREE_A + side, amount)
    else:
        change(d, IDLE_A + side, amount)
        change(d, FREE_A + side, minus)
    if kind == SUPPLY or kind == WITHDRAW:
        change(d, SUP_A + side, amount if kind == SUPPLY else minus)
    else:
        change(d, DEBT_A + side, amount if kind == BORROW else minus)
    return note(moves, count, kind, is_base, amount, (0.0, 0.0))


@compiled
def note(moves: Rows, count: int, kind: int, is_base: bool, amount: Wide, limit: Wide) -> int:
    moves[count, 0], moves[count, 1] = float(kind), 1.0 if is_base else 0.0
    moves[count, 2], moves[count, 3] = amount
    moves[count, 4], moves[count, 5] = limit
    return count + 1


@compiled
def swap(
    d: Rows, f: Rows, moves: Rows, count: int, sells_base: bool, amount: Wide
) -> tuple[int, Wide]:
    """A swap that gives its least; returns moves and that least."""
    out, _, minimum, value, loss, after = quote(d, f, sells_base, amount)
    sold, bought = (IDLE_B, IDLE_A) if sells_base else (IDLE_A, IDLE_B)
    change(d, sold, neg(amount))
    change(d, bought, minimum)
    put(d, ROOT, after)
    change(d, TRADED, value)
    change(d, LOSS, loss)
    if not sells_base:
        change(d, SURPLUS, most((0.0, 0.0), sub(out, minimum)))
    return note(moves, count, SWAP, sells_base, amount, minimum), minimum


@compiled
def over_floor(d: Rows, f: Rows) -> Wide:
    """Threshold-weighted collateral beyond what the floor needs, x BPS x WAD."""
    held = times(weighted(d, f[F_LINE_A], f[F_LINE_B]), 1e18)
    return sub(held, times(mul(owed(d), row(d, FLOOR)), BPS))


@compiled
def scale(d: Rows, is_base: bool) -> Wide:
    return row(d, PRICE) if is_base else UNIT


@compiled
def withdrawable(d: Rows, f: Rows, is_base: bool) -> Wide:
    side = int(is_base)
    held = least(row(d, SUP_A + side), row(d, FREE_A + side))
    line = f[F_LINE_B] if is_base else f[F_LINE_A]
    if not positive(owed(d)) or line == 0.0:
        return held
    per_unit = times(scale(d, is_base), line * 1e18)
    return most((0.0, 0.0), least(held, down(over_floor(d, f), per_unit)))


@compiled
def borrowable(d: Rows, f: Rows, is_base: bool) -> Wide:
    if not positive(row(d, FLOOR)):
        return 0.0, 0.0
    unit = times(scale(d, is_base), BPS)
    by_health = down(over_floor(d, f), mul(unit, row(d, FLOOR)))
    limit = times(weighted(d, f[F_LTV_A], f[F_LTV_B]), (BPS - 5.0))
    by_ltv = down(sub(limit, times(owed(d), BPS * BPS)), times(unit, BPS))
    found = least(least(by_health, by_ltv), row(d, FREE_A + int(is_base)))
    return most((0.0, 0.0), found)


@compiled
def loan_size(d: Rows, f: Rows, moves: int, is_base: bool, wanted: Wide) -> Wide:
    amount = largest_swap(d, f, moves, is_base, least(wanted, borrowable(d, f, is_base)))
    if not positive(amount):
        return 0.0, 0.0
    minimum = quote(d, f, is_base, amount)[2]
    kept = mul(minimum, scale(d, not is_base))
    sold = mul(amount, scale(d, is_base))
    room = sub(times(gross(d), f[F_MOST_BORROW]), times(owed(d), BPS))
    per_unit = sub(times(sold, BPS), times(kept, f[F_MOST_BORROW]))
    if not positive(room):
        return 0.0, 0.0
    if not positive(per_unit):
        return amount
    return least(amount, down(mul(room, sold), mul(scale(d, is_base), per_unit)))


@compiled
def cost_of(d: Rows, f: Rows, amount: Wide) -> Wide:
    """Asset units that are expected to buy so much base."""
    cost = value_up(d, amount)
    for _ in range(TRIES):
        out = quote(d, f, False, cost)[0]
        if not positive(out):
            return 0.0, 0.0
        cost = up(mul(cost, amount), out)
    return cost


@compiled
def _lower(d: Rows, f: Rows, moves: Rows, count: int, step: int, amount: Wide) -> int:
    """Sell idle base, borrowed base, or collateral; what is certain of it repays asset debt."""
    if step == 0:
        amount = largest_swap(d, f, count, True, least(amount, row(d, IDLE_B)))
    elif step == 1:
        amount = loan_size(d, f, count, True, amount)
    else:
        amount = least(amount, withdrawable(d, f, True))
        amount = largest_swap(d, f, count, True, amount)
    if not worth_it(d, f, True, amount):
        return count
    if step:
        count = do(d, moves, count, BORROW if step == 1 else WITHDRAW, True, amount)
    count, minimum = swap(d, f, moves, count, True, amount)
    return do(d, moves, count, REPAY, False, least(minimum, row(d, DEBT_A)))


@compiled
def _raise(d: Rows, f: Rows, moves: Rows, count: int, step: int, amount: Wide) -> int:
    """Buy from what is idle, from asset collateral against base debt, or from a loan that is then collateral."""
    if step == 1 and not positive(row(d, DEBT_B)):
        return count
    cost = cost_of(d, f, amount)
    if step == 0:
        cost = largest_swap(d, f, count, False, least(row(d, IDLE_A), cost))
    elif step == 1:
        cost = largest_swap(d, f, count, False, least(cost, withdrawable(d, f, False)))
    else:
        cost = loan_size(d, f, count, False, cost)
    if not worth_it(d, f, False, cost):
        return count
    if step:
        count = do(d, moves, count, WITHDRAW if step == 1 else BORROW, False, cost)
    count, minimum = swap(d, f, moves, count, False, cost)
    if step < 2:
        return do(d, moves, count, REPAY, True, least(minimum, row(d, DEBT_B)))
    return do(d, moves, count, SUPPLY, True, minimum)


@compiled
def gap_to(d: Rows, target: Wide) -> Wide:
    return sub(sub(target, net_delta(d)), row(d, SURPLUS))


@compiled
def move_delta(d: Rows, f: Rows, moves: Rows, target: Wide) -> int:
    """The moves that bring net delta to the target, or as near as bounds allow; their number."""
    sells = not positive(gap_to(d, target)) and gap_to(d, target)[0] != 0.0
    count, rounds = 0, 0
    for step in range(3):
        while rounds < ROUNDS:
            amount = size(gap_to(d, target))
            before = count
            if sells:
                count = _lower(d, f, moves, count, step, amount)
            else:
                count = _raise(d, f, moves, count, step, amount)
            if count == before:
                break
            rounds += 1
    return count
