"""One run where it is made, in any process: a job in, a row's figures out, nothing raised.

A row holds nothing of who made it and how long that took, so it is the same wherever it was made.
"""

import math
from dataclasses import asdict
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from keeper.backtest import BacktestResult, BacktestSpec, default_policies, run_backtest
from keeper.backtest.events import Event, PriceEvent
from keeper.backtest.files import Files, read_events
from keeper.backtest.ledger import Cause
from keeper.backtest.settings import opened_with, with_world
from keeper.backtest.spec import OptionsSpec, OracleSpec, PoolSpec
from keeper.config.strategy import load_strategy
from keeper.errors import GimbalError, SettingError
from keeper.model.policy import Policies
from keeper.model.ports import Strategy
from keeper.sweep.job import Job, code_digest, file_digest

if TYPE_CHECKING:
    from keeper.sweep.kernel import Path

Figures = dict[str, Any]
PIPELINE, KERNEL, AUTO = "pipeline", "kernel", "auto"
COSTS = {
    "pool_fees": Cause.POOL_FEE,
    "impact": Cause.IMPACT,
    "basis": Cause.BASIS,
    "venue_fees": Cause.VENUE_FEE,
    "spread": Cause.SPREAD,
    "funding": Cause.FUNDING,
    "interest_paid": Cause.INTEREST_PAID,
    "interest_earned": Cause.INTEREST_EARNED,
}
"""Columns of a row, whole assets, costs positive; but funding and interest earned, which are positive as income."""
_INCOME = ("funding", "interest_earned")


def run_job(job: Job) -> Figures:
    """The figures of one run, or `error` with the reason why there are none."""
    try:
        _check_same(job)
        return {"error": "", **_numbers(_played(job))}
    except GimbalError as error:
        return {"error": str(error), "engine": ""}
    except MemoryError:
        return {"error": "out of memory", "engine": ""}
    except Exception as error:  # noqa: BLE001 - whatever a strategy raises is the reason of its row
        return {"error": f"{type(error).__name__}: {error}", "engine": ""}


def _numbers(figures: Figures) -> Figures:
    """What is no number is none: JSON has no other word for it, and nothing can be ranked by it."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in figures.items()
    }


def failed(reason: str) -> Figures:
    """Of a run that never came back; it is tried again by the next sweep."""
    return {"error": reason, "engine": "", "lost": True}


def _check_same(job: Job) -> None:
    """A worker elsewhere must have the same code and files, or its rows would not be ours."""
    if code_digest(job.common.strategy, *job.strategies) != job.code:
        raise SettingError("--cluster", "a worker runs other code", "install the same version")
    inputs = job.inputs
    if len(inputs) != len(job.data):
        raise SettingError("candidates", "is not there at a worker", "copy the file there")
    for path, digest in zip(inputs, job.data, strict=True):
        if file_digest(path) != digest:
            raise SettingError(str(path), "is another file at a worker", "copy it there")


def _played(job: Job) -> Figures:
    strategy = load_strategy(job.common.strategy, dict(job.settings))
    events = events_of(job.common.files, job.span)
    price = next(e.price_wad for e in events if isinstance(e, PriceEvent))
    spec = opened_with(with_world(dict(job.world)), job.common.opening, price)
    policies = default_policies(spec.asset.decimals, connected=spec.venues)
    if job.common.engine != PIPELINE:
        figures, why = _compiled(job, strategy, spec, policies)
        if figures is not None:
            return figures
        if job.common.engine == KERNEL:
            raise SettingError("--kernel", why, "write --kernel auto: the full pipeline plays it")
    result = run_backtest(spec, iter(events), strategy, policies, name=job.common.strategy)
    return figures_of(result)


def _compiled(
    job: Job, strategy: Strategy, spec: BacktestSpec, policies: Policies
) -> tuple[Figures | None, str]:
    """By the kernel, or why not."""
    from keeper.sweep.kernel import run_kernel

    why = unplayable(job, strategy, spec, policies)
    if why:
        return None, why
    path = _path_of(job.common.files, job.span, spec.pool, spec.oracle, spec.options)
    run = run_kernel(spec, path, strategy, policies)
    return run.figures, run.left


def unplayable(job: Job, strategy: Strategy, spec: BacktestSpec, policies: Policies) -> str:
    """Which restriction keeps a run out of the kernel's class; empty if none does."""
    from keeper.sweep.kernel import why_not

    return why_not(strategy, spec, policies) or _why_not_on(job.common.files, job.span)


@lru_cache(maxsize=4)
def _why_not_on(files: Files, span: tuple[int | None, int | None]) -> str:
    from keeper.sweep.kernel import why_not_on

    return why_not_on(events_of(files, span))


@lru_cache(maxsize=4)
def _path_of(
    files: Files,
    span: tuple[int | None, int | None],
    pool: PoolSpec,
    oracle: OracleSpec,
    options: OptionsSpec,
) -> "Path":
    """What all rules on one path share."""
    from keeper.sweep.kernel import path_of

    return path_of(BacktestSpec(pool=pool, oracle=oracle, options=options), events_of(files, span))


@lru_cache(maxsize=4)
def events_of(files: Files, span: tuple[int | None, int | None]) -> tuple[Event, ...]:
    """Read once in a process."""
    return tuple(read_events(files, *span))


def figures_of(result: BacktestResult) -> Figures:
    """Ratios, costs and counts of one run, and the digest of all of it."""
    unit, a = 10**result.asset_decimals, result.attribution
    facts = result.summary()
    costs = {
        name: a.by_cause.get(cause, 0) / unit * (1 if name in _INCOME else -1)
        for name, cause in COSTS.items()
    }
    counted = ("steps", "ticks", "transactions", "reverted", "swaps", "orders", "option_fills")
    liquidations = {name: facts[name] for name in ("liquidations", "liquidation_loss")}
    return {
        "engine": "pipeline",
        "opening_nav": a.opening / unit,
        "closing_nav": a.closing / unit,
        **asdict(result.statistics),
        "turnover": result.turnover,
        "lowest_health": facts["lowest_health"],
        "gas": a.gas / unit,
        **costs,
        **{name: facts[name] for name in counted},
        **liquidations,
        "digest": result.digest,
    }
