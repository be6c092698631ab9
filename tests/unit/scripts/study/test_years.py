"""A year's figures are of that year, whatever came before and after it in the run."""

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from keeper.backtest import BacktestResult
from keeper.backtest.events import Event, FundingEvent, PriceEvent
from keeper.backtest.ledger import Cause, Entry
from scripts.study.books import BOOKS
from scripts.study.strategies import jobs_of
from scripts.study.years import begin_of, coarse, figures_of

DAY, YEAR = 86_400, 2019


def result_of(before: int = 31, after: int = 0, *, spoiled: bool = False) -> BacktestResult:
    """A run of hourly steps from `before` days before the year to `after` days past it."""
    times = np.arange(begin_of(YEAR) - before * DAY, begin_of(YEAR + 1) + after * DAY + 1, 3_600)
    inside = (times >= begin_of(YEAR)) & (times <= begin_of(YEAR + 1))
    wave = np.sin(times / 1e5)
    equity = 100.0 + wave + (~inside) * (50.0 if spoiled else 0.0)
    gas = np.cumsum(np.where(inside, 0.001, 5.0 if spoiled else 0.0))
    entries = [
        Entry(begin_of(YEAR) + 100 * DAY, 0, Cause.POOL_FEE, "pool", -3_000_000),
        Entry(begin_of(YEAR) + 200 * DAY, 0, Cause.PRICE, "vault", -9_000_000),
    ]
    if spoiled:
        entries.append(Entry(begin_of(YEAR) - DAY, 0, Cause.SPREAD, "options", -70_000_000))
    nav = np.where(inside, 100.0, 100.0 if not spoiled else 1e6)
    steps: dict[str, Any] = {"time": times, "market": 50 + wave * 2, "nav": nav, "gas": gas}
    empty: dict[str, tuple[object, ...]] = dict.fromkeys(
        ("swaps", "orders", "fills", "liquidations"), ()
    )
    return cast(
        "BacktestResult",
        SimpleNamespace(
            steps=steps, equity=equity, entries=entries, asset_decimals=6, base_decimals=18, **empty
        ),
    )


def test_what_is_outside_the_year_changes_nothing_in_it() -> None:
    clean, spoiled = (
        figures_of(result_of(), YEAR),
        figures_of(result_of(after=9, spoiled=True), YEAR),
    )
    assert clean.total == spoiled.total
    assert clean.costs == pytest.approx(spoiled.costs)
    assert clean.sharpe == spoiled.sharpe
    assert np.array_equal(clean.daily, spoiled.daily)


def test_costs_are_fees_and_gas_and_not_what_the_market_did() -> None:
    found = figures_of(result_of(), YEAR)
    assert found.costs == pytest.approx((3.0 + 8_760 * 0.001) / 100.0, rel=1e-3)


def test_daily_returns_make_up_the_years() -> None:
    found = figures_of(result_of(), YEAR)
    assert found.daily.size == 365
    assert np.prod(1 + found.daily) == pytest.approx(1 + found.total)


def test_coarse_prices_are_some_of_the_fine_ones_and_nothing_else_is_left_out() -> None:
    hour = 3_600
    prices: list[Event] = [PriceEvent(hour * n, 10**18 + n, ramp_s=hour) for n in range(1, 25)]
    funding: list[Event] = [FundingEvent(hour * 8 * n, n, hour * 8) for n in range(1, 4)]
    found = coarse([*prices, *funding], 4)
    assert [e.time // hour for e in found if isinstance(e, PriceEvent)] == [4, 8, 12, 16, 20, 24]
    assert {e.price_wad for e in found if isinstance(e, PriceEvent)} <= {
        e.price_wad for e in prices if isinstance(e, PriceEvent)
    }
    assert all(e.ramp_s == 4 * hour for e in found if isinstance(e, PriceEvent))
    assert [e for e in found if isinstance(e, FundingEvent)] == funding


def test_nothing_that_needs_funding_is_run_where_none_is_known() -> None:
    jobs = jobs_of(BOOKS, (2019, 2020), 4)
    assert not any(BOOKS[job.book].perpetual for job in jobs if job.year == 2019)
    assert any(BOOKS[job.book].perpetual for job in jobs if job.year == 2020)
    assert {job.candidate for job in jobs if BOOKS[job.book].name == "covered call"} == {0, 1, 2}
