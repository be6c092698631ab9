"""Funding rates of perpetuals, checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keeper.errors import MarketDataError
from keeper.history.series import Gap, check_times
from keeper.history.table import Floats, Ints, Table, read_table

MAX_RATE = 0.1
"""A rate of a tenth per period is taken for a mistake of unit."""


@dataclass(frozen=True, slots=True)
class Funding:
    """One venue's rates; arrays (periods,)."""

    venue: str
    """Empty where the file names none."""
    step_s: int
    """Length of a period."""
    times: Ints
    """When each rate was paid, unix seconds."""
    rate: Floats
    """Fraction of the notional per period; positive: longs pay."""
    gaps: tuple[Gap, ...]

    @property
    def annual(self) -> Floats:
        """Rates as fractions per year of 365 days, not compounded."""
        return self.rate * (365 * 86_400 / self.step_s)


def read_funding(
    path: Path | str, venue: str | None = None, step_s: int = 28_800, max_missing: int = 0
) -> Funding:
    """Read `t, funding_rate`; where several venues are stacked in a column `venue`, `venue` chooses one.

    Errors: `MarketDataError`: missing columns, a venue that is not there or not chosen, rates that are no numbers or
    above `MAX_RATE`, times that repeat, go back or are off the step, gaps of more than `max_missing` periods.
    """
    table = of_venue(read_table(path, ("t", "funding_rate")), venue)
    rate = table.numbers("funding_rate")
    within = np.abs(rate) <= MAX_RATE
    table.require(within, "funding_rate", f"is beyond {MAX_RATE} a period", "check the unit")
    times, gaps = check_times(table, "t", step_s, max_missing)
    return Funding(table.columns.get("venue", [""])[0], step_s, times, rate, gaps)


def of_venue(table: Table, venue: str | None) -> Table:
    """The rows of one venue of a stacked file; `MarketDataError` for one that is not there or not chosen."""
    if "venue" not in table.columns and venue is None:
        return table
    names = table.columns.get("venue", [])
    there = sorted(set(names))
    if venue is None and len(there) > 1:
        problem = f"holds several venues: {', '.join(there)}"
        raise MarketDataError(table.path, problem, "choose one (--funding-venue)", None, "venue")
    if venue is not None and venue not in there:
        problem = f"holds no venue {venue!r}, only {', '.join(there) or 'one without a name'}"
        raise MarketDataError(table.path, problem, "choose another", None, "venue")
    rows = [i for i, name in enumerate(names) if venue in (None, name)]
    columns = {name: [cells[i] for i in rows] for name, cells in table.columns.items()}
    return Table(table.path, columns, [table.lines[i] for i in rows])
