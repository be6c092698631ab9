"""HAR, EWMA and the regime flag."""

import numpy as np
import pytest

from keeper.errors import QuantityError
from keeper.quant.volatility import (
    Regime,
    Thresholds,
    decay_of,
    ewma_variances,
    fit_har,
    regimes,
    volatility_ratio,
)
from tests.unit.quant.volatility.series import Floats, generator


def har_series(size: int, seed: int = 4) -> Floats:
    """ln RV = 0.3 day + 0.4 week + 0.2 month + noise, of means of RV."""
    rng = generator(seed)
    rv = list(np.exp(rng.standard_normal(30)))
    for _ in range(size):
        parts = [np.log(np.mean(rv[-m:])) for m in (1, 7, 30)]
        rv.append(float(np.exp(np.dot([0.3, 0.4, 0.2], parts) + 0.4 * rng.standard_normal())))
    return np.array(rv[30:])


def test_har_finds_the_weights_a_series_was_made_with() -> None:
    model = fit_har(har_series(20_000))
    assert model.coefficients[1:] == pytest.approx([0.3, 0.4, 0.2], abs=0.05)
    assert np.std(model.residuals) == pytest.approx(0.4, rel=0.03)


def test_har_forecasts_the_mean_and_not_the_median() -> None:
    """The expected variance is e^(s^2 / 2) above the exponential of the expected logarithm."""
    rv = har_series(20_000)
    model = fit_har(rv)
    forecast = model.variance(rv)
    low, high = model.interval(rv, 0.9)
    assert low < forecast < high
    row = np.array([1.0, *(np.log(np.mean(rv[-m:])) for m in (1, 7, 30))])
    assert forecast == pytest.approx(np.exp(model.coefficients @ row + 0.08), rel=0.03)


def test_hars_bounds_hold_as_often_as_they_say() -> None:
    rv = har_series(6_000, seed=9)
    model = fit_har(rv[:4_000])
    inside = [
        low <= rv[day] <= high
        for day in range(4_000, 6_000)
        for low, high in [model.interval(rv[:day], 0.8)]
    ]
    assert np.mean(inside) == pytest.approx(0.8, abs=0.03)


def test_hars_bounds_are_quantiles_of_its_residuals() -> None:
    rv = har_series(400)
    model = fit_har(rv)
    bounds = model.interval(rv, 0.8)
    centre = np.exp(model._log(rv))
    assert bounds == pytest.approx(centre * np.exp(np.quantile(model.residuals, (0.1, 0.9))))


def test_har_over_a_week_is_fitted_to_means_of_a_week() -> None:
    rv = np.exp(np.sin(np.arange(400) / 9))
    model = fit_har(rv, horizon=7)
    assert model.horizon == 7
    assert model.residuals.size == 400 - 30 - 7 + 1
    target = np.log(np.mean(rv[30:37]))
    row = np.array([1.0, *(np.log(np.mean(rv[30 - m : 30])) for m in (1, 7, 30))])
    assert np.abs(model.residuals - (target - model.coefficients @ row)).min() < 1e-12


@pytest.mark.parametrize(
    ("realised", "horizon", "lags"),
    [
        (np.ones(60), 1, (1, 7, 30)),
        (np.append(np.ones(80), 0.0), 1, (1, 7, 30)),
        (np.ones(80), 0, (1, 7, 30)),
        (np.ones(80), 1, (0, 7)),
        (np.ones(80), 1, ()),
    ],
)
def test_har_refuses_what_it_cannot_fit(
    realised: object, horizon: int, lags: tuple[int, ...]
) -> None:
    with pytest.raises(QuantityError):
        fit_har(realised, horizon, lags)  # type: ignore[arg-type]


def test_ewma_is_the_weighted_mean_of_past_squares() -> None:
    squares = np.array([4.0, 1.0, 9.0])
    path = ewma_variances(squares, 0.9, start=2.0)
    expected = 0.9**3 * 2.0 + 0.1 * (0.9**2 * 4.0 + 0.9 * 1.0 + 9.0)
    assert path.size == 4
    assert path[0] == 2.0
    assert path[3] == pytest.approx(expected, rel=1e-15)


def test_a_square_counts_half_after_its_half_life() -> None:
    path = ewma_variances(np.zeros(10), decay_of(10), start=1.0)
    assert path[-1] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("squares", "decay", "start"),
    [
        ([-1.0], 0.9, None),
        ([1.0], 1.0, None),
        ([1.0], 0.9, -1.0),
        ([], 0.9, None),
        ([np.inf], 0.9, None),
    ],
)
def test_ewma_refuses_what_is_no_variance(
    squares: list[float], decay: float, start: float | None
) -> None:
    with pytest.raises(QuantityError):
        ewma_variances(squares, decay, start)


def test_a_regime_is_entered_at_one_level_and_left_at_another() -> None:
    up = [1.0, 1.59, 1.6, 1.3, 1.25, 1.24, 1.3, 0.61, 0.6, 0.75, 0.76]
    names = [Regime(r).name[0] for r in regimes(up)]
    assert "".join(names) == "NNSSSNNNCCN"


def test_a_ratio_that_wavers_does_not_make_the_flag_flutter() -> None:
    """Between the two levels the state is what it was."""
    wavering = np.where(np.arange(100) % 2 == 0, 1.27, 1.58)
    assert set(regimes(wavering)) == {Regime.NORMAL}
    assert set(regimes(wavering, before=Regime.STRESSED)) == {Regime.STRESSED}


def test_a_leap_goes_from_stressed_to_calm_at_once() -> None:
    assert regimes([2.0, 0.5, 2.0]).tolist() == [Regime.STRESSED, Regime.CALM, Regime.STRESSED]


def test_the_flag_at_a_time_does_not_know_what_comes_after() -> None:
    ratio = np.exp(0.5 * generator(1).standard_normal(200))
    assert np.array_equal(regimes(ratio)[:120], regimes(ratio[:120]))


def test_the_measure_is_volatility_over_its_median_until_then() -> None:
    variances = np.array([1.0, 4.0, 9.0, 16.0])
    assert volatility_ratio(variances, 3) == pytest.approx([1.5, np.sqrt(16 / 9)])


@pytest.mark.parametrize(
    "levels",
    [
        {"calm_from": 0.8},
        {"stressed_until": 1.7},
        {"calm_until": 1.3},
        {"calm_from": 0.0},
        {"stressed_from": np.inf},
        {"stressed_from": np.nan},
    ],
)
def test_refuses_thresholds_that_cross(levels: dict[str, float]) -> None:
    with pytest.raises(QuantityError, match="thresholds"):
        Thresholds(**levels)


@pytest.mark.parametrize("ratio", [[1.0, np.nan], [-1.0], []])
def test_refuses_ratios_that_are_none(ratio: list[float]) -> None:
    with pytest.raises(QuantityError, match="ratio"):
        regimes(ratio)
