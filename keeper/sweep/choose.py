"""Best and worst by one ratio, and walk-forward: chosen on one part of time, reported on the next.

The best of many runs on the same data is in-sample: chance alone makes one of them good. What a point that was chosen
on one part does on the next part has seen nothing of it, and is out-of-sample.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from keeper.errors import SettingError
from keeper.sweep.job import Job
from keeper.sweep.points import Point
from keeper.sweep.work import COSTS, Figures

LESS_IS_BETTER = frozenset(
    {
        "volatility",
        "max_drawdown",
        "expected_shortfall",
        "turnover",
        "gas",
        "liquidations",
        "liquidation_loss",
        "transactions",
        "reverted",
        "swaps",
        *(name for name in COSTS if name not in ("funding", "interest_earned")),
    }
)
MORE_IS_BETTER = frozenset(
    {
        "total_return",
        "annual_return",
        "sharpe",
        "sortino",
        "calmar",
        "alpha",
        "closing_nav",
        "lowest_health",
        "funding",
        "interest_earned",
    }
)


@dataclass(frozen=True, slots=True)
class Fold:
    """One step of a walk-forward; ratios are of `by`, None where there is none."""

    chosen_on: tuple[int | None, int | None]
    reported_on: tuple[int | None, int | None]
    point: Point
    in_sample: float
    out_of_sample: float | None
    median_out_of_sample: float | None
    """Of all points that ran there: what choosing is to be compared with."""
    error: str = ""
    """Why the chosen point has no figure there."""


def check_ratio(by: str) -> None:
    """SettingError for a ratio that rows do not have."""
    known = MORE_IS_BETTER | LESS_IS_BETTER
    if by not in known:
        raise SettingError(
            "--by", f"there is no ratio {by!r}", f"known are {', '.join(sorted(known))}"
        )


def ranked(
    jobs: Sequence[Job], known: Mapping[str, Figures], by: str
) -> list[tuple[Job, dict[str, Any]]]:
    """Runs that have the ratio, best first; equals in the order of the points."""
    check_ratio(by)
    rows = [(job, known[job.key]) for job in jobs if job.key in known]
    valued = [(job, figures) for job, figures in rows if figures.get(by) is not None]
    sign = 1 if by in LESS_IS_BETTER else -1
    return sorted(valued, key=lambda row: sign * float(row[1][by]))


def walk_forward(jobs: Sequence[Job], known: Mapping[str, Figures], by: str) -> list[Fold]:
    """A fold for each two neighbouring parts of which the first has a best run."""
    parts: dict[int, list[Job]] = {}
    for job in jobs:
        parts.setdefault(job.part, []).append(job)
    folds = []
    for part in sorted(parts)[:-1]:
        best = next(iter(ranked(parts[part], known, by)), None)
        if best is None:
            continue
        chosen, figures = best
        later = parts[part + 1]
        same = next(job for job in later if job.point == chosen.point)
        then = known.get(same.key, {"error": "not run"})
        others = [float(f[by]) for _, f in ranked(later, known, by)]
        value = then.get(by)
        folds.append(
            Fold(
                chosen.span,
                same.span,
                chosen.point,
                float(figures[by]),
                None if value is None else float(value),
                median(others) if others else None,
                str(then["error"]),
            )
        )
    return folds
