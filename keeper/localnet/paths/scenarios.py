"""From a scenario's shape to a path: legs pinned at named levels, with seeded noise between them."""

from dataclasses import dataclass
from functools import singledispatch
from math import log

import numpy as np

from keeper.errors import SettingError
from keeper.localnet.paths.bridge import bridge
from keeper.localnet.paths.gas import GasShape, base_fees
from keeper.localnet.paths.path import Bools, Floats, PricePath
from keeper.localnet.paths.shapes import (
    Calm,
    Crash,
    CrashAndRebound,
    Gap,
    OracleStall,
    Scenario,
)

START_TIME = 1_704_067_200
"""2024-01-01T00:00:00Z: generated paths do not depend on the day they are made."""
MAX_BLOCKS = 100_000


@dataclass(frozen=True, slots=True)
class Leg:
    """One stretch of a scenario. Zero seconds is a jump."""

    seconds: float
    level: float
    """Log price at its end, relative to the start."""
    volatility: float
    online: bool = True


def generate(name: str, shape: Scenario, seed: int, gas: GasShape | None = None) -> PricePath:
    """The path of a scenario; equal arguments give the equal path, bit for bit."""
    rng = np.random.Generator(np.random.Philox(seed))
    legs = scenario_legs(shape, rng)
    duration = sum(leg.seconds for leg in legs)
    # Legs' lengths are floats: a sum a hair under a whole block must not lose the last one.
    blocks = int(duration / shape.block_seconds + 1e-6) + 1
    if not 2 <= blocks <= MAX_BLOCKS:
        raise SettingError(
            f"{type(shape).__name__}.block_seconds",
            f"{duration:g} s in blocks of {shape.block_seconds} s are {blocks} blocks",
            f"choose so that there are 2 to {MAX_BLOCKS}",
        )
    elapsed = np.arange(blocks, dtype=np.int64) * shape.block_seconds
    levels, online = _walk(legs, np.minimum(elapsed.astype(np.float64), duration), rng)
    prices = shape.start_price * np.exp(levels)
    return PricePath(
        name=name,
        seed=seed,
        start_time=START_TIME,
        block_seconds=shape.block_seconds,
        times=elapsed + START_TIME,
        market_price=prices,
        oracle_online=online,
        base_fee_wei=base_fees(prices, shape.block_seconds, gas or GasShape()),
        description=" ".join((type(shape).__doc__ or "").split()),
    )


def _walk(legs: list[Leg], elapsed: Floats, rng: np.random.Generator) -> tuple[Floats, Bools]:
    levels, online = np.zeros(len(elapsed)), np.ones(len(elapsed), dtype=np.bool_)
    begin, level = 0.0, 0.0
    for leg in legs:
        end = begin + leg.seconds
        # A block on the border belongs to the leg that begins there, so a jump shows in its own block.
        inside = (elapsed >= begin) & ((elapsed < end) | (leg is legs[-1]))
        levels[inside] = bridge(
            elapsed[inside], (begin, level), (end, leg.level), leg.volatility, rng
        )
        online[inside] = leg.online
        begin, level = end, leg.level
    return levels, online


@singledispatch
def scenario_legs(shape: Scenario, rng: np.random.Generator) -> list[Leg]:
    """The legs a shape describes; `rng` only varies the size of the waves."""
    raise TypeError(f"no legs are known for {type(shape).__name__} ({rng})")


@scenario_legs.register
def _(shape: Calm, rng: np.random.Generator) -> list[Leg]:
    end = (
        shape.calm_volatility
        * (shape.lead_in_s / (365 * 86_400)) ** 0.5
        * rng.standard_normal()
        / 2
    )
    return [
        Leg(shape.lead_in_s, end, shape.calm_volatility),
        Leg(shape.aftermath_s, end, shape.aftermath_volatility),
    ]


@scenario_legs.register
def _(shape: Crash, rng: np.random.Generator) -> list[Leg]:
    bottom = log(1 - shape.fall)
    return [
        Leg(shape.lead_in_s, 0.0, shape.calm_volatility),
        *_waves(shape, shape.fall_s, 0.0, bottom, rng),
        Leg(shape.aftermath_s, bottom, shape.aftermath_volatility),
    ]


@scenario_legs.register
def _(shape: CrashAndRebound, rng: np.random.Generator) -> list[Leg]:
    bottom = log(1 - shape.fall)
    regained = log(1 - shape.fall + shape.fall * shape.rebound)
    return [
        Leg(shape.lead_in_s, 0.0, shape.calm_volatility),
        *_waves(shape, shape.fall_s, 0.0, bottom, rng),
        Leg(shape.rebound_s, regained, shape.crash_volatility),
        Leg(shape.aftermath_s, regained, shape.aftermath_volatility),
    ]


@scenario_legs.register
def _(shape: Gap, rng: np.random.Generator) -> list[Leg]:
    after_gap, bottom = log(1 - shape.gap), log(1 - shape.fall)
    _need_room("Gap.fall", bottom, after_gap)
    return [
        Leg(shape.lead_in_s, 0.0, shape.calm_volatility),
        Leg(0, after_gap, 0.0),
        Leg(shape.pause_s, after_gap, shape.crash_volatility),
        *_waves(shape, shape.fall_s, after_gap, bottom, rng),
        Leg(shape.aftermath_s, bottom, shape.aftermath_volatility),
    ]


@scenario_legs.register
def _(shape: OracleStall, rng: np.random.Generator) -> list[Leg]:
    before, bottom = log(1 - shape.first_fall), log(1 - shape.fall)
    after = before + log(1 - shape.stall_fall)
    _need_room("OracleStall.fall", bottom, after)
    return [
        Leg(shape.lead_in_s, 0.0, shape.calm_volatility),
        Leg(shape.first_fall_s, before, shape.crash_volatility),
        Leg(shape.stall_s, after, shape.calm_volatility, online=False),
        Leg(shape.pause_s, after, shape.calm_volatility),
        *_waves(shape, shape.fall_s, after, bottom, rng),
        Leg(shape.aftermath_s, bottom, shape.aftermath_volatility),
    ]


def _need_room(field: str, bottom: float, reached: float) -> None:
    if bottom > reached:
        raise SettingError(
            field,
            f"{1 - np.exp(bottom):.3g} is less than the {1 - np.exp(reached):.3g} lost before",
            "make the whole fall at least as large",
        )


def _waves(
    shape: Crash, seconds: float, top: float, bottom: float, rng: np.random.Generator
) -> list[Leg]:
    """Waves of selling from `top` to `bottom`, each partly recovered before the next; the end is exact."""
    weights = rng.uniform(0.7, 1.3, shape.waves)
    bounces = weights[:-1] * shape.bounce
    drop = (top - bottom) / float(weights.sum() - bounces.sum())
    pace = seconds / float(weights.sum() + bounces.sum())
    legs, level = [], top
    for i, weight in enumerate(weights):
        last = i == shape.waves - 1
        level = bottom if last else level - float(weight) * drop
        legs.append(Leg(float(weight) * pace, level, shape.crash_volatility))
        if not last:
            level += float(bounces[i]) * drop
            legs.append(Leg(float(bounces[i]) * pace, level, shape.crash_volatility))
    return legs
