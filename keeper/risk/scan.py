"""All scenarios in one pass, and the margin that the worst of them asks for.

Margin follows SPAN and portfolio margin: the worst loss over the scan, extremes counted in part, plus contingencies
for what the scan cannot see (short options far out of the money, the age of the price, the way out, the venue's
penalty).
"""

import math
from dataclasses import dataclass

import numpy as np

from keeper.model.exposure import ASSET, BASE, Kind, RiskPolicy
from keeper.model.market import Readings
from keeper.model.risk_report import HeatMap, Margin, ScenarioRisk, Share
from keeper.model.units import BPS
from keeper.risk.book import Book, Floats, Moves
from keeper.risk.scenarios import DAY, SPOTS, Scenario, moves_of
from keeper.risk.tempo import SECONDS_A_YEAR

HEAT_VOLATILITIES = (-0.5, -0.25, 0.0, 0.25, 0.5, 1.0)
MOST_ATTRIBUTED = 50
"""Positions named in an attribution; the rest is one line."""


@dataclass(frozen=True)
class Scan:
    """Changes of value under every scenario."""

    scenarios: tuple[Scenario, ...]
    pnl: Floats
    """(m, n): of every exposure."""
    totals: Floats
    """(m,)."""
    health: tuple[float | None, ...]
    """(m,) of the lending venue."""


def scan(book: Book, scenarios: tuple[Scenario, ...], thresholds: dict[str, float]) -> Scan:
    """Value every exposure under every scenario; thresholds: liquidation threshold by underlying, fractions."""
    moves = moves_of(scenarios)
    pnl = book.values(moves)
    pnl -= book.values(Moves.of(1))
    return Scan(scenarios, pnl, pnl.sum(axis=1), _health(book, moves, thresholds))


def thresholds_of(readings: Readings) -> dict[str, float]:
    """Of the lending venue's two tokens."""
    return {
        ASSET: readings.asset_position.liquidation_threshold_bps / BPS,
        BASE: readings.base_position.liquidation_threshold_bps / BPS,
    }


def _health(book: Book, moves: Moves, thresholds: dict[str, float]) -> tuple[float | None, ...]:
    """Collateral x threshold / debt after every move; None without debt."""
    spots = book.spots(moves)
    secured, owed = np.zeros(moves.spot.size), np.zeros(moves.spot.size)
    for i in book.lent:
        e, at = book.exposures[i], book.which[i]
        if e.kind is Kind.SUPPLY:
            secured += e.quantity * thresholds.get(e.underlying, 0.0) * spots[:, at]
        elif e.kind is Kind.LOAN:
            owed -= e.quantity * spots[:, at]
    return tuple(float(s / o) if o > 0.0 else None for s, o in zip(secured, owed, strict=True))


def scenario_risks(found: Scan) -> tuple[ScenarioRisk, ...]:
    """As reported."""
    return tuple(
        ScenarioRisk(s.name, s.spot, s.volatility, s.days, s.extreme, float(total), health)
        for s, total, health in zip(found.scenarios, found.totals, found.health, strict=True)
    )


def heat_map(book: Book, days: float) -> HeatMap:
    """Every price with every volatility."""
    spots, volatilities = np.array(SPOTS), np.array(HEAT_VOLATILITIES)
    moves = Moves.of(
        spots.size * volatilities.size,
        spot=np.tile(spots, volatilities.size),
        volatility=np.repeat(volatilities, spots.size),
        years=days * DAY,
    )
    start = float(book.totals(Moves.of(1))[0])
    grid = (book.totals(moves) - start).reshape(volatilities.size, spots.size)
    return HeatMap(SPOTS, HEAT_VOLATILITIES, tuple(tuple(float(x) for x in row) for row in grid))


def margin_of(
    book: Book,
    found: Scan,
    nav: float,
    contingencies: tuple[Share, ...],
    policy: RiskPolicy,
) -> Margin:
    """The worst of the scan, an extreme's loss counted in part, and the contingencies on top."""
    counted = np.array([policy.extreme_share if s.extreme else 1.0 for s in found.scenarios])
    worst = int(np.argmin(found.totals * counted))
    loss = max(0.0, float(-found.totals[worst] * counted[worst]))
    required = loss + sum(c.amount for c in contingencies)
    return Margin(
        loss,
        found.scenarios[worst].name,
        contingencies,
        required,
        nav - required,
        _attribution(book, found.pnl[worst]),
    )


def contingencies_of(
    book: Book,
    found: Scan,
    *,
    delta: float,
    exit_cost: float,
    price_age_s: float,
    penalty: float,
    policy: RiskPolicy,
) -> tuple[Share, ...]:
    """What the scan cannot see; penalty: what liquidation at the venue would take, assets."""
    short = sum(
        -e.quantity * float(book.prices[at])
        for e, at in zip(book.exposures, book.which, strict=True)
        if e.kind is Kind.OPTION and e.quantity < 0.0
    )
    unseen = (book.volatility or 0.0) * math.sqrt(max(0.0, price_age_s) / SECONDS_A_YEAR)
    liquidated = any(
        health is not None and health < 1.0 and not s.extreme
        for s, health in zip(found.scenarios, found.health, strict=True)
    )
    return (
        Share("short options", policy.short_option_floor * short),
        Share("age of the price", abs(delta) * book.price * unseen),
        Share("exit", exit_cost),
        Share("liquidation penalty", penalty if liquidated else 0.0),
    )


def _attribution(book: Book, pnl: Floats) -> tuple[Share, ...]:
    """Largest first; what is beyond the most that are named is one line, so that all sum to the whole."""
    order = np.argsort(-np.abs(pnl), kind="stable")
    named = tuple(Share(book.exposures[i].id, float(pnl[i])) for i in order[:MOST_ATTRIBUTED])
    rest = order[MOST_ATTRIBUTED:]
    if rest.size == 0:
        return named
    return (*named, Share(f"{rest.size} others", float(pnl[rest].sum())))
