"""The conditions and the starts of the solver, each by its definition."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.quant.surface import constraints, fit_report, fit_surface, start
from keeper.quant.surface.between import Smiles
from keeper.quant.surface.quotes import Fate, Quotes
from tests.unit.quant.surface.chains import make_surface

Floats = npt.NDArray[np.float64]
BOUND = start.max_log_ratio(0.7)


def slacks_of(y: Floats, bound: float = BOUND) -> tuple[Floats, float]:
    out = np.full(constraints.count(y.shape[0]), np.nan)
    return out, constraints.slacks(y, bound, out)


def random_y(seed: int, smiles: int = 3) -> Floats:
    return np.random.default_rng(seed).normal(-1.5, 0.7, (smiles, 3))


@pytest.mark.parametrize("seed", range(5))
def test_a_slack_is_the_logarithm_of_how_much_room_is_left(seed: int) -> None:
    y = random_y(seed)
    theta, right, left = np.exp(y).T
    psi = (right + left) / 2
    expected = []
    for t, r, s, p in zip(theta, right, left, psi, strict=True):
        rooms = (4 / r, 4 / s, 4 * t / (p * r), 4 * t / (p * s))
        expected += [math.log(room) for room in rooms]
        expected += [BOUND - math.log(r / s), BOUND + math.log(r / s)]
    for i in range(2):
        rises = (right[i + 1] / right[i], left[i + 1] / left[i])
        expected += [math.log(rise) for rise in rises]
        expected.append(math.log(psi[i] / theta[i] * theta[i + 1] / psi[i + 1]))
    found, least = slacks_of(y)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)
    assert least == found.min()


@pytest.mark.parametrize("seed", range(5))
def test_slopes_of_the_slacks_are_their_differences(seed: int) -> None:
    y, n, h = random_y(seed), 3, 1e-6
    of_smile, of_pair = np.empty((n, 6, 3)), np.empty((n - 1, 3, 6))
    constraints.gradients(y, of_smile, of_pair)
    whole = np.zeros((constraints.count(n), 3 * n))
    for i in range(n):
        whole[6 * i : 6 * i + 6, 3 * i : 3 * i + 3] = of_smile[i]
    for i in range(n - 1):
        rows = slice(6 * n + 3 * i, 6 * n + 3 * i + 3)
        whole[rows, 3 * i : 3 * i + 6] = of_pair[i]
    for j in range(3 * n):
        step = np.zeros((n, 3))
        step.flat[j] = h
        slope = (slacks_of(y + step)[0] - slacks_of(y - step)[0]) / (2 * h)
        np.testing.assert_allclose(whole[:, j], slope, rtol=0, atol=1e-8)


@pytest.mark.parametrize("smile", [0, 1, 2])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_number_that_is_none_leaves_no_slack(smile: int, number: int) -> None:
    """Wherever it stands: later slacks that are well must not cover it."""
    y = random_y(1)
    y[smile, number] = np.nan
    assert math.isnan(slacks_of(y)[1])


levels = st.lists(st.floats(0.01, 15.0), min_size=1, max_size=8)


@given(levels, st.integers(0, 2**31))
@settings(max_examples=60, deadline=None)
def test_a_cold_start_is_strictly_inside_whatever_is_quoted(given: list[float], seed: int) -> None:
    """Levels that fall from expiry to expiry, too: variance may not."""
    g = np.random.default_rng(seed)
    n = len(given)
    years = np.cumsum(g.uniform(1e-3, 0.5, n))
    k = g.normal(0, 0.3, 5 * n)
    volatility = np.repeat(given, 5) * np.exp(0.2 * g.standard_normal(5 * n))
    y = np.empty((n, 3))
    start.cold(k, volatility, np.arange(0, 5 * n + 1, 5), years, y)
    assert slacks_of(y)[1] > 0.0


def test_one_wrong_quote_at_the_money_does_not_make_the_level() -> None:
    k = np.array([-0.02, 0.001, 0.01, 0.03, 0.5])
    volatility = np.array([0.6, 3.0, 0.6, 0.6, 2.0])
    y = np.empty((1, 3))
    start.cold(k, volatility, np.array([0, 5]), np.array([0.25]), y)
    assert math.sqrt(math.exp(y[0, 0]) / 0.25) == pytest.approx(0.6)


@given(st.floats(-0.95, 0.95), st.floats(0.05, 4.0), st.floats(0.01, 1.0), st.integers(1, 6))
@settings(max_examples=100, deadline=None)
def test_a_warm_start_is_strictly_inside_from_any_surface_on_its_bounds(
    rho: float, steep: float, convexity: float, count: int
) -> None:
    """Equal wings at every expiry, the steepest at Lee's bound, theta at the butterfly's or at a standstill."""
    right, left = 1 + rho, 1 - rho
    top = max(right, left)
    right, left = right / top * steep, left / top * steep
    psi = (right + left) / 2
    least = psi * max(right, left) / 4
    theta = np.full(count, least / convexity)
    years = np.arange(1.0, count + 1.0)
    y = np.empty((count, 3))
    smiles = Smiles(years, theta, np.full(count, right), np.full(count, left))
    start.warm(smiles, years, BOUND, y)
    assert slacks_of(y)[1] > 0.0


def test_every_figure_of_a_report_is_its_definition() -> None:
    """A noisy chain with some quotes dropped, recomputed quote by quote."""
    g, true = np.random.default_rng(6), make_surface()
    years = np.repeat(true.years, 17)
    k = np.tile(np.linspace(-3, 3, 17), 8) * np.sqrt(np.repeat(true.theta, 17))
    mid = true.volatility(k, years) + 0.004 * g.standard_normal(k.size)
    ask = mid + 0.004
    ask[[3, 40, 41]] = np.nan
    quotes = Quotes.of(years, np.exp(k), 1.0, mid - 0.004, ask)
    fit = fit_surface(quotes)
    report, surface = fit_report(fit), fit.surface
    kept = fit.fate == Fate.KEPT
    model = surface.volatility(quotes.k, quotes.years)
    away = model - (quotes.bid + quotes.ask) / 2
    inside = (model >= quotes.bid) & (model <= quotes.ask)
    gaps = surface.calendar_gap()
    assert report.quotes == kept.sum() == sum(e.quotes for e in report.expiries)
    for i, expiry in enumerate(report.expiries):
        here = quotes.years == surface.years[i]
        core = here & kept & (np.abs(quotes.k) <= 2 * np.sqrt(surface.theta[i]))
        assert 0 < core.sum() < (here & kept).sum()
        assert (expiry.quotes, expiry.dropped) == ((here & kept).sum(), (here & ~kept).sum())
        assert expiry.rms == pytest.approx(np.sqrt(np.mean(away[here & kept] ** 2)))
        assert expiry.rms_core == pytest.approx(np.sqrt(np.mean(away[core] ** 2)))
        worst = away[here & kept][np.argmax(np.abs(away[here & kept]))]
        assert expiry.worst == pytest.approx(worst)
        assert expiry.inside == pytest.approx(inside[here & kept].mean())
        assert expiry.calendar_gap == (None if i == 0 else pytest.approx(float(gaps[i - 1])))
    assert 0.0 < report.inside < 1.0
    assert report.inside == pytest.approx(inside[kept].mean())
