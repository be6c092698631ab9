"""Forecasts over a horizon, and the comparison out of sample: it cannot know the future."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from keeper.errors import QuantityError
from keeper.quant.volatility import (
    Comparison,
    Method,
    Past,
    compare,
    diebold_mariano,
    fit_garch,
    fit_har,
    forecast_by_past,
    forecast_garch,
    forecast_har,
    qlike,
    standard_methods,
)
from tests.unit.quant.volatility.series import garch_returns, generator

HOURS = 24


def market(days: int, seed: int = 6) -> tuple[Any, ...]:
    """Realised variances, daily returns, hourly returns and hours known."""
    hourly = garch_returns(days * HOURS, alpha=0.05, beta=0.94, seed=seed) / 1_000
    by_day = hourly.reshape(days, HOURS)
    return (by_day**2).sum(1), by_day.sum(1), hourly, HOURS * np.arange(1, days + 1)


def test_a_garch_forecast_is_the_root_of_the_mean_variance_within_its_bounds() -> None:
    returns = garch_returns(1_000) / 100
    model = fit_garch(returns)
    forecast = forecast_garch(model, returns, 10, 365)
    assert forecast.volatility == pytest.approx(np.sqrt(model.forecast(10).mean() * 365), rel=1e-12)
    assert forecast.low < forecast.volatility < forecast.high
    assert (forecast.level, forecast.horizon) == (0.9, 10)


def test_a_garch_forecasts_bounds_hold_as_often_as_they_say() -> None:
    returns = garch_returns(6_000, seed=12) / 100
    model = fit_garch(returns[:2_000])
    inside = []
    for end in range(2_000, 6_000 - 10, 20):
        forecast = forecast_garch(model, returns[:end], 10, 365, level=0.8)
        realised = np.sqrt(np.mean((returns[end : end + 10] - model.mean) ** 2) * 365)
        inside.append(forecast.low <= realised <= forecast.high)
    assert np.mean(inside) == pytest.approx(0.8, abs=0.07)


def test_the_same_seed_gives_the_same_bounds_and_another_others() -> None:
    returns = garch_returns(500) / 100
    model = fit_garch(returns)
    assert forecast_garch(model, returns, 5, 365) == forecast_garch(model, returns, 5, 365)
    assert forecast_garch(model, returns, 5, 365) != forecast_garch(model, returns, 5, 365, seed=1)


def test_a_har_forecast_is_annualised() -> None:
    rv = market(200)[0]
    model = fit_har(rv)
    forecast = forecast_har(model, rv, 365, level=0.8)
    assert forecast.volatility == pytest.approx(np.sqrt(model.variance(rv) * 365))
    assert forecast.low < forecast.volatility < forecast.high


def test_bounds_by_past_errors_are_their_quantiles() -> None:
    forecast = forecast_by_past(0.04, np.arange(101) / 50, 1, 1, level=0.8)
    assert forecast.volatility == pytest.approx(0.2)
    assert forecast.low == pytest.approx(np.sqrt(0.04 * 0.2))
    assert forecast.high == pytest.approx(np.sqrt(0.04 * 1.8))


@pytest.mark.parametrize("level", [0.0, 1.0, np.nan])
def test_refuses_a_level_that_is_no_probability(level: float) -> None:
    rv = market(200)[0]
    with pytest.raises(QuantityError, match="level"):
        forecast_har(fit_har(rv), rv, 365, level=level)
    with pytest.raises(QuantityError, match="level"):
        forecast_by_past(0.04, np.ones(30), 1, 365, level=level)


def test_qlike_is_0_for_the_truth_and_dearer_below_than_above() -> None:
    assert qlike([2.0, 3.0], [2.0, 3.0]) == pytest.approx([0.0, 0.0])
    assert float(qlike(1.0, 0.5)) > float(qlike(1.0, 2.0)) > 0


@pytest.mark.parametrize(("realised", "forecast"), [(0.0, 1.0), (1.0, -1.0), (np.nan, 1.0)])
def test_qlike_refuses_what_is_no_variance(realised: float, forecast: float) -> None:
    with pytest.raises(QuantityError):
        qlike(realised, forecast)


def test_diebold_and_marianos_statistic_by_hand() -> None:
    """Differences of 1, 3, 1, 3, 1, 3, 1, 3: mean 2, autocovariances alternate between 1 and -1 times (n - lag) /
    n."""
    d = np.array([1.0, 3.0] * 4)
    variance = 1 - 2 * (2 / 3) * 7 / 8 + 2 * (1 / 3) * 6 / 8
    assert diebold_mariano(d, np.zeros(8)) == pytest.approx(2 / np.sqrt(variance / 8))
    assert diebold_mariano(d, d) == 0.0


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return compare(*market(260), first=120, refit=20)


def test_every_method_is_scored_and_the_first_is_the_measure(comparison: Comparison) -> None:
    assert [s.name for s in comparison.scores] == [m.name for m in standard_methods()]
    assert comparison.scores[0].gain == 0.0
    assert np.isnan(comparison.scores[0].statistic)
    assert comparison.forecasts.shape == (8, 140)
    assert (comparison.forecasts > 0).all()


def test_of_a_garch_market_the_hourly_garch_forecasts_best(comparison: Comparison) -> None:
    by_name = {score.name: score for score in comparison.scores}
    hourly = by_name["GARCH(1,1), hourly returns"]
    assert hourly.gain > 0
    assert hourly.bias == pytest.approx(1.0, abs=0.1)


def test_forecasts_are_the_same_whatever_the_future_becomes(comparison: Comparison) -> None:
    """Everything after day 190 is shuffled and scaled; forecasts of the days up to it do not move by a bit."""
    rv, returns, hourly, known = (array.copy() for array in market(260))
    rng = generator(0)
    cut = 190
    rv[cut:] = rng.permutation(rv[cut:]) * 3
    returns[cut:] = rng.permutation(returns[cut:]) * 3
    hourly[known[cut - 1] :] = rng.permutation(hourly[known[cut - 1] :]) * 3
    changed = compare(rv, returns, hourly, known, first=120, refit=20)
    same = cut - 120 + 1  # the forecast of day `cut` was made at the end of the day before
    assert np.array_equal(changed.forecasts[:, :same], comparison.forecasts[:, :same])
    assert not np.array_equal(changed.forecasts[:, same:], comparison.forecasts[:, same:])


def test_a_method_sees_the_past_only() -> None:
    rv, returns, hourly, known = market(60)
    seen: list[tuple[int, int, int]] = []

    def fit(past: Past) -> Callable[[Past], float]:
        def predict(now: Past) -> float:
            seen.append((now.realised.size, now.returns.size, now.hourly.size))
            return 1.0

        assert past.realised.size % 5 == 0
        return predict

    compare(rv, returns, hourly, known, methods=[Method("one", fit)], first=50, refit=5)
    assert seen == [(day, day, HOURS * day) for day in range(50, 60)]


@pytest.mark.parametrize(
    ("spoil", "field"),
    [
        ({"returns": np.ones(3)}, "realised"),
        ({"first": 60}, "first"),
        ({"first": 0}, "first"),
        ({"hours_known": np.arange(60)[::-1]}, "hours_known"),
        ({"hours_known": np.arange(60) + 10**6}, "hours_known"),
        ({"realised": np.zeros(60)}, "realised"),
    ],
)
def test_refuses_days_and_hours_that_do_not_fit(spoil: dict[str, object], field: str) -> None:
    rv, returns, hourly, known = market(60)
    given = {
        "realised": rv,
        "returns": returns,
        "hourly": hourly,
        "hours_known": known,
        "first": 50,
    }
    with pytest.raises(QuantityError) as caught:
        compare(**{**given, **spoil})
    assert caught.value.field == field
