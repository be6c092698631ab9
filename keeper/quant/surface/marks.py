"""Marks of the on-chain volatility oracle: read as the contract reads them, and made from a surface so that it takes
them.

A mark is a smile of a fixed tenor: level in millionths, skew rho and convexity in 1e-4 (contracts/libraries/
VolatilitySmile.sol). Between tenors the contract takes total variance linear in time at one strike, before the first
the volatility of the first tenor, and nothing beyond the last (VolatilitySurface.sol).
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from math import ceil, floor, sqrt

import numpy as np

from keeper.errors import QuantityError
from keeper.quant.surface.numbers import Floats, Numbers, not_negative, numbers
from keeper.quant.surface.surface import Surface

YEAR_S = 365 * 86_400
PPM = 1_000_000
BPS = 10_000
MAX_TENORS = 8
MIN_TENOR_S, MAX_TENOR_S = 3_600, 730 * 86_400
MIN_LEVEL_PPM, MAX_LEVEL_PPM = 50_000, 4_000_000
MAX_SKEW_BPS = 7_000
MIN_CONVEXITY_BPS, MAX_CONVEXITY_BPS = 500, 20_000
MOST_RISE = 0.1
"""Share by which `marks_of` may lift a level: beyond, the marks would be of another surface."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What the oracle holds for one tenor; integers, as on chain."""

    level_ppm: int
    skew_bps: int
    convexity_bps: int

    def __post_init__(self) -> None:
        for name in ("level_ppm", "skew_bps", "convexity_bps"):
            object.__setattr__(self, name, _whole(name, getattr(self, name)))


@dataclass(frozen=True, slots=True)
class MarkSurface:
    """The oracle's surface of posted marks, before floor and spread."""

    tenors_s: tuple[int, ...]
    marks: tuple[Mark, ...]

    def __post_init__(self) -> None:
        tenors = tuple(_whole("tenors_s", tenor, i) for i, tenor in enumerate(self.tenors_s))
        object.__setattr__(self, "tenors_s", tenors)
        if not 0 < len(tenors) <= MAX_TENORS or len(tenors) != len(self.marks):
            problem = f"{len(tenors)} tenors and {len(self.marks)} marks"
            raise QuantityError("marks", problem, f"give one mark a tenor, 1 to {MAX_TENORS}")
        for i, (before, tenor) in enumerate(zip((0, *tenors), tenors, strict=False)):
            if not max(before + 1, MIN_TENOR_S) <= tenor <= MAX_TENOR_S:
                problem = f"{tenor} s is not after {before} s within {MIN_TENOR_S} to {MAX_TENOR_S}"
                raise QuantityError("tenors_s", problem, "give rising tenors", i)

    @property
    def smiles(self) -> Surface:
        """The tenors' smiles as a surface of our own, which interpolates smiles and not variances."""
        years = np.array(self.tenors_s) / YEAR_S
        level = np.array([mark.level_ppm / PPM for mark in self.marks])
        rho = np.array([mark.skew_bps / BPS for mark in self.marks])
        convexity = np.array([mark.convexity_bps / BPS for mark in self.marks])
        return Surface.of(years, level, rho, convexity)

    def volatility(self, k: Numbers, seconds: Numbers) -> Floats:
        """Posted volatility at ln(strike / forward) and seconds to expiry (1 to the last tenor), broadcast.

        The contract's formula in floats: it agrees to the contract's own rounding, 1e-12 relative.
        Errors: `QuantityError` for what is not finite, and for times the contract refuses.
        """
        x, t = np.broadcast_arrays(numbers("k", k), numbers("seconds", seconds))
        not_negative("seconds", t)
        outside = (t < 1) | (t > self.tenors_s[-1])
        if outside.any():
            index = int(np.argmax(outside))
            problem = f"{t.flat[index]:g} s is outside 1 s to the last tenor, {self.tenors_s[-1]} s"
            raise QuantityError("seconds", problem, "give a time the marks cover", index)
        years = np.array(self.tenors_s) / YEAR_S
        smiles = self.smiles
        at = np.stack([smiles.total_variance(x, float(year)) for year in years])
        after = np.searchsorted(np.array(self.tenors_s), t, side="left")
        before = np.maximum(after - 1, 0)
        w = np.take_along_axis(at, after[None], 0)[0]
        w_before = np.take_along_axis(at, before[None], 0)[0]
        tenor, tenor_before = years[after], years[before]
        span = np.where(after > 0, tenor - tenor_before, 1.0)
        u = (t / YEAR_S - tenor_before) / span
        inner = (w_before * (1 - u) + w * u) / (t / YEAR_S)
        return np.asarray(np.sqrt(np.where(after > 0, inner, w / tenor)))

    def faults(self) -> tuple[str, ...]:
        """Why the oracle would refuse these marks, bound by bound, in the contract's own integers; empty: it takes
        them."""
        found: list[str] = []
        for i, (mark, tenor) in enumerate(zip(self.marks, self.tenors_s, strict=True)):
            found += [f"mark {i}: {problem}" for problem in _of_bounds(mark)]
            if not _no_butterfly(mark, tenor):
                found.append(f"mark {i}: butterfly arbitrage")
            if i:
                rule = _calendar(self.marks[i - 1], self.tenors_s[i - 1], mark, tenor)
                found += [f"mark {i}: calendar arbitrage (rule {rule})"] if rule is not None else []
        return tuple(found)


def _whole(name: str, value: object, index: int | None = None) -> int:
    """As a Python integer, which does not wrap around; the conditions multiply up to 150 bits."""
    try:
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError as error:
        raise QuantityError(name, f"{value!r} is no integer", "give one", index) from error


def marks_of(surface: Surface, tenors_s: tuple[int, ...]) -> MarkSurface:
    """The surface at the oracle's tenors, rounded and moved within its bounds so that it takes them.

    Level, skew and convexity are rounded; where integers then fail a condition by a hair, or the surface is beyond the
    oracle's bounds (|rho| 0.7, convexity 0.05 to 2, level 5 % to 400 %), the later tenor gives way by the least steps
    that do: level up (by `MOST_RISE` at most), convexity to the middle of what is allowed, skew towards the tenor
    before.
    Errors: `QuantityError` with the tenor's index if no mark near the surface is free of arbitrage, as where the
    surface itself has much calendar arbitrage.
    """
    tenors_s = tuple(_whole("tenors_s", tenor, i) for i, tenor in enumerate(tenors_s))
    marks: list[Mark] = []
    for i, tenor in enumerate(tenors_s):
        theta, right, left = surface.smile_at(tenor / YEAR_S)
        psi = 0.5 * (right + left)
        wanted = _within(
            sqrt(theta / (tenor / YEAR_S)) * PPM,
            (right - left) / (right + left) * BPS,
            psi / sqrt(theta) * BPS,
        )
        if i == 0:
            marks.append(_curved_less(wanted, tenor))
        else:
            marks.append(_after(marks[-1], tenors_s[i - 1], wanted, tenor, i))
    return MarkSurface(tuple(tenors_s), tuple(marks))


def _within(level: float, skew: float, convexity: float) -> Mark:
    return Mark(
        int(min(max(round(level), MIN_LEVEL_PPM), MAX_LEVEL_PPM)),
        int(min(max(round(skew), -MAX_SKEW_BPS), MAX_SKEW_BPS)),
        int(min(max(floor(convexity), MIN_CONVEXITY_BPS), MAX_CONVEXITY_BPS)),
    )


def _curved_less(mark: Mark, tenor: int) -> Mark:
    while not _no_butterfly(mark, tenor) and mark.convexity_bps > MIN_CONVEXITY_BPS:
        mark = Mark(mark.level_ppm, mark.skew_bps, mark.convexity_bps - 1)
    return mark


def _after(before: Mark, tenor_before: int, wanted: Mark, tenor: int, index: int) -> Mark:
    """Nearest mark found that follows `before`: skews from the wanted one towards the last, convexities that are
    allowed."""
    highest = min(MAX_LEVEL_PPM, floor(wanted.level_ppm * (1 + MOST_RISE)))
    ratio = before.level_ppm * sqrt(tenor_before)
    toward = np.sign(before.skew_bps - wanted.skew_bps)
    for distance in range(abs(before.skew_bps - wanted.skew_bps) + 1):
        skew = int(wanted.skew_bps + toward * distance)
        # psi (1 +- rho) must not fall and psi / theta must not rise: bounds of the convexity, which the level widens.
        grow = max(
            (BPS + before.skew_bps) / (BPS + skew), (BPS - before.skew_bps) / (BPS - skew), 1.0
        )
        least_level = ceil(ratio * sqrt(grow / tenor) * (1 + 1e-9))
        for level in (max(wanted.level_ppm, least_level), max(wanted.level_ppm, least_level) + 200):
            if level > highest:
                continue
            step = level * sqrt(tenor) / ratio
            low = ceil(before.convexity_bps * grow / step)
            high = floor(before.convexity_bps * step)
            convexity = min(max(wanted.convexity_bps, low, MIN_CONVEXITY_BPS), high)
            mark = _curved_less(Mark(level, skew, min(convexity, MAX_CONVEXITY_BPS)), tenor)
            found = MarkSurface((tenor_before, tenor), (before, mark)).faults()
            if not [fault for fault in found if fault.startswith("mark 1")]:
                return mark
    problem = (
        f"no mark near {wanted} follows {before} with its level lifted by {MOST_RISE:.0%} at most"
    )
    remedy = "give a surface without calendar arbitrage, post fewer tenors or fit with max_rho 0.7"
    raise QuantityError("surface", problem, remedy, index)


def _of_bounds(mark: Mark) -> list[str]:
    found = []
    for name, value, low, high in (
        ("level_ppm", mark.level_ppm, MIN_LEVEL_PPM, MAX_LEVEL_PPM),
        ("convexity_bps", mark.convexity_bps, MIN_CONVEXITY_BPS, MAX_CONVEXITY_BPS),
        ("|skew_bps|", abs(mark.skew_bps), 0, MAX_SKEW_BPS),
    ):
        if not low <= value <= high:
            found.append(f"{name} {value} is outside {low} to {high}")
    return found


def _theta(mark: Mark, tenor: int) -> int:
    """Total variance at the money in millionths squared times seconds."""
    return mark.level_ppm * mark.level_ppm * tenor


def _no_butterfly(mark: Mark, tenor: int) -> bool:
    """As `requireNoButterfly`: convexity^2 (1 + |rho|) <= 4 and convexity sqrt(theta) (1 + |rho|) < 4, exactly."""
    square = mark.convexity_bps**2
    skewed = BPS + abs(mark.skew_bps)
    steep = square * _theta(mark, tenor) * skewed * skewed
    return square * skewed <= 4 * BPS**3 and steep < 16 * BPS**4 * PPM**2 * YEAR_S


def _calendar(before: Mark, tenor_before: int, mark: Mark, tenor: int) -> int | None:
    """As `requireNoCalendar`: the number of the first rule broken, exactly; None if none is."""
    theta, theta_before = _theta(mark, tenor), _theta(before, tenor_before)
    square, square_before = mark.convexity_bps**2, before.convexity_bps**2
    if theta < theta_before:
        return 0
    for rule, sign in ((1, 1), (2, -1)):
        side, side_before = BPS + sign * mark.skew_bps, BPS + sign * before.skew_bps
        if theta * square * side * side < theta_before * square_before * side_before * side_before:
            return rule
    return 3 if square * theta_before > square_before * theta else None
