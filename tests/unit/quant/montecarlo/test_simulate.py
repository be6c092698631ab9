"""Simulations against closed forms, other implementations and themselves."""

import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from keeper.errors import QuantityError
from keeper.quant.montecarlo import (
    Bootstrap,
    Gbm,
    Hedge,
    Heston,
    Jumps,
    Lending,
    Option,
    Perpetual,
    Portfolio,
    Rule,
    Run,
    Sampling,
    simulate,
)
from keeper.quant.montecarlo.random import LANES, draw_normals
from tests.unit.quant.montecarlo import references

JUMPS = Jumps(per_year=6.0, mean=-0.08, deviation=0.12)
HESTON = Heston(variance=0.36, kappa=2.5, theta=0.3, vol_of_vol=1.1, rho=-0.6)
BATES = Heston(0.36, 2.5, 0.3, 1.1, -0.6, jumps=JUMPS)
CALL = Portfolio(options=(Option(110.0, 0.25, 1.0),), hedge=Hedge(Rule.NEVER, volatility=0.6))
HISTORY = np.random.default_rng(3).standard_t(4, 2_000) * 0.006


def price_of(outcome: Any, strike: float = 110.0) -> tuple[float, float]:
    mean, error = outcome.mean(np.maximum(outcome.spot - strike, 0.0))
    return mean, error


def test_hedged_gbm_errs_by_nothing_on_average_and_by_the_known_deviation() -> None:
    """Kamal and Derman (1999): sqrt(pi / 4 / steps) x vega x volatility."""
    held = Portfolio(options=(Option(100.0, 0.25, -1.0),), hedge=Hedge(volatility=0.6))
    outcome = simulate(Gbm(0.6), held, 100.0, Run(40_000, 500, 0.25, seed=1))
    mean, error = outcome.mean(outcome.hedging_error)
    assert abs(mean) < 3.5 * error
    vega = 100 * math.sqrt(0.25) * math.exp(-(0.15**2) / 2) / math.sqrt(2 * math.pi)
    expected = math.sqrt(math.pi / 4 / 500) * vega * 0.6
    assert outcome.hedging_error.std() == pytest.approx(expected, rel=0.03)


def test_heston_prices_are_the_integrals() -> None:
    outcome = simulate(
        HESTON, CALL, 100.0, Run(60_000, 50, 0.25, seed=2, sampling=Sampling.ANTITHETIC)
    )
    mean, error = price_of(outcome)
    exact = references.heston_call(100.0, 110.0, 0.25, HESTON)
    # A fiftieth of an error in volatility is the scheme's own at this step.
    assert abs(mean - exact) < 3.5 * error + 0.004 * exact
    spot, spot_error = outcome.mean(outcome.spot)
    assert abs(spot - 100.0) < 3.5 * spot_error


def test_merton_prices_are_the_series() -> None:
    model = Gbm(0.5, jumps=JUMPS)
    outcome = simulate(model, CALL, 100.0, Run(60_000, 20, 0.25, seed=3))
    mean, error = price_of(outcome)
    assert abs(mean - references.merton_call(100.0, 110.0, 0.25, 0.5, JUMPS)) < 3.5 * error


def test_bates_prices_are_the_integrals() -> None:
    outcome = simulate(BATES, CALL, 100.0, Run(60_000, 50, 0.25, seed=4))
    mean, error = price_of(outcome)
    exact = references.heston_call(100.0, 110.0, 0.25, BATES)
    assert abs(mean - exact) < 3.5 * error + 0.004 * exact


def test_variance_that_often_touches_zero_keeps_the_price_a_martingale() -> None:
    """Andersen's hard case: 2 kappa theta far below vol_of_vol^2, where the exponential branch works."""
    hard = Heston(variance=0.04, kappa=0.5, theta=0.04, vol_of_vol=1.0, rho=-0.9)
    outcome = simulate(hard, Portfolio(), 100.0, Run(60_000, 40, 1.0, seed=5))
    mean, error = outcome.mean(outcome.spot)
    assert abs(mean - 100.0) < 3.5 * error
    call, call_error = outcome.mean(np.maximum(outcome.spot - 100.0, 0.0))
    exact = references.heston_call(100.0, 100.0, 1.0, hard)
    assert abs(call - exact) < 3.5 * call_error + 0.02 * exact


def test_the_martingale_correction_holds_at_long_steps() -> None:
    """Four steps a year of a hard model: the plain scheme would miss by many standard errors."""
    hard = Heston(variance=0.09, kappa=0.5, theta=0.09, vol_of_vol=1.0, rho=-0.9)
    run = Run(262_144, 4, 1.0, seed=14, sampling=Sampling.SOBOL)
    outcome = simulate(hard, Portfolio(), 100.0, run)
    mean, error = outcome.mean(outcome.spot)
    assert error < 0.005
    assert abs(mean - 100.0) < 4 * error


@pytest.mark.parametrize("fixed", [False, True])
def test_a_bootstrap_keeps_the_moments(fixed: bool) -> None:
    """Mean and variance of a step are the history's; so is the covariance of steps inside a block."""
    waves = HISTORY + 0.01 * np.sin(np.arange(HISTORY.size) / 3.0)
    steps = 24
    model = Bootstrap(waves, block=12, fixed=fixed)
    outcome = simulate(model, Portfolio(), 1.0, Run(60_000, steps, 0.1, seed=6))
    logs = np.log(outcome.spot)
    mean, error = outcome.mean(logs)
    assert abs(mean - steps * waves.mean()) < 3.5 * error
    # Politis and Romano: the chance that two steps lie in one block, times the circular autocovariance.
    centred = waves - waves.mean()
    cov = np.array([np.mean(centred * np.roll(centred, k)) for k in range(steps)])
    if fixed:
        variance = 2 * (12 * cov[0] + 2 * sum((12 - k) * cov[k] for k in range(1, 12)))
    else:
        stay = (1 - 1 / 12) ** np.arange(steps)
        variance = steps * cov[0] + 2 * sum((steps - k) * stay[k] * cov[k] for k in range(1, steps))
    assert logs.var() == pytest.approx(variance, rel=0.03)


def test_a_bootstrap_can_be_given_a_drift() -> None:
    outcome = simulate(Bootstrap(HISTORY, 10, drift=0.0), Portfolio(), 100.0, Run(60_000, 24, 0.1))
    mean, error = outcome.mean(outcome.spot)
    assert abs(mean - 100.0) < 3.5 * error


@pytest.mark.parametrize(
    "hedge",
    [
        Hedge(Rule.NEUTRAL, 0.6, every=3, cost_rate=0.002, fixed_cost=0.01),
        Hedge(Rule.BAND, 0.6, cost_rate=0.002, half_width=0.07),
        Hedge(Rule.WHALLEY_WILMOTT, 0.6, cost_rate=0.002, aversion=0.3, fixed_cost=0.02),
    ],
)
def test_hedging_is_what_another_implementation_does_on_the_same_paths(hedge: Hedge) -> None:
    steps, years = 40, 0.2
    legs = [(105.0, 0.2, -2.0, 1), (90.0, 0.1, 1.5, -1), (100.0, 0.3, -1.0, 1)]
    held = Portfolio(tuple(Option(k, t, n, s) for k, t, n, s in legs), hedge=hedge)
    outcome = simulate(Gbm(0.7, drift=0.1), held, 100.0, Run(LANES, steps, years, seed=9))
    work = np.empty(2 * LANES)
    logs = np.zeros((steps + 1, LANES))
    for step in range(steps):
        if step % 2 == 0:
            draw_normals(work, 0, 1, 9, 0, step, 0, 0)
        normal = work[(step % 2) * LANES :][:LANES]
        dt = years / steps
        logs[step + 1] = logs[step] + (0.1 - 0.245) * dt + 0.7 * math.sqrt(dt) * normal
    other = references.hedged(logs, 100.0, legs, years, hedge)
    np.testing.assert_allclose(outcome.spot, other["spot"], rtol=1e-12)
    np.testing.assert_allclose(outcome.costs, other["costs"], rtol=1e-10)
    np.testing.assert_array_equal(outcome.trades, other["trades"])
    first = sum(
        n * (references.black_call(100.0, k, t, 0.6) - (0 if s > 0 else 100.0 - k))
        for k, t, n, s in legs
    )
    left = np.array([-references.black_call(p, 100.0, 0.1, 0.6) for p in other["spot"]])
    error = other["payoff"] + left - first + other["gain"]
    np.testing.assert_allclose(outcome.hedging_error, error, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(outcome.pnl, error - other["costs"], rtol=1e-9, atol=1e-9)


def test_funding_is_paid_by_the_long_side_on_the_price_before_the_step() -> None:
    funding = np.array([0.1, -0.2, 0.3, 0.0])
    held = Portfolio(perpetual=Perpetual(units=2.0, funding_per_year=funding))
    outcome = simulate(Gbm(0.0, drift=math.log(1.1) * 4), held, 100.0, Run(3, 4, 1.0))
    prices = 100.0 * 1.1 ** np.arange(4)
    np.testing.assert_allclose(outcome.funding, -np.sum(2.0 * prices * funding / 4))
    np.testing.assert_allclose(outcome.pnl, 2 * (146.41 - 100) + outcome.funding)


def test_lending_is_liquidated_by_the_venues_rules() -> None:
    """Falling 4 % a step: close factor until health is under 0.95, bonus each time, by hand."""
    lending = Lending(10.0, 720.0, threshold=0.8, bonus=0.05, borrow_rate=0.1, supply_rate=0.02)
    fall = math.log(0.96) * 8
    outcome = simulate(Gbm(0.0, drift=fall), Portfolio(lending=lending), 100.0, Run(5, 8, 1.0))
    collateral, debt, price, seized, times = 10.0, 720.0, 100.0, 0.0, 0
    for _ in range(8):
        price *= 0.96
        collateral *= math.exp(0.02 / 8)
        debt *= math.exp(0.1 / 8)
        health = collateral * price * 0.8 / debt
        if health < 1:
            repaid = min(debt * (0.5 if health >= 0.95 else 1.0), collateral * price / 1.05)
            collateral -= repaid * 1.05 / price
            debt -= repaid
            seized += 0.05 * repaid
            times += 1
    assert times >= 1
    np.testing.assert_allclose(outcome.seized, seized)
    np.testing.assert_allclose(outcome.pnl, collateral * price - debt - 280.0)
    assert np.all(outcome.lending_liquidated)


def test_debt_beyond_the_collateral_is_the_lenders_loss() -> None:
    crash = Gbm(0.0, drift=math.log(0.3))
    held = Portfolio(lending=Lending(10.0, 700.0))
    outcome = simulate(crash, held, 100.0, Run(2, 1, 1.0))
    np.testing.assert_allclose(outcome.pnl, -300.0)


def test_the_perpetual_is_liquidated_under_maintenance_and_loses_no_more_than_its_margin() -> None:
    perpetual = Perpetual(-1.0, margin=30.0, maintenance=0.05, liquidation_fee=0.01)
    held = Portfolio(perpetual=perpetual)
    up = math.log(1.2) * 4
    outcome = simulate(Gbm(0.0, drift=up), held, 100.0, Run(2, 4, 1.0))
    # 120: equity 10 >= 6. 144: equity -14: gone with the whole margin.
    np.testing.assert_allclose(outcome.pnl, -30.0)
    assert np.all(outcome.perpetual_liquidated)
    slow = simulate(Gbm(0.0, drift=math.log(1.25)), held, 100.0, Run(2, 1, 1.0))
    # 125: equity 5 < 6.25, closed for a fee of 1.25.
    np.testing.assert_allclose(slow.pnl, -26.25)


def test_sobol_and_antithetic_points_find_the_same_price_more_closely() -> None:
    errors = {}
    exact = references.black_call(100.0, 110.0, 0.25, 0.6)
    for sampling in Sampling:
        run = Run(16_384, 16, 0.25, seed=11, sampling=sampling)
        mean, error = price_of(simulate(Gbm(0.6), CALL, 100.0, run))
        assert abs(mean - exact) < 4 * error
        errors[sampling] = error
    assert errors[Sampling.ANTITHETIC] < 0.9 * errors[Sampling.PLAIN]
    assert errors[Sampling.SOBOL] < 0.1 * errors[Sampling.PLAIN]


def test_sobol_drives_both_factors_of_heston() -> None:
    run = Run(16_384, 16, 0.25, seed=12, sampling=Sampling.SOBOL)
    mean, error = price_of(simulate(HESTON, CALL, 100.0, run))
    plain = price_of(simulate(HESTON, CALL, 100.0, Run(200_000, 16, 0.25, seed=13)))
    assert abs(mean - plain[0]) < 4 * math.hypot(error, plain[1])


SCRIPT = """
import hashlib, numpy as np
from tests.unit.quant.montecarlo import test_simulate as t
held = t.Portfolio(
    options=(t.Option(105.0, 0.25, -1.0), t.Option(95.0, 0.5, -1.0, -1)),
    perpetual=t.Perpetual(0.2, margin=40.0, maintenance=0.05, liquidation_fee=0.01, funding_per_year=0.1),
    lending=t.Lending(2.0, 120.0),
    hedge=t.Hedge(t.Rule.WHALLEY_WILMOTT, 0.6, cost_rate=0.001, aversion=0.2),
)
digest = hashlib.sha256()
for model in (t.Gbm(0.6, jumps=t.JUMPS), t.BATES, t.Bootstrap(t.HISTORY, 12)):
    for sampling in (t.Sampling.PLAIN, t.Sampling.ANTITHETIC):
        done = t.simulate(model, held, 100.0, t.Run(3_002, 50, 0.25, seed=99, sampling=sampling))
        for values in (done.pnl, done.costs, done.spot, done.seized):
            digest.update(values.tobytes())
print(digest.hexdigest())
"""


def test_the_same_bits_for_any_number_of_threads() -> None:
    root = Path(__file__).resolve().parents[4]
    found = set()
    for threads in ("1", "2"):
        environment = {**os.environ, "NUMBA_NUM_THREADS": threads, "PYTHONPATH": str(root)}
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        found.add(done.stdout.strip())
    assert len(found) == 1


def test_a_path_does_not_depend_on_how_many_are_simulated() -> None:
    few = simulate(BATES, CALL, 100.0, Run(300, 10, 0.25, seed=8))
    many = simulate(BATES, CALL, 100.0, Run(1_000, 10, 0.25, seed=8))
    np.testing.assert_array_equal(few.spot, many.spot[:300])


RUN = Run(4, 4, 0.25)


@pytest.mark.parametrize(
    ("field", "model", "held", "run"),
    [
        ("paths", Gbm(0.5), CALL, Run(0, 4, 0.25)),
        ("paths", Gbm(0.5), CALL, Run(3, 4, 0.25, sampling=Sampling.ANTITHETIC)),
        ("steps", Gbm(0.5), CALL, Run(4, 0, 0.25)),
        ("years", Gbm(0.5), CALL, Run(4, 4, math.nan)),
        ("seed", Gbm(0.5), CALL, Run(4, 4, 0.25, seed=-1)),
        ("replicates", Gbm(0.5), CALL, Run(4, 4, 0.25, sampling=Sampling.SOBOL, replicates=3)),
        ("steps", Gbm(0.5), CALL, Run(64, 30_000, 0.25, sampling=Sampling.SOBOL)),
        ("sampling", Bootstrap(HISTORY, 5), CALL, Run(64, 4, 0.25, sampling=Sampling.SOBOL)),
        ("model.volatility", Gbm(-0.5), CALL, RUN),
        ("model.rho", Heston(0.1, 1.0, 0.1, 0.5, -1.5), CALL, RUN),
        ("model.kappa", Heston(0.1, 0.0, 0.1, 0.5, 0.0), CALL, RUN),
        ("model.jumps.deviation", Gbm(0.5, jumps=Jumps(1.0, 0.0, -1.0)), CALL, RUN),
        ("jumps.per_year", Gbm(0.5, jumps=Jumps(1e3, 0.0, 0.1)), CALL, RUN),
        ("returns", Bootstrap(np.array([0.1, np.nan]), 1), CALL, RUN),
        ("model.block", Bootstrap(HISTORY, 0.5), CALL, RUN),
        ("options.strike", Gbm(0.5), Portfolio((Option(0.0, 0.25, 1.0),), hedge=CALL.hedge), RUN),
        ("options.sign", Gbm(0.5), Portfolio((Option(1.0, 0.25, 1.0, 0),), hedge=CALL.hedge), RUN),
        (
            "options.expiry_years",
            Gbm(0.5),
            Portfolio((Option(1.0, 0.2, 1.0),), hedge=CALL.hedge),
            RUN,
        ),
        ("hedge.volatility", Gbm(0.5), Portfolio(CALL.options), RUN),
        ("hedge.every", Gbm(0.5), Portfolio(hedge=Hedge(every=0)), RUN),
        ("hedge.cost_rate", Gbm(0.5), Portfolio(hedge=Hedge(cost_rate=-1.0)), RUN),
        ("perpetual.margin", Gbm(0.5), Portfolio(perpetual=Perpetual(margin=-1.0)), RUN),
        (
            "perpetual.funding_per_year",
            Gbm(0.5),
            Portfolio(perpetual=Perpetual(funding_per_year=[0.1, 0.2])),
            RUN,
        ),
        ("lending.threshold", Gbm(0.5), Portfolio(lending=Lending(1.0, 1.0, threshold=2.0)), RUN),
    ],
)
def test_a_bad_quantity_is_named(field: str, model: Any, held: Portfolio, run: Run) -> None:
    with pytest.raises(QuantityError) as caught:
        simulate(model, held, 100.0, run)
    assert caught.value.field == field


def test_a_bad_spot_is_named() -> None:
    with pytest.raises(QuantityError, match="spot"):
        simulate(Gbm(0.5), CALL, -1.0, RUN)


def test_only_one_number_per_path_is_averaged() -> None:
    outcome = simulate(Gbm(0.5), Portfolio(), 100.0, RUN)
    with pytest.raises(QuantityError, match="values"):
        outcome.mean(np.zeros(3))
