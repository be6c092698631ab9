"""One strategy over one calendar year of real history, through the full pipeline."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from keeper.backtest import BacktestResult, BacktestSpec, default_policies, levered, run_backtest
from keeper.backtest.events import Event, PriceEvent
from keeper.backtest.files import Files, read_events
from keeper.backtest.ledger import Cause
from keeper.backtest.record import OrderRecord
from keeper.backtest.spec import ChainSpec, Holdings, OptionsSpec
from keeper.backtest.watch import Watch
from keeper.history.table import market_data
from keeper.model.ports import Strategy
from keeper.model.units import WAD
from keeper.report.performance import Interval, day_ends, measure
from scripts.study.books import FUNDING_FROM, Book
from scripts.study.output import HOURLY

Floats = npt.NDArray[np.float64]

YEARS = (2018, 2019, 2020, 2021, 2022, 2023)
FUNDING = "funding_binance_ETHUSDT_8h_2020_2023.csv.gz"
INDEX = "dvol_deribit_BTC_1h_2021-03_2023-12.csv.gz"
INDEX_FROM = 2021
"""The index begins on 2021-03-24; before it the assumption holds."""
ASSUMED_BPS = 11_000
"""Implied over the realised volatility of about a month, where no index is known."""
GWEI = {2018: 20, 2019: 15, 2020: 60, 2021: 95, 2022: 45, 2023: 35}
"""Base fee of a whole year: round figures near each year's mean, since no history of fees is at hand."""
NAV = 10**12
"""A million dollars."""
WARM_S = 31 * 86_400
"""Each run begins a month before its year, so that volatilities are known and books filled when it begins."""
COSTS = (Cause.POOL_FEE, Cause.VENUE_FEE, Cause.IMPACT, Cause.BASIS, Cause.SPREAD)


@dataclass(frozen=True, slots=True)
class Year:
    """What one run made of its year; fractions."""

    total: float
    volatility: float
    drawdown: float
    sharpe: Interval
    beta: float
    alpha: Interval
    costs: float
    """Fees, impact, spreads and gas over mean NAV."""
    turnover: float
    """Value traded in swaps and at venues, and premiums of options sold, over mean NAV."""
    trades: int
    liquidations: int
    daily: Floats
    """(days,) returns."""


def begin_of(year: int) -> int:
    """Unix seconds of its first midnight, UTC."""
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp())


@lru_cache(maxsize=8)
def events_of(year: int, hours: int) -> tuple[Event, ...]:
    """Prices every `hours`, with the funding and the index of volatility there are, from a month before the year."""
    files = Files(
        market_data(HOURLY),
        funding=market_data(FUNDING) if year >= FUNDING_FROM else None,
        volatility=market_data(INDEX) if year >= INDEX_FROM else None,
        max_missing=48,
        accept_no_volume=True,
    )
    # A bar of the year's last hour ends with the year: the next year's first price is the end of this one.
    found = read_events(files, begin_of(year) - WARM_S, begin_of(year + 1) + 1)
    return tuple(coarse(found, hours))


def coarse(events: Any, hours: int) -> list[Event]:
    """Of the prices only those at every so many hours of the day; everything else as it is."""
    step = hours * 3_600
    kept: list[Event] = []
    for event in events:
        if not isinstance(event, PriceEvent):
            kept.append(event)
        elif event.time % step == 0:
            kept.append(replace(event, ramp_s=step))
    return kept


def run_year(
    book: Book, strategy: Strategy, year: int, hours: int, assumed_bps: int = ASSUMED_BPS
) -> Year:
    """Through the pipeline."""
    return figures_of(played(book, strategy, year, hours, assumed_bps=assumed_bps), year)


def played(
    book: Book,
    strategy: Strategy,
    year: int,
    hours: int,
    *,
    assumed_bps: int = ASSUMED_BPS,
    watch: Watch | None = None,
) -> BacktestResult:
    """The run itself."""
    events = events_of(year, hours)
    first = next(e.price_wad for e in events if isinstance(e, PriceEvent))
    base_value = round(book.share * NAV)
    holdings = Holdings(idle_asset=NAV - base_value, idle_base=base_value * 10**12 * WAD // first)
    spec = BacktestSpec(
        holdings=holdings,
        chain=ChainSpec(base_fee_wei=GWEI[year] * 10**9, keeper_balance_wei=10**21),
        options=OptionsSpec(assumed_premium_bps=assumed_bps),
    )
    if book.health is not None:
        spec = levered(replace(spec, holdings=Holdings(idle_asset=NAV)), book.health, first)
    policies = default_policies(connected=spec.venues)
    return run_backtest(spec, events, strategy, policies, name=book.name, watch=watch)


def figures_of(result: BacktestResult, year: int) -> Year:
    """Of the calendar year alone, from the last value before it."""
    times = np.asarray(result.steps["time"], dtype=np.int64)
    first = max(0, int(np.searchsorted(times, begin_of(year), side="right")) - 1)
    last = int(np.searchsorted(times, begin_of(year + 1), side="right"))
    part = slice(first, last)
    equity, price = result.equity[part], np.asarray(result.steps["market"], np.float64)[part]
    found = measure(times[part], equity, price)
    nav, unit = float(np.mean(result.steps["nav"][part])), 10**result.asset_decimals
    begin, end = int(times[first]), int(times[last - 1])
    lost = -sum(e.amount for e in result.entries if e.cause in COSTS and begin < e.time <= end)
    gas = float(result.steps["gas"][last - 1] - result.steps["gas"][first])
    at = day_ends(times[part])
    return Year(
        total=found.total_return,
        volatility=found.volatility,
        drawdown=found.max_drawdown,
        sharpe=found.sharpe,
        beta=found.beta,
        alpha=found.alpha,
        costs=(lost / unit + gas) / nav,
        turnover=_traded(result, begin, end) / nav,
        trades=_count(result, begin, end),
        liquidations=sum(begin < d.time <= end and d.loss > 0 for d in result.liquidations),
        daily=np.diff(equity[at]) / equity[at][:-1],
    )


def _traded(result: BacktestResult, begin: int, end: int) -> float:
    """Whole assets."""
    asset, base = 10**result.asset_decimals, 10**result.base_decimals
    sold = sum(s.value for s in result.swaps if begin < s.time <= end)
    premiums = sum(abs(f.paid) for f in result.fills if begin < f.time <= end)
    perpetuals = sum(
        abs(o.order.quantity) * o.price_wad / WAD / base for o in _perpetuals(result, begin, end)
    )
    return float((sold + premiums) / asset + perpetuals)


def _count(result: BacktestResult, begin: int, end: int) -> int:
    orders = len(_perpetuals(result, begin, end))
    swaps = sum(begin < s.time <= end for s in result.swaps)
    return orders + swaps + sum(begin < f.time <= end for f in result.fills)


def _perpetuals(result: BacktestResult, begin: int, end: int) -> list[OrderRecord]:
    return [
        o
        for o in result.orders
        if o.order.instrument == "perpetual" and not o.refused and begin < o.time <= end
    ]
