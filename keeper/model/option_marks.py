"""What one option is worth by the vault's own rule: Black-Scholes at forward = spot, rate 0 and the marked volatility.

The contracts do it in fixed point (VolatilitySurface, OptionValue), here it is done in floats, to about 1e-12 of the
spot. Whatever is made of it carries a margin that is far wider, and becomes an integer in `price_wad_up`.
"""

import itertools
from dataclasses import dataclass
from math import ceil, erfc, exp, isfinite, log, pi, sqrt

from keeper.model.desk import VolatilityMark, VolatilityReading
from keeper.model.outlook import Outlook, Smile
from keeper.model.series import Series
from keeper.model.units import WAD, Wad

YEAR_S = 365 * 24 * 3_600
_TICKS = 10**6
"""Prices are rounded up to millionths of an asset, so that the last bits of a float decide nothing."""
_PPM, _BPS = 10**6, 10**4


@dataclass(frozen=True, slots=True)
class OptionMark:
    """For the holder of one option on a whole base; assets."""

    value: float
    first_delta: float
    """|delta| of the first option alone: of a spread, that which its writer is short."""
    vega: float
    """|change| for volatility 1.00 higher."""


def marked_volatility(reading: VolatilityReading, strike: float, spot: float, time_s: int) -> float:
    """The mid volatility as the oracle gives it: the posted smile, not under the floor; nan where it gives none.

    Between tenors total variance is linear in time at the same strike; before the first, volatility is the first's.
    """
    marks = reading.marks
    if not reading.usable or not marks or not 0 < time_s <= marks[-1].tenor_s:
        return float("nan")
    if not (strike > 0 and spot > 0):
        return float("nan")
    k = log(strike / spot)
    i = next(i for i, mark in enumerate(marks) if mark.tenor_s >= time_s)
    variance, tenor = _total_variance(marks[i], k), marks[i].tenor_s
    if i and tenor != time_s:
        before, previous = _total_variance(marks[i - 1], k), marks[i - 1].tenor_s
        weighted = before * (tenor - time_s) + variance * (time_s - previous)
        posted = sqrt(weighted / (tenor - previous) * YEAR_S / time_s)
    else:
        posted = sqrt(variance * YEAR_S / tenor)
    return max(posted, reading.floor_wad / WAD)


def _total_variance(mark: VolatilityMark, k: float) -> float:
    """eSSVI: theta (1 + rho x + sqrt(x^2 + 2 rho x + 1)) / 2 with x = convexity k / sqrt(theta)."""
    theta = (mark.level_ppm / _PPM) ** 2 * mark.tenor_s / YEAR_S
    x = mark.convexity_bps / _BPS * k / sqrt(theta)
    rho = mark.skew_bps / _BPS
    return theta * (1 + rho * x + sqrt(max(0.0, x * x + 2 * rho * x + 1))) / 2


def mark_of(
    reading: VolatilityReading, series: Series, spot_wad: int, now: int, *, more: float = 0.0
) -> OptionMark | None:
    """The mid mark of a series at a spot price; None while it has none. `more` raises volatility by that part."""
    time_s, spot = series.expiry - now, spot_wad / WAD
    strikes = [w / WAD for w in (series.strike_wad, series.second_strike_wad) if w]
    found = [marked_volatility(reading, strike, spot, time_s) for strike in strikes]
    if not found or not all(isfinite(v) for v in found):
        return None
    years = time_s / YEAR_S
    legs = [
        _leg(series.is_call, spot, strike, volatility * (1 + more) * sqrt(years), sqrt(years))
        for strike, volatility in zip(strikes, found, strict=True)
    ]
    return _mark(legs, strikes)


def market_value(
    outlook: Outlook, series: Series, spot_wad: int, now: int, *, more: float = 0.0
) -> float | None:
    """What the market pays for one option, by the outlook's smile of the nearest expiry; None without smiles.

    `more` raises volatility by that part.
    """
    if not outlook.smiles or series.expiry <= now:
        return None
    smile = min(outlook.smiles, key=lambda s: (abs(s.expiry - series.expiry), s.expiry))
    if not smile.points or not smile.forward > 0:
        return None
    spot, years = spot_wad / WAD, (series.expiry - now) / YEAR_S
    strikes = [w / WAD for w in (series.strike_wad, series.second_strike_wad) if w]
    legs = [
        _leg(
            series.is_call,
            spot,
            k,
            _implied(smile, log(k / spot)) * (1 + more) * sqrt(years),
            sqrt(years),
        )
        for k in strikes
    ]
    return _mark(legs, strikes).value


def _implied(smile: Smile, k: float) -> float:
    """Linear between the points, flat beyond them."""
    points = smile.points
    for (left, low), (right, high) in itertools.pairwise(points):
        if left <= k <= right and right > left:
            return low + (high - low) * (k - left) / (right - left)
    return points[0][1] if k < points[0][0] else points[-1][1]


def _leg(
    is_call: bool, spot: float, strike: float, spread: float, root: float
) -> tuple[float, float, float]:
    """Value, signed delta and vega of one option; `spread` is volatility x sqrt(years)."""
    if spread <= 0:
        inside = spot > strike if is_call else spot < strike
        sign = 1.0 if is_call else -1.0
        return max(0.0, sign * (spot - strike)), sign if inside else 0.0, 0.0
    d1 = log(spot / strike) / spread + spread / 2
    d2 = d1 - spread
    vega = spot * exp(-d1 * d1 / 2) / sqrt(2 * pi) * root
    if is_call:
        return max(0.0, spot * _normal(d1) - strike * _normal(d2)), _normal(d1), vega
    return max(0.0, strike * _normal(-d2) - spot * _normal(-d1)), -_normal(-d1), vega


def _mark(legs: list[tuple[float, float, float]], strikes: list[float]) -> OptionMark:
    (value, delta, vega), rest = legs[0], legs[1:]
    for other, _, other_vega in rest:
        value = min(max(0.0, value - other), abs(strikes[1] - strikes[0]))
        vega -= other_vega
    return OptionMark(value, abs(delta), abs(vega))


def _normal(x: float) -> float:
    return erfc(-x / sqrt(2)) / 2


def price_wad_up(value: float, margin_bps: int = 0) -> Wad:
    """An estimate with a margin on top as a price: WAD, rounded up to a millionth of an asset, at least one."""
    ticks = max(1, ceil(value * _TICKS))
    return Wad(-(-ticks * (_BPS + margin_bps) * (WAD // _TICKS) // _BPS))
