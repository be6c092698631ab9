"""No surface of the fit, and nothing between or beyond its expiries, has arbitrage: whatever the quotes."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.quant.surface import Quotes, Surface, fit_surface
from keeper.quant.surface.between import least_g
from tests.unit.quant.surface.chains import make_quotes, make_surface

SLICES = 10_000
POINTS = 3_001
ROUNDING = 1e-12
"""Of total variances compared across times."""


def test_ten_thousand_smiles_within_the_conditions_have_no_butterfly() -> None:
    """Drawn up to the bounds: g >= 0 on 3,001 points each."""
    rng = np.random.Generator(np.random.Philox(11))
    worst = np.inf
    for _ in range(SLICES):
        theta = np.exp(rng.uniform(-12, 2))
        rho = rng.uniform(-0.999, 0.999)
        most = min(4 / (1 + abs(rho)), 2 * np.sqrt(theta / (1 + abs(rho))))
        psi = most * (1 - 1e-9) * min(1.0, rng.uniform(0, 1.5))
        half = max(10 * np.sqrt(theta), 1.5)
        worst = min(
            worst,
            least_g(theta, psi * (1 + rho), psi * (1 - rho), np.linspace(-half, half, POINTS)),
        )
    assert worst >= 0


def assert_no_arbitrage(surface: Surface) -> None:
    assert surface.faults() == ()
    assert surface.least_g().min() >= 0
    k = np.linspace(-3, 3, 61)
    last = surface.years[-1]
    times = np.concatenate((surface.years, np.linspace(surface.years[0] / 3, last * 2, 40)))
    times.sort()
    w = surface.total_variance(k, times[:, None])
    assert np.diff(w, axis=0).min() >= -ROUNDING * w.max()
    assert surface.local(k, times[:, None]).durrleman.min() >= 0


def test_a_thousand_perturbed_chains_have_none() -> None:
    """Noise of many spreads, drawn anew each time."""
    quotes = make_quotes(make_surface(), strikes=9)
    rng = np.random.Generator(np.random.Philox(5))
    previous = None
    for i in range(1_000):
        size = np.exp(rng.uniform(-4, 0))
        mid = quotes.mid * np.exp(size * rng.standard_normal(len(quotes)))
        half = mid * np.exp(rng.uniform(-7, -1, len(quotes)))
        noisy = Quotes.of(quotes.years, quotes.strike, quotes.forward, mid - half, mid + half)
        surface = fit_surface(noisy, previous if i % 2 else None).surface
        assert surface.faults() == ()
        assert surface.least_g().min() >= 0
        if i % 50 == 0:
            assert_no_arbitrage(surface)
        previous = surface


quote = st.tuples(
    st.sampled_from([1 / 365, 2 / 365, 0.02, 0.1, 0.5, 2.0]),
    st.floats(-9.9, 9.9),
    st.floats(0.01, 5.0),
    st.floats(0.0, 0.9),
)


@settings(max_examples=150)
@given(st.lists(quote, min_size=1, max_size=40))
def test_any_quotes_at_all_give_a_surface_without(rows: list[tuple[float, ...]]) -> None:
    years, z, mid, width = np.array(rows).T
    k = z * mid * np.sqrt(years)
    quotes = Quotes.of(years, np.exp(k), 1.0, mid * (1 - width), mid * (1 + width))
    assert_no_arbitrage(fit_surface(quotes).surface)
