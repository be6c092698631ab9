"""A volatility and a shape from a record of closes."""

import numpy as np
import pytest
from numpy.typing import NDArray

from keeper.errors import QuantityError
from keeper.risk.history import LEAST_BARS, forecast_from_closes

HOUR = 3_600


def closes(count: int, volatility: float, seed: int = 3) -> NDArray[np.float64]:
    steps = np.random.default_rng(seed).standard_normal(count)
    path: NDArray[np.float64] = 2_000 * np.exp(np.cumsum(volatility * np.sqrt(1 / 8_760) * steps))
    return path


def test_a_steady_price_gives_its_volatility_and_standard_residuals() -> None:
    times = HOUR * np.arange(6_000)
    forecast, residuals = forecast_from_closes(times, closes(6_000, 0.8), HOUR, 24 * HOUR)
    assert forecast == pytest.approx(0.8, rel=0.25)
    assert np.std(residuals) == pytest.approx(1.0, abs=0.15)


def test_a_return_over_a_gap_is_no_return() -> None:
    path, times = closes(2_000, 0.8), HOUR * np.arange(2_000)
    path[1_990:] *= 5
    jumped, _ = forecast_from_closes(times, path, HOUR, 24 * HOUR)
    times[1_990:] += 1_000 * HOUR
    over_gap, _ = forecast_from_closes(times, path, HOUR, 24 * HOUR)
    assert over_gap < jumped / 3


def test_a_short_record_is_refused() -> None:
    with pytest.raises(QuantityError, match="history"):
        forecast_from_closes(np.arange(LEAST_BARS - 1) * HOUR, closes(LEAST_BARS - 1, 0.5), HOUR, 1)
