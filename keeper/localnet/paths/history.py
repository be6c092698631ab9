"""From bars to a price at every block: seeded bridges inside what the file says happened, or straight lines."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import log, sqrt

import numpy as np

from keeper.errors import PriceFileError
from keeper.localnet.paths.bars import BarKind, Bars
from keeper.localnet.paths.bridge import YEAR_S, bridge, reflect, through_pins
from keeper.localnet.paths.path import Floats, Ints

SLOT_S = 12
MAX_BLOCK_SECONDS = 3_600
ROUND_SLACK = 0.0045
"""Between two rounds the market stays this near to their answers: further away the oracle would have spoken."""
ROUND_VOLATILITY = 0.6
"""Annualised; the small noise of a market between two answers."""
PARKINSON = 1 / (4 * log(2))
"""Variance of a driftless walk from the square of its range (Parkinson 1980)."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is known between two moments: log prices at both ends and the range between."""

    begin: float
    end: float
    first: float
    last: float
    low: float
    high: float
    volatility: float
    touches: bool
    """True if the range is known to have been reached (OHLC)."""


def choose_block_seconds(bars: Bars, max_blocks: int) -> int:
    """The shortest multiple of 12 s with which the bars take `max_blocks` blocks at most."""
    gaps = (
        max_blocks if bars.kind is BarKind.OHLC else max_blocks - 1
    )  # a moment ends the path, a bar does not
    slots = -(-bars.duration_s // (gaps * SLOT_S))
    return max(1, slots) * SLOT_S


def prices_at_blocks(
    bars: Bars, block_seconds: int, seed: int, *, linear: bool = False
) -> tuple[Ints, Floats]:
    """Times and market prices, one per block, from the first moment of the bars to the last.

    In a bar of four blocks or more the first block is at the open, the last at the close, and the high and the low
    are both reached. Three blocks: open, the extreme further from them, close; two: that extreme and the close;
    one: the close. Without `linear` the rest is a Brownian bridge folded back into the bar's range.
    """
    _check_pace(bars, block_seconds)
    rng = np.random.Generator(np.random.Philox(seed))
    times = np.arange(
        bars.times[0],
        bars.ends[-1] + (bars.kind is not BarKind.OHLC),
        block_seconds,
        dtype=np.int64,
    )
    moments = times.astype(np.float64)
    logs = np.empty(len(times))
    for stretch in _stretches(bars):
        begin, end = np.searchsorted(moments, (stretch.begin, stretch.end))
        inside = moments[begin:end]
        if len(inside):
            logs[begin:end] = _in_stretch(inside, stretch, rng, linear)
    if bars.kind is not BarKind.OHLC and times[-1] == bars.times[-1]:
        logs[-1] = log(bars.close[-1])
    return times, np.exp(logs)


def _check_pace(bars: Bars, block_seconds: int) -> None:
    blocks = bars.duration_s // block_seconds + 1
    if blocks < 2:
        raise PriceFileError(
            bars.source, f"covers {bars.duration_s} s, less than two blocks of {block_seconds} s"
        )
    if block_seconds > MAX_BLOCK_SECONDS or (
        bars.kind is BarKind.OHLC and block_seconds > bars.step_s
    ):
        raise PriceFileError(
            bars.source,
            f"{len(bars)} rows over {bars.duration_s} s would need blocks of {block_seconds} s, longer than "
            f"{min(MAX_BLOCK_SECONDS, bars.step_s)} s; choose a shorter window or more blocks",
        )


def _stretches(bars: Bars) -> Iterator[Stretch]:
    return _bar_stretches(bars) if bars.kind is BarKind.OHLC else _point_stretches(bars)


def _bar_stretches(bars: Bars) -> Iterator[Stretch]:
    ends = bars.ends
    o, h, lo, c = (np.log(a) for a in (bars.open, bars.high, bars.low, bars.close))
    for i in range(len(bars)):
        begin, end = float(bars.times[i]), float(ends[i])
        volatility = sqrt(PARKINSON * (h[i] - lo[i]) ** 2 * YEAR_S / (end - begin))
        yield Stretch(begin, end, o[i], c[i], lo[i], h[i], volatility, touches=True)
        if i + 1 < len(bars) and bars.times[i + 1] > ends[i]:
            ranges = min(c[i], o[i + 1]), max(c[i], o[i + 1])
            yield Stretch(
                end, float(bars.times[i + 1]), c[i], o[i + 1], *ranges, volatility, touches=False
            )


def _point_stretches(bars: Bars) -> Iterator[Stretch]:
    times, logs = bars.times.astype(np.float64), np.log(bars.close)
    rounds = bars.kind is BarKind.ROUNDS
    spread = float(np.sqrt((np.diff(logs) ** 2 / np.diff(times)).mean() * YEAR_S))
    for i in range(len(bars) - 1):
        known = logs[i : i + 2] if rounds else logs[max(0, i - 1) : i + 3]
        slack = ROUND_SLACK if rounds else 0.0
        yield Stretch(
            times[i],
            times[i + 1],
            logs[i],
            logs[i + 1],
            float(known.min()) + log(1 - slack),
            float(known.max()) + log(1 + slack),
            ROUND_VOLATILITY if rounds else spread,
            touches=False,
        )


def _in_stretch(
    moments: Floats, stretch: Stretch, rng: np.random.Generator, linear: bool
) -> Floats:
    volatility = 0.0 if linear else stretch.volatility
    if not stretch.touches:
        ends = (stretch.begin, stretch.first), (stretch.end, stretch.last)
        return reflect(bridge(moments, *ends, volatility, rng), stretch.low, stretch.high)
    pins = _pins(len(moments), stretch, rng, linear)
    inside = reflect(through_pins(moments, pins, volatility, rng), stretch.low, stretch.high)
    for index, level in pins:  # folding may move a pin by a rounding error
        inside[index] = level
    return inside


def _pins(
    blocks: int, stretch: Stretch, rng: np.random.Generator, linear: bool
) -> list[tuple[int, float]]:
    first, last, low, high = stretch.first, stretch.last, stretch.low, stretch.high
    further = low if min(first, last) - low > high - max(first, last) else high
    short = {
        1: [(0, last)],
        2: [(0, further), (1, last)],
        3: [(0, first), (1, further), (2, last)],
    }
    if blocks in short:
        return short[blocks]
    if linear:
        places = (blocks // 3, max(blocks // 3 + 1, 2 * blocks // 3))
    else:
        one, two = sorted(rng.choice(np.arange(1, blocks - 1), size=2, replace=False))
        places = (int(one), int(two))
    # A bar that fell mostly saw its high first.
    extremes = (high, low) if last < first else (low, high)
    return [(0, first), (places[0], extremes[0]), (places[1], extremes[1]), (blocks - 1, last)]
