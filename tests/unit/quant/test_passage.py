"""First passage with jumps against a simulation of its own, the closed form without jumps, and its limits."""

import math

import mpmath  # type: ignore[import-untyped]
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr  # type: ignore[import-untyped]

from keeper.errors import QuantityError
from keeper.quant.passage import touch_probability

Case = tuple[float, float, float, float, float, float, float]
DAY = 1 / 365


def simulated(case: Case, paths: int) -> tuple[float, float]:
    """(mean, standard error): jump times drawn, places drawn, what happens between them by the bridge's formula."""
    log_distance, drift, volatility, years, intensity, mean, deviation = case
    generator = np.random.default_rng(7)
    side = math.copysign(1.0, log_distance)
    slope = drift - volatility**2 / 2 - intensity * math.expm1(mean + deviation**2 / 2)
    counts = generator.poisson(intensity * years, paths)
    touched = np.empty(paths)
    for count in np.unique(counts):
        which = np.flatnonzero(counts == count)
        times = np.sort(generator.uniform(0, years, (which.size, count)), axis=1)
        times = np.hstack([np.zeros((which.size, 1)), times, np.full((which.size, 1), years)])
        height, alive = np.full(which.size, abs(log_distance)), np.ones(which.size)
        for leg in range(count + 1):
            step = times[:, leg + 1] - times[:, leg]
            noise = volatility * np.sqrt(step) * generator.standard_normal(which.size)
            after = height + side * slope * step + noise
            both = np.maximum(height, 0) * np.maximum(after, 0)
            alive *= -np.expm1(-2 * both / (volatility**2 * step))
            if leg < count:
                jump = mean + deviation * generator.standard_normal(which.size)
                after = after + side * jump
                alive *= after > 0
            height = after
        touched[which] = 1 - alive
    return float(touched.mean()), float(touched.std() / math.sqrt(paths))


@pytest.mark.parametrize(
    "case",
    [
        (0.1, 0.0, 0.6, DAY, 20.0, -0.05, 0.05),
        (0.05, 0.0, 0.6, DAY / 24, 50.0, -0.02, 0.03),
        (-0.1, 0.0, 0.6, 7 * DAY, 50.0, -0.02, 0.04),
        (0.3, 0.0, 0.8, 0.25, 12.0, -0.1, 0.1),
        (0.2, 0.1, 0.3, 1.0, 3.0, -0.05, 0.0),
        (0.5, 0.0, 0.5, 1.0, 10.0, 0.05, 0.15),
        (0.02, 0.0, 0.05, DAY, 300.0, 0.0, 0.01),
        (0.15, 0.0, 0.6, DAY, 40.0, -0.1, 0.01),
        (-0.3, -0.2, 0.4, 30 * DAY, 24.0, 0.08, 0.1),
        # A jump away from the barrier, and a drift back to it that no deviation is needed for.
        (0.3, -0.34, 0.02, 1.0, 1.0, 0.15, 0.02),
    ],
)
def test_is_what_a_simulation_finds(case: Case) -> None:
    """Within four standard errors of 200,000 paths, and what fixed points leave: 0.4 %, less where jumps are rare."""
    found, error = simulated(case, 200_000)
    own = 4e-3 * min(1.0, case[4] * case[3])
    assert float(touch_probability(*case)) == pytest.approx(found, abs=4 * error + own * found)


def exact(distance: float, drift: float, volatility: float, years: float) -> float:
    """Without jumps, to 50 digits."""
    with mpmath.workdps(50):
        b, s = mpmath.mpf(distance), mpmath.mpf(volatility) * mpmath.sqrt(years)
        m = (mpmath.mpf(drift) - mpmath.mpf(volatility) ** 2 / 2) * years
        far = mpmath.exp(-2 * m * b / s**2) * mpmath.ncdf((m - b) / s)
        return float(mpmath.ncdf((-b - m) / s) + far)


@given(st.floats(0.001, 1.0), st.floats(-2.0, 2.0), st.floats(0.05, 2.0), st.floats(1e-4, 2.0))
@settings(max_examples=60, deadline=None)
def test_without_jumps_it_is_the_closed_form(
    distance: float, drift: float, volatility: float, years: float
) -> None:
    found = float(touch_probability(distance, drift, volatility, years))
    assert found == pytest.approx(exact(distance, drift, volatility, years), rel=1e-10, abs=1e-300)


def test_a_barrier_above_is_one_below_in_the_mirror() -> None:
    """The log price turned round: jumps too, and the drift such that the logarithm's is the opposite."""
    volatility, intensity, mean, deviation = 0.5, 30.0, -0.04, 0.05
    lift = [intensity * math.expm1(sign * mean + deviation**2 / 2) for sign in (1, -1)]
    drifts = (0.3, -(0.3 - volatility**2 / 2 - lift[0]) + volatility**2 / 2 + lift[1])
    years = 5 * DAY
    below = touch_probability(0.2, drifts[0], volatility, years, intensity, mean, deviation)
    above = touch_probability(-0.2, drifts[1], volatility, years, intensity, -mean, deviation)
    assert float(above) == pytest.approx(float(below), rel=1e-12)


def test_one_rare_jump_decides_where_nothing_else_moves() -> None:
    """With next to no diffusion: the chance of a jump times the chance that it is large enough."""
    rate = 1e-6
    found = touch_probability(0.2, 0.0, 1e-6, 1.0, rate, -0.1, 0.05)
    assert float(found) == pytest.approx(rate * ndtr((-0.2 + 0.1) / 0.05), rel=5e-6)


def test_a_fixed_jump_reaches_the_barrier_or_does_not() -> None:
    """Deviation 0, next to no diffusion: two jumps of 0.06 reach 0.1, one does not."""
    chance = -math.expm1(-0.05) - 0.05 * math.exp(-0.05)
    slope = 0.05 * math.expm1(-0.06)  # what is left of the drift is taken out
    found = touch_probability(0.1, slope, 1e-6, 1.0, 0.05, -0.06, 0.0)
    assert float(found) == pytest.approx(chance, rel=1e-6)
    found = touch_probability(0.05, slope, 1e-6, 1.0, 0.05, -0.06, 0.0)
    assert float(found) == pytest.approx(-math.expm1(-0.05), rel=1e-6)


def test_many_small_jumps_are_a_diffusion() -> None:
    """Ninety jumps of 0.01 add their variance; what is left is their kurtosis and the points."""
    jumpy = float(touch_probability(0.15, 0.0, 0.1, 1.0, 90.0, 0.0, 0.01))
    smooth = float(touch_probability(0.15, 0.0, math.sqrt(0.01 + 90 * 1e-4), 1.0))
    assert jumpy == pytest.approx(smooth, rel=0.03)


@given(
    st.floats(0.01, 0.5), st.floats(1.05, 3.0), st.floats(0.0, 60.0), st.floats(-0.2, 0.1),
    st.floats(0.0, 0.1),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_farther_is_rarer_and_longer_is_likelier(
    distance: float, more: float, intensity: float, mean: float, deviation: float
) -> None:
    def within(away: float, days: float) -> float:
        found = touch_probability(away, 0.0, 0.6, days * DAY, intensity, mean, deviation)
        return float(found)

    here = within(distance, 1.0)
    assert 0.0 <= here <= 1.0
    assert within(distance * more, 1.0) <= here * (1 + 1e-3) + 1e-12
    if mean <= 0.0:  # else the compensated drift changes sides
        assert within(distance, more) >= here * (1 - 1e-3) - 1e-12


def test_jumps_matter_most_where_time_is_short() -> None:
    """5 % away for one minute: the diffusion alone is hopeless, a jump is not."""
    minute = 1 / 525_600
    assert float(touch_probability(0.05, 0.0, 0.6, minute)) < 1e-200
    with_jumps = float(touch_probability(0.05, 0.0, 0.6, minute, 20.0, -0.05, 0.05))
    assert with_jumps == pytest.approx(20.0 * minute * 0.5, rel=0.02)


def test_at_the_barrier_it_is_touched_and_without_time_it_is_not() -> None:
    assert float(touch_probability(0.0, 0.0, 0.5, 0.0, 10.0, -0.1, 0.1)) == 1.0
    assert float(touch_probability(0.1, 0.0, 0.5, 0.0, 10.0, -0.1, 0.1)) == 0.0


def test_inputs_broadcast_and_each_element_is_its_own() -> None:
    distances, years = np.array([[0.05], [-0.1], [0.2]]), np.array([DAY, 7 * DAY])
    grid = touch_probability(distances, 0.0, 0.6, years, 20, -0.03, 0.05)
    assert grid.shape == (3, 2)
    alone = touch_probability(-0.1, 0.0, 0.6, 7 * DAY, 20, -0.03, 0.05)
    assert grid[1, 1] == float(alone)
    assert math.isnan(float(touch_probability(math.nan, 0.0, 0.6, 1.0)))


def test_a_hundred_expected_jumps_are_allowed() -> None:
    assert float(touch_probability(0.0, 0.0, 0.5, 1.0, 100.0)) == 1.0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("log_distance", math.inf),
        ("drift", math.inf),
        ("volatility", -0.1),
        ("years", -1.0),
        ("jump_intensity", -1.0),
        ("jump_mean", 20.0),
        ("jump_deviation", -0.1),
        ("jump_intensity", 101.0),
    ],
)
def test_refuses_what_is_no_such_process(field: str, value: float) -> None:
    good = {"log_distance": 0.1, "drift": 0.0, "volatility": 0.5, "years": 1.0}
    with pytest.raises(QuantityError) as caught:
        touch_probability(**{**good, field: value})
    assert caught.value.field == field
