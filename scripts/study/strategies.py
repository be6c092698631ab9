"""Strategies by calendar year, net of everything, through the full pipeline; beside holding ether and holding half.

Twice: with each strategy's own defaults, and walk-forward: for each year the candidate (of a few declared in
`scripts.study.books`) that had the best Sharpe ratio over the years before it. The first year has none before it.

    python -m scripts.study.strategies [--hours 8] [--jobs 1] [--only NAME[,NAME]] [--years 2018,2023] [--quick]
    python -m scripts.study.strategies --steps 2022     hourly steps beside the coarse ones
    python -m scripts.study.strategies --premium        what the assumed premium of 2018 to 2020 does to sellers

What is assumed, not measured: option volatilities before 2021-03-24 (1.10 times the realised one of about a month) and
after it (the index of bitcoin's, one for every strike and expiry); that bidders pay 3 to 7 % of volatility less and
sellers ask 3 % more; lending rates (a pool of constant use, which pays dollars about 2.7 % a year); base fees (one
number a year); a pool of 400 million a side. Funding, prices and the index are data.
"""

import argparse
import json
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from keeper.report.performance import measure
from scripts.study.books import BOOKS, FUNDING_FROM, Book
from scripts.study.output import HOURLY, RESULTS, Table, data_or_skip, save
from scripts.study.walk import DEFAULT, choose
from scripts.study.years import ASSUMED_BPS, YEARS, Year, begin_of, run_year

Floats = npt.NDArray[np.float64]
QUICK = ("hold ether", "covered call", "cash-secured put", "basis and funding")
SELLERS = ("covered call", "cash-secured put", "short strangle, no filter")
COLUMNS = (
    "strategy", "year", "return", "volatility", "deepest fall", "Sharpe (90 %)", "beta",
    "alpha a year (90 %)", "costs", "turnover", "trades",
)  # fmt: skip


class Job(NamedTuple):
    """One run."""

    book: int
    candidate: int
    year: int
    hours: int
    assumed_bps: int = ASSUMED_BPS


@dataclass(frozen=True, slots=True)
class Whole:
    """All years of one strategy, one after the other."""

    total: float
    sharpe: str
    losing: list[int]


def done(job: Job) -> Year:
    """In a process of its own."""
    book = BOOKS[job.book]
    return run_year(book, book.candidates[job.candidate], job.year, job.hours, job.assumed_bps)


def years_of(book: Book, years: Sequence[int]) -> list[int]:
    """Those in which its markets have a history."""
    return [year for year in years if year >= FUNDING_FROM or not book.perpetual]


def jobs_of(books: Sequence[Book], years: Sequence[int], hours: int) -> list[Job]:
    """Every candidate in every year; by year, so that a process reads its events once."""
    return [
        Job(BOOKS.index(book), place, year, hours)
        for year in years
        for book in books
        if year in years_of(book, years)
        for place in range(len(book.candidates))
    ]


def returns_table(found: dict[Job, Year], books: Sequence[Book], hours: int) -> Table:
    """The defaults' returns at a glance, with the years they lose in bold."""
    years = sorted({job.year for job in found})
    table = Table(
        "strategies_returns",
        f"return of the year with the defaults, net of everything, steps of {hours} h",
        ("strategy", *map(str, years)),
    )
    for book in books:
        cells = []
        for year in years:
            run = found.get(Job(BOOKS.index(book), DEFAULT, year, hours))
            shown = "-" if run is None else f"{run.total:.1%}"
            cells.append(f"**{shown}**" if run is not None and run.total < 0 else shown)
        table.add(book.name, *cells)
    return table


def tables(found: dict[Job, Year], books: Sequence[Book], hours: int) -> list[Table]:
    """By year with the defaults, walk-forward, and all years together."""
    fixed = Table("strategies", f"defaults, by year, steps of {hours} h", COLUMNS)
    walked = Table(
        "strategies_walk_forward",
        "each year with the candidate that was best in the years before it",
        ("strategy", "year", "candidate", "return", "Sharpe (90 %)", "return of the defaults"),
    )
    whole = Table(
        "strategies_whole",
        "all years one after the other, each begun anew",
        ("strategy", "years", "defaults: total", "Sharpe (90 %)", "losing years",
         "walk-forward: total", "Sharpe (90 %)", "losing years"),
    )  # fmt: skip
    for book in books:
        number = BOOKS.index(book)
        years = sorted({job.year for job in found if job.book == number})
        known = range(max(job.candidate for job in found if job.book == number) + 1)
        runs = {year: [found[Job(number, place, year, hours)] for place in known] for year in years}
        daily = {year: [run.daily for run in those] for year, those in runs.items()}
        chosen = {year: choose(daily, year) for year in years}
        for year in years:
            fixed.add(book.name, str(year), *_cells(runs[year][DEFAULT]))
            if len(known) > 1:
                best = runs[year][chosen[year]]
                walked.add(
                    book.name, str(year), str(chosen[year]), f"{best.total:.1%}",
                    _range(best), f"{runs[year][DEFAULT].total:.1%}",
                )  # fmt: skip
        plain = _whole({year: runs[year][DEFAULT] for year in years})
        ahead = _whole({year: runs[year][chosen[year]] for year in years})
        cells = [f"{years[0]}-{years[-1]}"]
        for one in (plain, ahead):
            cells += [f"{one.total:.1%}", one.sharpe, ", ".join(map(str, one.losing)) or "none"]
        whole.add(book.name, *cells)
    return [fixed, returns_table(found, books, hours), walked, whole]


def _cells(run: Year) -> tuple[str, ...]:
    alpha = run.alpha
    return (
        f"{run.total:.1%}", f"{run.volatility:.1%}", f"{run.drawdown:.1%}", _range(run),
        f"{run.beta:.2f}", f"{alpha.value:.1%} ({alpha.low:.1%} to {alpha.high:.1%})",
        f"{run.costs:.2%}", f"{run.turnover:.1f}",
        f"{run.trades}" + (f", {run.liquidations} liquidations" if run.liquidations else ""),
    )  # fmt: skip


def _range(run: Year) -> str:
    return f"{run.sharpe.value:.2f} ({run.sharpe.low:.2f} to {run.sharpe.high:.2f})"


def _whole(runs: dict[int, Year]) -> Whole:
    daily = np.concatenate([run.daily for run in runs.values()])
    value = np.cumprod(np.concatenate([[1.0], 1.0 + daily]))
    times = begin_of(2018) + 86_400 * np.arange(value.size, dtype=np.int64)
    total = float(np.prod([1.0 + run.total for run in runs.values()]) - 1.0)
    losing = [year for year, run in runs.items() if run.total < 0]
    if value.min() <= 0:
        return Whole(total, "ruined", losing)
    found = measure(times, value).sharpe
    return Whole(total, f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})", losing)


def _played(jobs: Sequence[Job], workers: int) -> dict[Job, Year]:
    """Every run, with a line as each ends."""
    found = {}
    with ProcessPoolExecutor(workers) as pool:
        for number, (job, year) in enumerate(zip(jobs, pool.map(done, jobs), strict=True), 1):
            found[job] = year
            if number % 20 == 0 or number == len(jobs):
                print(f"{number} of {len(jobs)} runs", flush=True)
    return found


def _curves(found: dict[Job, Year], books: Sequence[Book], hours: int) -> None:
    """Daily returns of every run, for plots and for whoever wants to look closer."""
    rows = [
        {
            "strategy": book.name,
            "candidate": repr(book.candidates[job.candidate]),
            "place": job.candidate,
            "year": job.year,
            "daily": [round(float(value), 8) for value in run.daily],
        }
        for job, run in found.items()
        if (book := BOOKS[job.book]) in books and job.hours == hours
    ]
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "strategies_daily.json").write_text(json.dumps(rows), encoding="utf-8")


def by_steps(year: int, hours: int, books: Sequence[Book], workers: int) -> Table:
    """The defaults of one year at hourly and at coarse steps."""
    jobs = [
        Job(BOOKS.index(book), DEFAULT, year, step)
        for step in (1, hours)
        for book in books
        if year in years_of(book, [year])
    ]
    found = _played(jobs, workers)
    table = Table(
        "strategies_steps",
        f"{year} with the defaults, at steps of 1 h and of {hours} h",
        ("strategy", "return, 1 h", f"{hours} h", "volatility, 1 h", f"{hours} h", "costs, 1 h",
         f"{hours} h", "trades, 1 h", f"{hours} h"),
    )  # fmt: skip
    for job in jobs:
        if job.hours == 1:
            fine, rough = found[job], found[job._replace(hours=hours)]
            table.add(
                BOOKS[job.book].name, f"{fine.total:.1%}", f"{rough.total:.1%}",
                f"{fine.volatility:.1%}", f"{rough.volatility:.1%}", f"{fine.costs:.2%}",
                f"{rough.costs:.2%}", str(fine.trades), str(rough.trades),
            )  # fmt: skip
    return table


def by_premium(hours: int, workers: int) -> Table:
    """Sellers of options where their price is assumed, at other assumptions."""
    premiums, years = (9_000, 10_000, ASSUMED_BPS, 12_000), (2018, 2019, 2020)
    jobs = [
        Job(number, DEFAULT, year, hours, premium)
        for year in years
        for number, book in enumerate(BOOKS)
        if book.name in SELLERS
        for premium in premiums
    ]
    found = _played(jobs, workers)
    table = Table(
        "strategies_premium",
        "return of the year by the assumed ratio of implied to realised volatility",
        ("strategy", "year", *(f"{premium / 10_000:.2f}" for premium in premiums)),
    )
    for job in jobs:
        if job.assumed_bps == premiums[0]:
            totals = [found[job._replace(assumed_bps=premium)].total for premium in premiums]
            table.add(BOOKS[job.book].name, str(job.year), *(f"{total:.1%}" for total in totals))
    return table


def main() -> None:
    """Run, print, save."""
    asked = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    asked.add_argument("--hours", type=int, default=8, help="step of prices and ticks")
    asked.add_argument("--jobs", type=int, default=1)
    asked.add_argument("--only", default="", help="parts of strategies' names, by commas")
    asked.add_argument("--years", default=f"{YEARS[0]},{YEARS[-1]}", help="first,last")
    asked.add_argument("--steps", type=int, help="a year to compare steps on")
    asked.add_argument("--premium", action="store_true", help="other assumed premiums")
    asked.add_argument("--quick", action="store_true", help="four strategies, two years")
    options = asked.parse_args()
    begun = time.monotonic()
    data_or_skip(HOURLY)
    first, last = map(int, options.years.split(","))
    years = [2020, 2022] if options.quick else [y for y in YEARS if first <= y <= last]
    books = [
        book
        for book in BOOKS
        if any(part in book.name for part in options.only.split(","))
        and (not options.quick or book.name in QUICK)
    ]
    command = f"python -m scripts.study.strategies --hours {options.hours}"
    if options.steps:
        made = [by_steps(options.steps, options.hours, books, options.jobs)]
        command += f" --steps {options.steps}"
    elif options.premium:
        made = [by_premium(options.hours, options.jobs)]
        command += " --premium"
    else:
        command += " --quick" if options.quick else ""
        command += f' --only "{options.only}"' if options.only else ""
        jobs = jobs_of(books, years, options.hours)
        found = _played([job for job in jobs if job.candidate == DEFAULT], options.jobs)
        save(tables(found, books, options.hours)[:2], command)
        found |= _played([job for job in jobs if job.candidate != DEFAULT], options.jobs)
        _curves(found, books, options.hours)
        made = tables(found, books, options.hours)[2:]
    save(made, command, time.monotonic() - begun)


if __name__ == "__main__":
    main()
