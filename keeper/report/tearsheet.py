"""What a run is shown by: arrays and facts, whoever made them (a backtest, a replay, the journal of a live keeper)."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from keeper.report.performance import Floats, Interval, Ints, Performance, day_ends, measure

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Trade:
    """One change of the exposure to base."""

    time: int
    """Unix seconds."""
    price: float
    """Assets per whole base."""
    quantity: float
    """Whole base; negative: sold."""
    cost: float
    """Fee, impact and gas, assets."""
    protective: bool = False


@dataclass(frozen=True, slots=True)
class TearSheet:
    """One run. Arrays are (steps,) at the same times."""

    title: str
    asset: str
    base: str
    times: Ints
    equity: Floats
    """Value of a share after gas, assets: what every ratio is of."""
    nav: Floats
    price: Floats
    health: Floats
    """inf without debt."""
    band: tuple[float, float] | None
    """Health between which the strategy leaves the vault alone."""
    greeks: tuple[tuple[str, Floats], ...]
    """By name, with its unit in brackets."""
    trades: tuple[Trade, ...]
    parts: tuple[tuple[str, float], ...]
    """Where the change of NAV came from, assets; they add up to it less flows, after gas."""
    turnover: float
    """A year, over mean NAV."""
    facts: tuple[tuple[str, str], ...]
    """Counts and parameters, in the order they are shown."""
    notes: tuple[str, ...] = ()
    """What a reader must know before believing a figure."""
    command: str = ""
    """That makes this run again."""


def performance_of(sheet: TearSheet, *, resamples: int = 2_000) -> Performance:
    """Its ratios, with base's price as benchmark."""
    return measure(sheet.times, sheet.equity, sheet.price, resamples=resamples)


def daily_losses(sheet: TearSheet) -> Floats:
    """Losses of a share by UTC day, as fractions; gains are negative."""
    daily = sheet.equity[day_ends(sheet.times)]
    return np.asarray(-np.diff(daily) / daily[:-1])


def value_at_risk(losses: Floats, confidence: float) -> float:
    """Historical: the smallest loss that is not exceeded on that part of days."""
    place = max(0, math.ceil(confidence * losses.size) - 1)
    return float(np.sort(losses)[place])


def sheet_json(sheet: TearSheet, found: Performance) -> dict[str, Any]:
    """For programs: figures, not arrays (those are in the parquet files)."""
    losses = daily_losses(sheet)
    return {
        "schema": SCHEMA,
        "title": sheet.title,
        "from": int(sheet.times[0]),
        "to": int(sheet.times[-1]),
        "performance": _plain(asdict(found)),
        "value_at_risk": {str(p): value_at_risk(losses, p) for p in (0.95, 0.99)},
        "turnover": _plain(sheet.turnover),
        "trades": len(sheet.trades),
        "trade_costs": sum(trade.cost for trade in sheet.trades),
        "attribution": dict(sheet.parts),
        "lowest_health": _plain(float(np.min(sheet.health))),
        "facts": dict(sheet.facts),
        "notes": list(sheet.notes),
        "command": sheet.command,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def rows(found: Performance, sheet: TearSheet) -> tuple[tuple[str, str, str], ...]:
    """Figure, value, and what the value is worth (an interval or a remark)."""
    losses = daily_losses(sheet)
    return (
        ("total return", _percent(found.total_return), ""),
        ("annual return", _percent(found.annual_return.value), _range(found.annual_return, "%")),
        ("volatility", _percent(found.volatility), "of daily returns, a year"),
        ("Sharpe", _ratio(found.sharpe.value), _range(found.sharpe)),
        ("Sortino", _ratio(found.sortino), ""),
        ("Calmar", _ratio(found.calmar), ""),
        ("deepest drawdown", _percent(found.max_drawdown), ""),
        ("longest under a peak", f"{found.drawdown_days:.0f} days", ""),
        ("shortfall, worst 5 % of days", _percent(found.expected_shortfall), "mean loss of a day"),
        ("value at risk, 99 %", _percent(value_at_risk(losses, 0.99)), "loss of a day"),
        ("worst day", _percent(found.worst_day), ""),
        ("skew, excess kurtosis", f"{_ratio(found.skew)}, {_ratio(found.excess_kurtosis)}", ""),
        ("days that gained", _percent(found.best_share), f"of {found.days}"),
        (f"beta to {sheet.base}", _ratio(found.beta), ""),
        ("alpha", _percent(found.alpha.value), _range(found.alpha, "%") + " a year"),
        ("turnover", f"{sheet.turnover:.2f}", "times NAV a year"),
    )


def _percent(value: float) -> str:
    return f"{value:.2%}" if math.isfinite(value) else "none"


def _ratio(value: float) -> str:
    return f"{value:.2f}" if math.isfinite(value) else "none"


def _range(interval: Interval, unit: str = "") -> str:
    if not math.isfinite(interval.low):
        return ""
    low, high = interval.low, interval.high
    span = f"{low:.1%} to {high:.1%}" if unit else f"{low:.2f} to {high:.2f}"
    return f"90 %: {span}"


def thinned(values: npt.NDArray[np.float64], most: int) -> Ints:
    """Places of at most about `most` values that draw the same line: the least and the greatest of each stretch."""
    if values.size <= most:
        return np.arange(values.size, dtype=np.int64)
    edges = np.linspace(0, values.size, most // 2 + 1).astype(np.int64)
    kept = {0, values.size - 1}
    for begin, end in pairwise(edges.tolist()):
        if end > begin:
            stretch = np.nan_to_num(values[begin:end])
            kept |= {int(begin + stretch.argmin()), int(begin + stretch.argmax())}
    return np.array(sorted(kept), dtype=np.int64)
