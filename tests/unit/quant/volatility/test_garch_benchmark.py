"""The benchmark of GARCH software: Deutsche mark against pound, figures of Fiorentini, Calzolari and Panattoni (1996).

To eleven digits as TSP prints them (tspintl.com/code/bench/bgfcp.tsp and examples/bench/bg11i.tsp): the variance before
the first return is the mean square of all residuals, at every mean tried.
"""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from keeper.errors import QuantityError
from keeper.quant.volatility import fit_garch
from keeper.quant.volatility import garch_kernel as g
from tests.unit.quant.volatility.series import Floats

MEAN, OMEGA, ALPHA, BETA = -0.00619040837994, 0.0107613978518, 0.153134061820, 0.805973670305
PUBLISHED = np.array([MEAN, OMEGA, ALPHA, BETA])
LOG_LIKELIHOOD = -1106.607881041288
INFORMATION_ERRORS = np.array([0.0083762856, 0.00192880806, 0.019401186, 0.0218398722])
HESSIAN_ERRORS = np.array([0.00846212, 0.00285271, 0.0265228, 0.0335527])


@cache
def returns() -> Floats:
    text = (Path(__file__).parent / "dem_gbp.txt").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if not line.startswith("#")]
    return np.array(" ".join(rows).split(), dtype=np.float64)


def likelihood(parameters: Floats, before: float) -> tuple[float, Floats]:
    """Value and score of mean, omega, alpha, beta, with a variance before the first return that is given."""
    mean, omega, alpha, beta = parameters
    score, information = np.empty(6), np.empty((6, 6))
    natural = np.array([mean, omega, alpha, alpha, beta, np.inf])
    value = g.log_likelihood_normal(returns(), natural, before, score, information)
    return value, np.array([score[0], score[1], score[2] + score[3], score[4]])


def gradient(parameters: Floats) -> Floats:
    """Of the benchmark's own likelihood, whose variance before the first return moves with the mean."""
    residuals = returns() - parameters[0]
    before = float(np.mean(residuals**2))
    score = likelihood(parameters, before)[1]
    above, below = (likelihood(parameters, before + step)[0] for step in (1e-6, -1e-6))
    score[0] += (above - below) / 2e-6 * -2.0 * float(np.mean(residuals))
    return score


def hessian(parameters: Floats) -> Floats:
    columns = []
    for one in np.diag(1e-4 * np.abs(parameters)):
        columns.append((gradient(parameters + one) - gradient(parameters - one)) / (2 * one.sum()))
    return np.array(columns)


def test_the_series_is_the_published_one() -> None:
    assert returns().size == 1_974
    before = float(np.mean((returns() - MEAN) ** 2))
    assert likelihood(PUBLISHED, before)[0] == pytest.approx(LOG_LIKELIHOOD, rel=1e-13)


def test_the_published_coefficients_are_the_maximum_to_their_digits() -> None:
    """Newton's step from them, by the analytic score, is less than their last digits."""
    step = np.linalg.solve(hessian(PUBLISHED), gradient(PUBLISHED))
    assert np.abs(step).max() < 2e-9


def test_errors_from_the_hessian_are_the_published_ones() -> None:
    errors = np.sqrt(np.diag(np.linalg.inv(-hessian(PUBLISHED))))
    assert errors == pytest.approx(HESSIAN_ERRORS, rel=5e-5)


def test_a_fit_finds_them() -> None:
    """The fit holds the variance before the first return while it moves the mean, which is a hundredth of an error."""
    model = fit_garch(returns(), backcast=float(np.mean((returns() - MEAN) ** 2)))
    found = np.array([model.mean, model.omega, model.alpha, model.beta])
    errors = np.array(model.errors)[[0, 1, 2, 4]]
    assert model.converged
    assert (np.abs(found - PUBLISHED) < 3e-3 * errors).all()
    assert model.log_likelihood == pytest.approx(LOG_LIKELIHOOD, abs=1e-5)
    assert model.log_likelihood >= LOG_LIKELIHOOD
    assert errors == pytest.approx(INFORMATION_ERRORS, rel=2e-3)


def test_without_a_backcast_only_the_first_variances_differ() -> None:
    """The default, a weighted mean of the first squares, moves the coefficients by half an error and no more."""
    model = fit_garch(returns())
    found = np.array([model.mean, model.omega, model.alpha, model.beta])
    assert (np.abs(found - PUBLISHED) < 0.6 * np.array(model.errors)[[0, 1, 2, 4]]).all()


@pytest.mark.parametrize("backcast", [0.0, -1.0, np.nan, np.inf])
def test_refuses_a_backcast_that_is_no_variance(backcast: float) -> None:
    with pytest.raises(QuantityError) as caught:
        fit_garch(returns(), backcast=backcast)
    assert caught.value.field == "backcast"
