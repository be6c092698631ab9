"""Between and beyond the expiries, and what is refused."""

import numpy as np
import numpy.typing as npt
import pytest

from keeper.errors import QuantityError
from keeper.quant.surface import Surface
from tests.unit.quant.surface.chains import YEARS, make_surface


def test_gives_back_what_it_was_made_of() -> None:
    surface = make_surface()
    assert surface.level == pytest.approx(np.linspace(0.6, 0.7, 8))
    assert surface.rho == pytest.approx(np.linspace(-0.1, -0.3, 8))
    assert surface.convexity == pytest.approx(np.linspace(1.2, 0.9, 8))
    assert surface.volatility(0.0, YEARS) == pytest.approx(surface.level)
    assert surface.faults() == ()


def test_before_the_first_expiry_volatility_at_a_strike_is_that_of_the_first() -> None:
    surface, k = make_surface(), np.linspace(-0.2, 0.2, 9)
    first = surface.volatility(k, YEARS[0])
    assert surface.volatility(k, YEARS[0] / 7) == pytest.approx(first, rel=1e-13)
    assert np.array_equal(surface.volatility(k, 0.0), first)
    assert np.array_equal(surface.total_variance(k, 0.0), np.zeros(9))


def test_beyond_the_last_expiry_the_standardised_smile_stays() -> None:
    surface = make_surface()
    z, last = np.linspace(-2, 2, 9), YEARS[-1]
    at_last = surface.volatility(z * surface.level[-1] * np.sqrt(last), last)
    later = surface.volatility(z * surface.level[-1] * np.sqrt(3 * last), 3 * last)
    assert later == pytest.approx(at_last, rel=1e-12)


def test_far_beyond_the_last_expiry_wings_stop_at_lees_bound() -> None:
    surface = Surface.of([1.0], [3.0], [0.2], [1.1])
    for years in (2.0, 10.0, 1_000.0):
        theta, right, left = surface.smile_at(years)
        assert max(right, left) <= 4.0
        assert 0.5 * (right + left) * max(right, left) <= 4 * theta
        assert surface.local(np.linspace(-30, 30, 301), years).durrleman.min() >= 0


def test_is_continuous_at_the_expiries() -> None:
    surface, k = make_surface(), np.linspace(-1, 1, 21)
    for years in YEARS:
        at, before = surface.total_variance(k, years), surface.total_variance(k, years - 1e-12)
        assert before == pytest.approx(at, rel=1e-8)


def test_local_derivatives_are_those_of_total_variance() -> None:
    surface = make_surface()
    k, years = np.meshgrid(np.linspace(-0.5, 0.5, 7), [0.001, 0.05, 0.2, 1.5])
    local, h = surface.local(k, years), 1e-5

    def w(dk: float, dt: float) -> npt.NDArray[np.float64]:
        return surface.total_variance(k + dk, years + dt)

    assert local.slope == pytest.approx((w(h, 0) - w(-h, 0)) / (2 * h), rel=1e-5, abs=1e-7)
    second = (w(1e-4, 0) - 2 * w(0, 0) + w(-1e-4, 0)) / 1e-8
    assert local.curvature == pytest.approx(second, rel=1e-2, abs=1e-5)
    assert local.time_slope == pytest.approx((w(0, h) - w(0, -h)) / (2 * h), rel=1e-6)


def test_local_volatility_of_a_flat_surface_is_its_volatility() -> None:
    flat = Surface.of([0.1, 1.0], [0.5, 0.5], [0.0, 0.0], [1e-9, 1e-9 / np.sqrt(10)])
    assert flat.local(0.3, 0.4).volatility == pytest.approx(0.5, rel=1e-6)


def test_names_calendar_arbitrage_and_its_expiry() -> None:
    falling = Surface.of([0.1, 0.2], [0.9, 0.5], [0.0, 0.0], [0.8, 0.8])
    assert any("expiry 1" in fault and "calendar" in fault for fault in falling.faults())
    assert falling.calendar_gap()[0] < 0


def test_names_butterfly_arbitrage_where_g_is_negative() -> None:
    curved = Surface.of([0.1], [0.6], [0.9], [3.0])
    assert any("butterfly" in fault for fault in curved.faults())
    assert curved.least_g()[0] < 0


@pytest.mark.parametrize(
    ("theta", "right", "words"),
    [
        ([0.04], [0.404], "butterfly"),  # psi^2 = 4 theta at 0.4
        ([10.0], [4.04], "Lee"),
        ([0.04, 0.05], [0.1, 0.126], "psi / theta rises"),  # in proportion at 0.125
        ([0.04, 0.05], [0.1, 0.099], "falls"),
    ],
)
def test_each_condition_is_named_one_percent_beyond_its_bound(
    theta: list[float], right: list[float], words: str
) -> None:
    def faults(last: float) -> tuple[str, ...]:
        wings = np.array([*right[:-1], last])
        years = np.arange(1.0, len(theta) + 1.0)
        return Surface(years, np.array(theta), wings, wings).faults()

    back = 1.02 if words == "falls" else 0.98
    assert [words in fault for fault in faults(right[-1])] == [True]
    assert faults(right[-1] * back) == ()


def test_takes_integers_and_single_floats() -> None:
    surface = make_surface()
    assert surface.volatility(0, 1) == surface.volatility(0.0, 1.0)
    whole = surface.volatility(np.array([-1, 0, 1]), np.float32(0.5))
    assert np.array_equal(whole, surface.volatility([-1.0, 0.0, 1.0], 0.5))


@pytest.mark.parametrize(
    ("k", "years", "field"),
    [
        (0.0, -0.1, "years"),
        (np.nan, 0.1, "k"),
        (0.0, np.inf, "years"),
        ("a", 0.1, "k"),
        (True, 0.1, "k"),
        ([0.0, 0.1], [0.1, 0.2, 0.3], "k"),
    ],
)
def test_refuses_what_is_no_point(k: object, years: object, field: str) -> None:
    with pytest.raises(QuantityError) as caught:
        make_surface().volatility(k, years)  # type: ignore[arg-type]
    assert caught.value.field == field


def test_has_no_derivative_in_time_at_time_0() -> None:
    with pytest.raises(QuantityError, match="years"):
        make_surface().local(0.0, [0.1, 0.0])


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"years": [0.2, 0.1]}, "years"),
        ({"years": [0.0, 0.1]}, "years"),
        ({"level": [0.5, 0.0]}, "level"),
        ({"rho": [0.0, 1.0]}, "rho"),
        ({"convexity": [0.5, -1.0]}, "convexity"),
        ({"convexity": [0.5]}, "convexity"),
    ],
)
def test_refuses_numbers_that_make_no_smile(changed: dict[str, list[float]], field: str) -> None:
    good = {"years": [0.1, 0.2], "level": [0.5, 0.5], "rho": [0.0, 0.0], "convexity": [0.5, 0.5]}
    with pytest.raises(QuantityError) as caught:
        Surface.of(**{**good, **changed})
    assert caught.value.field == field
