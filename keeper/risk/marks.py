"""Each option's volatility: given, else implied by the vault's own mark, else the forecast.

With the implied one the book is worth what the vault says it is worth, so that the report and NAV agree.
"""

from dataclasses import replace

import numpy as np

from keeper.model.exposure import Exposure, Kind, RiskInputs
from keeper.model.market import Readings
from keeper.quant import black
from keeper.quant.implied import ImpliedStatus, implied_volatility
from keeper.risk.book import MOST_VOLATILITY, Floats
from keeper.risk.exposures import exposures_of

LEAST_VOLATILITY = 0.01
_GRID = 400


def with_volatilities(
    readings: Readings, price: float, inputs: RiskInputs
) -> tuple[tuple[Exposure, ...], list[str]]:
    """All exposures, and a problem for every option whose volatility nothing tells."""
    exposures = exposures_of(readings, inputs)
    missing = [
        i
        for i, e in enumerate(exposures)
        if e.kind is Kind.OPTION and e.volatility is None and e.years > 0.0
    ]
    if not missing:
        return exposures, []
    implied = _implied(readings, price, [exposures[i] for i in missing])
    implied |= _implied_spreads(readings, price, exposures, inputs.volatility)
    found, problems = list(exposures), []
    for i in missing:
        known = implied.get(found[i].id, inputs.volatility)
        if known is None:
            problems.append(f"{found[i].id}: no volatility is known, counted at intrinsic value")
        found[i] = replace(found[i], volatility=known)
    return tuple(found), problems


def _marks(readings: Readings, *, spreads: bool) -> dict[str, float]:
    """Middle mark per unit sold, by the id of the leg that was sold."""
    if not readings.options.volatility_known:
        return {}
    per_unit = 10.0 ** (readings.base.decimals - readings.asset.decimals)
    return {
        f"option-{p.series_id}": p.mark_mid / p.sold * per_unit
        for p in readings.options.positions
        if not p.fault and p.sold > 0 and p.mark_mid > 0 and bool(p.second_strike_wad) is spreads
    }


def _implied(readings: Readings, price: float, options: list[Exposure]) -> dict[str, float]:
    """Of single options; none where the mark is at or under intrinsic value, or beyond any sense."""
    marks = _marks(readings, spreads=False)
    chosen = [e for e in options if e.id in marks]
    if not chosen:
        return {}
    found = implied_volatility(
        np.array([marks[e.id] for e in chosen]),
        price,
        np.array([e.strike for e in chosen]),
        np.array([e.years for e in chosen]),
        np.array([1.0 if e.is_call else -1.0 for e in chosen]),
    )
    usable = (found.status == ImpliedStatus.OK) & (found.volatility > 0.0)
    usable &= found.volatility <= MOST_VOLATILITY
    return {e.id: float(v) for e, v, ok in zip(chosen, found.volatility, usable, strict=True) if ok}


def _implied_spreads(
    readings: Readings, price: float, exposures: tuple[Exposure, ...], forecast: float | None
) -> dict[str, float]:
    """One volatility for both legs: of those that give the mark, the one nearest to the forecast.

    A spread's value need not rise with volatility, so a grid is searched for crossings, then the crossing.
    """
    by_id = {e.id: e for e in exposures}
    found: dict[str, float] = {}
    for leg, mark in _marks(readings, spreads=True).items():
        sold, bought = by_id.get(leg), by_id.get(f"{leg}-second")
        if sold is None or bought is None or sold.kind is not Kind.OPTION or sold.years <= 0.0:
            continue
        low, high = LEAST_VOLATILITY, MOST_VOLATILITY
        for _ in range(3):
            grid = np.geomspace(low, high, _GRID)
            gap = _spread(sold, bought, price, grid) - mark
            crossings = np.flatnonzero(np.sign(gap[:-1]) != np.sign(gap[1:]))
            if crossings.size == 0:
                break
            nearest = np.abs(np.log(grid[crossings] / (forecast or 0.8))).argmin()
            low, high = grid[crossings[nearest]], grid[crossings[nearest] + 1]
        else:
            found[sold.id] = found[bought.id] = float(0.5 * (low + high))
    return found


def _spread(sold: Exposure, bought: Exposure, price: float, volatility: Floats) -> Floats:
    """Value of what was sold, per unit, at each volatility."""
    sign = 1.0 if sold.is_call else -1.0
    legs = [black.price(price, e.strike, e.years, volatility, sign) for e in (sold, bought)]
    value: Floats = legs[0] - legs[1]
    return value
