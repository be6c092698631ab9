"""How the price moves: the models, and their steps for a block of paths.

All are stated under any measure: `drift` is that of the price, a year; 0 makes it a martingale.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from keeper.errors import QuantityError
from keeper.quant.compiled import inlined, kernel
from keeper.quant.montecarlo import rows
from keeper.quant.montecarlo.random import LANES
from keeper.quant.normal import cdf, exponential, log_ratio

Floats = NDArray[np.float64]

GBM, HESTON, BOOTSTRAP = 0, 1, 2
MOST_JUMPS = 12  # in one step; the chance of more is left to the last
TERMS = 16 + MOST_JUMPS

# Places of a packed model.
KIND, JUMPING, DRIFT, VOLATILITY, KAPPA, THETA, VOL_OF_VOL, RHO, FIRST_VARIANCE = range(9)
JUMP_MEAN, JUMP_DEVIATION, RESTART, JUMP_TABLE = 9, 10, 11, 16


@dataclass(frozen=True, slots=True)
class Jumps:
    """Lognormal jumps at random times (Merton 1976), their mean taken out of the drift."""

    per_year: float
    mean: float
    """Of the logarithm of a jump."""
    deviation: float


@dataclass(frozen=True, slots=True)
class Gbm:
    """Geometric Brownian motion; with `jumps` Merton's model."""

    volatility: float
    drift: float = 0.0
    jumps: Jumps | None = None


@dataclass(frozen=True, slots=True)
class Heston:
    """Stochastic variance by Andersen's quadratic-exponential scheme (2008); with `jumps` the model of Bates.

    dv = kappa (theta - v) dt + vol_of_vol sqrt(v) dW, correlated `rho` with the price. The martingale correction
    is applied, so the price has its drift at any step.
    """

    variance: float
    """First instantaneous variance, a year."""
    kappa: float
    theta: float
    vol_of_vol: float
    rho: float
    drift: float = 0.0
    jumps: Jumps | None = None


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """Real log returns, one a step, drawn in blocks from a history taken as a circle.

    Blocks have random lengths of mean `block` (Politis and Romano 1994), or all that length if `fixed`
    (Politis and Romano 1992): the mean and the dependence within a block are those of the history.
    """

    returns: Floats = field(repr=False)
    block: float
    fixed: bool = False
    drift: float | None = None
    """If given: the history's returns are shifted so that the price has this drift."""


Model = Gbm | Heston | Bootstrap


def pack(model: Model, dt: float) -> tuple[Floats, Floats]:
    """(numbers of the model for steps of `dt` years, history of returns). Raises QuantityError naming the field."""
    terms = np.zeros(TERMS)
    if isinstance(model, Bootstrap):
        return _pack_bootstrap(model, dt, terms)
    _number("drift", model.drift)
    terms[DRIFT] = model.drift
    if isinstance(model, Gbm):
        _number("volatility", model.volatility, least=0.0)
        terms[KIND], terms[VOLATILITY] = GBM, model.volatility
    else:
        for name in ("variance", "kappa", "theta"):
            _number(name, getattr(model, name), least=0.0)
        _number("vol_of_vol", model.vol_of_vol, least=1e-6)
        _number("kappa", model.kappa, least=1e-6)
        _number("rho", model.rho, least=-1.0, most=1.0)
        terms[KIND], terms[FIRST_VARIANCE] = HESTON, model.variance
        terms[KAPPA], terms[THETA] = model.kappa, model.theta
        terms[VOL_OF_VOL], terms[RHO] = model.vol_of_vol, model.rho
    if model.jumps is not None:
        _pack_jumps(model.jumps, dt, terms)
    return terms, np.zeros(1)


def _pack_jumps(jumps: Jumps, dt: float, terms: Floats) -> None:
    _number("jumps.per_year", jumps.per_year, least=0.0)
    _number("jumps.mean", jumps.mean)
    _number("jumps.deviation", jumps.deviation, least=0.0)
    rate = jumps.per_year * dt
    if rate > 1.0:
        raise QuantityError(
            "jumps.per_year", f"{jumps.per_year} is more than one a step", "take shorter steps"
        )
    terms[JUMPING] = 1.0
    terms[JUMP_MEAN], terms[JUMP_DEVIATION] = jumps.mean, jumps.deviation
    terms[DRIFT] -= jumps.per_year * math.expm1(jumps.mean + jumps.deviation**2 / 2)
    chance, total = math.exp(-rate), 0.0
    for count in range(MOST_JUMPS):
        total += chance
        terms[JUMP_TABLE + count] = total
        chance *= rate / (count + 1)


def _pack_bootstrap(model: Bootstrap, dt: float, terms: Floats) -> tuple[Floats, Floats]:
    returns = np.array(model.returns, dtype=np.float64).ravel()
    if returns.size < 2:
        raise QuantityError("returns", f"has {returns.size} elements", "give a history")
    bad = np.flatnonzero(~np.isfinite(returns))
    if bad.size:
        raise QuantityError("returns", "is not finite", "drop the gap", int(bad[0]))
    _number("block", model.block, least=1.0, most=float(returns.size))
    if model.drift is not None:
        _number("drift", model.drift)
        returns += model.drift * dt - math.log(float(np.mean(np.exp(returns))))
    terms[KIND] = BOOTSTRAP
    terms[RESTART] = -round(model.block) if model.fixed else 1.0 / model.block
    return terms, returns


def _number(name: str, value: float, least: float = -math.inf, most: float = math.inf) -> None:
    if not (math.isfinite(value) and least <= value <= most):
        raise QuantityError(
            f"model.{name}", f"{value} is not in [{least:g}, {most:g}]", "correct it"
        )


@kernel
def step_gbm(work: Floats, first_spot: float, drift: float, spread: float, odd: int) -> None:
    """One step: log return drift + spread x normal. Normals are drawn for two steps at once."""
    for i in range(LANES):
        work[rows.BEFORE + i] = work[rows.SPOT + i]
        normal = work[rows.NORMAL_B + i] if odd else work[rows.NORMAL_A + i]
        moved = work[rows.LOG + i] + (drift + spread * normal)
        work[rows.LOG + i] = moved
        work[rows.SPOT + i] = first_spot * exponential(moved)


@inlined
def quadratic(mean: float, psi: float, z: float, tilt: float) -> tuple[float, float, bool]:
    """v' = a (b + z)^2 while its variance is moderate (psi <= 1.5); ln E[exp(tilt v')], and whether that is."""
    low = psi if psi < 1.5 else 1.5
    inverse = 2.0 / (low if low > 1e-12 else 1e-12)
    b2 = inverse - 1.0 + math.sqrt(inverse * (inverse - 1.0))
    a = mean / (1.0 + b2)
    root = math.sqrt(b2) + z
    room = 1.0 - 2.0 * tilt * a
    safe = room if room > 1e-3 else 1e-3
    return a * root * root, tilt * b2 * a / safe - 0.5 * log_ratio(safe, 1.0), room > 1e-3


@inlined
def exponential_with_atom(
    mean: float, psi: float, z: float, tilt: float
) -> tuple[float, float, bool]:
    """v' is 0 with a chance and exponential beyond (psi >= 1.5); ln E[exp(tilt v')], and whether that is."""
    high = psi if psi > 1.5 else 1.5
    atom = (high - 1.0) / (high + 1.0)
    beta = (1.0 - atom) / mean
    left = cdf(-z)
    left = left if left > 1e-300 else 1e-300
    tail = log_ratio(1.0 - atom, left) / beta
    gap = beta - tilt
    safe = gap if gap > 1e-3 * beta else 1e-3 * beta
    logged = log_ratio(atom + beta * (1.0 - atom) / safe, 1.0)
    return (tail if tail > 0.0 else 0.0), logged, gap > 1e-3 * beta


@kernel
def step_heston(work: Floats, first_spot: float, terms: Floats, dt: float) -> None:
    """One step of the QE-M scheme with central weights (Andersen 2008, sections 3.2 and 4.3)."""
    kappa, theta, xi, rho = terms[KAPPA], terms[THETA], terms[VOL_OF_VOL], terms[RHO]
    decay = math.exp(-kappa * dt)
    mean_0 = theta * (1.0 - decay)
    spread_1 = xi * xi * decay * (1.0 - decay) / kappa
    spread_0 = theta * xi * xi * (1.0 - decay) * (1.0 - decay) / (2.0 * kappa)
    k1 = 0.5 * dt * (kappa * rho / xi - 0.5) - rho / xi
    k2 = 0.5 * dt * (kappa * rho / xi - 0.5) + rho / xi
    k3 = 0.5 * dt * (1.0 - rho * rho)
    tilt = k2 + 0.5 * k3
    drift = terms[DRIFT] * dt
    plain = -rho * kappa * theta * dt / xi
    for i in range(LANES):
        now, z = work[rows.VARIANCE + i], work[rows.NORMAL_A + i]
        mean = mean_0 + decay * now
        mean = mean if mean > 1e-30 else 1e-30
        psi = (spread_0 + spread_1 * now) / (mean * mean)
        near, log_near, near_exists = quadratic(mean, psi, z, tilt)
        far, log_far, far_exists = exponential_with_atom(mean, psi, z, tilt)
        smooth = psi <= 1.5
        after = near if smooth else far
        exists = near_exists if smooth else far_exists
        logged = log_near if smooth else log_far
        k0 = -logged - (k1 + 0.5 * k3) * now if exists else plain
        spread = math.sqrt(k3 * (now + after)) * work[rows.NORMAL_B + i]
        moved = work[rows.LOG + i] + (drift + k0 + k1 * now + k2 * after + spread)
        work[rows.VARIANCE + i] = after
        work[rows.BEFORE + i] = work[rows.SPOT + i]
        work[rows.LOG + i] = moved
        work[rows.SPOT + i] = first_spot * exponential(moved)


@kernel
def add_jumps(work: Floats, first_spot: float, terms: Floats) -> None:
    """The jumps of one step: their number by inversion, their sum normal given the number."""
    mean, deviation = terms[JUMP_MEAN], terms[JUMP_DEVIATION]
    for i in range(LANES):
        u = work[rows.UNIT_A + i]
        count = 0.0
        for k in range(MOST_JUMPS):
            count += 1.0 if u > terms[JUMP_TABLE + k] else 0.0
        jump = count * mean + math.sqrt(count) * deviation * work[rows.JUMP_NORMAL + i]
        moved = work[rows.LOG + i] + jump
        work[rows.LOG + i] = moved
        work[rows.SPOT + i] = first_spot * exponential(moved)


@kernel
def step_bootstrap(
    work: Floats, first_spot: float, history: Floats, restart: float, step: int
) -> None:
    """The next return of the block, or the first of a new one."""
    size = history.size
    for i in range(LANES):
        fresh = step == 0 or work[rows.UNIT_A + i] < restart
        fresh = fresh if restart > 0.0 else step % int(-restart) == 0
        place = work[rows.PLACE + i] + 1.0
        place = place if place < size else 0.0
        place = math.floor(work[rows.UNIT_B + i] * size) if fresh else place
        work[rows.PLACE + i] = place
        work[rows.BEFORE + i] = work[rows.SPOT + i]
        moved = work[rows.LOG + i] + history[int(place)]
        work[rows.LOG + i] = moved
        work[rows.SPOT + i] = first_spot * exponential(moved)
