"""First passage: the formula against simulation and its own limits."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.risk.passage import expected_time, hit_probability, log_distance, median_time

DISTANCES = st.floats(1e-4, 3.0)
VOLATILITIES = st.floats(0.01, 5.0)
TIMES = st.floats(1e-9, 10.0)


@pytest.mark.parametrize("rising", [False, True])
@pytest.mark.parametrize(("distance", "drift"), [(0.1, 0.0), (0.3, 0.0), (0.2, 1.0), (0.2, -1.0)])
def test_the_formula_is_what_simulated_prices_do(
    rising: bool, distance: float, drift: float
) -> None:
    """60,000 paths of 64 steps; between steps the exact probability that a Brownian bridge crossed."""
    volatility, years, paths, steps = 0.8, 0.1, 60_000, 64
    g = np.random.default_rng(9)
    dt = years / steps
    sign = 1.0 if rising else -1.0
    at, missed = np.zeros(paths), np.ones(paths)
    for _ in range(steps):
        step = (drift - volatility**2 / 2) * dt + volatility * math.sqrt(dt) * g.standard_normal(
            paths
        )
        before, after = distance - sign * at, distance - sign * (at + step)
        crossed = np.exp(-2 * np.maximum(before, 0) * np.maximum(after, 0) / (volatility**2 * dt))
        missed *= 1 - crossed
        at += step
    simulated, error = 1 - missed.mean(), missed.std() / math.sqrt(paths)
    exact = hit_probability(distance, volatility, years, rising=rising, drift=drift)
    assert exact == pytest.approx(simulated, abs=4 * error)


@given(distance=DISTANCES, volatility=VOLATILITIES, years=TIMES, rising=st.booleans())
def test_it_is_a_probability_that_rises_with_time_and_falls_with_distance(
    distance: float, volatility: float, years: float, rising: bool
) -> None:
    p = hit_probability(distance, volatility, years, rising=rising)
    assert 0.0 <= p <= 1.0
    assert hit_probability(distance, volatility, years * 1.5, rising=rising) >= p - 1e-12
    assert hit_probability(distance * 1.5, volatility, years, rising=rising) <= p + 1e-12


@given(distance=DISTANCES, volatility=VOLATILITIES, years=TIMES)
def test_a_fall_is_likelier_the_wilder_the_price(
    distance: float, volatility: float, years: float
) -> None:
    p = hit_probability(distance, volatility, years, rising=False)
    assert hit_probability(distance, volatility * 1.3, years, rising=False) >= p - 1e-12


def test_ends_are_exact() -> None:
    assert hit_probability(0.0, 0.5, 0.0, rising=False) == 1.0
    assert hit_probability(0.1, 0.5, 0.0, rising=False) == 0.0
    assert hit_probability(0.1, 0.0, 9.0, rising=False) == 0.0
    assert hit_probability(0.1, 0.0, 1.0, rising=True, drift=0.2) == 1.0
    assert hit_probability(1e-300, 1e-300, 1e300, rising=True) <= 1.0


def test_a_rise_is_hit_in_the_end_with_the_probability_of_the_martingale() -> None:
    """A driftless price reaches e^b times itself with probability e^-b."""
    assert hit_probability(0.7, 1.0, 1e6, rising=True) == pytest.approx(math.exp(-0.7))
    assert hit_probability(0.7, 1.0, 1e6, rising=False) == pytest.approx(1.0)


def test_the_mean_time_of_a_fall_is_the_integral_of_not_having_fallen() -> None:
    from scipy.integrate import quad  # type: ignore[import-untyped]

    integral, _ = quad(lambda t: 1 - hit_probability(0.2, 0.8, t, rising=False), 0, 60, limit=500)
    assert expected_time(0.2, 0.8, rising=False) == pytest.approx(integral, rel=1e-3)
    assert expected_time(0.2, 0.8, rising=True) is None
    assert expected_time(0.2, 0.0, rising=False) is None


@given(distance=st.floats(0.01, 2.0), volatility=st.floats(0.1, 2.0), rising=st.booleans())
def test_the_median_time_is_hit_with_one_half(
    distance: float, volatility: float, rising: bool
) -> None:
    found = median_time(distance, volatility, rising=rising)
    if found is None:
        assert rising
        assert math.exp(-distance) <= 0.5 + 1e-9
        return
    assert hit_probability(distance, volatility, found, rising=rising) == pytest.approx(
        0.5, abs=1e-6
    )


def test_log_distance_keeps_its_digits_near_the_price() -> None:
    assert log_distance(2_000.0, 2_000.0) == 0.0
    assert log_distance(1.0, 1.0 - 1e-12) == pytest.approx(1e-12, rel=1e-3)
    assert log_distance(2_000.0, 1_000.0) == pytest.approx(math.log(2))
    assert log_distance(1e60, 1e-20) == pytest.approx(80 * math.log(10))
