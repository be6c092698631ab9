"""Times of a series: increasing, none twice, and every hole either small enough or refused."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keeper.errors import MarketDataError
from keeper.history.table import Ints, Table


@dataclass(frozen=True, slots=True)
class Gap:
    """Steps that are not there."""

    after: int
    """Unix seconds of the last row before it."""
    missing: int
    """How many steps."""


def check_times(
    table: Table, column: str, step_s: int, max_missing: int
) -> tuple[Ints, tuple[Gap, ...]]:
    """Times in unix seconds, and the gaps among them.

    Errors: `MarketDataError` for a time that is negative, repeated, earlier than the one before or off the step, and
    for a gap of more than `max_missing` steps.
    """
    times = table.seconds(column)
    table.require(times >= 0, column, "is before 1970", "give unix seconds")
    apart = np.diff(times, prepend=times[0] - step_s)
    table.require(apart != 0, column, "stands twice", "keep one of the rows")
    table.require(apart > 0, column, "is before the row above", "sort the rows by time")
    table.require(apart % step_s == 0, column, f"is off the step of {step_s} s", "check the step")
    holes = np.flatnonzero(apart > step_s)
    gaps = tuple(Gap(int(times[i - 1]), int(apart[i] // step_s - 1)) for i in holes)
    large = [(i, gap) for i, gap in zip(holes, gaps, strict=True) if gap.missing > max_missing]
    if large:
        row, gap = large[0]
        problem = f"{gap.missing} steps of {step_s} s are missing before this row"
        remedy = f"fill the gap, or accept so large a one (--max-missing {gap.missing})"
        raise MarketDataError(table.path, problem, remedy, table.lines[row], column)
    return times, gaps
