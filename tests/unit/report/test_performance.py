"""Standard figures of a value through time, against what they are by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from keeper.errors import QuantityError
from keeper.report.performance import (
    DAY_S,
    Floats,
    Ints,
    day_ends,
    drawdown,
    measure,
    turnover,
    variance_cost,
)

T0 = 1_600_041_600  # a midnight


def daily(*returns: float) -> tuple[Ints, Floats]:
    value = 100 * np.cumprod([1.0, *(1 + r for r in returns)])
    return T0 + DAY_S * np.arange(value.size), value


def test_figures_of_four_days_are_those_by_hand() -> None:
    r = np.array([0.01, -0.02, 0.03, -0.01])
    found = measure(*daily(*r), resamples=10)
    assert found.days == 4
    assert found.total_return == pytest.approx(1.01 * 0.98 * 1.03 * 0.99 - 1, rel=1e-13)
    assert found.annual_return.value == pytest.approx((1 + found.total_return) ** (365 / 4) - 1)
    assert found.volatility == pytest.approx(np.log1p(r).std(ddof=1) * 365**0.5)
    assert found.sharpe.value == pytest.approx(r.mean() / r.std(ddof=1) * 365**0.5)
    assert found.sortino == pytest.approx(r.mean() / math.sqrt(0.0005 / 4) * 365**0.5)
    assert found.max_drawdown == pytest.approx(0.02)
    assert found.calmar == pytest.approx(found.annual_return.value / 0.02)
    assert found.worst_day == pytest.approx(0.02)
    assert found.best_share == 0.5
    assert found.expected_shortfall == pytest.approx(0.02)
    assert math.isnan(found.beta)


def test_shortfall_is_the_mean_of_the_worst_twentieth() -> None:
    returns = np.linspace(-0.029, 0.02, 50)  # the worst 2.5 of 50
    found = measure(*daily(*returns), resamples=2)
    assert found.expected_shortfall == pytest.approx((0.029 + 0.028 + 0.5 * 0.027) / 2.5)


def test_a_day_is_worth_what_it_was_at_its_last_moment() -> None:
    times = T0 + np.array([0, 3_600, DAY_S, DAY_S + 1, 2 * DAY_S - 1, 2 * DAY_S + 5])
    assert day_ends(times).tolist() == [0, 2, 4, 5]


def test_minutes_and_days_of_one_value_have_one_sharpe() -> None:
    generator = np.random.default_rng(1)
    hours = 100 * np.exp(np.cumsum(generator.normal(0, 0.01, 24 * 50 + 1)))
    times = T0 + 3_600 * np.arange(hours.size)
    fine, coarse = measure(times, hours), measure(times[::24], hours[::24])
    assert fine.sharpe == coarse.sharpe
    assert fine.max_drawdown >= coarse.max_drawdown


def test_drawdown_is_timed_from_the_peak_to_the_end_if_it_is_not_over() -> None:
    found = measure(*daily(0.1, -0.05, -0.05, 0.01, 0.01), resamples=2)
    assert found.drawdown_days == 4


def test_beta_and_alpha_come_back_from_a_mix() -> None:
    generator = np.random.default_rng(2)
    other = generator.normal(0, 0.04, 800)
    own = 0.0003 + 0.4 * other + generator.normal(0, 0.001, 800)
    times, value = daily(*own)
    found = measure(times, value, daily(*other)[1])
    assert found.beta == pytest.approx(0.4, abs=0.003)
    assert found.alpha.low < 0.0003 * 365 < found.alpha.high


def test_intervals_of_independent_returns_are_about_as_wide_as_theory_has_them() -> None:
    returns = np.random.default_rng(3).normal(0.001, 0.02, 1_000)
    found = measure(*daily(*returns))
    width = (found.sharpe.high - found.sharpe.low) / 2
    assert width == pytest.approx(1.645 * math.sqrt(365 / 1_000), rel=0.15)


def test_returns_that_follow_each_other_widen_the_interval() -> None:
    generator = np.random.default_rng(4)
    noise = generator.normal(0, 0.02, 1_500)
    following = np.convolve(noise, np.ones(4) / 2, "valid")
    alone = measure(*daily(*noise)).sharpe
    together = measure(*daily(*following)).sharpe
    assert together.high - together.low > 1.3 * (alone.high - alone.low)


def test_equal_seeds_give_equal_intervals_and_others_do_not() -> None:
    series = daily(*np.random.default_rng(5).normal(0, 0.02, 100))
    assert measure(*series, seed=1).sharpe == measure(*series, seed=1).sharpe
    assert measure(*series, seed=1).sharpe != measure(*series, seed=2).sharpe


@given(hnp.arrays(float, st.integers(1, 60), elements=st.floats(0.01, 1e6)))
def test_drawdown_is_never_negative_nor_one(value: Floats) -> None:
    found = drawdown(value)
    assert ((found >= 0) & (found < 1)).all()
    assert found[0] == 0


def test_a_value_that_never_moved_has_no_ratios() -> None:
    found = measure(*daily(0.0, 0.0, 0.0, 0.0), resamples=5)
    assert (found.total_return, found.volatility, found.max_drawdown) == (0, 0, 0)
    assert all(math.isnan(x) for x in (found.sharpe.value, found.sortino, found.calmar))


@pytest.mark.parametrize(
    ("times", "value", "words"),
    [
        ([T0, T0 + DAY_S], [1.0, 2.0], "less than three days"),
        ([T0, T0, T0 + 1], [1.0, 2.0, 3.0], r"times\[1\]"),
        ([T0, T0 + 1, T0 + 2], [1.0, 0.0, 3.0], r"value\[1\]: is 0.0"),
        ([T0, T0 + 1, T0 + 2], [1.0, 2.0], "shape"),
    ],
)
def test_bad_input_is_named(times: list[int], value: list[float], words: str) -> None:
    with pytest.raises(QuantityError, match=words):
        measure(np.array(times), np.array(value))


def test_turnover_and_cost_of_variance() -> None:
    assert turnover(500.0, 100.0, 365 * DAY_S / 2) == pytest.approx(10)
    assert math.isnan(turnover(1.0, 0.0, 1.0))
    assert variance_cost(3.0, 1.0, 2.5) == 2
    assert math.isnan(variance_cost(3.0, 2.5, 2.5))
