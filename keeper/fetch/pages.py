"""Walking through a series that an exchange gives in pages, without trusting where a page begins.

Exchanges differ in what they do with `since` and `limit`: some answer with the newest rows of the span, some skip
spans in which nothing was traded, some repeat the last row. So the walk goes by time and not by rows.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from keeper.errors import FetchError

Row = tuple[float, ...]
"""Unix seconds, then the values."""
Ask = Callable[[int, int], list[Row]]
"""(since in unix seconds, most rows) -> rows from about then on, in any order."""


@dataclass(frozen=True, slots=True)
class Walk:
    """From `begin_s` to before `end_s` (unix seconds), for rows usually `step_s` apart, `limit` of them a page."""

    begin_s: int
    end_s: int
    step_s: int
    limit: int
    source: str
    """Whom to name when something is wrong."""


def pages(ask: Ask, walk: Walk) -> Iterator[list[Row]]:
    """The rows of a walk, each time once and in order, page by page.

    Where a page begins later than asked, the span before it is asked for by itself before it is taken for a gap.
    Asks at most twice per `limit` steps, plus once per row. FetchError: two rows of one time that differ.
    """
    cursor = walk.begin_s
    while cursor < walk.end_s:
        rows = _within(ask(cursor, walk.limit), cursor, walk.end_s, walk.source)
        if rows and rows[0][0] > cursor:
            first = int(rows[0][0])
            steps = max(1, (first - cursor) // walk.step_s)
            before = _within(ask(cursor, min(walk.limit, steps)), cursor, first, walk.source)
            rows = before or rows
        if not rows:
            cursor += walk.limit * walk.step_s
            continue
        yield rows
        cursor = int(rows[-1][0]) + 1


def _within(rows: list[Row], begin_s: int, end_s: int, source: str) -> list[Row]:
    by_time: dict[float, Row] = {}
    for row in rows:
        if not begin_s <= row[0] < end_s:
            continue
        if by_time.setdefault(row[0], row) != row:
            problem = f"gives two rows for {int(row[0])} that differ"
            raise FetchError(source, problem, "ask again later, or another exchange")
    return [by_time[t] for t in sorted(by_time)]
