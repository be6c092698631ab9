"""One smile: against the textbook formula, high precision, and known arbitrage."""

from typing import Any

import mpmath  # type: ignore[import-untyped]
import numpy as np
import pytest

from keeper.quant.surface.smile import curve, durrleman, gradient, variance

SMILES = [
    (0.04, 0.3, 0.2, 0.1),
    (1e-6, 1e-3, 2e-3, -0.004),
    (0.5, 1.9, 0.01, -3.0),
    (0.02, 1e-4, 0.4, 7.0),
    (0.3, 0.5, 0.5, 0.0),
]


def exact(theta: Any, right: Any, left: Any, k: Any) -> Any:
    """SSVI as printed by Gatheral and Jacquier (2014, equation 4.1), by 50 digits."""
    psi = (right + left) / 2
    rho, phi = (right - left) / (2 * psi), psi / theta
    root = mpmath.sqrt((phi * k + rho) ** 2 + 1 - rho**2)
    return theta / 2 * (1 + rho * phi * k + root)


@pytest.mark.parametrize("smile", SMILES)
def test_is_the_textbook_formula_with_its_derivatives(smile: tuple[float, ...]) -> None:
    with mpmath.workdps(50):
        point = [mpmath.mpf(x) for x in smile]
        orders = [(1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0)]
        partial = [float(mpmath.diff(exact, tuple(point), order)) for order in orders]
        in_k = [
            float(mpmath.diff(lambda k: exact(point[0], point[1], point[2], k), point[3], n))
            for n in (0, 1, 2)
        ]
    assert variance(*smile) == pytest.approx(in_k[0], rel=1e-14)
    assert gradient(*smile) == pytest.approx((in_k[0], *partial), rel=1e-12, abs=1e-15)
    assert curve(*smile) == pytest.approx(tuple(in_k), rel=1e-11, abs=1e-15)


def test_keeps_its_digits_far_out_on_the_flat_side() -> None:
    """There theta + rho psi k and the root cancel to one part in 1e10."""
    smile = (0.04, 1e-8, 0.6, 40.0)
    with mpmath.workdps(50):
        right = float(exact(*(mpmath.mpf(x) for x in smile)))
    assert variance(*smile) == pytest.approx(right, rel=1e-14, abs=0)


def test_durrlemans_function_is_the_density_of_black_scholes() -> None:
    """A flat smile has the lognormal density itself: g is 1."""
    assert durrleman(0.09, 1e-12, 1e-12, 0.4) == pytest.approx(1.0, abs=1e-10)


def test_durrlemans_function_is_the_one_of_the_definition() -> None:
    """The density of the price, by differences of Black's formula in 50 digits, is g times a known factor."""
    theta, right, left, k = 0.3, 0.9, 1.1, 0.35

    def call(strike: Any) -> Any:
        w = exact(mpmath.mpf(theta), mpmath.mpf(right), mpmath.mpf(left), mpmath.log(strike))
        d = -mpmath.log(strike) / mpmath.sqrt(w) + mpmath.sqrt(w) / 2
        return mpmath.ncdf(d) - strike * mpmath.ncdf(d - mpmath.sqrt(w))

    with mpmath.workdps(50):
        strike = mpmath.exp(mpmath.mpf(k))
        density = mpmath.diff(call, strike, 2)
        w = exact(mpmath.mpf(theta), mpmath.mpf(right), mpmath.mpf(left), mpmath.mpf(k))
        d2 = -mpmath.mpf(k) / mpmath.sqrt(w) - mpmath.sqrt(w) / 2
        expected = float(density * strike * mpmath.sqrt(w) / mpmath.npdf(d2))
    assert durrleman(theta, right, left, k) == pytest.approx(expected, rel=1e-12)


def test_sees_the_butterfly_of_a_smile_that_is_curved_too_much() -> None:
    """psi = 1.5 at theta = 0.04 is far beyond psi^2 (1 + |rho|) <= 4 theta."""
    grid = np.linspace(-2, 2, 401)
    assert min(durrleman(0.04, 1.5, 1.5, k) for k in grid) < -0.1
