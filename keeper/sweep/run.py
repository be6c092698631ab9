"""A sweep from its points to its rows: what is known is not run again, what ends is kept at once."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from keeper.backtest import default_policies
from keeper.backtest.events import PriceEvent
from keeper.backtest.settings import with_world
from keeper.config.strategy import load_strategy
from keeper.errors import GimbalError, SettingError
from keeper.sweep.choose import Fold, check_ratio, ranked, walk_forward
from keeper.sweep.cluster import run_on_cluster
from keeper.sweep.job import Job, Variation, make_job
from keeper.sweep.points import Point
from keeper.sweep.processes import run_here, run_in_processes
from keeper.sweep.rows import Lines, table, write_table
from keeper.sweep.work import KERNEL, Figures, events_of, unplayable

Progress = Callable[[int, int, int], None]
"""(runs done, runs of the sweep, failed so far)."""
Span = tuple[int | None, int | None]


@dataclass(frozen=True, slots=True)
class Sweep:
    """A sweep that has been run, as far as it came."""

    jobs: tuple[Job, ...]
    known: dict[str, Figures]
    """Figures by key."""
    by: str
    resumed: int
    """Runs that were in the folder already."""
    interrupted: bool

    @property
    def columns(self) -> dict[str, list[Any]]:
        """As in `rows.parquet`."""
        return table(self.jobs, self.known)

    @property
    def rows(self) -> list[tuple[Job, Figures]]:
        """Runs that are done."""
        return [(job, self.known[job.key]) for job in self.jobs if job.key in self.known]

    @property
    def ranked(self) -> list[tuple[Job, Figures]]:
        """Best first, by the ratio."""
        return ranked(self.jobs, self.known, self.by)

    @property
    def folds(self) -> list[Fold]:
        """Of the walk-forward; none for one part."""
        return walk_forward(self.jobs, self.known, self.by)

    def summary(self) -> dict[str, Any]:
        """For programs: what was run, the best and the worst, the walk-forward, and which figures are in-sample."""
        order, folds = self.ranked, self.folds
        whole = len({job.part for job in self.jobs}) == 1
        failures = [(job, figures["error"]) for job, figures in self.rows if figures["error"]]
        return {
            "runs": len(self.jobs),
            "done": len(self.rows),
            "failed": len(failures),
            "interrupted": self.interrupted,
            "by": self.by,
            "engines": sorted({f["engine"] for _, f in self.rows if f["engine"]}),
            "best": [_shown(*row) for row in order[:5]] if whole else [],
            "worst": [_shown(*row) for row in order[-5:][::-1]] if whole else [],
            "best_and_worst_are": "in-sample",
            "walk_forward": [asdict(fold) | {"point": dict(fold.point)} for fold in folds],
            "failures": [{"point": dict(job.point), "error": why} for job, why in failures[:20]],
        }


def run_sweep(
    common: Variation,
    points: Sequence[Point],
    *,
    span: Span = (None, None),
    folds: int = 0,
    by: str = "sharpe",
    jobs: int = 1,
    cluster: str | None = None,
    out: Path | None = None,
    progress: Progress | None = None,
) -> Sweep:
    """Run every point over the span, or over each of `folds` + 1 equal parts of it.

    jobs: processes; 1 runs here. cluster: a scheduler's address, or `local`. out: folder of rows; without it nothing
    is written. Ctrl-C ends it early and keeps what is done. Errors: `SettingError` for what no point can run with,
    `MarketDataError` for data that cannot be used.
    """
    check_ratio(by)
    made = _jobs(common, points, span, folds)
    _check_runnable(made)
    if out is None:
        return _run(made, {}, None, by, jobs, cluster, progress)
    with Lines(out) as lines:
        done = {job.key: lines.known[job.key] for job in made if lines.done(job.key)}
        sweep = _run(made, done, lines, by, jobs, cluster, progress)
    write_table(out, sweep.columns, sweep.summary())
    return sweep


def _jobs(common: Variation, points: Sequence[Point], span: Span, folds: int) -> tuple[Job, ...]:
    spans = parts_of(common, span, folds)
    return tuple(
        make_job(common, point, each, part) for part, each in enumerate(spans) for point in points
    )


def parts_of(common: Variation, span: Span, folds: int) -> list[Span]:
    """The span itself, or `folds` + 1 parts of equal length from its first price to its last.

    A bar that is open at an edge belongs to neither part.
    """
    times = [e.time for e in events_of(common.files, span) if isinstance(e, PriceEvent)]
    if folds == 0:
        return [span]
    first, last, parts = times[0], times[-1] + 1, folds + 1
    edges = [first + (last - first) * i // parts for i in range(parts + 1)]
    spans: list[Span] = list(itertools.pairwise(edges))
    if not all(any(a <= t < b for t in times) for a, b in itertools.pairwise(edges)):
        raise SettingError("--folds", f"{folds} are too many for the data", "give fewer")
    spans[0], spans[-1] = (span[0], spans[0][1]), (spans[-1][0], span[1])
    return spans


def _check_runnable(jobs: Sequence[Job]) -> None:
    """A name that no point can run with is a mistake of the whole sweep, and not a thousand failed rows."""
    first: GimbalError | None = None
    for job in jobs:
        try:
            strategy = load_strategy(job.common.strategy, dict(job.settings))
            spec = with_world(dict(job.world))
            if job.common.engine == KERNEL:
                policies = default_policies(spec.asset.decimals, connected=spec.venues)
                _refuse(unplayable(job, strategy, spec, policies))
        except GimbalError as error:
            first = first or error
        else:
            return
    if first is not None:
        raise first


def _refuse(why: str) -> None:
    if why:
        raise SettingError("--kernel", why, "write --kernel auto: the full pipeline plays it")


def _run(  # noqa: PLR0917 - the parts of one sweep
    jobs: tuple[Job, ...],
    known: dict[str, Figures],
    lines: Lines | None,
    by: str,
    count: int,
    cluster: str | None,
    progress: Progress | None,
) -> Sweep:
    resumed = len({job.key for job in jobs} & known.keys())
    missing = list({job.key: job for job in jobs if job.key not in known}.values())
    failures = sum(bool(figures["error"]) for figures in known.values())

    def done(place: int, figures: Figures) -> None:
        nonlocal failures
        key = missing[place].key
        known[key] = figures
        failures += bool(figures["error"])
        if lines is not None:
            lines.add(key, figures)
        if progress is not None:
            progress(len(known), len(jobs), failures)

    interrupted = False
    try:
        if progress is not None:
            progress(len(known), len(jobs), failures)
        if not missing:
            pass
        elif cluster is not None:
            run_on_cluster(missing, cluster, count, done)
        elif count > 1:
            run_in_processes(missing, count, done)
        else:
            run_here(missing, done)
    except KeyboardInterrupt:
        interrupted = True
    return Sweep(jobs, known, by, resumed, interrupted)


def _shown(job: Job, figures: Figures) -> dict[str, Any]:
    return {"point": dict(job.point), **figures}
