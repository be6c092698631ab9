"""How good a fit is: by expiry and as a whole, and what was dropped and why."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from keeper.quant.surface.fit import Ending, Fit, tally
from keeper.quant.surface.numbers import Floats
from keeper.quant.surface.quotes import Fate

CORE = 2.0
"""Standard deviations at the money: options beyond are worth next to nothing, and their volatilities say little."""


@dataclass(frozen=True, slots=True)
class ExpiryReport:
    """One expiry. Volatilities as fractions; residuals are model less middle of the quote."""

    years: float
    level: float
    """Volatility at the money."""
    rho: float
    convexity: float
    quotes: int
    """Kept."""
    dropped: int
    rms: float
    """Root mean square of the residuals."""
    rms_core: float
    """The same within `CORE` standard deviations of the money; NaN if no quote is."""
    worst: float
    """The residual furthest from 0."""
    inside: float
    """Part of the quotes kept that the model lies inside, bid to ask."""
    least_g: float
    """Of Durrleman's condition, on the dense grid."""
    calendar_gap: float | None
    """Least rise of total variance from the expiry before, on the dense grid; None for the first."""


@dataclass(frozen=True, slots=True)
class Report:
    """A fit in numbers."""

    expiries: tuple[ExpiryReport, ...]
    quotes: int
    dropped: dict[str, int]
    """How many, by reason."""
    rms: float
    rms_core: float
    inside: float
    least_g: float
    calendar_gap: float | None
    faults: tuple[str, ...]
    """Conditions against arbitrage that do not hold; empty for every fit."""
    iterations: int
    ending: Ending


def residuals(fit: Fit) -> Floats:
    """Model less middle of the quote, in volatility, for each quote given; NaN where nothing was quoted."""
    quotes = fit.quotes
    timed = np.isfinite(quotes.years) & (quotes.years > 0)
    usable = np.isfinite(quotes.k) & np.isfinite(quotes.mid) & timed
    out = np.full(len(quotes), np.nan)
    k, years = quotes.k[usable], quotes.years[usable]
    out[usable] = fit.surface.volatility(k, years) - quotes.mid[usable]
    return out


def fit_report(fit: Fit) -> Report:
    """Everything about a fit. Looks for arbitrage on dense grids: 0.4 ms an expiry, not for every tick."""
    away, quotes, surface = residuals(fit), fit.quotes, fit.surface
    kept = fit.fate == Fate.KEPT
    core = kept & _near(fit)
    inside = kept & (np.abs(away) <= 0.5 * (quotes.ask - quotes.bid))
    g, gaps = surface.least_g(), surface.calendar_gap()
    expiries = []
    for i, years in enumerate(surface.years):
        of_expiry = quotes.years == years
        here = of_expiry & kept
        expiries.append(
            ExpiryReport(
                years=float(years),
                level=float(surface.level[i]),
                rho=float(surface.rho[i]),
                convexity=float(surface.convexity[i]),
                quotes=int(here.sum()),
                dropped=int((of_expiry & ~kept).sum()),
                rms=_rms(away[here]),
                rms_core=_rms(away[of_expiry & core]),
                worst=float(max(away[here], key=abs)),
                inside=float(inside[here].mean()),
                least_g=float(g[i]),
                calendar_gap=float(gaps[i - 1]) if i else None,
            )
        )
    return Report(
        expiries=tuple(expiries),
        quotes=int(kept.sum()),
        dropped=tally(fit.fate),
        rms=_rms(away[kept]),
        rms_core=_rms(away[core]),
        inside=float(inside[kept].mean()),
        least_g=float(g.min()),
        calendar_gap=float(gaps.min()) if gaps.size else None,
        faults=surface.faults(),
        iterations=fit.iterations,
        ending=fit.ending,
    )


def _near(fit: Fit) -> npt.NDArray[np.bool_]:
    quotes, surface = fit.quotes, fit.surface
    years = np.where(quotes.years > 0, quotes.years, np.nan)
    theta = np.interp(years, surface.years, surface.theta)
    return np.asarray(np.abs(quotes.k) <= CORE * np.sqrt(theta))


def _rms(values: Floats) -> float:
    return float(np.sqrt(np.mean(values**2))) if values.size else float("nan")
