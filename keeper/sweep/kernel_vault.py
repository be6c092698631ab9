"""The simulated vault, its lender, pool and mandate (`keeper.backtest`), compiled, on pairs of floats.

What lies outside the kernel's class (a liquidation, a revert, a price fault while a transaction is under way) is not
played here: a function says so by a code of `LEFT`, and the run is left to the full pipeline.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from keeper.sweep.kernel_compiled import compiled, inlined
from keeper.sweep.kernel_plan import (
    BORROW,
    BPS,
    DEBT_A,
    DEBT_B,
    F_LINE_A,
    F_LINE_B,
    F_LTV_A,
    F_LTV_B,
    F_SWAP_LOSS,
    FREE_A,
    IDLE_A,
    IDLE_B,
    LIQUIDITY,
    PRICE,
    Q96,
    REPAY,
    ROOT,
    SUP_A,
    SUP_B,
    SUPPLY,
    SWAP,
    UNIT,
    WITHDRAW,
    Rows,
    change,
    net_delta,
    put,
    row,
    swapped,
)
from keeper.sweep.kernel_wide import (
    Wide,
    add,
    down,
    inverse,
    least,
    less,
    most,
    mul,
    near,
    neg,
    part,
    positive,
    size,
    sub,
    times,
    up,
    wide,
)

Ints = npt.NDArray[np.int64]
SHARE_S, SHARE_D, INDEX_S, INDEX_D, RATE_S, RATE_D, OTHER_S, OTHER_D = range(20, 36, 2)
"""Of the lender, asset and then base: scaled balances, indexes, rates a year, what others have."""
USED_ROUTINE, USED_SAFE, USED_TURNOVER = 36, 37, 38
STEP, KEPT = 39, 4
"""Growth of indexes in a step of time: supply of asset and base, debt of both; for the newest few lengths of steps."""
VAULT = STEP + 4 * KEPT
C_BASE, C_SLOPE1, C_SLOPE2, C_OPTIMAL, C_REST, C_KEPT, CURVE = range(7)
"""Of a reserve's rates; a curve's row is place + CURVE x side."""
NOW, ROUTINE_AT, BEAT_AT, NEXT, AT_ROUTINE, AT_SAFE, AT_TURNOVER, TICK, TAIL, LENGTH = range(10)
TIMES = LENGTH + KEPT
(
    F_MIN_HEALTH,
    F_MOST_LOSS,
    F_LOSS_DAY,
    F_SAFE_DAY,
    F_TURNOVER_DAY,
    F_DELTA_TARGET,
    F_DELTA_BAND,
    F_COOLDOWN,
    F_MOST_AGE,
    F_POLICY_LOSS,
    F_POLICY_SWAP,
) = range(10, 21)
F_MOST_BORROW_BPS = 9
LEFT = {
    1: "it could be liquidated",
    2: "a transaction would revert",
    3: "a price fault while a transaction is under way",
    4: "transactions reach into the next bar",
    5: "a change so large that it is sliced",
    6: "a price within rounding of a limit",
    7: "the plan is at a limit of the guard",
    8: "more transactions than there is room for",
    9: "the price leaves the table of ticks",
}
RAY, INV_RAY = wide(10**27), inverse(10**27)
INV_UNIT, INV_BPS, INV_WAD = inverse(10**20), inverse(10**4), inverse(10**18)
YEAR, INV_YEAR = (31_536_000.0, 0.0), inverse(31_536_000)
WAD, INFINITE = (1e18, 0.0), (2.0**256, 0.0)
DUST, DAY = 5.0, 86_400


@inlined
def ray_mul(a: Wide, b: Wide) -> Wide:
    return near(mul(a, b), INV_RAY)


@compiled
def ray_div(a: Wide, b: Wide) -> Wide:
    return down(add(mul(a, RAY), down(b, (2.0, 0.0))), b)


@inlined
def nav(v: Rows) -> float:
    """At the oracle's price, as the books have it; whole, as assets are less than 2^53 units."""
    price = row(v, PRICE)
    found = v[IDLE_A, 0] + v[SUP_A, 0] - v[DEBT_A, 0]
    found += part(mul(add(row(v, IDLE_B), row(v, SUP_B)), price), INV_UNIT)[0]
    if v[DEBT_B, 0] != 0.0:
        found += part(neg(mul(row(v, DEBT_B), price)), INV_UNIT)[0]
    return float(found)


@compiled
def refresh(v: Rows, curve: Rows, k: Ints, side: int) -> None:
    """Balances and rates of one reserve after a change."""
    for i in range(KEPT):
        k[LENGTH + i] = -1
    put(v, SUP_A + side, ray_mul(row(v, SHARE_S + side), row(v, INDEX_S + side)))
    put(v, DEBT_A + side, ray_mul(row(v, SHARE_D + side), row(v, INDEX_D + side)))
    lent = add(row(v, OTHER_S + side), row(v, SHARE_S + side))
    taken = add(row(v, OTHER_D + side), row(v, SHARE_D + side))
    whole = ray_mul(lent, row(v, INDEX_S + side))
    owed = ray_mul(taken, row(v, INDEX_D + side))
    free = most((0.0, 0.0), sub(whole, owed))
    put(v, FREE_A + side, free)
    c = CURVE * side
    usage = ray_div(owed, add(free, owed)) if positive(owed) else (0.0, 0.0)
    rate, optimal = row(curve, c + C_BASE), row(curve, c + C_OPTIMAL)
    if less(optimal, usage):
        over = ray_div(sub(usage, optimal), row(curve, c + C_REST))
        rate = add(rate, row(curve, c + C_SLOPE1))
        rate = add(rate, ray_mul(row(curve, c + C_SLOPE2), over))
    else:
        rate = add(rate, ray_mul(row(curve, c + C_SLOPE1), ray_div(usage, optimal)))
    put(v, RATE_D + side, rate)
    kept = add(mul(ray_mul(rate, usage), row(curve, c + C_KEPT)), (BPS / 2, 0.0))
    put(v, RATE_S + side, part(kept, INV_BPS))


@compiled
def _steps(v: Rows, k: Ints, seconds: int) -> int:
    """Where the growth of indexes in a step stands, beyond one: linear for supply, three binomial terms for debt."""
    for kept in range(KEPT):
        if k[LENGTH + kept] == seconds:
            return STEP + 4 * kept
    place = STEP + 4 * k[NEXT]
    k[LENGTH + k[NEXT]] = seconds
    k[NEXT] = (k[NEXT] + 1) % KEPT
    s = float(seconds)
    for side in range(2):
        put(v, place + side, part(times(row(v, RATE_S + side), s), INV_YEAR))
        rate = row(v, RATE_D + side)
        square = down(ray_mul(rate, rate), (YEAR[0] * YEAR[0], 0.0))
        cube = part(ray_mul(square, rate), INV_YEAR)
        pairs = s * (s - 1.0)
        second = down(times(square, pairs), (2.0, 0.0))
        third = down(times(cube, pairs * max(s - 2.0, 0.0)), (6.0, 0.0))
        first = part(times(rate, s), INV_YEAR)
        put(v, place + 2 + side, add(first, add(second, third)))
    return int(place)


@inlined
def advance(v: Rows, k: Ints, time: int, sums: Rows) -> None:
    """Interest up to a time; sums[0:2]: earned and paid, before each is rounded."""
    seconds = time - k[NOW]
    k[NOW] = time
    if seconds == 0:
        return
    place, worth = _steps(v, k, seconds), 1.0
    for side in range(2):
        for paid in range(2):
            shares, owns = SHARE_S + 2 * paid + side, SUP_A + 2 * paid + side
            at = INDEX_S + 2 * paid + side
            index = row(v, at)
            index = add(index, ray_mul(row(v, place + 2 * paid + side), index))
            put(v, at, index)
            if v[shares, 0] != 0.0:
                was = row(v, owns)
                now = ray_mul(row(v, shares), index)
                put(v, owns, now)
                sums[paid] += sub(now, was)[0] * worth
        worth = v[PRICE, 0] / UNIT[0]


@compiled
def health(v: Rows, f: Rows) -> Wide:
    """The venue's, WAD: in dollars of eight decimals, each step rounded as it rounds."""
    if not (positive(row(v, DEBT_A)) or positive(row(v, DEBT_B))):
        return INFINITE
    price = row(v, PRICE)
    of_asset, of_base = times(row(v, SUP_A), 100.0), part(mul(row(v, SUP_B), price), INV_WAD)
    debt = add(times(row(v, DEBT_A), 100.0), part(mul(row(v, DEBT_B), price), INV_WAD))
    if not positive(debt):
        return INFINITE
    held = add(of_asset, of_base)
    line = (0.0, 0.0)
    if positive(held):
        line = down(add(times(of_asset, f[F_LINE_A]), times(of_base, f[F_LINE_B])), held)
    backing = part(add(mul(held, line), (BPS / 2, 0.0)), INV_BPS)
    return down(add(times(backing, 1e18), down(debt, (2.0, 0.0))), debt)


@inlined
def about_health(v: Rows, f: Rows) -> float:
    """`health` to some 1e-12 of itself, as a ratio."""
    price = v[PRICE, 0] / UNIT[0]
    debt = v[DEBT_A, 0] + v[DEBT_B, 0] * price
    if debt <= 0.0:
        return np.inf
    a, b = v[SUP_A, 0], v[SUP_B, 0] * price
    held = a + b
    if held <= 0.0:
        return 0.0
    line = np.floor((a * f[F_LINE_A] + b * f[F_LINE_B]) / held + 1e-9)
    return float(held * line / (debt * BPS))


@compiled
def ledger_health(v: Rows, f: Rows) -> Wide:
    """`Ledger.health_wad`."""
    price = row(v, PRICE)
    debt = add(mul(row(v, DEBT_A), UNIT), mul(row(v, DEBT_B), price))
    if not positive(debt):
        return INFINITE
    a, b = mul(row(v, SUP_A), UNIT), mul(row(v, SUP_B), price)
    held = add(a, b)
    if not positive(held):
        return 0.0, 0.0
    line = down(add(times(a, f[F_LINE_A]), times(b, f[F_LINE_B])), held)
    return down(times(mul(held, line), 1e18), times(debt, BPS))


@compiled
def used(v: Rows, k: Ints, bucket: int, per_day: float) -> Wide:
    """Of a bucket of the mandate, now, WAD; `per_day` bps."""
    passed = min(k[NOW] - k[AT_ROUTINE + bucket], DAY * 2)
    refilled = down(times((per_day * 1e14, 0.0), float(passed)), (float(DAY), 0.0))
    return most((0.0, 0.0), sub(row(v, USED_ROUTINE + bucket), refilled))


@compiled
def left_down(v: Rows, k: Ints, bucket: int, per_day: float, value: Wide) -> Wide:
    """What may still be used of it, asset units at a NAV."""
    left = most((0.0, 0.0), sub((per_day * 1e14, 0.0), used(v, k, bucket, per_day)))
    return part(mul(most((0.0, 0.0), value), left), INV_WAD)


@compiled
def _charge(v: Rows, k: Ints, bucket: int, per_day: float, amount: Wide, value: Wide) -> bool:
    """False if it does not fit."""
    spent = add(used(v, k, bucket, per_day), up(times(amount, 1e18), value))
    put(v, USED_ROUTINE + bucket, spent)
    k[AT_ROUTINE + bucket] = k[NOW]
    return not less((per_day * 1e14, 0.0), spent)


@compiled
def _lend(v: Rows, curve: Rows, k: Ints, f: Rows, kind: int, side: int, amount: Wide) -> bool:
    """A move at the lender; False where it would revert."""
    if kind == SUPPLY or kind == REPAY:
        if less(row(v, IDLE_A + side), amount):
            return False
    elif less(row(v, FREE_A + side), amount):
        return False
    if kind == SUPPLY:
        change(v, SHARE_S + side, ray_div(amount, row(v, INDEX_S + side)))
    elif kind == WITHDRAW:
        amount = least(amount, row(v, SUP_A + side))
        share = ray_div(amount, row(v, INDEX_S + side))
        change(v, SHARE_S + side, neg(least(row(v, SHARE_S + side), share)))
    elif kind == BORROW:
        change(v, SHARE_D + side, ray_div(amount, row(v, INDEX_D + side)))
    else:
        amount = least(amount, row(v, DEBT_A + side))
        share = ray_div(amount, row(v, INDEX_D + side))
        change(v, SHARE_D + side, neg(least(row(v, SHARE_D + side), share)))
    takes = kind == WITHDRAW or kind == BORROW
    change(v, IDLE_A + side, amount if takes else neg(amount))
    refresh(v, curve, k, side)
    if not positive(amount):
        return False
    return not takes or _backed(v, f, kind)


@compiled
def _backed(v: Rows, f: Rows, kind: int) -> bool:
    """The lender's own rules after a withdrawal or a loan; near its loan to value counts as a refusal."""
    if less(health(v, f), WAD):
        return False
    if kind != BORROW:
        return True
    price = row(v, PRICE)
    a, b = times(row(v, SUP_A), 1e20), mul(row(v, SUP_B), price)
    debt = add(times(row(v, DEBT_A), 1e20), mul(row(v, DEBT_B), price))
    lends = add(times(a, f[F_LTV_A]), times(b, f[F_LTV_B]))
    lends = sub(lends, times(add(a, b), 1.5))
    return not less(lends, times(debt, BPS))


@inlined
def move_pool(v: Rows, k: Ints, points: Ints, root: Wide, tick: int, ramp: int) -> None:
    """The pool's new price, and the points its average is made of."""
    put(v, ROOT, root)
    if tick == k[TICK]:
        return
    now, tail = k[NOW], k[TAIL]
    began = max(now - max(ramp, 0), points[tail, 0])
    for time, at in ((began, k[TICK]), (now, tick)):
        was, total, last = points[tail, 0], points[tail, 1], points[tail, 2]
        tail += 1
        points[tail, 0], points[tail, 2] = time, at
        points[tail, 1] = total + (last + at) * (time - was)
    k[TAIL], k[TICK] = tail, tick


@inlined
def _doubled(k: Ints, points: Ints, time: int) -> int:
    tail = k[TAIL]
    place = tail
    while place > 0 and points[place, 0] > time:
        place -= 1
    at, total, tick = points[place, 0], points[place, 1], points[place, 2]
    if place == tail or time < at:
        return int(total + 2 * tick * (time - at))
    until, other = points[place + 1, 0], points[place + 1, 2]
    here = tick + (other - tick) * (time - at) // (until - at)
    return int(total + (tick + here) * (time - at))


@inlined
def average_tick(k: Ints, points: Ints, window: int) -> int:
    now = k[NOW]
    return int((_doubled(k, points, now) - _doubled(k, points, now - window)) // (2 * window))


@compiled
def tick_of(root: Wide) -> int:
    """-1 << 40 where the logarithm is too near a tick to tell."""
    at = 2.0 * np.log(root[0] / Q96) / np.log(1.0001)
    low = np.floor(at)
    if at - low < 1e-7 or at - low > 1 - 1e-7:
        return -(1 << 40)
    return int(low)


@compiled
def _swap(
    v: Rows, f: Rows, k: Ints, points: Ints, amount: Wide, base: bool, limit: Wide, sums: Rows
) -> tuple[bool, Wide, Wide]:
    """(whether it passes, value sold, what is bought): against the pool as it is now, its cost added to `sums`."""
    root, price = row(v, ROOT), row(v, PRICE)
    sold_from, bought_to = (IDLE_B, IDLE_A) if base else (IDLE_A, IDLE_B)
    zero = (0.0, 0.0)
    if not positive(amount) or less(row(v, sold_from), amount):
        return False, zero, zero
    out, after = swapped(v, f, base, amount)
    tick = tick_of(after)
    fair = up(mul(amount, price), UNIT) if base else up(mul(amount, UNIT), price)
    bound = most(up(times(fair, BPS - f[F_SWAP_LOSS]), (BPS, 0.0)), limit)
    if less(out, bound) or tick < -(1 << 39):
        return False, zero, zero
    change(v, sold_from, neg(amount))
    change(v, bought_to, out)
    value = fair if base else amount
    _cost(v, amount, out, value, (base, root, after), sums)
    move_pool(v, k, points, after, tick, 0)
    return True, value, out


@compiled
def _cost(
    v: Rows, amount: Wide, out: Wide, value: Wide, pool: tuple[bool, Wide, Wide], sums: Rows
) -> None:
    """sums[2:6]: pool's fees, impact, basis, value sold."""
    base, root, after = pool
    price, liquidity = row(v, PRICE), row(v, LIQUIDITY)
    square = times(times(mul(root, root), 1.0 / Q96), 1.0 / Q96)
    moved = mul(liquidity, size(sub(after, root)))
    if base:
        paid = up(moved, (Q96, 0.0))
        spot, rest = down(amount, square), down(paid, square)
        got = out
    else:
        paid = up(times(moved, Q96), mul(root, after))
        spot = down(mul(down(mul(amount, square), (1.0, 0.0)), price), UNIT)
        rest = down(mul(down(mul(paid, square), (1.0, 0.0)), price), UNIT)
        got = down(mul(out, price), UNIT)
    sums[2] += sub(spot, rest)[0]
    sums[3] += sub(rest, got)[0]
    sums[4] += sub(value, spot)[0]
    sums[5] += value[0]


@compiled
def rebalance(
    v: Rows,
    curve: Rows,
    f: Rows,
    k: Ints,
    points: Ints,
    moves: Rows,
    count: int,
    can_lose: Wide,
    price_at: int,
    sums: Rows,
    before: Rows,
) -> int:
    """The transaction on the state of now, judged by the mandate; 0 or why the run is left. before: room."""
    k[BEAT_AT] = k[NOW]
    for i in range(VAULT):
        before[i, 0], before[i, 1] = v[i, 0], v[i, 1]
    healthy = health(v, f)
    sold = bought_asset = bought_base = (0.0, 0.0)
    for i in range(count):
        kind, base = int(moves[i, 0]), moves[i, 1] > 0.0
        amount, limit = (moves[i, 2], moves[i, 3]), (moves[i, 4], moves[i, 5])
        if kind == SWAP:
            fine, value, out = _swap(v, f, k, points, amount, base, limit, sums)
            sold = add(sold, value)
            if base:
                bought_asset = add(bought_asset, out)
            else:
                bought_base = add(bought_base, up(mul(out, row(v, PRICE)), UNIT))
        else:
            fine = _lend(v, curve, k, f, kind, int(base), amount)
        if not fine:
            return 2
    traded = (sold, bought_asset, bought_base)
    return _judged(before, v, f, k, healthy, traded, count, can_lose, price_at)


@compiled
def _measure(v: Rows) -> tuple[Wide, Wide, Wide]:
    """(gross, debt, lent), asset units."""
    price = row(v, PRICE)
    long = add(row(v, IDLE_B), row(v, SUP_B))
    gross = add(add(row(v, IDLE_A), row(v, SUP_A)), part(mul(long, price), INV_UNIT))
    debt = add(row(v, DEBT_A), neg(part(neg(mul(row(v, DEBT_B), price)), INV_UNIT)))
    return gross, debt, add(row(v, SUP_A), part(mul(row(v, SUP_B), price), INV_UNIT))


@compiled
def _judged(
    was: Rows,
    v: Rows,
    f: Rows,
    k: Ints,
    healthy: Wide,
    traded: tuple[Wide, Wide, Wide],
    count: int,
    can_lose: Wide,
    price_at: int,
) -> int:
    """`Mandate.judge`."""
    now_healthy, floor = health(v, f), (f[F_MIN_HEALTH], 0.0)
    gross0, debt0, lent0 = _measure(was)
    gross1, debt1, lent1 = _measure(v)
    if less(now_healthy, floor) and not less(healthy, now_healthy):
        return 2
    more_debt = less(row(was, DEBT_A), row(v, DEBT_A)) or less(row(was, DEBT_B), row(v, DEBT_B))
    if more_debt and less(times(gross1, f[F_MOST_BORROW_BPS]), times(debt1, BPS)):
        return 2
    grew = more_debt or less(now_healthy, healthy)
    grew = grew or less(add(size(net_delta(was)), (DUST * count, 0.0)), size(net_delta(v)))
    safer = less(healthy, now_healthy) and not less(times(floor, 4.0), now_healthy)
    reduces = not (grew or (less(lent0, lent1) and not safer)) and _repays(was, v, traded)
    value0 = most((0.0, 0.0), sub(gross0, debt0))
    value1 = most((0.0, 0.0), sub(gross1, debt1))
    if not _in_band(v, f, value1):
        return 7
    if not reduces:
        age = k[NOW] - price_at
        if k[NOW] < k[ROUTINE_AT] + int(f[F_COOLDOWN]) or age > int(f[F_MOST_AGE]):
            return 2
        k[ROUTINE_AT] = k[NOW]
        if positive(traded[0]) and not _charge(v, k, 2, f[F_TURNOVER_DAY], traded[0], value0):
            return 2
    loss = most((0.0, 0.0), sub(sub(add(gross0, debt1), gross1), debt0))
    dust = (DUST * count, 0.0)
    if not less(add(dust, up(mul(dust, row(v, PRICE)), UNIT)), loss):
        return 0
    if less(least(can_lose, part(times(value0, f[F_MOST_LOSS]), INV_BPS)), loss):
        return 2
    bucket, per_day = (1, f[F_SAFE_DAY]) if reduces else (0, f[F_LOSS_DAY])
    return 0 if _charge(v, k, bucket, per_day, loss, value0) else 2


@compiled
def _repays(was: Rows, v: Rows, traded: tuple[Wide, Wide, Wide]) -> bool:
    """Swaps are as large as what they repaid."""
    _, asset, base = traded
    if positive(asset) and positive(base):
        return False
    repaid_base = most((0.0, 0.0), sub(row(was, DEBT_B), row(v, DEBT_B)))
    repaid_asset = most((0.0, 0.0), sub(row(was, DEBT_A), row(v, DEBT_A)))
    worth = up(mul(repaid_base, row(v, PRICE)), UNIT)
    if less(part(times(worth, 10_100.0), INV_BPS), base):
        return False
    enough = not less(part(times(repaid_asset, 10_100.0), INV_BPS), asset)
    return not positive(row(was, DEBT_B)) or enough


@compiled
def _in_band(v: Rows, f: Rows, value: Wide) -> bool:
    """The mandate's delta band, with a unit to spare."""
    delta = net_delta(v)
    worth = up(mul(size(delta), row(v, PRICE)), UNIT)
    worth = worth if positive(delta) else neg(worth)
    aim = times(value, f[F_DELTA_TARGET] / BPS)
    return not less(times(value, f[F_DELTA_BAND] / BPS), add(size(sub(worth, aim)), (1.0, 0.0)))
