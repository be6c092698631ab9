"""The normal distribution's kernels against 40-digit values: relative errors, deep into the tails."""

from collections.abc import Callable, Iterator
from typing import Any

import mpmath as mp  # type: ignore[import-untyped]
import numpy as np
import pytest

from keeper.quant import normal

EPS = 2.0**-52


@pytest.fixture(autouse=True)
def _digits() -> Iterator[None]:
    with mp.workdps(40):
        yield


def exact_mills(a: float) -> mp.mpf:
    with mp.workdps(60):
        x = mp.mpf(a)
        return mp.sqrt(mp.pi / 2) * mp.erfc(x / mp.sqrt(2)) * mp.exp(x * x / 2)


Function = Callable[[float], Any]
CASES: list[tuple[Function, Function, Any, float]] = [
    (normal.exponential, mp.exp, np.linspace(-707, 708, 700), 1),
    (
        normal.mills,
        exact_mills,
        np.concatenate([np.linspace(0, 9, 400), np.geomspace(9, 1e3, 99)]),
        4,
    ),
    (normal.pdf, mp.npdf, np.linspace(-37, 37, 500), 2),
    (normal.cdf, lambda x: mp.erfc(-mp.mpf(x) / mp.sqrt(2)) / 2, np.linspace(-37, 9, 500), 5),
    (normal.erfcx, lambda x: mp.erfc(x) * mp.exp(mp.mpf(x) ** 2), np.linspace(-5, 25, 300), 6),
]


@pytest.mark.parametrize(("function", "exact", "places", "bound"), CASES)
def test_relative_error_is_a_few_eps(
    function: Function, exact: Function, places: Any, bound: float
) -> None:
    worst = max(abs(mp.mpf(function(float(x))) / exact(float(x)) - 1) for x in places)
    assert worst < bound * EPS


def test_log_of_a_ratio_keeps_its_digits_near_one() -> None:
    for gap in np.geomspace(1e-15, 10, 200):
        a, b = 100.0 * (1.0 + float(gap)), 100.0
        exact = mp.log(mp.mpf(a) / b) if a != b else mp.mpf(0)
        assert abs(normal.log_ratio(a, b) - exact) <= 2 * EPS * abs(exact)
        assert normal.log_ratio(b, a) == -normal.log_ratio(a, b)
    assert normal.log_ratio(1e250, 1e-250) == pytest.approx(500 * float(mp.log(10)), rel=1e-15)


def test_inverse_undoes_the_distribution() -> None:
    for p in (1e-300, 1e-100, 1e-20, 1e-3, 0.1, 0.3, 0.49, 0.51, 0.9, 1 - 1e-12):
        x = normal.inverse_cdf(p)
        tail = mp.erfc(-mp.mpf(x) / mp.sqrt(2)) / 2
        slope = mp.npdf(x)
        assert abs((tail - p) / slope) < 6 * EPS * max(abs(x), 1)
    assert normal.inverse_cdf(0.5) == pytest.approx(0.0, abs=1e-15)
    assert normal.inverse_cdf(0.0) == -np.inf
    assert normal.inverse_cdf(1.0) == np.inf
    assert np.isnan(normal.inverse_cdf(1.5))
