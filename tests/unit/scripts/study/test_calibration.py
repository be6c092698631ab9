"""The study reads risk as the report does, from what was known, and matches it with what came after."""

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from keeper.backtest import BacktestResult
from keeper.history.bars import Bars
from keeper.model.exposure import RiskInputs, RiskPolicy
from keeper.model.market import MarketState
from keeper.risk.deep import assess_deep
from keeper.risk.history import learn
from scripts.study.calibration import DRAWN, Known, Outcome, Reading, judged, matched, read
from tests.builders import NOW, make_market, make_readings

HOUR = 3_600


def hourly(count: int = 3_000, gap: int = 1_000, seed: int = 0) -> Bars:
    """A walk with a day missing after `gap` hours, so that bars count on from there."""
    draw = np.random.default_rng(seed)
    close = 1_000 * np.exp(np.cumsum(draw.standard_t(4, count) * 0.005))
    times = NOW // HOUR * HOUR - HOUR * (count + 24) + HOUR * np.arange(count)
    times[gap:] += 24 * HOUR
    return Bars(HOUR, times, close, close, close, close, ())


@pytest.mark.parametrize("count", [700, 1_000, 1_001, 1_013, 2_999, 3_000])
@pytest.mark.parametrize("hours", [1, 4, 24])
def test_what_is_known_at_a_time_is_what_the_keeper_learns_from_the_closes_till_then(
    count: int, hours: int
) -> None:
    bars = hourly()
    past = learn(bars.times[:count], bars.close[:count], HOUR, hours * HOUR)
    volatility, residuals = Known(bars, hours * HOUR).at(int(bars.ends[count - 1]))
    assert volatility == pytest.approx(past.volatility, rel=1e-12)
    assert residuals == pytest.approx(past.residuals, rel=1e-9)


def test_a_reading_is_the_reports_own_tail() -> None:
    market, known = make_market(make_readings()), Known(hourly(), 24 * HOUR)
    found = read(market, known, NOW, 24 * HOUR)
    volatility, residuals = known.at(NOW)
    for place, confidence in enumerate((0.95, 0.99)):
        policy = RiskPolicy(confidence=confidence, horizon_days=1.0)
        inputs = RiskInputs(volatility, residuals=residuals, policy=policy)
        report = assess_deep(market, inputs)
        assert found is not None
        assert report.tail is not None
        assert report.nav is not None
        nav, tail = report.nav, report.tail
        assert found.value_at_risk[place] * nav == pytest.approx(tail.value_at_risk, rel=1e-9)
        assert found.shortfall[place] * nav == pytest.approx(tail.expected_shortfall, rel=1e-9)


def test_a_vault_without_value_gives_no_reading() -> None:
    ruined = make_readings(supplied_base=1, debt_asset=1_000_000)
    market: MarketState = make_market(ruined)
    assert read(market, Known(hourly(), 24 * HOUR), NOW, 24 * HOUR) is None


def test_a_reading_is_matched_with_the_span_after_it_and_with_nothing_else() -> None:
    times = np.arange(5) * 100
    nav = np.array([100.0, 90.0, 99.0, 80.0, 60.0])
    result = cast("BacktestResult", SimpleNamespace(steps={"time": times, "nav": nav}))
    found = [Reading(int(t), (0.1, 0.2), (0.1, 0.3), np.zeros(DRAWN)) for t in (0, 150, 200, 400)]
    outcome = matched(found, result, 200)
    # at 150 there is no step, and the span from 400 ends after the run
    assert outcome.losses == pytest.approx([1 - 99 / 100, 1 - 60 / 99])


def drawn_outcome(scale: float, size: int = 4_000) -> Outcome:
    """A report of a normal loss, and losses `scale` times as large."""
    draw = np.random.default_rng(1)
    quantiles = np.sort(draw.standard_normal(40_000)) * 0.01
    grid = np.quantile(quantiles, (np.arange(DRAWN) + 0.5) / DRAWN)
    var = [float(np.quantile(quantiles, level)) for level in (0.95, 0.99)]
    es = [float(quantiles[quantiles > v].mean()) for v in var]
    losses = draw.standard_normal(size) * 0.01 * scale
    rows: Any = (losses, np.tile(var, (size, 1)), np.tile(es, (size, 1)), np.tile(grid, (size, 1)))
    return Outcome(*rows)


@pytest.mark.parametrize("place", [0, 1])
def test_a_right_report_passes_and_one_that_says_too_little_is_rejected(place: int) -> None:
    right, low = judged(drawn_outcome(1.0), place), judged(drawn_outcome(1.4), place)
    assert min(float(p) for p in right[3:6]) > 0.01
    assert float(low[3]) < 0.01
    assert float(low[5]) < 0.01
