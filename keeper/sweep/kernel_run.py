"""A whole run, compiled: at each bar the market, the keeper's tick, and what it sent as it lands; bar after bar.

The order of things is the engine's (`keeper.backtest.engine`) and the loop's (`keeper.loop`).
"""

from __future__ import annotations

import numpy as np

from keeper.sweep.kernel_compiled import compiled, inlined
from keeper.sweep.kernel_plan import (
    BPS,
    CAN_LOSE,
    CAN_SWAP,
    DEBT_A,
    DEBT_B,
    DRAFT,
    F_FEE,
    F_LINE_A,
    F_LINE_B,
    FLOOR,
    HIGH,
    IDLE_A,
    IDLE_B,
    LIQUIDITY,
    LOSS,
    LOW,
    MOST_MOVES,
    NAV,
    PRICE,
    Q96,
    ROOT,
    SUP_A,
    SUP_B,
    SWAP,
    TRADED,
    UNIT,
    Rows,
    accepted,
    gross,
    move_delta,
    net_delta,
    owed,
    put,
    row,
    value_up,
    weighted,
)
from keeper.sweep.kernel_vault import (
    BEAT_AT,
    F_COOLDOWN,
    F_DELTA_BAND,
    F_DELTA_TARGET,
    F_LOSS_DAY,
    F_MIN_HEALTH,
    F_MOST_AGE,
    F_POLICY_LOSS,
    F_POLICY_SWAP,
    F_SAFE_DAY,
    F_TURNOVER_DAY,
    INFINITE,
    INV_BPS,
    NOW,
    ROUTINE_AT,
    TAIL,
    WAD,
    Ints,
    _in_band,
    about_health,
    advance,
    average_tick,
    health,
    ledger_health,
    left_down,
    move_pool,
    nav,
    rebalance,
)
from keeper.sweep.kernel_wide import (
    Wide,
    add,
    down,
    least,
    less,
    most,
    mul,
    neg,
    over,
    part,
    positive,
    size,
    sub,
    times,
    up,
)
from keeper.sweep.kernel_wide import floor as floored

F_SLICE, F_TARGET, F_LEAST_BAND, F_SOURCES_BPS, F_SPOT_BPS, F_FAULT_BPS = range(21, 27)
F_AVERSION, F_WAITING_DAYS = 27, 28
F_SETTINGS = 29
P_TIME, P_MARKET, P_ANSWER, P_UPDATED, P_RAMP, P_DECIDES, P_LOW_TICK, P_HIGH_TICK, P_FORECAST = (
    range(9)
)
"""Columns of a path, whole numbers; prices have eight decimals."""
R_TARGET, R_BAND, R_LEAST_HEALTH, R_EMERGENCY, R_FLOOR = range(5)
"""Rows of a rule, pairs."""
(
    C_RULE,
    C_BLOCK,
    C_LATENCY,
    C_FOLLOW_UPS,
    C_WINDOW,
    C_MAX_AGE,
    C_FEED_AGE,
    C_FIRST_TICK,
    C_SILENCE,
    C_FEE_WEI,
    C_GAS_BEAT,
    C_GAS_BASE,
) = range(12)
C_GAS = 12
"""And five more: of each kind of move."""
C_LEAST_ANSWER, C_MOST_ANSWER, C_BASE_FEE = 17, 18, 19
C_NUMBERS = 20
BAND_RULE, HEDGE_RULE = 0, 1
HOLDS, REBALANCES, BEATS = 0, 1, 2
_DUST = 1e4
"""Asset units: above it the rounding of the venue's dollars is nothing."""
_ROUGH = 1e9
"""Base units: more than a sum of plain floats is off by."""
_CLEAR = 1e17
"""Base units: of such a sum `_ROUGH` is 1e-8, and `_hopeless` has 1e-6 to spare."""


@inlined
def deviates(price: int, table: Rows, c: Ints, tick: int, bps: float) -> int:
    """1 if the average is further from the price than so many bps, rounded up; -9 beyond the table."""
    place = tick - c[C_FIRST_TICK]
    if place < 0 or place >= table.shape[0]:
        return -9
    rough = abs(price * 1e10 - table[place, 0]) * BPS / (price * 1e10)
    if abs(rough - bps) > 1e-6:
        return int(rough > bps)
    p = (float(price), 0.0)
    apart = size(sub(times(p, 1e10), row(table, place)))
    return int(less(times(p, bps * 1e10), times(apart, BPS)))


@inlined
def _agrees(v: Rows, f: Rows) -> bool:
    """Whether the venue's health and the ledger's are within a hundredth: only dust can part them."""
    price = v[PRICE, 0] / UNIT[0]
    debt, held = v[DEBT_A, 0] + v[DEBT_B, 0] * price, v[SUP_A, 0] + v[SUP_B, 0] * price
    if debt <= 0.0 or (debt > _DUST and held > _DUST):
        return True
    venue, ours = health(v, f), ledger_health(v, f)
    if venue[0] == ours[0] and venue[1] == ours[1]:
        return True
    if not less(least(venue, ours), (1e21, 0.0)):
        return True
    if venue[0] >= INFINITE[0] or ours[0] >= INFINITE[0]:
        return False
    return not less(times(most(venue, ours), 100.0), times(size(sub(venue, ours)), BPS))


@inlined
def tradable(v: Rows, f: Rows, k: Ints, c: Ints, table: Rows, points: Ints, updated: int) -> int:
    """1 or 0 as `build_market` finds no fault or one; negative where rounding could decide it."""
    answer = int(v[PRICE, 0])
    age = k[NOW] - updated
    if age > c[C_FEED_AGE] or not c[C_LEAST_ANSWER] < answer < c[C_MOST_ANSWER]:
        return 0
    if not _agrees(v, f):
        return 0
    far = deviates(answer, table, c, average_tick(k, points, c[C_WINDOW]), f[F_SOURCES_BPS])
    if far != 0:
        return min(0, far)
    root = v[ROOT, 0] / Q96
    apart = abs(1e20 / (root * root) / v[PRICE, 0] - 1.0) * BPS
    if abs(apart - f[F_SPOT_BPS]) < 1e-6:
        return -6
    return int(apart < f[F_SPOT_BPS])


@compiled
def _room(v: Rows, f: Rows, rule: Rows, healthy: Wide, sells: bool) -> Wide:
    """`strategies.parts.room.room_for`."""
    price, wanted = row(v, PRICE), row(rule, R_LEAST_HEALTH)
    as_base = down(mul(row(v, IDLE_A), UNIT), price)
    if less(healthy, wanted):
        return row(v, IDLE_B) if sells else least(as_base, row(v, DEBT_B))
    free = row(v, IDLE_B) if sells else most(as_base, row(v, DEBT_B))
    held = times(weighted(v, f[F_LINE_A], f[F_LINE_B]), 1e18)
    spare = sub(held, times(mul(owed(v), wanted), BPS))
    return add(free, most((0.0, 0.0), down(spare, mul(times(price, BPS), wanted))))


@compiled
def _value(v: Rows) -> Wide:
    """NAV as the ledger rounds it."""
    return down(sub(gross(v), owed(v)), UNIT)


@inlined
def _gap(v: Rows, f: Rows, rule: Rows, c: Ints, forecast: bool) -> Wide:
    """Base units that the rule wants to trade; 0 to hold."""
    near = v[IDLE_B, 0] + v[SUP_B, 0] - v[DEBT_B, 0]
    if c[C_RULE] == BAND_RULE:
        gap = sub(row(rule, R_TARGET), net_delta(v))
        return gap if less(row(rule, R_BAND), size(gap)) else (0.0, 0.0)
    if not forecast:
        return 0.0, 0.0
    price = v[PRICE, 0] / 1e8
    cash = (v[IDLE_A, 0] + v[SUP_A, 0] - v[DEBT_A, 0]) / 1e6
    wide_band = f[F_LEAST_BAND] * (cash + near / 1e18 * price) / price
    if abs(f[F_TARGET] - near / 1e18) < wide_band * (1 - 1e-6) - 1e-9:
        return 0.0, 0.0
    delta = net_delta(v)
    value = _value(v)
    if not positive(value):
        return 0.0, 0.0
    whole, linear = value[0] / 1e6, over(delta, WAD)[0]
    half = f[F_LEAST_BAND] * whole / price
    aim = f[F_TARGET]
    if aim - half <= linear <= aim + half:
        return 0.0, 0.0
    trade = aim - linear
    units = floored(times((abs(trade), 0.0), 1e18))
    return neg(units) if trade < 0.0 else units


@compiled
def _bounds(d: Rows, v: Rows, f: Rows, k: Ints, rule: Rows, value: Wide) -> None:
    """A draft with what binds it: `planning.state.Bounds.of` for a routine plan."""
    for i in range(DRAFT):
        put(d, i, row(v, i) if i <= LIQUIDITY else (0.0, 0.0))
    put(d, PRICE, row(v, PRICE))
    value = most((0.0, 0.0), value)
    put(d, NAV, value)
    lose = part(times(value, f[F_POLICY_LOSS]), INV_BPS)
    lose = least(lose, left_down(v, k, 0, f[F_LOSS_DAY], value))
    put(d, CAN_LOSE, lose)
    turnover = left_down(v, k, 2, f[F_TURNOVER_DAY], value)
    put(d, CAN_SWAP, least((f[F_POLICY_SWAP], 0.0), turnover))
    rest = most((0.0, 0.0), sub(value, lose))
    below, above = f[F_DELTA_TARGET] - f[F_DELTA_BAND], f[F_DELTA_TARGET] + f[F_DELTA_BAND]
    unit = times(row(d, PRICE), BPS)
    lowest = most(times(value, below), times(rest, below))
    highest = least(times(value, above), times(rest, above))
    put(d, LOW, up(mul(lowest, UNIT), unit))
    put(d, HIGH, sub(down(mul(highest, UNIT), unit), (1.0, 0.0)))
    put(d, FLOOR, least(row(rule, R_FLOOR), ledger_health(v, f)))


@compiled
def _waiting(f: Rows, gap: float, value: float, volatility: float) -> float:
    """`planning.costs.waiting_up`; 0 where nobody knows."""
    if not f[F_AVERSION] > 0.0 or not volatility >= 0.0:
        return 0.0
    risk = f[F_AVERSION] / 2 * volatility * volatility * (f[F_WAITING_DAYS] / 365)
    return float(np.ceil(risk * gap * (gap / max(1.0, value))))


@inlined
def _hopeless(d: Rows, f: Rows, c: Ints, gap: float, sells: bool, volatility: float) -> bool:
    """True only if no plan of at most this gap can be worth its cost: a swap without impact costs more than waiting."""
    waiting = _waiting(f, gap, nav(d), volatility)
    if waiting == 0.0:
        return False
    root = d[ROOT, 0] / Q96
    ratio = 1e20 / (root * root) / d[PRICE, 0]
    loses = 1.0 - (1.0 - f[F_FEE] / 1e6) * (ratio if sells else 1.0 / ratio)
    units = float(c[C_GAS_BASE] + c[C_GAS + SWAP])
    least_cost = units * float(c[C_BASE_FEE]) * d[PRICE, 0] / 1e20 + min(0.0, loses) * 1.05 * gap
    return bool(waiting * (1 + 1e-6) + 2.0 < least_cost)


@inlined
def _pointless(v: Rows, f: Rows, c: Ints, rule: Rows, volatility: float) -> bool:
    """Nothing to trade or nothing worth it, in plain floats with room for what they are off: no exact gap is needed."""
    gap = rule[R_TARGET, 0] - (v[IDLE_B, 0] + v[SUP_B, 0] - v[DEBT_B, 0])
    if c[C_RULE] == BAND_RULE and abs(gap) + _ROUGH < rule[R_BAND, 0]:
        return True
    if abs(gap) < _CLEAR:
        return False
    return _hopeless(v, f, c, abs(gap) * v[PRICE, 0] / UNIT[0], gap < 0.0, volatility)


@compiled
def _worth_it(
    d: Rows,
    f: Rows,
    c: Ints,
    moves: Rows,
    count: int,
    gap: float,
    value: float,
    volatility: float,
) -> bool:
    """`planning.plan._not_worth_it`: gas, fee and impact against the loss expected from waiting."""
    waiting = _waiting(f, gap, value, volatility)
    if waiting == 0.0:
        return True
    wei = times((float(_gas_units(c, moves, count)), 0.0), float(c[C_BASE_FEE]))
    gas = up(mul(wei, row(d, PRICE)), UNIT)
    return not less((waiting, 0.0), add(gas, row(d, LOSS)))


@compiled
def _gas_units(c: Ints, moves: Rows, count: int) -> int:
    units = c[C_GAS_BASE]
    for j in range(count):
        units += c[C_GAS + int(moves[j, 0])]
    return int(units)


@compiled
def _plan(
    v: Rows,
    f: Rows,
    k: Ints,
    c: Ints,
    rule: Rows,
    value: Wide,
    target: Wide,
    volatility: float,
    moves: Rows,
    d: Rows,
) -> tuple[int, int, Wide]:
    """(status, moves, loss to accept) of a plan for a delta, as the guard passes it."""
    zero = (0.0, 0.0)
    _bounds(d, v, f, k, rule, value)
    gap = value_up(d, size(sub(target, net_delta(d))))[0]
    reserve = v[LIQUIDITY, 0] * (v[ROOT, 0] / Q96) / 1e18
    units = gap / 1e6 / (v[PRICE, 0] / 1e8)
    if 2.0 * units / reserve * BPS > f[F_SLICE] * (1 - 1e-9):
        return -5, 0, zero
    count = move_delta(d, f, moves, target)
    if count == 0 or not _worth_it(d, f, c, moves, count, gap, value[0], volatility):
        return HOLDS, 0, zero
    lose = least(accepted(d, f, count, row(d, LOSS), row(d, TRADED)), row(d, CAN_LOSE))
    after = down(sub(gross(d), owed(d)), UNIT)
    ends = ledger_health(d, f)
    near = less(ends, (f[F_MIN_HEALTH] * (1 + 1e-9), 0.0))
    tight = less(left_down(v, k, 1, f[F_SAFE_DAY], value), lose)
    if near or tight or not _in_band(d, f, most(zero, after)):
        return -7, 0, zero
    return REBALANCES, count, lose


@inlined
def _tick(
    v: Rows,
    f: Rows,
    k: Ints,
    c: Ints,
    rule: Rows,
    table: Rows,
    points: Ints,
    at: tuple[int, bool, float],
    moves: Rows,
    draft: Rows,
) -> tuple[int, int, Wide]:
    """(what is sent, its moves, loss to accept), or a negative reason to leave the run."""
    zero, (updated, forecast, volatility) = (0.0, 0.0), at
    usable = tradable(v, f, k, c, table, points, updated)
    if usable != 1:
        return usable, 0, zero
    waits = k[NOW] < k[ROUTINE_AT] + int(f[F_COOLDOWN]) or k[NOW] - updated > int(f[F_MOST_AGE])
    placed = v[SUP_A, 0] + v[SUP_B, 0] + v[DEBT_A, 0] + v[DEBT_B, 0] > 0.0
    if not waits and not _pointless(v, f, c, rule, volatility):
        gap = _gap(v, f, rule, c, forecast)
        sells, worth = gap[0] < 0.0, abs(gap[0]) * v[PRICE, 0] / UNIT[0]
        if worth != 0.0 and not _hopeless(v, f, c, worth, sells, volatility):
            healthy = health(v, f) if placed else INFINITE
            step = least(size(gap), _room(v, f, rule, healthy, sells))
            if positive(step):
                target = add(net_delta(v), neg(step) if sells else step)
                status, count, lose = _plan(
                    v, f, k, c, rule, _value(v), target, volatility, moves, draft
                )
                if status != HOLDS:
                    return status, count, lose
    if (k[NOW] - k[BEAT_AT]) * 10_000 < c[C_SILENCE]:
        return HOLDS, 0, zero
    if placed and less(health(v, f), row(rule, R_EMERGENCY)):
        return HOLDS, 0, zero
    return BEATS, 0, zero


@inlined
def _market(v: Rows, k: Ints, points: Ints, path: Ints, roots: Rows, i: int, ramp: int) -> None:
    """The arbitrageur brings the pool to where another trade would not pay its fee."""
    root = row(v, ROOT)
    low, high = (roots[i, 0], roots[i, 1]), (roots[i, 2], roots[i, 3])
    if less(root, low):
        move_pool(v, k, points, low, path[i, P_LOW_TICK], ramp)
    elif less(high, root):
        move_pool(v, k, points, high, path[i, P_HIGH_TICK], ramp)


@compiled
def _gas(c: Ints, moves: Rows, count: int, status: int, market: int) -> float:
    """Asset units, rounded up."""
    units = _gas_units(c, moves, count) if status == REBALANCES else c[C_GAS_BEAT]
    wei = times((float(units), 0.0), float(c[C_FEE_WEI]))
    return up(times(wei, float(market)), UNIT)[0]


@compiled
def _keep(
    now: int, what: tuple[int, int, int, int], moves: Rows, sent: Ints, made: Rows, room: int
) -> int:
    """Write down what is sent: its kind, its place, its first move and how many; 8 where there is no room."""
    status, place, first, count = what
    if place == sent.shape[0] or first + count > made.shape[0] or room < 2 * MOST_MOVES:
        return 8
    sent[place, 0], sent[place, 1], sent[place, 2], sent[place, 3] = now, status, first, count
    for j in range(count):
        for column in range(6):
            made[first + j, column] = moves[j, column]
    return 0


@compiled
def _land(
    v: Rows,
    curve: Rows,
    f: Rows,
    k: Ints,
    c: Ints,
    table: Rows,
    points: Ints,
    path: Ints,
    roots: Rows,
    i: int,
    moves: Rows,
    what: tuple[int, int, Wide],
    sums: Rows,
    before: Rows,
) -> int:
    """A transaction takes effect; 0, or why the run is left."""
    status, count, lose = what
    average = average_tick(k, points, c[C_WINDOW])
    far = deviates(path[i, P_ANSWER], table, c, average, f[F_FAULT_BPS])
    if far != 0 or k[NOW] - path[i, P_UPDATED] > c[C_MAX_AGE]:
        return 3
    if status == BEATS:
        k[BEAT_AT] = k[NOW]
    else:
        price_at = path[i, P_UPDATED]
        why = rebalance(v, curve, f, k, points, moves, count, lose, price_at, sums, before)
        if why != 0:
            return why
        _market(v, k, points, path, roots, i, 0)
    return int(about_health(v, f) < 1.0 + 1e-9)


@compiled
def play(
    v: Rows,
    curve: Rows,
    f: Rows,
    k: Ints,
    c: Ints,
    rule: Rows,
    table: Rows,
    points: Ints,
    path: Ints,
    roots: Rows,
    steps: Rows,
    sums: Rows,
    sent: Ints,
    made: Rows,
    moves: Rows,
    draft: Rows,
    before: Rows,
) -> tuple[int, int, int, int]:
    """(0 or why the run was left, bar, transactions, ticks).

    steps (n, 3): NAV, gas so far, health. sums (6,): interest earned, paid, pool fees, impact, basis, sold.
    sent (m, 5): when, what, first move, moves, whether it landed. made: the moves, as in a draft.
    moves, draft, before: room to work in.
    """
    n, first, place, ticks, spent, why, bar = path.shape[0], 0, 0, 0, 0.0, 0, 0
    for i in range(n):
        bar = i
        advance(v, k, path[i, P_TIME], sums)
        _market(v, k, points, path, roots, i, path[i, P_RAMP])
        put(v, PRICE, (float(path[i, P_ANSWER]), 0.0))
        healthy = about_health(v, f)
        if healthy < 1.0 + 1e-9:
            why = 1
            break
        at = (path[i, P_UPDATED], path[i, P_FORECAST] == 1, roots[i, 4])
        status, count, lose = HOLDS, 0, (0.0, 0.0)
        if path[i, P_DECIDES] == 1:
            status, count, lose = _tick(v, f, k, c, rule, table, points, at, moves, draft)
            ticks += 1
        steps[i, 0], steps[i, 1], steps[i, 2] = nav(v), spent, healthy
        for follow_up in range(c[C_FOLLOW_UPS] + 1):
            if status <= HOLDS:
                break
            room = points.shape[0] - k[TAIL]
            why = _keep(k[NOW], (status, place, first, count), moves, sent, made, room)
            first, place = first + count, place + 1
            if why != 0 or i == n - 1:
                break
            lands = k[NOW] + c[C_LATENCY]
            if lands + c[C_BLOCK] >= path[i + 1, P_TIME]:
                why = 4
                break
            advance(v, k, lands, sums)
            spent += _gas(c, moves, count, status, path[i, P_MARKET])
            what = (status, count, lose)
            why = _land(v, curve, f, k, c, table, points, path, roots, i, moves, what, sums, before)
            sent[place - 1, 4] = 1
            if why != 0 or follow_up == c[C_FOLLOW_UPS]:
                break
            advance(v, k, lands + c[C_BLOCK], sums)
            status, count, lose = _tick(v, f, k, c, rule, table, points, at, moves, draft)
            ticks += 1
        if status < 0:
            why = -status
        if why != 0:
            break
    return why, bar, place, ticks
