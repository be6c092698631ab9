"""Which part of a price history is shown, and at how many blocks: both by stated rules."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from keeper.localnet.paths.path import Ints, PricePath

WINDOW_S = 24 * 3600
"""Length of the window chosen from a longer history."""
WHOLE_UP_TO_S = 48 * 3600
"""A history no longer than this is shown whole."""
FALL_WITHIN_S = WINDOW_S // 2
"""The window is put around the greatest fall that took no longer than this."""
MAX_BLOCKS = 600
LONGEST_BLOCK_SHARE = 2.5
"""In quiet stretches blocks grow to this many times the even spacing, and no longer."""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a history, unix seconds, and why it was chosen."""

    begin: int
    end: int
    reason: str


def greatest_fall(
    times: Sequence[int], prices: Sequence[float], within_s: int
) -> tuple[int, int, float]:
    """Indices of top and bottom of the greatest fall lasting at most `within_s`, and its size.

    The size is a fraction of the top; 0 (and the first point twice) when the price never falls.
    """
    best = (0, 0, 0.0)
    tops: deque[int] = deque()  # indices of falling prices: the front is the highest still in reach
    for i, price in enumerate(prices):
        while tops and times[i] - times[tops[0]] > within_s:
            tops.popleft()
        while tops and prices[tops[-1]] <= price:
            tops.pop()
        tops.append(i)
        fall = 1 - price / prices[tops[0]]
        if fall > best[2]:
            best = (tops[0], i, fall)
    return best


def choose_window(times: Sequence[int], prices: Sequence[float]) -> Window | None:
    """The window around the greatest fall of a long history; None when it is short enough whole."""
    first, last = times[0], times[-1]
    if last - first <= WHOLE_UP_TO_S:
        return None
    top, bottom, fall = greatest_fall(times, prices, FALL_WITHIN_S)
    middle = (times[top] + times[bottom]) // 2
    begin = max(first, min(middle - WINDOW_S // 2, last - WINDOW_S))
    return Window(
        begin,
        begin + WINDOW_S,
        f"the {WINDOW_S // 3600} hours around the greatest fall within {FALL_WITHIN_S // 3600} "
        f"hours ({fall * 100:.1f} %); choose another with --from and --to",
    )


def thin(path: PricePath, most: int = MAX_BLOCKS) -> PricePath:
    """The same path at no more than `most` of its blocks, so that every block moves about alike.

    Quiet stretches lose blocks and fast ones keep theirs, which leaves every price that is
    shown as it was. Block intervals then differ; none is shorter than before. Kept in any case:
    the first and last block, the lowest price, and every change of the oracle's silence.
    """
    if len(path) <= most * 1.02:  # a block or two more is not worth a thinning
        return path
    moves = np.log(path.market_price)
    longest = int(LONGEST_BLOCK_SHARE * path.duration_s / most)
    must = _must_keep(path)
    low, high = 0.0, float(moves.max() - moves.min()) + 1e-9
    for _ in range(40):  # halving until the threshold is known far better than any price
        middle = (low + high) / 2
        if sum(1 for _ in _kept(path.times, moves.tolist(), must, middle, longest)) > most:
            low = middle
        else:
            high = middle
    kept = np.fromiter(_kept(path.times, moves.tolist(), must, high, longest), dtype=np.int64)
    return replace(
        path,
        times=path.times[kept],
        market_price=path.market_price[kept],
        oracle_online=path.oracle_online[kept],
        base_fee_wei=path.base_fee_wei[kept],
        notes=(
            *path.notes,
            f"{len(kept)} of {len(path)} blocks are shown: one each "
            f"{high * 100:.2f} % of price or {longest} s",
        ),
    )


def _must_keep(path: PricePath) -> frozenset[int]:
    changes = np.flatnonzero(np.diff(path.oracle_online.astype(np.int8))) + 1
    lowest = int(np.argmin(path.market_price))
    return frozenset({0, lowest, len(path) - 1, *(int(i) for i in changes)})


def _kept(
    times: Ints, moves: Sequence[float], must: frozenset[int], threshold: float, longest: int
) -> Iterator[int]:
    """Indices in order: none leaves out a move above the threshold, a must or a long silence."""
    stamps = times.tolist()
    last = 0
    yield 0
    for i in range(1, len(moves)):
        if last != i - 1 and (
            abs(moves[i] - moves[last]) > threshold or stamps[i] - stamps[last] > longest
        ):
            last = i - 1
            yield last
        if i in must:
            last = i
            yield i
