"""Volatility marks as a duty: what the vault's oracle should say of the market, as far as one post may go.

Posted when the account that keeps the vault is the oracle's poster, the market's smiles are known, and the marks are
off them by more than the policy's band or have grown old. Without smiles, or with none but those read off the oracle
itself, nothing is posted: marks then turn stale, their spread widens, and at last nothing of options can be valued,
which is what the contracts are meant to do.

The oracle bounds a post by the greatest change of log-volatility at any strike (VolatilitySmile.moveWadUp) and by a
day's budget of them. Marks further away are approached by the largest part of the way that fits and that keeps the
surface free of arbitrage, level, skew and convexity each on a straight line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import exp, log, sqrt

from keeper.errors import QuantityError
from keeper.model.decision import PostMarks
from keeper.model.desk import Posting, VolatilityMark, VolatilityReading
from keeper.model.market import MarketState
from keeper.model.option_marks import YEAR_S
from keeper.model.outlook import Smile
from keeper.model.policy import MarkPolicy
from keeper.model.units import BPS, WAD, Bps

LIFE_S = 300
"""A post that is not in by then is refused by the oracle: the market has moved on."""
LEAST_VOLATILITY, MOST_VOLATILITY = 0.01, 10.0
MOST_MONEYNESS, MOST_FORWARD = 5.0, 1e30
LATEST_S = 5 * 365 * 86_400
"""What a market can mean; a point beyond is none."""
_BUCKET_MARGIN_BPS = 100
"""Of the day's budget left alone: it is judged in a later block than it was read in."""
_STRIKES = (-2.0, -1.0, 0.0, 1.0, 2.0)
"""Where marks are compared with the market, standard deviations from the money."""
_HALVINGS = 12


def due_marks(market: MarketState, policy: MarkPolicy) -> PostMarks | None:
    """The marks to post now, or None if nothing is due, may be posted or is known."""
    readings, state = market.readings, market.readings.options.state
    posting = state.volatility.posting if state else None
    if state is None or posting is None or not policy.post or not market.tradable:
        return None
    now, reading = readings.block.timestamp, state.volatility
    may = posting.poster.lower() == readings.keeper.lower() and not posting.frozen
    if not may or now < posting.marked_at + posting.min_interval_s or not reading.marks:
        return None
    wanted = market_marks(market.outlook.smiles, reading, now)
    if wanted is None:
        return None
    off = distance(reading.marks, wanted)
    age = now - posting.marked_at
    old = age * BPS >= posting.max_age_s * policy.refresh_bps
    if off * BPS < policy.band_bps and not old:
        return None
    marks = _towards(reading.marks, wanted, _most_wad(posting))
    if not old and not _worth_posting(reading.marks, marks, wanted, posting):
        return None  # the day's budget is used: it is tried again when it has refilled
    why = f"marks are {age} s old" if old else f"marks are {off:.1%} of volatility off the market's"
    return PostMarks(reading.oracle, marks, now + LIFE_S, why)


def _worth_posting(
    before: Sequence[VolatilityMark],
    marks: Sequence[VolatilityMark],
    wanted: Sequence[VolatilityMark],
    posting: Posting,
) -> bool:
    """All of the way, or half a step of it: less would burn gas at every interval on what has just refilled."""
    if marks == wanted:
        return True
    moved = max(move_wad_up(a, b) for a, b in zip(before, marks, strict=True))
    return 2 * moved >= posting.max_step_bps * WAD // BPS


def distance(marks: Sequence[VolatilityMark], wanted: Sequence[VolatilityMark]) -> float:
    """Greatest |ln(volatility / wanted)| over tenors and strikes."""
    gaps = [0.0]
    for mark, goal in zip(marks, wanted, strict=True):
        deviation = goal.level_ppm / 1e6 * sqrt(goal.tenor_s / YEAR_S)
        for z in _STRIKES:
            k = z * deviation
            gaps.append(abs(log(_volatility(mark, k) / _volatility(goal, k))))
    return max(gaps)


def _volatility(mark: VolatilityMark, k: float) -> float:
    """Of one tenor at ln(strike / forward): level x sqrt of the standardised smile (VolatilitySmile.sol)."""
    rho = mark.skew_bps / BPS
    deviation = mark.level_ppm / 1e6 * sqrt(mark.tenor_s / YEAR_S)
    x = mark.convexity_bps / BPS * k / deviation
    smile = (1 + rho * x + sqrt(max(0.0, x * x + 2 * rho * x + 1))) / 2
    return mark.level_ppm / 1e6 * sqrt(smile)


# ---------------------------------------------------------------- what the market says


def market_marks(
    smiles: Sequence[Smile], reading: VolatilityReading, now: int
) -> tuple[VolatilityMark, ...] | None:
    """Marks of the oracle's tenors that the market's smiles come nearest to; None where they give none.

    No level is under the oracle's floor: it gives none lower.
    """
    from keeper.quant.surface import FitSettings, Quotes, fit_surface, marks_of  # compiles

    told = [smile for smile in smiles if 0 < smile.expiry - now <= LATEST_S and not smile.own]
    quotes = [q for smile in told for q in _quotes(smile, now)]
    if not quotes:
        return None
    years, strike, forward, volatility = zip(*quotes, strict=True)
    tenors = tuple(mark.tenor_s for mark in reading.marks)
    floor_ppm = -(-reading.floor_wad * 10**6 // WAD)
    try:
        given = Quotes.of(years, strike, forward, volatility, volatility)
        found = marks_of(fit_surface(given, settings=FitSettings(max_rho=0.7)).surface, tenors)
    except (QuantityError, ArithmeticError, ValueError):
        return None  # numbers that make no surface are no market, and no reason to leave other work undone
    marks = tuple(
        VolatilityMark(
            tenor, max(mark.level_ppm, floor_ppm), mark.skew_bps, Bps(mark.convexity_bps)
        )
        for tenor, mark in zip(tenors, found.marks, strict=True)
    )
    return marks if _taken(marks) else None


def _quotes(smile: Smile, now: int) -> Iterator[tuple[float, float, float, float]]:
    """(years, strike, forward, volatility) of each point; one point alone is a flat smile."""
    years = (smile.expiry - now) / YEAR_S
    points = smile.points
    if len(points) == 1:
        deviation = points[0][1] * sqrt(years)
        points = tuple((z * deviation, points[0][1]) for z in (-1.0, 0.0, 1.0))
    for k, volatility in points:
        meant = LEAST_VOLATILITY <= volatility <= MOST_VOLATILITY and abs(k) <= MOST_MONEYNESS
        if meant and 0 < smile.forward < MOST_FORWARD:
            yield years, smile.forward * exp(k), smile.forward, volatility


# ---------------------------------------------------------------- how far a post may go


def move_wad_up(before: VolatilityMark, after: VolatilityMark) -> int:
    """How far a post moves any strike's log-volatility at most, exactly as the oracle counts it."""
    level = _relative_wad_up(before.level_ppm, after.level_ppm)
    convexity = _relative_wad_up(before.convexity_bps, after.convexity_bps)
    skew = max(
        _relative_wad_up(BPS + sign * before.skew_bps, BPS + sign * after.skew_bps)
        for sign in (1, -1)
    )
    return -(-(3 * level + convexity + skew) // 2)


def _relative_wad_up(a: int, b: int) -> int:
    small, large = min(a, b), max(a, b)
    return -(-(large - small) * WAD // small)


def _most_wad(posting: Posting) -> int:
    """Of one post: the step, and what the day's budget has left."""
    left = posting.left_wad * (BPS - _BUCKET_MARGIN_BPS) // BPS
    return min(posting.max_step_bps * WAD // BPS, left)


def _towards(
    marks: tuple[VolatilityMark, ...], wanted: tuple[VolatilityMark, ...], most_wad: int
) -> tuple[VolatilityMark, ...]:
    """The largest part of the way found that fits; the marks as they are, if none does."""
    if _fits(marks, wanted, most_wad):
        return wanted
    low, high, found = 0.0, 1.0, marks
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        tried = tuple(_between(a, b, middle) for a, b in zip(marks, wanted, strict=True))
        if _fits(marks, tried, most_wad):
            low, found = middle, tried
        else:
            high = middle
    return found


def _between(a: VolatilityMark, b: VolatilityMark, part: float) -> VolatilityMark:
    level, skew, convexity = (
        round(x + part * (y - x))
        for x, y in (
            (a.level_ppm, b.level_ppm),
            (a.skew_bps, b.skew_bps),
            (a.convexity_bps, b.convexity_bps),
        )
    )
    return VolatilityMark(a.tenor_s, level, skew, Bps(convexity))


def _fits(
    marks: tuple[VolatilityMark, ...], tried: tuple[VolatilityMark, ...], most_wad: int
) -> bool:
    pairs = zip(marks, tried, strict=True)
    return all(move_wad_up(a, b) <= most_wad for a, b in pairs) and _taken(tried)


def _taken(marks: Sequence[VolatilityMark]) -> bool:
    """Whether the oracle would take them: bounds, butterfly, calendar, in its own integers."""
    from keeper.quant.surface import Mark, MarkSurface

    surface = MarkSurface(
        tuple(mark.tenor_s for mark in marks),
        tuple(Mark(mark.level_ppm, mark.skew_bps, mark.convexity_bps) for mark in marks),
    )
    return not surface.faults()
