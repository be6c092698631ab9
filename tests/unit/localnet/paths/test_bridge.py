"""Brownian bridges end where they must and stay where they may."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.localnet.paths.bridge import bridge, reflect, through_pins

levels = st.floats(-3, 3)


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(seed))


@given(levels, levels, st.floats(0, 20), st.integers(0, 2**32))
def test_starts_and_ends_at_its_ends(x0: float, x1: float, volatility: float, seed: int) -> None:
    times = np.linspace(0, 600, 51)
    out = bridge(times, (0, x0), (600, x1), volatility, rng(seed))
    assert out[0] == pytest.approx(x0, abs=1e-9)
    assert out[-1] == pytest.approx(x1, abs=1e-9)


def test_without_volatility_is_a_line() -> None:
    out = bridge(np.array([0.0, 50.0, 100.0]), (0, 1.0), (100, 3.0), 0.0, rng())
    assert out.tolist() == [1.0, 2.0, 3.0]


def test_has_the_variance_of_a_bridge() -> None:
    """At half time a bridge over T has variance sigma^2 T / 4."""
    year = 365 * 86_400.0
    source = rng()
    middles = [
        bridge(np.array([year / 2]), (0, 0.0), (year, 0.0), 0.5, source)[0] for _ in range(4_000)
    ]
    assert np.std(middles) == pytest.approx(0.25, rel=0.05)
    assert np.mean(middles) == pytest.approx(0.0, abs=0.02)


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=20), levels, st.floats(0, 5))
def test_reflection_stays_inside(values: list[float], low: float, width: float) -> None:
    out = reflect(np.array(values), low, low + width)
    assert (out >= low).all()
    assert (out <= low + width).all()


@given(st.floats(0, 1))
def test_reflection_leaves_what_is_inside(share: float) -> None:
    assert reflect(np.array([share]), 0.0, 1.0)[0] == pytest.approx(share)


def test_passes_exactly_through_pins() -> None:
    times = np.arange(10.0)
    pins = [(0, 0.1), (3, 0.7), (7, -0.3), (9, 0.2)]
    out = through_pins(times, pins, 5.0, rng())
    assert [out[i] for i, _ in pins] == [x for _, x in pins]
