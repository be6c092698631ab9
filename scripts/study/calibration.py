"""Value at risk and expected shortfall of whole vaults against what came: is the vault's own risk report calibrated?

Vaults of several kinds run through the pipeline year by year. At each reading the report is made as the keeper makes
it: the same book, the same distribution of losses (`keeper.risk.distribution`), fed with a forecast and residuals of
the hourly closes known by then (`keeper.risk.history`). It is compared with what NAV then really did over the horizon,
with the keeper acting meanwhile; gas is no part of NAV.

    python -m scripts.study.calibration [--jobs 1] [--years 2018,2023] [--quick]

No two horizons overlap: one of a day and one of eight hours are both read once a day, at midnight UTC. So every series
of exceptions is one of separate spans, and no test needs a correction for overlap. The residuals that the report learns
from do overlap; that is the report's own doing, and part of what is tested.

Kupiec asks whether there are as many exceptions as there should be, Christoffersen whether they come together,
Acerbi and Szekely's Z2 whether they are as many and as deep as said (its p-value from losses drawn of the report's own
distribution at each reading). At 1 % significance a calibrated report is rejected once in a hundred tests.
"""

import argparse
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from keeper.backtest import BacktestResult
from keeper.backtest.watch import Watch
from keeper.history.bars import Bars, read_bars
from keeper.loop import TickRecord
from keeper.model.exposure import RiskInputs, RiskPolicy
from keeper.model.market import MarketState
from keeper.model.units import WAD
from keeper.quant import tails
from keeper.quant.tails import Filter, acerbi_szekely, coverage_tests, filter_volatility
from keeper.risk.book import Book as RiskBook
from keeper.risk.distribution import losses_of
from keeper.risk.history import DECAY, LEAST_BARS, YEAR_S
from keeper.risk.marks import with_volatilities
from scripts.study.books import BOOKS, FUNDING_FROM
from scripts.study.output import HOURLY, Table, data_or_skip, save
from scripts.study.years import YEARS, begin_of, played

Floats = npt.NDArray[np.float64]
KINDS = (
    "hold ether",
    "levered ether, guarded",
    "covered call",
    "short strangle, no filter",
    "short strangle, no filter, delta hedged",
)
HORIZONS_S = (86_400, 8 * 3_600)
"""Seconds; each is read once in `EVERY_S`, so that no two of its spans overlap."""
EVERY_S = 86_400
LEVELS = (0.95, 0.99)
DRAWN = 512
"""Quantiles of each reading's losses that are kept, to draw from under the null."""
STEP_HOURS = 8
PATHS = 2_000


class Known:
    """What `keeper.risk.history.learn` says at any time of a record, learnt once."""

    def __init__(self, bars: Bars, horizon_s: int) -> None:
        """Bars of one step; horizon_s: of the residuals."""
        apart = np.diff(bars.times) == bars.step_s
        returns = np.diff(np.log(bars.close))[apart]
        self._ends = bars.times[1:][apart] + bars.step_s
        self._settled = LEAST_BARS // 5
        self.steps = max(1, round(horizon_s / bars.step_s))
        first = max(float(returns[: self._settled].std()), 1e-8)
        self._spread = filter_volatility(returns, Filter(0.0, 1.0 - DECAY, DECAY), first)
        total = np.concatenate(([0.0], np.cumsum(returns)))
        ahead = total[self.steps :] - total[: -self.steps]
        self._residuals = ahead / (self._spread[: ahead.size] * np.sqrt(self.steps))
        self._yearly = float(np.sqrt(YEAR_S / bars.step_s))

    def at(self, time_s: int) -> tuple[float, tuple[float, ...]]:
        """(volatility a year, residuals) from the closes known at a time."""
        count = int(np.searchsorted(self._ends, time_s, side="right"))
        past = self._residuals[self._settled : count - self.steps + 1]
        return float(self._spread[count]) * self._yearly, tuple(past.tolist())


@dataclass(frozen=True, slots=True)
class Reading:
    """What the report said at one time; parts of NAV then."""

    time: int
    value_at_risk: tuple[float, ...]
    """By `LEVELS`."""
    shortfall: tuple[float, ...]
    drawn: Floats
    """(DRAWN,) quantiles of the loss."""


@dataclass(slots=True)
class Reader:
    """Makes a reading at every tick that is due."""

    known: Known
    horizon_s: int
    every_s: int
    year: int
    found: list[Reading] = field(default_factory=list)

    def ticked(self, record: TickRecord) -> None:
        """At the first tick of a time that is due, if the market could be read."""
        market = record.market
        if market is None:
            return
        now = market.readings.block.timestamp
        fresh = not self.found or self.found[-1].time < now
        if now % self.every_s == 0 and now >= begin_of(self.year) and fresh:
            made = read(market, self.known, now, self.horizon_s)
            if made is not None:
                self.found.append(made)


def read(market: MarketState, known: Known, now: int, horizon_s: int) -> Reading | None:
    """The report's tail at both levels; None for a vault without value."""
    volatility, residuals = known.at(now)
    policy = RiskPolicy(horizon_days=horizon_s / 86_400)
    inputs = RiskInputs(volatility, residuals=residuals, exposures=market.holdings, policy=policy)
    price = market.readings.price.price_wad / WAD
    exposures, _ = with_volatilities(market.readings, price, inputs)
    book = RiskBook(exposures, price, volatility, ())
    losses, _ = losses_of(book, volatility, inputs)
    nav = float(book.greeks().sum(axis=1)[0])
    if nav <= 0:
        return None
    parts = np.sort(losses) / nav
    estimates = [tails.historical(parts, level) for level in LEVELS]
    places = (np.arange(DRAWN) + 0.5) / DRAWN
    return Reading(
        now,
        tuple(e.value_at_risk for e in estimates),
        tuple(e.expected_shortfall for e in estimates),
        np.quantile(parts, places),
    )


class Job(NamedTuple):
    """One vault in one year."""

    kind: str
    year: int
    horizon_s: int


class Outcome(NamedTuple):
    """Readings and what came; arrays of one length."""

    losses: Floats
    value_at_risk: Floats
    """(n, levels)."""
    shortfall: Floats
    drawn: Floats
    """(n, DRAWN)."""


def done(job: Job) -> Outcome:
    """In a process of its own."""
    bars = read_bars(data_or_skip(HOURLY), max_missing=48)
    book = next(book for book in BOOKS if book.name == job.kind)
    reader = Reader(Known(bars, job.horizon_s), job.horizon_s, EVERY_S, job.year)
    watch = Watch(ticked=reader.ticked)
    result = played(book, book.candidates[0], job.year, STEP_HOURS, watch=watch)
    return matched(reader.found, result, job.horizon_s)


def matched(found: Sequence[Reading], result: BacktestResult, horizon_s: int) -> Outcome:
    """Each reading with the loss of the span it was for; spans whose end is not in the run are left out."""
    nav = dict(
        zip(result.steps["time"].tolist(), np.asarray(result.steps["nav"], float), strict=True)
    )
    kept = [one for one in found if one.time in nav and one.time + horizon_s in nav]
    losses = [1.0 - nav[one.time + horizon_s] / nav[one.time] for one in kept]
    return Outcome(
        np.array(losses),
        np.array([one.value_at_risk for one in kept]),
        np.array([one.shortfall for one in kept]),
        np.array([one.drawn for one in kept]),
    )


def joined(parts: Sequence[Outcome]) -> Outcome:
    """One after the other."""
    return Outcome(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def judged(found: Outcome, place: int) -> tuple[str, ...]:
    """Exceptions and p-values at one level."""
    level = LEVELS[place]
    # A report that says nothing can be lost is met by no test: the least it can say is a hundredth of a basis point.
    var = np.maximum(found.value_at_risk[:, place], 1e-6)
    es = np.maximum(found.shortfall[:, place], var)
    coverage = coverage_tests(found.losses > var, level)
    size = found.losses.size

    def simulate(generator: np.random.Generator, paths: int) -> Floats:
        drawn = generator.integers(0, DRAWN, (paths, size))
        return np.asarray(found.drawn[np.arange(size), drawn])

    deep = acerbi_szekely(found.losses, var, es, level, simulate, paths=PATHS)
    beyond = found.losses > var
    depth = float(np.mean(found.losses[beyond] / es[beyond])) if beyond.any() else float("nan")
    return (
        f"{level:.0%}",
        str(size),
        f"{coverage.exceptions} ({coverage.expected:.1f})",
        f"{coverage.unconditional.p_value:.3f}",
        f"{coverage.independence.p_value:.3f}",
        f"{deep.z2.p_value:.3f}",
        f"{depth:.2f}",
        f"{var.mean():.2%}",
    )


COLUMNS = (
    "vault", "horizon", "years", "level", "readings", "exceptions (expected)", "Kupiec p",
    "Christoffersen p", "Acerbi-Szekely Z2 p", "loss over ES, exceptions", "mean VaR of NAV",
)  # fmt: skip


def tables(found: dict[Job, Outcome]) -> list[Table]:
    """All years together, and each year at a horizon of a day."""
    whole = Table("calibration", "VaR and ES of whole vaults, all years together", COLUMNS)
    yearly = Table("calibration_years", "the same by year, horizon of a day, 99 %", COLUMNS)
    for kind in KINDS:
        for horizon_s in HORIZONS_S:
            jobs = [job for job in found if job.kind == kind and job.horizon_s == horizon_s]
            if not jobs:
                continue
            span = f"{jobs[0].year}-{jobs[-1].year}"
            parts = joined([found[job] for job in jobs])
            for place in range(len(LEVELS)):
                whole.add(kind, f"{horizon_s // 3_600} h", span, *judged(parts, place))
            if horizon_s == max(HORIZONS_S):
                for job in jobs:
                    yearly.add(kind, "24 h", str(job.year), *judged(found[job], 1))
    return [whole, yearly]


def main() -> None:
    """Run, print, save."""
    asked = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    asked.add_argument("--jobs", type=int, default=1)
    asked.add_argument("--years", default=f"{YEARS[0]},{YEARS[-1]}", help="first,last")
    asked.add_argument("--quick", action="store_true", help="one year, horizon of a day")
    options = asked.parse_args()
    begun = time.monotonic()
    data_or_skip(HOURLY)
    first, last = map(int, options.years.split(","))
    years = [2022] if options.quick else [year for year in YEARS if first <= year <= last]
    horizons = [max(HORIZONS_S)] if options.quick else list(HORIZONS_S)
    perpetual = {book.name for book in BOOKS if book.perpetual}
    jobs = [
        Job(kind, year, horizon_s)
        for horizon_s in horizons
        for kind in KINDS
        for year in years
        if year >= FUNDING_FROM or kind not in perpetual
    ]
    with ProcessPoolExecutor(options.jobs) as pool:
        found = {}
        for number, (job, one) in enumerate(zip(jobs, pool.map(done, jobs), strict=True), 1):
            found[job] = one
            print(f"{number} of {len(jobs)}: {job.kind}, {job.year}", flush=True)
    command = "python -m scripts.study.calibration" + " --quick" * options.quick
    save(tables(found), command, time.monotonic() - begun)


if __name__ == "__main__":
    main()
