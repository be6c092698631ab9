"""Smiles and surfaces of the peers on the same chain, and whether what they fitted allows arbitrage.

What their Python bindings can do, each with weights and settings at which it does best on this chain: QuantLib 1.44
fits SABR and raw SVI one expiry after another (its SVI by Levenberg-Marquardt, without its vega weights, with which it
ends in far minima; its dates are whole days, so times are rounded, volatilities hardly); fast-vollib 0.2 fits raw SVI
by expiry, one SSVI for all, and a spline. Left out: fast-vollib's Heston (half a minute a fit), and QuantLib's
`AndreasenHugeVolatilityInterpl` (ten seconds; through every quote) and `NoArbSabrInterpolatedSmileSection` (minutes).

All are judged alike, ours too: on 3,001 log-moneynesses an expiry, Durrleman's g by differences of the fitted total
variance, and its rise from an expiry to the next.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keeper.quant.surface import Quotes, Surface

Floats = NDArray[np.float64]
Smile = Callable[[Floats, float], Floats]
"""Total variance at log-moneynesses k and one fitted time."""
GRID = 3_001
MODEL_ERROR = 0.0025
STEP = 1e-3
"""Of the differences, in units of the root of total variance at the money."""
ROUNDING = 1e-6
"""What g and the rise may be below 0 by differences of rounded numbers."""


def peers() -> dict[str, Callable[[Quotes], Smile]]:
    """Fits by name; empty where the peers are not installed."""
    try:
        import_module("QuantLib"), import_module("fast_vollib")
    except ImportError:
        return {}
    return {
        "QuantLib SABR by expiry": _sabr,
        "QuantLib SVI by expiry": _quantlib_svi,
        "fast-vollib SVI by expiry": partial(_fast_vollib, "SVICalibrator"),
        "fast-vollib SSVI": partial(_fast_vollib, "SSVICalibrator"),
        "fast-vollib spline": partial(_fast_vollib, "SplineSurfaceCalibrator"),
    }


def smile_of(surface: Surface) -> Smile:
    """Ours."""
    return surface.total_variance


def judged(smile: Smile, quotes: Quotes) -> dict[str, Any]:
    """RMS of volatility against the mids, least g, least rise between expiries, and whether both hold.

    Where a fit gives no number (a spline far from its quotes) it is not judged; `answered` is the share it is.
    """
    times = np.unique(quotes.years)
    errors, least_g, least_rise, answered = [], np.inf, np.inf, []
    before: Smile | None = None
    for years in times:
        here = quotes.years == years
        k, mid = quotes.k[here], quotes.mid[here]
        errors.append(np.sqrt(smile(k, years) / years) - mid)
        width = float(np.median(mid) * np.sqrt(years))
        grid = np.linspace(-1.0, 1.0, GRID) * max(5.0 * width, float(np.abs(k).max()))
        g = _durrleman(smile, grid, years, STEP * width)
        answered.append(np.mean(~np.isnan(g)))
        least_g = min(least_g, float(np.nanmin(g)))
        if before is not None:
            rise = smile(grid, years) - before(
                grid, float(times[np.searchsorted(times, years) - 1])
            )
            least_rise = min(least_rise, float(np.nanmin(rise)))
        before = smile
    return {
        "answered": float(np.mean(answered)),
        "rms": float(np.sqrt(np.mean(np.concatenate(errors) ** 2))),
        "least_g": least_g,
        "least_rise": least_rise,
        "free_of_arbitrage": bool(least_g >= -ROUNDING and least_rise >= -ROUNDING),
    }


def _durrleman(smile: Smile, k: Floats, years: float, h: float) -> Floats:
    """g(k) = (1 - k w' / 2w)^2 - (w'^2 / 4)(1 / w + 1 / 4) + w'' / 2; NaN where w is, minus infinity where w <= 0."""
    down, w, up = smile(k - h, years), smile(k, years), smile(k + h, years)
    slope, bend = (up - down) / (2 * h), (up - 2 * w + down) / (h * h)
    with np.errstate(all="ignore"):
        g = (1 - k * slope / (2 * w)) ** 2 - slope**2 / 4 * (1 / w + 0.25) + bend / 2
    return np.where(w > 0.0, g, np.where(np.isnan(w), np.nan, -np.inf))


def _expiries(quotes: Quotes) -> list[tuple[float, Floats, Floats]]:
    """Time, strikes and mid volatilities by expiry."""
    return [
        (float(t), quotes.strike[quotes.years == t], quotes.mid[quotes.years == t])
        for t in np.unique(quotes.years)
    ]


def _by_time(sections: dict[float, Callable[[float], float]], forward: float) -> Smile:
    def smile(k: Floats, years: float) -> Floats:
        section = sections[float(years)]
        volatility = np.array([section(float(x)) for x in forward * np.exp(k)])
        return np.asarray(volatility * volatility * years)

    return smile


def _sabr(quotes: Quotes) -> Smile:
    """Lognormal SABR (beta 1) of each expiry."""
    ql = import_module("QuantLib")
    forward = float(quotes.forward[0])
    found: dict[float, Callable[[float], float]] = {}
    for t, strike, mid in _expiries(quotes):
        start = (float(np.median(mid)), 1.0, 1.0, -0.2)
        fixed = (False, True, False, False)
        fit = ql.SABRInterpolation(strike.tolist(), mid.tolist(), t, forward, *start, *fixed)
        found[t] = partial(_called, fit)
    return _by_time(found, forward)


def _called(fit: Any, strike: float) -> float:
    return float(fit(strike, True))


def _quantlib_svi(quotes: Quotes) -> Smile:
    """Raw SVI of each expiry, from the start that our own scipy fit has."""
    ql = import_module("QuantLib")
    today = ql.Date(1, 1, 2024)
    ql.Settings.instance().evaluationDate = today
    forward = float(quotes.forward[0])
    end = ql.EndCriteria(1_000, 100, 1e-10, 1e-10, 1e-10)
    found: dict[float, Callable[[float], float]] = {}
    for t, strike, mid in _expiries(quotes):
        root = np.sqrt(t)
        start = (0.2 * t, 0.4 * root, 0.5 * root, -0.2, 0.0)  # a, b, sigma, rho, m
        section = ql.SviInterpolatedSmileSection(
            today + max(1, round(t * 365)),
            forward,
            strike.tolist(),
            False,  # strikes do not float
            float(np.interp(forward, strike, mid)),
            mid.tolist(),
            *map(float, start),
            *(False,) * 5,  # none is fixed
            False,  # no vega weights
            end,
            ql.LevenbergMarquardt(),
        )
        section.volatility(forward)  # fits
        found[t] = section.volatility
    return _by_time(found, forward)


def _fast_vollib(calibrator: str, quotes: Quotes) -> Smile:
    """Weighted as ours: by half spread and model error."""
    surface = import_module("fast_vollib.surface")
    fitting = import_module("fast_vollib.surface.fitting")
    half = 0.5 * (quotes.ask - quotes.bid)
    seen = surface.SurfaceObservations(
        k=quotes.k, T=quotes.years, iv=quotes.mid, weight=1.0 / (half * half + MODEL_ERROR**2)
    )
    fit = getattr(fitting, calibrator)().fit(seen)

    def smile(k: Floats, years: float) -> Floats:
        points = surface.SurfacePoints(k=k, T=np.full(k.size, years))
        volatility = np.asarray(fit.evaluate(points).iv)
        return np.asarray(volatility * volatility * years)

    return smile
