"""A volatility and a shape from a record of closes."""

from dataclasses import astuple

import numpy as np
import pytest
from numpy.typing import NDArray

from keeper.errors import QuantityError
from keeper.risk.history import LEAST_BARS, learn

HOUR = 3_600


def closes(count: int, volatility: float, seed: int = 3) -> NDArray[np.float64]:
    steps = np.random.default_rng(seed).standard_normal(count)
    path: NDArray[np.float64] = 2_000 * np.exp(np.cumsum(volatility * np.sqrt(1 / 8_760) * steps))
    return path


def test_a_steady_price_gives_its_volatility_and_standard_residuals() -> None:
    times = HOUR * np.arange(6_000)
    past = learn(times, closes(6_000, 0.8), HOUR, 24 * HOUR)
    assert past.volatility == pytest.approx(0.8, rel=0.25)
    assert np.std(past.residuals) == pytest.approx(1.0, abs=0.15)
    assert past.overlap == 24
    assert past.jumps.intensity == 0.0


def test_a_return_over_a_gap_is_no_return() -> None:
    path, times = closes(2_000, 0.8), HOUR * np.arange(2_000)
    path[1_990:] *= 5
    jumped = learn(times, path, HOUR, 24 * HOUR).volatility
    times[1_990:] += 1_000 * HOUR
    over_gap = learn(times, path, HOUR, 24 * HOUR).volatility
    assert over_gap < jumped / 3


def test_a_short_record_is_refused() -> None:
    with pytest.raises(QuantityError, match="history"):
        learn(np.arange(LEAST_BARS - 1) * HOUR, closes(LEAST_BARS - 1, 0.5), HOUR, 1)


def test_jumps_of_a_known_kind_are_found() -> None:
    """30 a year of -8 % +- 2 % in a price of 50 %, twenty years of hours."""
    g = np.random.default_rng(5)
    count = 20 * 8_760
    steps = 0.5 / np.sqrt(8_760) * g.standard_normal(count)
    struck = g.random(count) < 30 / 8_760
    steps[struck] += -0.08 + 0.02 * g.standard_normal(int(struck.sum()))
    jumps = learn(HOUR * np.arange(count), 2_000 * np.exp(np.cumsum(steps)), HOUR, HOUR).jumps
    assert jumps.intensity == pytest.approx(30, rel=0.2)
    assert jumps.mean == pytest.approx(-0.08, abs=0.005)
    assert jumps.deviation == pytest.approx(0.02, abs=0.005)


def test_a_steady_price_has_no_jumps() -> None:
    past = learn(HOUR * np.arange(20_000), closes(20_000, 0.8), HOUR, HOUR)
    assert astuple(past.jumps) == (0.0, 0.0, 0.0)


def test_jumps_are_bounded_whatever_the_record_holds() -> None:
    path = closes(2_000, 0.3)
    path[1_500:] *= 50
    jumps = learn(HOUR * np.arange(2_000), path, HOUR, HOUR).jumps
    assert jumps.mean == 0.5
    assert jumps.deviation <= 0.5


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf")])
def test_a_close_that_is_no_price_is_refused(bad: float) -> None:
    path = closes(1_000, 0.5)
    path[700] = bad
    with pytest.raises(QuantityError, match="history: has a close"):
        learn(HOUR * np.arange(1_000), path, HOUR, HOUR)


def test_a_record_of_gaps_is_refused() -> None:
    with pytest.raises(QuantityError, match="history: has 0 returns of 3600 s"):
        learn(2 * HOUR * np.arange(1_000), closes(1_000, 0.5), HOUR, HOUR)


def test_a_residual_is_a_return_over_what_was_known_before_it() -> None:
    """A jump is in its own residual at full size: the forecast for it had not seen it."""
    path = closes(1_000, 0.5)
    path[800:] *= 1.5
    past = learn(HOUR * np.arange(1_000), path, HOUR, HOUR)
    largest = int(np.argmax(past.residuals))
    assert largest == 799 - LEAST_BARS // 5  # return 799 is from close 799 to close 800
    assert past.residuals[largest] > 50
