"""What holds for every hedge band."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.quant import bands
from keeper.quant.bands import local

RULES = (bands.hodges_neuberger, bands.zakamouline, bands.whalley_wilmott)
spots = st.floats(40.0, 250.0)
years = st.floats(1e-4, 2.0)
volatilities = st.floats(0.1, 2.0)
quantities = st.floats(-50.0, 50.0)
options = st.tuples(spots, years, volatilities, quantities)
costs = st.floats(1e-5, 0.05)
aversions = st.floats(1e-3, 10.0)
fixed = st.floats(0.0, 50.0)
Option = tuple[float, float, float, float]


def exposed(option: Option) -> bands.Exposure:
    spot, t, v, n = option
    return bands.Exposure.of_options(spot, 100.0, t, v, n)


@given(options, costs, aversions, fixed)
def test_edges_are_ordered_and_finite(
    option: Option, cost: float, aversion: float, gas: float
) -> None:
    exposure = exposed(option)
    for rule in RULES:
        band = rule(exposure, bands.Terms(cost, aversion, gas))
        edges = [band.lower, band.lower_target, band.upper_target, band.upper]
        assert np.all(np.isfinite(edges))
        assert np.all(np.diff(edges) >= -1e-12)


@given(options, costs, aversions, st.floats(0.1, 50.0))
def test_a_fixed_cost_moves_triggers_apart_and_targets_together(
    option: Option, cost: float, aversion: float, gas: float
) -> None:
    exposure = exposed(option)
    for rule in RULES:
        free = rule(exposure, bands.Terms(cost, aversion))
        paid = rule(exposure, bands.Terms(cost, aversion, gas))
        width = free.upper - free.lower
        slack = 1e-9 * (1 + abs(free.upper))
        assert paid.upper - paid.lower >= width - slack
        assert paid.upper_target - paid.lower_target <= width + slack


@given(options, costs, aversions, st.floats(-60.0, 60.0))
def test_after_a_trade_there_is_nothing_to_trade(
    option: Option, cost: float, aversion: float, held: float
) -> None:
    exposure = exposed(option)
    band = bands.hodges_neuberger(exposure, bands.Terms(cost, aversion, 1.0))
    moved = held + float(band.trade(held))
    assert abs(float(band.trade(moved))) <= 1e-12 * (1 + abs(moved))


@given(spots, years, volatilities, costs, aversions)
def test_the_band_of_many_options_is_that_of_one_at_the_aversion_of_many(
    spot: float, t: float, v: float, cost: float, aversion: float
) -> None:
    """Exponential utility knows only aversion x size."""
    one = bands.Exposure.of_options(spot, 100.0, t, v, -1.0)
    many = bands.Exposure.of_options(spot, 100.0, t, v, -20.0)
    for rule in RULES:
        alone = rule(one, bands.Terms(cost, aversion))
        together = rule(many, bands.Terms(cost, aversion / 20))
        assert together.lower == pytest.approx(20 * alone.lower, rel=1e-9, abs=1e-9)
        assert together.upper == pytest.approx(20 * alone.upper, rel=1e-9, abs=1e-9)


@given(options, costs, aversions)
def test_the_unit_of_account_changes_nothing(option: Option, cost: float, aversion: float) -> None:
    spot, t, v, n = option
    for rule in RULES:
        dollars = rule(exposed(option), bands.Terms(cost, aversion, 2.0))
        cents = rule(
            bands.Exposure.of_options(100 * spot, 1e4, t, v, n),
            bands.Terms(cost, aversion / 100, 200.0),
        )
        assert cents.upper == pytest.approx(dollars.upper, rel=1e-9, abs=1e-9)
        assert cents.lower_target == pytest.approx(dollars.lower_target, rel=1e-9, abs=1e-9)


@given(st.floats(1.0, 1e4), st.floats(1e-6, 10.0), costs, aversions, st.floats(0.0, 1e3))
def test_the_local_edges_solve_their_equations(
    spot: float, gamma: float, cost: float, aversion: float, gas: float
) -> None:
    outer, inner = local.edges(spot, gamma, cost, aversion, gas)
    unit = gamma * gamma / aversion
    assert outer >= inner >= 0
    assert inner * outer * (inner + outer) == pytest.approx(3 * unit * cost * spot, rel=1e-6)
    if gas > 1e-3:
        assert (outer - inner) ** 3 * (outer + inner) == pytest.approx(12 * unit * gas, rel=1e-6)


@given(st.floats(1.0, 1e4), st.floats(1e-6, 10.0), aversions, st.floats(1e-3, 1e3))
def test_with_a_fixed_cost_alone_the_target_is_the_delta(
    spot: float, gamma: float, aversion: float, gas: float
) -> None:
    """Altarovici, Muhle-Karbe and Soner (2015): half width (12 gamma^2 fixed / aversion)^(1/4)."""
    outer, inner = local.edges(spot, gamma, 0.0, aversion, gas)
    assert inner == pytest.approx(0.0, abs=1e-6 * outer)
    assert outer == pytest.approx(math.sqrt(math.sqrt(12 * gamma**2 * gas / aversion)))
