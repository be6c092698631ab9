"""The loop over blocks of paths: each block walks all steps by itself, so threads share nothing but the work."""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

from keeper.quant.compiled import kernel, parallel_kernel
from keeper.quant.montecarlo import models, rows
from keeper.quant.montecarlo import portfolio as held
from keeper.quant.montecarlo.random import LANES, draw_normals, draw_units
from keeper.quant.normal import INV_SQRT_2PI, cdf, exponential, log_ratio

Floats = NDArray[np.float64]

NORMALS, JUMPS, UNITS = 0, 1, 2  # streams of the generator
PNL, ERROR, COSTS, FUNDING, SEIZED, LENDING_HIT, PERPETUAL_HIT, SPOT, TRADES = range(9)
OUTPUTS = 9

never, neutral, in_band = int(held.Rule.NEVER), int(held.Rule.NEUTRAL), int(held.Rule.BAND)


@parallel_kernel
def run(
    spot: float,
    dt: float,
    model: Floats,
    history: Floats,
    numbers: Floats,
    legs: Floats,
    expiries: Floats,
    funding: Floats,
    quasi: Floats,
    seed: int,
    mirror: int,
    options_before: float,
    out: Floats,
) -> None:
    """Fill `out` (OUTPUTS, paths). `quasi` (steps, factors, paths) replaces the normals unless it is empty."""
    paths = out.shape[1]
    for block in numba.prange((paths + LANES - 1) // LANES):
        work = np.zeros(rows.COUNT * LANES)
        first = block * LANES
        count = min(LANES, paths - first)
        start(work, spot, model[models.FIRST_VARIANCE], numbers)
        for step in range(funding.size):
            if numbers[held.RULE] != never and step % int(numbers[held.EVERY]) == 0:
                reckon(work, legs, expiries, numbers, step, dt)
                trade(work, numbers)
            draw(work, model, quasi, seed, first, count, step, mirror)
            move(work, spot, model, history, step, dt)
            settle(work, numbers, funding[step])
            if numbers[held.HAS_LENDING] > 0.0:
                accrue_and_liquidate(work, numbers)
            expire(work, spot, legs, step + 1)
        mark(work, spot, legs, expiries, numbers, funding.size, dt)
        report(work, spot, numbers, options_before, out, first, count)


@kernel
def start(work: Floats, spot: float, variance: float, numbers: Floats) -> None:
    """The first state of a block (everything else is zero)."""
    for i in range(LANES):
        work[rows.SPOT + i] = spot
        work[rows.VARIANCE + i] = variance
        work[rows.BASE + i] = numbers[held.UNITS]
        work[rows.ALIVE + i] = 1.0
        work[rows.COLLATERAL + i] = numbers[held.COLLATERAL]
        work[rows.DEBT + i] = numbers[held.DEBT]


@kernel
def draw(
    work: Floats,
    model: Floats,
    quasi: Floats,
    seed: int,
    first: int,
    count: int,
    step: int,
    mirror: int,
) -> None:
    """The random numbers that the model needs for this step."""
    kind = int(model[models.KIND])
    if kind == models.BOOTSTRAP:
        draw_units(
            work, rows.UNIT_A // LANES, rows.UNIT_B // LANES, seed, first, step, UNITS, mirror
        )
        return
    if quasi.size > 0:
        for i in range(count):
            work[rows.NORMAL_A + i] = quasi[step, 0, first + i]
            work[rows.NORMAL_B + i] = quasi[step, quasi.shape[1] - 1, first + i]
    elif kind == models.HESTON or step % 2 == 0:
        a, b = rows.NORMAL_A // LANES, rows.NORMAL_B // LANES
        draw_normals(work, a, b, seed, first, step, NORMALS, mirror)
    if model[models.JUMPING] > 0.0:
        a, b = rows.JUMP_NORMAL // LANES, rows.JUMP_SPARE // LANES
        draw_normals(work, a, b, seed, first, step, JUMPS, mirror)
        draw_units(
            work, rows.UNIT_A // LANES, rows.UNIT_B // LANES, seed, first, step, UNITS, mirror
        )


@kernel
def move(work: Floats, spot: float, model: Floats, history: Floats, step: int, dt: float) -> None:
    """One step of the price."""
    kind = int(model[models.KIND])
    if kind == models.GBM:
        volatility = model[models.VOLATILITY]
        drift = (model[models.DRIFT] - 0.5 * volatility * volatility) * dt
        models.step_gbm(work, spot, drift, volatility * math.sqrt(dt), step % 2)
    elif kind == models.HESTON:
        models.step_heston(work, spot, model, dt)
    else:
        models.step_bootstrap(work, spot, history, model[models.RESTART], step)
    if model[models.JUMPING] > 0.0:
        models.add_jumps(work, spot, model)


@kernel
def reckon(
    work: Floats,
    legs: Floats,
    expiries: Floats,
    numbers: Floats,
    step: int,
    dt: float,
) -> None:
    """Delta (and gamma where the rule wants it) of the options that live."""
    with_gamma = int(numbers[held.RULE]) > in_band
    for i in range(LANES):
        work[rows.DELTA + i] = 0.0
        work[rows.GAMMA + i] = 0.0
    for leg in range(legs.shape[0]):
        if legs[leg, 1] <= step:
            continue
        deviation = numbers[held.VOLATILITY] * math.sqrt(expiries[leg] - step * dt)
        inverse, quantity = 1.0 / deviation, legs[leg, 2]
        shift = 0.5 * deviation - legs[leg, 0] * inverse
        rest = quantity if legs[leg, 3] < 0.0 else 0.0
        for i in range(LANES):
            d1 = work[rows.LOG + i] * inverse + shift
            work[rows.DELTA + i] += quantity * cdf(d1) - rest
        if with_gamma:
            scale = quantity * INV_SQRT_2PI * inverse
            for i in range(LANES):
                d1 = work[rows.LOG + i] * inverse + shift
                work[rows.GAMMA + i] += scale * exponential(-0.5 * d1 * d1) / work[rows.SPOT + i]


@kernel
def trade(work: Floats, numbers: Floats) -> None:
    """Bring the hedge into its band."""
    rule = int(numbers[held.RULE])
    rate, fixed = numbers[held.COST_RATE], numbers[held.FIXED_COST]
    width = numbers[held.HALF_WIDTH] if rule == in_band else 0.0
    scale = 1.5 * rate / numbers[held.AVERSION]
    if rule > in_band:
        for i in range(LANES):
            gamma = work[rows.GAMMA + i]
            cube = scale * work[rows.SPOT + i] * gamma * gamma
            cube = cube if cube > 1e-290 else 1e-290
            # The half width, kept where the gamma was.
            work[rows.GAMMA + i] = exponential(log_ratio(cube, 1.0) * (1.0 / 3.0))
    else:
        for i in range(LANES):
            work[rows.GAMMA + i] = width
    for i in range(LANES):
        before, half = work[rows.HEDGE + i], work[rows.GAMMA + i]
        low, high = -work[rows.DELTA + i] - half, half - work[rows.DELTA + i]
        after = before if before > low else low
        after = after if after < high else high
        after = work[rows.ALIVE + i] * after
        size = abs(after - before)
        traded = 1.0 if size > 0.0 else 0.0
        work[rows.HEDGE + i] = after
        work[rows.COSTS + i] += rate * work[rows.SPOT + i] * size + fixed * traded
        work[rows.TRADES + i] += traded


@kernel
def settle(work: Floats, numbers: Floats, funding: float) -> None:
    """Gains, funding, and the liquidation of the perpetual when its equity is under maintenance.

    What a position loses beyond its margin is not the vault's: margin is isolated.
    """
    margin, maintenance = numbers[held.MARGIN], numbers[held.MAINTENANCE]
    fee, watched = numbers[held.LIQUIDATION_FEE], numbers[held.HAS_MARGIN] > 0.0
    for i in range(LANES):
        moved = work[rows.SPOT + i] - work[rows.BEFORE + i]
        units = work[rows.HEDGE + i] + work[rows.BASE + i]
        work[rows.HEDGE_GAIN + i] += work[rows.HEDGE + i] * moved
        work[rows.BASE_GAIN + i] += work[rows.BASE + i] * moved
        work[rows.FUNDING + i] -= units * work[rows.BEFORE + i] * funding
    if not watched:
        return
    for i in range(LANES):
        value = abs(work[rows.HEDGE + i] + work[rows.BASE + i]) * work[rows.SPOT + i]
        gains = work[rows.HEDGE_GAIN + i] + work[rows.BASE_GAIN + i] + work[rows.FUNDING + i]
        equity = margin + gains - work[rows.COSTS + i]
        hit = (equity < maintenance * value) & (work[rows.ALIVE + i] > 0.0)
        left = equity - fee * value
        missing = -left if left < 0.0 else 0.0
        work[rows.COSTS + i] += fee * value if hit else 0.0
        work[rows.BASE_GAIN + i] += missing if hit else 0.0
        work[rows.HEDGE + i] = 0.0 if hit else work[rows.HEDGE + i]
        work[rows.BASE + i] = 0.0 if hit else work[rows.BASE + i]
        work[rows.ALIVE + i] = 0.0 if hit else work[rows.ALIVE + i]


@kernel
def accrue_and_liquidate(work: Floats, numbers: Floats) -> None:
    """Interest, then at most one liquidation: debt repaid against collateral and a bonus."""
    grow, owe = numbers[held.SUPPLY_GROWTH], numbers[held.BORROW_GROWTH]
    threshold, bonus = numbers[held.THRESHOLD], numbers[held.BONUS]
    close, full = numbers[held.CLOSE], numbers[held.FULL_CLOSE]
    for i in range(LANES):
        spot = work[rows.SPOT + i]
        collateral, debt = work[rows.COLLATERAL + i] * grow, work[rows.DEBT + i] * owe
        value = collateral * spot
        safe = value * threshold
        share = 1.0 if safe < full * debt else close
        most = value / (1.0 + bonus)
        repaid = share * debt
        repaid = repaid if repaid < most else most
        hit = (safe < debt) & (repaid > 0.0)
        repaid = repaid if hit else 0.0
        work[rows.COLLATERAL + i] = collateral - repaid * (1.0 + bonus) / spot
        work[rows.DEBT + i] = debt - repaid
        work[rows.SEIZED + i] += repaid * bonus
        work[rows.LENDING_HIT + i] = 1.0 if hit else work[rows.LENDING_HIT + i]


@kernel
def expire(work: Floats, spot: float, legs: Floats, step: int) -> None:
    """Pay out the options that expire now."""
    for leg in range(legs.shape[0]):
        if legs[leg, 1] != step:
            continue
        strike, quantity, sign = spot * math.exp(legs[leg, 0]), legs[leg, 2], legs[leg, 3]
        for i in range(LANES):
            value = sign * (work[rows.SPOT + i] - strike)
            work[rows.OPTIONS + i] += quantity * (value if value > 0.0 else 0.0)


@kernel
def mark(
    work: Floats,
    spot: float,
    legs: Floats,
    expiries: Floats,
    numbers: Floats,
    steps: int,
    dt: float,
) -> None:
    """Add the model value of the options that outlive the horizon."""
    for leg in range(legs.shape[0]):
        if legs[leg, 1] <= steps:
            continue
        deviation = numbers[held.VOLATILITY] * math.sqrt(expiries[leg] - steps * dt)
        strike, quantity, sign = spot * math.exp(legs[leg, 0]), legs[leg, 2], legs[leg, 3]
        for i in range(LANES):
            d1 = (work[rows.LOG + i] - legs[leg, 0]) / deviation + 0.5 * deviation
            value = work[rows.SPOT + i] * cdf(sign * d1) - strike * cdf(sign * (d1 - deviation))
            work[rows.OPTIONS + i] += quantity * sign * value


@kernel
def report(
    work: Floats,
    spot: float,
    numbers: Floats,
    options_before: float,
    out: Floats,
    first: int,
    count: int,
) -> None:
    """Copy the block's results out; what is owed beyond the collateral is the lender's loss."""
    lent_before = numbers[held.COLLATERAL] * spot - numbers[held.DEBT]
    for i in range(count):
        path = first + i
        lent = work[rows.COLLATERAL + i] * work[rows.SPOT + i] - work[rows.DEBT + i]
        lent = lent if lent > 0.0 or work[rows.LENDING_HIT + i] == 0.0 else 0.0
        options = work[rows.OPTIONS + i] - options_before
        error = options + work[rows.HEDGE_GAIN + i]
        carried = work[rows.BASE_GAIN + i] + work[rows.FUNDING + i] - work[rows.COSTS + i]
        out[PNL, path] = error + carried + (lent - lent_before)
        out[ERROR, path] = error
        out[COSTS, path] = work[rows.COSTS + i]
        out[FUNDING, path] = work[rows.FUNDING + i]
        out[SEIZED, path] = work[rows.SEIZED + i]
        out[LENDING_HIT, path] = work[rows.LENDING_HIT + i]
        out[PERPETUAL_HIT, path] = 1.0 - work[rows.ALIVE + i]
        out[SPOT, path] = work[rows.SPOT + i]
        out[TRADES, path] = work[rows.TRADES + i]
