"""What holds for every simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.quant.montecarlo import (
    Gbm,
    Hedge,
    Lending,
    Option,
    Perpetual,
    Portfolio,
    Rule,
    Run,
    Sampling,
    simulate,
)
from keeper.quant.montecarlo.quasi import bridge_order, bridged_normals

RUN = Run(64, 12, 0.25, seed=5)
volatilities = st.floats(0.05, 2.0)
quantities = st.floats(-10.0, 10.0)
rates = st.floats(0.0, 0.01)


def make(quantity: float, rate: float, scale: float = 1.0) -> Portfolio:
    return Portfolio(
        options=(Option(105.0, 0.25, scale * quantity), Option(90.0, 0.5, -scale * quantity, -1)),
        perpetual=Perpetual(scale * 0.3, funding_per_year=0.2),
        lending=Lending(scale * 5.0, scale * 350.0),
        hedge=Hedge(Rule.NEUTRAL, 0.6, cost_rate=rate),
    )


@settings(max_examples=25)
@given(volatilities, quantities, rates, st.floats(0.1, 20.0))
def test_twice_the_portfolio_gains_twice_as_much(
    volatility: float, quantity: float, rate: float, scale: float
) -> None:
    one = simulate(Gbm(volatility), make(quantity, rate), 100.0, RUN)
    many = simulate(Gbm(volatility), make(quantity, rate, scale), 100.0, RUN)
    np.testing.assert_allclose(many.pnl, scale * one.pnl, rtol=1e-9, atol=1e-8 * scale)
    np.testing.assert_array_equal(many.lending_liquidated, one.lending_liquidated)


@settings(max_examples=25)
@given(volatilities, quantities, rates)
def test_costs_take_exactly_what_they_say(volatility: float, quantity: float, rate: float) -> None:
    free = simulate(Gbm(volatility), make(quantity, 0.0), 100.0, RUN)
    paid = simulate(Gbm(volatility), make(quantity, rate), 100.0, RUN)
    assert np.all(paid.costs >= 0)
    np.testing.assert_allclose(paid.pnl, free.pnl - paid.costs, rtol=1e-9, atol=1e-8)
    np.testing.assert_array_equal(paid.hedging_error, free.hedging_error)


@settings(max_examples=25)
@given(volatilities, st.floats(0.1, 60.0), st.floats(-3.0, 3.0))
def test_a_margined_perpetual_loses_its_margin_at_most(
    volatility: float, margin: float, units: float
) -> None:
    perpetual = Perpetual(units, margin=margin, maintenance=0.05, liquidation_fee=0.02)
    outcome = simulate(Gbm(volatility), Portfolio(perpetual=perpetual), 100.0, RUN)
    lost = outcome.pnl[outcome.perpetual_liquidated]
    assert np.all(lost >= -margin * (1 + 1e-12))


@settings(max_examples=25)
@given(volatilities, st.floats(0.0, 450.0))
def test_a_borrower_loses_its_equity_at_most(volatility: float, debt: float) -> None:
    held = Portfolio(lending=Lending(5.0, debt))
    outcome = simulate(Gbm(volatility), held, 100.0, RUN)
    assert np.all(outcome.pnl[outcome.lending_liquidated] >= -(500.0 - debt) - 1e-9)
    assert np.all(outcome.seized[~outcome.lending_liquidated] == 0)


@given(st.integers(1, 200))
def test_a_bridge_visits_every_point_between_known_ones(steps: int) -> None:
    known = {0}
    for place, left, right in bridge_order(steps):
        assert left in known
        assert right in known or right == place
        assert place not in known
        known.add(place)
    assert known == set(range(steps + 1))


@settings(max_examples=10)
@given(st.integers(1, 40), st.integers(1, 2))
def test_bridged_increments_are_independent_standard_normals(steps: int, factors: int) -> None:
    normals = bridged_normals(4_096, steps, factors, 2, 7).reshape(steps * factors, -1)
    covariance = normals @ normals.T / normals.shape[1]
    np.testing.assert_allclose(covariance, np.eye(steps * factors), atol=0.12)
    assert normals.mean() == pytest.approx(0.0, abs=0.01)


@settings(max_examples=10)
@given(volatilities, st.integers(0, 2**40))
def test_antithetic_pairs_multiply_to_a_constant(volatility: float, seed: int) -> None:
    """Mirrored Brownian paths end at spots whose product is known."""
    run = Run(64, 12, 0.25, seed=seed, sampling=Sampling.ANTITHETIC)
    spot = simulate(Gbm(volatility), Portfolio(), 1.0, run).spot
    np.testing.assert_allclose(spot[::2] * spot[1::2], np.exp(-(volatility**2) * 0.25), rtol=1e-10)
