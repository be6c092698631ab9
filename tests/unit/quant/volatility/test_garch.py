"""GARCH: as likely as the reference implementation's, or more; the gradient is the likelihood's; forecasts follow."""

import warnings
from typing import Any

import numpy as np
import pytest
from arch import arch_model

from keeper.errors import QuantityError
from keeper.quant.volatility import fit_garch
from keeper.quant.volatility import garch_kernel as g
from tests.unit.quant.volatility.series import Floats, garch_returns, generator

KINDS = [(False, False), (True, False), (False, True), (True, True)]


def oracle(returns: Floats, asymmetric: bool, student: bool) -> Any:
    """arch's fit, in the order mean, omega, alpha, gamma, beta, shape (those there are)."""
    model = arch_model(
        returns,
        vol="GARCH",
        p=1,
        o=int(asymmetric),
        q=1,
        dist="t" if student else "normal",
        rescale=False,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(disp="off", options={"ftol": 1e-12, "maxiter": 1_000})


@pytest.mark.parametrize(("asymmetric", "student"), KINDS)
@pytest.mark.parametrize("size", [400, 2_000])
def test_is_what_arch_finds_or_likelier(asymmetric: bool, student: bool, size: int) -> None:
    returns = garch_returns(
        size,
        gamma=0.06 if asymmetric else 0.0,
        beta=0.84,
        shape=5.0 if student else np.inf,
        seed=size,
    )
    ours = fit_garch(returns, asymmetric=asymmetric, student=student)
    theirs = oracle(returns, asymmetric, student)
    assert ours.converged
    assert ours.log_likelihood >= theirs.loglikelihood - 1e-5
    natural = [ours.mean, ours.omega, ours.alpha, ours.gamma, ours.beta, ours.shape]
    there = [True, True, True, asymmetric, True, student]
    ours_free = np.array(natural)[there]
    errors = np.array(ours.errors)[there]
    assert np.abs(ours_free - theirs.params.to_numpy()).max() < 0.1 * errors.max()
    # In standard errors, each: the optimum is one and the same.
    assert (np.abs(ours_free - theirs.params.to_numpy()) < 0.02 * errors).all()


def test_likelihood_and_variances_are_archs_at_the_same_parameters() -> None:
    returns = garch_returns(500, gamma=0.05, shape=6.0)
    ours = fit_garch(returns, asymmetric=True, student=True)
    model = arch_model(returns, p=1, o=1, q=1, dist="t", rescale=False)
    fixed = model.fix([ours.mean, ours.omega, ours.alpha, ours.gamma, ours.beta, ours.shape])
    assert fixed.loglikelihood == pytest.approx(ours.log_likelihood, rel=1e-10)
    variances = fixed.conditional_volatility**2
    # arch starts from the first returns' squares around the fitted mean of its own start values.
    assert ours.variances(returns)[5:-1] == pytest.approx(np.asarray(variances)[5:], rel=1e-6)


@pytest.mark.parametrize("student", [False, True])
def test_the_score_is_the_derivative_of_the_likelihood(student: bool) -> None:
    returns = garch_returns(300)
    likelihood = g.log_likelihood_student if student else g.log_likelihood_normal
    natural = np.array([0.03, 0.05, 0.06, 0.11, 0.85, 7.0])
    score, information = np.empty(6), np.empty((6, 6))
    likelihood(returns, natural, 0.9, score, information)
    analytic = score.copy()
    for i in range(6 if student else 5):
        up, down = natural.copy(), natural.copy()
        up[i] += 1e-6
        down[i] -= 1e-6
        above = likelihood(returns, up, 0.9, score, information)
        below = likelihood(returns, down, 0.9, score, information)
        assert analytic[i] == pytest.approx((above - below) / 2e-6, rel=1e-6, abs=1e-5)


def test_the_jacobian_is_that_of_the_change_of_parameters() -> None:
    x = np.array([0.1, -2.0, -1.5, -0.7, -3.0, 1.1])
    natural, jacobian = np.empty(6), np.empty((6, 6))
    for asymmetric in (False, True):
        g.to_natural(x, asymmetric, natural, jacobian)
        analytic = jacobian.copy()
        for i in range(6):
            up, down = x.copy(), x.copy()
            up[i] += 1e-6
            down[i] -= 1e-6
            above, below = np.empty(6), np.empty(6)
            g.to_natural(up, asymmetric, above, jacobian)
            g.to_natural(down, asymmetric, below, jacobian)
            assert analytic[:, i] == pytest.approx((above - below) / 2e-6, abs=1e-8)


def test_any_unbounded_parameters_are_a_stationary_model() -> None:
    rng = generator(2)
    natural, jacobian = np.empty(6), np.empty((6, 6))
    for _ in range(200):
        g.to_natural(rng.uniform(-20, 6, 6), True, natural, jacobian)
        assert (natural[1:5] > 0).all()
        assert 0.5 * (natural[g.RISING] + natural[g.FALLING]) + natural[g.BETA] < 1
        assert natural[g.SHAPE] > 2


def test_digamma_is_the_published_one() -> None:
    """Abramowitz and Stegun, table 6.1: psi(1) = -0.5772156649, psi(2) = 0.4227843351; psi(1/2) = -gamma - 2 ln 2."""
    assert g.digamma(1.0) == pytest.approx(-0.5772156649015329, abs=1e-13)
    assert g.digamma(2.0) == pytest.approx(0.42278433509846713, abs=1e-13)
    assert g.digamma(0.5) == pytest.approx(-1.9635100260214235, abs=1e-13)


def test_finds_parameters_that_returns_were_made_with() -> None:
    model = fit_garch(
        garch_returns(8_000, gamma=0.08, beta=0.84, shape=6.0), asymmetric=True, student=True
    )
    errors = dict(
        zip(("mean", "omega", "alpha", "gamma", "beta", "shape"), model.errors, strict=True)
    )
    for name, true in (("alpha", 0.08), ("gamma", 0.08), ("beta", 0.84), ("shape", 6.0)):
        assert abs(getattr(model, name) - true) < 3 * errors[name], name


def test_the_unit_of_the_returns_does_not_matter() -> None:
    returns = garch_returns(1_000)
    percent, fraction = fit_garch(returns), fit_garch(returns / 100)
    assert fraction.alpha == pytest.approx(percent.alpha, rel=1e-9)
    assert fraction.variance_next == pytest.approx(percent.variance_next / 1e4, rel=1e-9)
    gain = fraction.log_likelihood - percent.log_likelihood
    assert gain == pytest.approx(1_000 * np.log(100), rel=1e-9)


def test_an_earlier_fit_saves_steps_and_finds_the_same() -> None:
    returns = garch_returns(1_001, gamma=0.05, shape=6.0)
    before = fit_garch(returns[:-1], asymmetric=True, student=True)
    warm = fit_garch(returns[1:], asymmetric=True, student=True, start=before)
    cold = fit_garch(returns[1:], asymmetric=True, student=True)
    assert warm.iterations < cold.iterations
    assert warm.log_likelihood == pytest.approx(cold.log_likelihood, abs=1e-6)


def test_noise_without_memory_converges_at_the_bounds() -> None:
    for seed in range(6):
        model = fit_garch(generator(seed).standard_normal(300), asymmetric=True, student=True)
        assert model.converged
        assert model.persistence < 1
        assert model.variance_long_run == pytest.approx(1.0, rel=0.3)


def test_updating_by_one_return_is_filtering_it() -> None:
    returns = garch_returns(300, gamma=0.05)
    model = fit_garch(returns, asymmetric=True)
    path = model.variances(returns)
    assert path.size == 301
    assert model.update(path[-2], returns[-1]) == pytest.approx(path[-1], rel=1e-14)
    assert model.variance_next == path[-1]


def test_forecasts_go_to_the_long_run_by_the_persistence() -> None:
    model = fit_garch(garch_returns(1_000))
    path = model.forecast(2_000)
    long_run = model.variance_long_run
    assert path[0] == model.variance_next
    assert path[1] == pytest.approx(model.omega + model.persistence * path[0], rel=1e-13)
    assert path[10] - long_run == pytest.approx(
        model.persistence**10 * (path[0] - long_run), rel=1e-9
    )
    assert path[-1] == pytest.approx(long_run, rel=1e-6)


@pytest.mark.parametrize(
    "returns",
    [np.ones(49), np.full(100, 0.01), np.append(np.ones(60), np.nan), np.ones((60, 2)), ["a"] * 60],
)
def test_refuses_what_is_no_series(returns: object) -> None:
    with pytest.raises(QuantityError) as caught:
        fit_garch(returns)  # type: ignore[arg-type]
    assert caught.value.field == "returns"


def test_refuses_a_horizon_of_nothing() -> None:
    with pytest.raises(QuantityError, match="horizon"):
        fit_garch(garch_returns(100)).forecast(0)
