"""Loss of the whole vault: all of the record counts, and no more of it than there is."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats  # type: ignore[import-untyped]

from keeper.model.exposure import BASE, Exposure, Kind, RiskInputs, RiskPolicy
from keeper.risk.book import Book
from keeper.risk.distribution import MOST_RESIDUALS, tail_risk

SPOT = Book((Exposure("spot", Kind.SPOT, "vault", BASE, 100.0),), 2_000.0, 0.8)
"""Loss = 200,000 x (1 - exp(0.8 z / sqrt(365)))."""


def inputs(
    residuals: NDArray[np.float64], overlap: int = 1, confidence: float = 0.99
) -> RiskInputs:
    policy = RiskPolicy(confidence=confidence)
    return RiskInputs(0.8, residuals=tuple(residuals.tolist()), overlap=overlap, policy=policy)


def loss_at(z: float) -> float:
    return float(-200_000 * np.expm1(0.8 * z / np.sqrt(365)))


def test_the_oldest_crash_counts_as_much_as_the_newest() -> None:
    """Once only the newest 4,096 residuals did."""
    calm = np.random.default_rng(1).standard_normal(50_000)
    old, new = calm.copy(), calm.copy()
    old[:1_000] = new[-1_000:] = -8.0
    first, second = tail_risk(SPOT, inputs(old)), tail_risk(SPOT, inputs(new))
    assert first is not None and second is not None  # noqa: PT018
    assert first.value_at_risk == pytest.approx(loss_at(-8.0), rel=1e-6)
    assert first.value_at_risk == pytest.approx(second.value_at_risk, rel=1e-3)
    assert first.expected_shortfall == pytest.approx(second.expected_shortfall, rel=1e-3)


def test_a_long_record_is_summed_up_without_moving_its_tail() -> None:
    z = np.random.default_rng(2).standard_t(3, 60_000)
    found = tail_risk(SPOT, inputs(z))
    losses = np.sort([loss_at(x) for x in z])
    assert found is not None
    assert found.value_at_risk == pytest.approx(float(np.quantile(losses, 0.99)), rel=0.01)
    assert found.expected_shortfall == pytest.approx(float(losses[-600:].mean()), rel=0.01)
    assert len(z) > MOST_RESIDUALS


def test_the_order_of_the_residuals_says_nothing() -> None:
    z = np.random.default_rng(3).standard_normal(3_000)
    assert tail_risk(SPOT, inputs(z)) == tail_risk(SPOT, inputs(z[::-1]))


def test_the_interval_is_that_of_as_many_as_do_not_overlap() -> None:
    """Of 5,000 independent ones a binomial's; of 24 times as many hours no narrower, and without an end of few."""
    z = np.random.default_rng(4).standard_normal(120_000)
    alone, overlapping = tail_risk(SPOT, inputs(z)), tail_risk(SPOT, inputs(z, overlap=24))
    few = tail_risk(SPOT, inputs(z[:4_000], overlap=24))
    assert alone is not None and overlapping is not None and few is not None  # noqa: PT018
    assert alone.var_interval is not None
    assert overlapping.var_interval is not None
    assert few.var_interval is None
    wide = overlapping.var_interval[1] - overlapping.var_interval[0]
    assert wide > 3 * (alone.var_interval[1] - alone.var_interval[0])
    ranks = stats.binom.ppf([0.025, 0.975], 5_000, 0.99) / 5_000
    ends = [loss_at(-stats.norm.ppf(r)) for r in ranks]
    assert overlapping.var_interval == pytest.approx(ends, rel=0.03)


def test_too_few_residuals_leave_a_student() -> None:
    few = tail_risk(SPOT, inputs(np.full(249, -9.0)))
    enough = tail_risk(SPOT, inputs(np.full(250, -9.0)))
    assert few is not None and enough is not None  # noqa: PT018
    assert few.method == "Student t(4)"
    assert few.var_interval is None
    expected = loss_at(float(stats.t.ppf(0.01, 4)) / np.sqrt(2.0))
    assert few.value_at_risk == pytest.approx(expected, rel=0.01)
    assert enough.method == "filtered history"
    assert enough.value_at_risk == pytest.approx(loss_at(-9.0), rel=1e-9)


def test_losses_are_quantiles_in_order() -> None:
    found = tail_risk(SPOT, inputs(np.random.default_rng(5).standard_normal(2_000)))
    assert found is not None
    assert len(found.losses) == 199
    assert list(found.losses) == sorted(found.losses)
    assert found.losses[99] == pytest.approx(0.0, abs=800.0)
    assert found.losses[197] == pytest.approx(found.value_at_risk, rel=0.05)


def test_without_a_forecast_there_is_no_tail() -> None:
    assert tail_risk(SPOT, RiskInputs()) is None
