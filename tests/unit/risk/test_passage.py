"""First passage: the formula against simulation and its own limits."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.model.risk_report import Jumps
from keeper.quant.passage import touch_probability
from keeper.risk.passage import (
    expected_time,
    hit_probability,
    jump_probability,
    log_distance,
    median_time,
)

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


CRASHES = Jumps(20.0, -0.05, 0.06)


def test_without_jumps_both_formulas_agree() -> None:
    """Ours in logarithms, and that of keeper.quant."""
    for distance, years, rising in itertools.product((0.01, 0.2, 1.0), (1e-5, 0.1), (False, True)):
        ours = hit_probability(distance, 0.8, years, rising=rising)
        theirs = float(touch_probability(-distance if rising else distance, 0.0, 0.8, years))
        assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-300)
        assert jump_probability(distance, 0.8, years, Jumps(), rising=rising) == ours


def test_jumps_are_what_simulated_prices_do() -> None:
    """200,000 paths of a day in 48 steps; the jumps' variance is part of the volatility's."""
    volatility, years, paths, steps, distance = 0.8, 1 / 365, 200_000, 48, 0.12
    g = np.random.default_rng(4)
    mean, deviation, intensity = CRASHES.mean, CRASHES.deviation, CRASHES.intensity
    diffusion = math.sqrt(volatility**2 - intensity * (mean**2 + deviation**2))
    dt = years / steps
    lift = intensity * math.expm1(mean + deviation**2 / 2)
    at, missed = np.zeros(paths), np.ones(paths)
    for _ in range(steps):
        step = (-(diffusion**2) / 2 - lift) * dt
        after = at + step + diffusion * math.sqrt(dt) * g.standard_normal(paths)
        heights = np.maximum(at + distance, 0) * np.maximum(after + distance, 0)
        missed *= 1 - np.exp(-2 * heights / (diffusion**2 * dt))
        count = g.poisson(intensity * dt, paths)
        at = after + mean * count + deviation * np.sqrt(count) * g.standard_normal(paths)
        missed[at <= -distance] = 0
    simulated, error = 1 - missed.mean(), missed.std() / math.sqrt(paths)
    found = jump_probability(distance, volatility, years, CRASHES, rising=False)
    assert found == pytest.approx(simulated, abs=4 * error)
    assert found > 2 * hit_probability(distance, volatility, years, rising=False)


def test_jumps_make_the_far_likelier_and_more_of_them_more_so() -> None:
    for rising, sign in ((False, -1.0), (True, 1.0)):
        chances = [
            jump_probability(0.2, 0.6, 4e-6, Jumps(n, sign * 0.05, 0.05), rising=rising)
            for n in (0.0, 1.0, 5.0, 25.0)
        ]
        assert chances == sorted(chances)
        assert chances[-1] > 1e-8
        assert chances[0] < 1e-100


def test_jumps_never_take_more_than_three_quarters_of_the_variance() -> None:
    """A forecast calmer than the record's jumps alone: the diffusion keeps half of its volatility."""
    calm = jump_probability(0.02, 0.2, 0.01, Jumps(50.0, 0.5, 0.0), rising=False)
    kept = float(touch_probability(0.02, 0.0, 0.1, 0.01, 50.0, 0.5, 0.0))
    assert calm == kept


def test_what_is_reached_or_has_no_time_needs_no_jumps() -> None:
    assert jump_probability(0.0, 0.5, 0.0, CRASHES, rising=False) == 1.0
    assert jump_probability(0.1, 0.5, 0.0, CRASHES, rising=False) == 0.0
