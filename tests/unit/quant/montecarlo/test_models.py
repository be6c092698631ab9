"""One step of each model against what is known of that step exactly: no tolerance for the scheme's own error."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from keeper.quant.montecarlo import (
    Bootstrap,
    Gbm,
    Heston,
    Jumps,
    Portfolio,
    Run,
    Sampling,
    simulate,
)
from keeper.quant.montecarlo.models import Model, exponential_with_atom, quadratic

Floats = NDArray[np.float64]
PATHS = 65_536
Z = np.linspace(-12.0, 12.0, 240_001)
DENSITY = np.exp(-0.5 * Z * Z) / math.sqrt(2.0 * math.pi) * (Z[1] - Z[0])


def logs_after(
    model: Model, years: float, steps: int = 1, sampling: Sampling = Sampling.SOBOL
) -> Floats:
    """Logarithms of the price's growth."""
    run = Run(PATHS, steps, years, seed=31, sampling=sampling)
    return np.log(simulate(model, Portfolio(), 1.0, run).spot)


def cir(model: Heston, years: float) -> tuple[float, float]:
    """Mean and variance of the variance after a time (Cox, Ingersoll and Ross 1985, (19))."""
    decay = math.exp(-model.kappa * years)
    mean = model.theta + (model.variance - model.theta) * decay
    noise = model.vol_of_vol**2 / model.kappa * (1.0 - decay)
    return mean, model.variance * noise * decay + model.theta * noise * (1.0 - decay) / 2.0


@pytest.mark.parametrize("psi", [1e-3, 0.2, 1.0, 1.499, 1.501, 2.0, 8.0])
@pytest.mark.parametrize("tilt", [-3.0, 0.4])
def test_each_branch_has_the_moments_and_the_exponential_moment_it_says(
    psi: float, tilt: float
) -> None:
    """By quadrature over the normal it is driven by."""
    mean, branch = 0.3, quadratic if psi <= 1.5 else exponential_with_atom
    values = np.array([branch(mean, psi, float(z), tilt)[0] for z in Z[::20]])
    _, logged, exists = branch(mean, psi, 0.0, tilt)
    weights = DENSITY[::20] * 20
    assert exists
    assert float(values @ weights) == pytest.approx(mean, rel=2e-4)
    assert float((values - mean) ** 2 @ weights) == pytest.approx(psi * mean**2, rel=2e-3)
    assert math.log(float(np.exp(tilt * values) @ weights)) == pytest.approx(logged, abs=2e-4)


@pytest.mark.parametrize("variance", [0.0, 0.09, 0.5])
@pytest.mark.parametrize("rho", [1.0, -1.0])
def test_with_one_factor_a_step_has_the_variance_of_the_variance(
    rho: float, variance: float
) -> None:
    """Correlated wholly, the log price is linear in it: rho / xi + (kappa rho / xi - 1/2) dt / 2, and a constant."""
    model = Heston(variance, kappa=2.0, theta=0.2, vol_of_vol=0.7, rho=rho)
    years = 0.2
    slope = rho / 0.7 + 0.5 * years * (2.0 * rho / 0.7 - 0.5)
    spread = cir(model, years)[1]
    assert logs_after(model, years).var() == pytest.approx(slope**2 * spread, rel=0.02)


def test_without_correlation_a_step_has_the_mean_of_both_its_variances() -> None:
    model = Heston(0.1, kappa=3.0, theta=0.6, vol_of_vol=0.5, rho=0.0)
    mean, spread = cir(model, 0.25)
    expected = 0.25 * (0.1 + mean) / 2 + (0.25 / 4) ** 2 * spread
    assert logs_after(model, 0.25).var() == pytest.approx(expected, rel=5e-3)


def test_partly_correlated_only_the_rest_is_noise_of_its_own() -> None:
    model = Heston(0.3, kappa=2.0, theta=0.3, vol_of_vol=0.4, rho=-0.8)
    years = 0.1
    mean, spread = cir(model, years)
    slope = -2.0 + 0.5 * years * (-4.0 - 0.5)
    own = (1 - 0.64) * years * (0.3 + mean) / 2
    assert logs_after(model, years).var() == pytest.approx(slope**2 * spread + own, rel=5e-3)


@pytest.mark.parametrize(("kappa", "vol_of_vol"), [(6.0, 2.0), (2.0, 3.0)])
def test_where_no_martingale_correction_exists_the_mean_of_the_logarithm_is_right(
    kappa: float, vol_of_vol: float
) -> None:
    """Steps of six years, in either branch: the variance stays at its long-run mean, half of it is lost a year."""
    model = Heston(0.4, kappa, theta=0.4, vol_of_vol=vol_of_vol, rho=1.0)
    logs = logs_after(model, 6.0)
    assert logs.mean() == pytest.approx(-0.5 * 0.4 * 6.0, abs=0.02)


def test_several_jumps_in_one_step_add_their_variances() -> None:
    """One expected jump in a single step: in a quarter of the paths there are two or more."""
    jumps = Jumps(per_year=1.0, mean=-0.1, deviation=0.3)
    logs = logs_after(Gbm(1e-9, jumps=jumps), 1.0, sampling=Sampling.PLAIN)
    centred = logs - logs.mean()
    second, third = 0.01 + 0.09, -(0.1**3) - 3 * 0.1 * 0.09
    fourth = 0.1**4 + 6 * 0.01 * 0.09 + 3 * 0.09**2
    assert logs.mean() == pytest.approx(-0.1 - math.expm1(-0.1 + 0.045), abs=0.006)
    assert np.mean(centred**2) == pytest.approx(second, rel=0.03)
    assert np.mean(centred**3) == pytest.approx(third, rel=0.08)
    assert np.mean(centred**4) - 3 * np.mean(centred**2) ** 2 == pytest.approx(fourth, rel=0.1)


def test_the_number_of_jumps_is_poissons() -> None:
    """Jumps of exactly 1 and nothing else: their count is read off the path."""
    jumps = Jumps(per_year=0.8, mean=1.0, deviation=0.0)
    logs = logs_after(Gbm(0.0, jumps=jumps), 1.0, sampling=Sampling.PLAIN)
    counts = np.round(logs + 0.8 * math.expm1(1.0))
    for count in range(5):
        chance = math.exp(-0.8) * 0.8**count / math.factorial(count)
        error = math.sqrt(chance * (1 - chance) / PATHS)
        assert np.mean(counts == count) == pytest.approx(chance, abs=4 * error)


def test_fixed_blocks_follow_the_history_round_its_end() -> None:
    """Increments that name their place: each block of three goes on by one, from the last to the first."""
    history = np.array([1.0, 10.0, 100.0, 1_000.0]) * 1e-4
    run = Run(4_096, 3, 1.0, seed=2)
    growth = np.log(simulate(Bootstrap(history, 3, fixed=True), Portfolio(), 1.0, run).spot)
    expected = sorted(1_111.0 - missing for missing in (1.0, 10.0, 100.0, 1_000.0))
    assert sorted({round(float(one) * 1e4) for one in growth}) == expected
