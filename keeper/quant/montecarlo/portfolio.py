"""What is held along the paths, what hedging it costs, and who liquidates it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from keeper.errors import QuantityError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Option:
    """European options, cash-settled; negative quantity: written. The forward is the spot."""

    strike: float
    expiry_years: float
    quantity: float
    sign: int = 1
    """+1 call, -1 put."""


@dataclass(frozen=True, slots=True)
class Perpetual:
    """A perpetual future: the position held anyway, and where the hedge is traded."""

    units: float = 0.0
    """Held besides the hedge; negative: short."""
    margin: float = math.inf
    """Posted, quote currency; infinite: never liquidated (or a spot position)."""
    maintenance: float = 0.0
    """Share of the position's value under which equity is liquidated, whole."""
    liquidation_fee: float = 0.0
    """Share of the position's value."""
    funding_per_year: ArrayLike = 0.0
    """Paid by longs to shorts, share of value a year: one number, or one for each step."""


@dataclass(frozen=True, slots=True)
class Lending:
    """Collateral in the underlying against debt in the quote currency (Aave's rules)."""

    collateral: float
    """Units of the underlying."""
    debt: float
    threshold: float = 0.825
    """Health = collateral x price x threshold / debt; under 1 anyone liquidates, once a step."""
    close_factor: float = 0.5
    full_close_health: float = 0.95
    """Under this health all the debt may be repaid."""
    bonus: float = 0.05
    supply_rate: float = 0.0
    """A year, continuously compounded."""
    borrow_rate: float = 0.0


class Rule(IntEnum):
    """When the hedge is traded."""

    NEVER = 0
    NEUTRAL = 1
    """To the delta, at each decision."""
    BAND = 2
    """To the edge of delta +- `half_width`."""
    WHALLEY_WILMOTT = 3
    """To the edge of delta +- (3/2 cost S gamma^2 / aversion)^(1/3)."""


@dataclass(frozen=True, slots=True)
class Hedge:
    """How the options' delta is hedged."""

    rule: Rule = Rule.NEUTRAL
    volatility: float = 0.0
    """At which deltas and marks are reckoned; needed where there are options."""
    every: int = 1
    """Steps between decisions."""
    cost_rate: float = 0.0
    fixed_cost: float = 0.0
    """Per trade."""
    half_width: float = 0.0
    """Units of the underlying."""
    aversion: float = 1.0


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Everything held."""

    options: tuple[Option, ...] = ()
    perpetual: Perpetual = Perpetual()
    lending: Lending | None = None
    hedge: Hedge = Hedge(Rule.NEVER)


LEG_FIELDS = 4  # log strike, step of expiry, quantity, sign

(
    UNITS,
    MARGIN,
    MAINTENANCE,
    LIQUIDATION_FEE,
    COLLATERAL,
    DEBT,
    THRESHOLD,
    CLOSE,
    FULL_CLOSE,
    BONUS,
    SUPPLY_GROWTH,
    BORROW_GROWTH,
    RULE,
    VOLATILITY,
    EVERY,
    COST_RATE,
    FIXED_COST,
    HALF_WIDTH,
    AVERSION,
    HAS_LENDING,
    HAS_MARGIN,
) = range(21)


def pack(
    held: Portfolio, spot: float, steps: int, dt: float
) -> tuple[Floats, Floats, Floats, Floats]:
    """(numbers, option legs, years to expiry of each, funding of each step). Raises QuantityError naming the field."""
    hedge, perpetual, lending = held.hedge, held.perpetual, held.lending
    numbers = np.zeros(21)
    _pack_perpetual(perpetual, numbers)
    if lending is not None:
        _pack_lending(lending, dt, numbers)
    for name, value in (
        ("hedge.cost_rate", hedge.cost_rate),
        ("hedge.fixed_cost", hedge.fixed_cost),
        ("hedge.half_width", hedge.half_width),
    ):
        _within(name, value, 0.0, math.inf)
    _within("hedge.aversion", hedge.aversion, 1e-300, math.inf)
    if hedge.every < 1:
        raise QuantityError("hedge.every", f"{hedge.every} is under 1", "give steps")
    numbers[[RULE, VOLATILITY, EVERY]] = int(hedge.rule), hedge.volatility, hedge.every
    numbers[[COST_RATE, FIXED_COST]] = hedge.cost_rate, hedge.fixed_cost
    numbers[[HALF_WIDTH, AVERSION]] = hedge.half_width, hedge.aversion
    legs, expiries = _pack_options(held.options, hedge, spot, steps, dt)
    return numbers, legs, expiries, _funding(perpetual.funding_per_year, steps, dt)


def _pack_perpetual(perpetual: Perpetual, numbers: Floats) -> None:
    _within("perpetual.units", perpetual.units, -math.inf, math.inf)
    _within("perpetual.maintenance", perpetual.maintenance, 0.0, 1.0)
    _within("perpetual.liquidation_fee", perpetual.liquidation_fee, 0.0, 1.0)
    if not perpetual.margin >= 0:
        raise QuantityError("perpetual.margin", f"{perpetual.margin} is negative", "give >= 0")
    numbers[[UNITS, MAINTENANCE]] = perpetual.units, perpetual.maintenance
    numbers[LIQUIDATION_FEE] = perpetual.liquidation_fee
    numbers[MARGIN] = perpetual.margin if math.isfinite(perpetual.margin) else 0.0
    numbers[HAS_MARGIN] = float(math.isfinite(perpetual.margin))


def _pack_lending(lending: Lending, dt: float, numbers: Floats) -> None:
    for name in ("collateral", "debt"):
        _within(f"lending.{name}", getattr(lending, name), 0.0, math.inf)
    for name in ("threshold", "close_factor", "full_close_health", "bonus"):
        _within(f"lending.{name}", getattr(lending, name), 0.0, 1.0)
    for name in ("supply_rate", "borrow_rate"):
        _within(f"lending.{name}", getattr(lending, name), -10.0, 10.0)
    numbers[[COLLATERAL, DEBT, THRESHOLD]] = lending.collateral, lending.debt, lending.threshold
    numbers[[CLOSE, FULL_CLOSE]] = lending.close_factor, lending.full_close_health
    numbers[[BONUS, HAS_LENDING]] = lending.bonus, 1.0
    numbers[SUPPLY_GROWTH] = math.exp(lending.supply_rate * dt)
    numbers[BORROW_GROWTH] = math.exp(lending.borrow_rate * dt)


def _pack_options(
    options: tuple[Option, ...], hedge: Hedge, spot: float, steps: int, dt: float
) -> tuple[Floats, Floats]:
    if options:
        _within("hedge.volatility", hedge.volatility, 1e-6, 1e3)
    legs, expiries = np.zeros((len(options), LEG_FIELDS)), np.zeros(len(options))
    for index, leg in enumerate(options):
        for name, value, least in (
            ("strike", leg.strike, 1e-250),
            ("expiry_years", leg.expiry_years, 0.0),
            ("quantity", leg.quantity, -math.inf),
        ):
            if not (math.isfinite(value) and value >= least):
                raise QuantityError(f"options.{name}", f"{value} cannot be", "correct it", index)
        if leg.sign not in (1, -1):
            raise QuantityError("options.sign", f"{leg.sign} is not +1 or -1", "correct it", index)
        at = leg.expiry_years / dt
        if at <= steps * (1 + 1e-9) and abs(at - round(at)) > 1e-6 * max(at, 1.0):
            raise QuantityError(
                "options.expiry_years",
                f"{leg.expiry_years} falls between two steps of {dt:.6g}",
                "choose the steps so that expiries fall on them",
                index,
            )
        legs[index] = math.log(leg.strike / spot), round(at), leg.quantity, leg.sign
        expiries[index] = leg.expiry_years
    return legs, expiries


def _funding(per_year: ArrayLike, steps: int, dt: float) -> Floats:
    funding = np.asarray(per_year, dtype=np.float64)
    if funding.ndim and funding.shape != (steps,):
        raise QuantityError(
            "perpetual.funding_per_year", f"has shape {funding.shape}", f"give 1 or {steps} numbers"
        )
    bad = np.flatnonzero(~np.isfinite(np.atleast_1d(funding)))
    if bad.size:
        raise QuantityError("perpetual.funding_per_year", "is not finite", "drop it", int(bad[0]))
    return np.full(steps, 1.0) * funding * dt


def _within(name: str, value: float, least: float, most: float) -> None:
    if not (math.isfinite(value) and least <= value <= most):
        raise QuantityError(name, f"{value} is not in [{least:g}, {most:g}]", "correct it")
