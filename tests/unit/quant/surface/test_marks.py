"""On-chain marks: the float formula against the contract's integers, and marks the oracle takes."""

from math import isqrt

import mpmath  # type: ignore[import-untyped]
import numpy as np
import pytest

from keeper.errors import QuantityError
from keeper.quant.surface import Mark, MarkSurface, Surface, marks_of
from tests.unit.quant.surface.chains import make_surface

DAY = 86_400
Q80 = 1 << 80
TENORS = (DAY, 7 * DAY, 30 * DAY, 180 * DAY)
MARKS = (
    Mark(650_000, -500, 9_000),
    Mark(640_000, -900, 8_500),
    Mark(680_000, 0, 8_000),
    Mark(700_000, 700, 6_000),
)


def contract_variance(mark: Mark, tenor: int, k_q80: int) -> int:
    """VolatilitySmile.varianceOf, line by line, in integers; division cuts towards zero."""
    theta = mark.level_ppm**2 * tenor
    root_q64 = isqrt((theta << 128) // (10**12 * 365 * DAY))

    def cut(a: int, b: int) -> int:
        return abs(a) // b * (1 if a >= 0 else -1)

    x = cut(k_q80 * (mark.convexity_bps << 64), root_q64 * 10_000)
    rho_x = cut(x * mark.skew_bps, 10_000)
    square = x * x + (2 * rho_x + Q80) * Q80
    return theta * ((Q80 + rho_x + isqrt(square)) // 2)


def contract_volatility(surface: MarkSurface, k_q80: int, time: int) -> float:
    """VolatilitySurface.volatilityWadDown, in integers."""
    tenors, i = surface.tenors_s, 0
    while tenors[i] < time:
        i += 1
    variance = contract_variance(surface.marks[i], tenors[i], k_q80)
    if i == 0 or tenors[i] == time:
        over = tenors[i]
    else:
        before = contract_variance(surface.marks[i - 1], tenors[i - 1], k_q80)
        variance = before * (tenors[i] - time) + variance * (time - tenors[i - 1])
        over = time * (tenors[i] - tenors[i - 1])
    return isqrt(variance * 10**24 // (over << 80)) / 1e18


@pytest.mark.parametrize(
    "seconds", [1, 3_600, DAY, DAY + 1, 3 * DAY, 30 * DAY, 100 * DAY, 180 * DAY]
)
@pytest.mark.parametrize("ratio", [0.3, 0.9, 1.0, 1.001, 1.5, 4.0])
def test_is_the_contracts_volatility(seconds: int, ratio: float) -> None:
    surface = MarkSurface(TENORS, MARKS)
    with mpmath.workdps(60):
        k = mpmath.log(mpmath.mpf(ratio))
        expected = contract_volatility(surface, int(k * Q80), seconds)
    assert float(surface.volatility(float(k), seconds)) == pytest.approx(expected, rel=2e-13)


def test_takes_arrays_of_strikes_and_times() -> None:
    surface = MarkSurface(TENORS, MARKS)
    k, t = np.linspace(-0.3, 0.3, 5), np.array([[3_600], [DAY], [50 * DAY]])
    together = surface.volatility(k, t)
    assert together.shape == (3, 5)
    one_by_one = [[float(surface.volatility(x, s)) for x in k] for s in t[:, 0]]
    assert together == pytest.approx(np.array(one_by_one), rel=1e-15)


@pytest.mark.parametrize("seconds", [0, -5, 181 * DAY, np.nan])
def test_refuses_times_the_contract_refuses(seconds: float) -> None:
    with pytest.raises(QuantityError, match="seconds"):
        MarkSurface(TENORS, MARKS).volatility(0.0, seconds)


def test_ordinary_marks_are_taken() -> None:
    assert MarkSurface(TENORS, MARKS).faults() == ()


@pytest.mark.parametrize(
    ("mark", "words"),
    [
        (Mark(650_000, 7_001, 9_000), "skew_bps"),
        (Mark(49_999, 0, 9_000), "level_ppm"),
        (Mark(650_000, 0, 499), "convexity_bps"),
        (Mark(650_000, 0, 20_001), "butterfly"),
        (Mark(650_000, 1, 20_000), "butterfly"),
    ],
)
def test_names_what_the_oracle_would_refuse_of_one_mark(mark: Mark, words: str) -> None:
    assert any(words in fault for fault in MarkSurface((DAY,), (mark,)).faults())


def test_marks_exactly_on_a_bound_are_judged_as_the_contract_does() -> None:
    """convexity^2 (1 + |rho|) may be 4; convexity sqrt(theta) (1 + |rho|) must stay under 4; theta may stand still."""
    assert MarkSurface((DAY,), (Mark(650_000, 0, 20_000),)).faults() == ()
    year = 365 * DAY
    assert MarkSurface((year,), (Mark(4_000_000, 0, 10_000),)).faults() != ()
    assert MarkSurface((year,), (Mark(4_000_000, 0, 9_999),)).faults() == ()
    still = MarkSurface((DAY, 4 * DAY), (Mark(800_000, 100, 9_000), Mark(400_000, 100, 9_000)))
    assert still.faults() == ()


@pytest.mark.parametrize("rho", [(0.65, -0.65), (-0.65, 0.65), (0.3, -0.6)])
def test_a_skew_that_must_give_way_moves_towards_the_tenor_before(rho: tuple[float, float]) -> None:
    """At the highest level only the skew can: between the two, and no nearer to the earlier than it must."""
    surface = Surface.of([10 / 365, 20 / 365], [3.9, 3.9], rho, [0.3, 0.3])
    first, second = marks_of(surface, (10 * DAY, 20 * DAY)).marks
    wanted = round(rho[1] * 10_000)
    low, high = sorted((first.skew_bps, wanted))
    assert low < second.skew_bps < high
    further = Mark(4_000_000, second.skew_bps + (5 if wanted > 0 else -5), second.convexity_bps)
    assert MarkSurface((10 * DAY, 20 * DAY), (first, further)).faults() != ()


@pytest.mark.parametrize(
    ("second", "rule"),
    [
        (Mark(240_000, 0, 9_000), 0),
        (Mark(650_000, -9_000, 9_000), 1),
        (Mark(650_000, 6_500, 9_000), 2),
        (Mark(260_000, 0, 12_000), 3),
    ],
)
def test_names_the_calendar_rule_that_is_broken(second: Mark, rule: int) -> None:
    pair = MarkSurface((DAY, 7 * DAY), (Mark(650_000, 0, 10_000), second))
    assert any(f"calendar arbitrage (rule {rule})" in fault for fault in pair.faults())


def test_a_fitted_surface_becomes_marks_that_are_taken_and_near() -> None:
    surface = make_surface()
    marks = marks_of(surface, TENORS)
    assert marks.faults() == ()
    z = np.linspace(-2, 2, 9)
    for tenor in TENORS:
        k = z * float(surface.volatility(0.0, tenor / (365 * DAY))) * np.sqrt(tenor / (365 * DAY))
        there = surface.volatility(k, tenor / (365 * DAY))
        assert marks.volatility(k, tenor) == pytest.approx(there, abs=1e-3)


def test_marks_of_a_surface_on_its_bounds_are_taken() -> None:
    """Equal theta phi and equal wings: every calendar condition binds, and rounding breaks some of them."""
    surface = Surface.of([0.01, 0.02, 0.04], [0.6, 0.6, 0.6], [0.3, 0.3, 0.3], [1.0, 2**-0.5, 0.5])
    tenors = tuple(round(t * 365 * DAY) for t in (0.01, 0.014, 0.02, 0.03, 0.04))
    assert marks_of(surface, tenors).faults() == ()


def test_marks_of_a_surface_beyond_the_oracles_bounds_come_within_them() -> None:
    surface = Surface.of([0.01, 0.1], [0.8, 0.7], [0.9, -0.85], [0.3, 0.4])
    assert marks_of(surface, (2 * DAY, 20 * DAY)).faults() == ()


@pytest.mark.parametrize(
    ("levels", "rhos"),
    [((0.8, 0.25), (0.0, 0.0)), ((2.0, 0.9), (0.0, 0.0)), ((2.0, 1.0), (0.6, -0.6))],
)
def test_marks_of_a_surface_whose_variance_falls_are_refused_and_not_lifted_to_fit(
    levels: tuple[float, float], rhos: tuple[float, float]
) -> None:
    """Lifted until the conditions hold, the second level would double."""
    falling = Surface.of([30 / 365, 60 / 365], levels, rhos, [0.8, 0.8])
    with pytest.raises(QuantityError, match="calendar arbitrage") as caught:
        marks_of(falling, (30 * DAY, 60 * DAY))
    assert (caught.value.field, caught.value.index) == ("surface", 1)


@pytest.mark.parametrize("rho", [(0.65, -0.65), (-0.65, 0.65), (0.3, -0.6)])
def test_a_level_is_lifted_by_a_tenth_at_most_and_then_the_skew_gives_way(
    rho: tuple[float, float],
) -> None:
    surface = Surface.of([10 / 365, 20 / 365], [2.0, 2.0], rho, [0.3, 0.3])
    marks = marks_of(surface, (10 * DAY, 20 * DAY))
    first, second = marks.marks
    assert marks.faults() == ()
    assert 2_000_000 < second.level_ppm <= 2_200_000
    low, high = sorted((first.skew_bps, round(rho[1] * 10_000)))
    assert low < second.skew_bps < high


@pytest.mark.parametrize(
    ("tenors", "marks"),
    [((), ()), ((DAY, DAY), MARKS[:2]), ((DAY,), MARKS[:2]), ((60,), MARKS[:1])],
)
def test_refuses_what_is_no_set_of_tenors(tenors: tuple[int, ...], marks: tuple[Mark, ...]) -> None:
    with pytest.raises(QuantityError):
        MarkSurface(tenors, marks)
