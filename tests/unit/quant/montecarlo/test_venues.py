"""What the venues do to a position, against the same rules written out for one path at a time."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.special import ndtr  # type: ignore[import-untyped]

from keeper.quant.montecarlo import (
    Gbm,
    Hedge,
    Lending,
    Option,
    Perpetual,
    Portfolio,
    Rule,
    Run,
    simulate,
)
from tests.unit.quant.montecarlo.references import black_call

STEPS, YEARS, SPOT = 10, 0.5, 100.0
DT = YEARS / STEPS


@dataclass(slots=True)
class Walk:
    """One path of a price that grows by the same factor each step."""

    pnl: float
    costs: float
    funding: float
    liquidated: bool
    trades: int


def walked(growth: float, perpetual: Perpetual, call: Option, hedge: Hedge) -> Walk:
    """Hedge, let the price move, pay funding, and see whether the venue closes the whole of the position."""
    price, held, base, gain, carried, costs, trades = SPOT, 0.0, perpetual.units, 0.0, 0.0, 0.0, 0
    funding, alive = 0.0, True
    for step in range(STEPS):
        if alive:
            deviation = hedge.volatility * math.sqrt(YEARS - step * DT)
            d1 = math.log(price / call.strike) / deviation + deviation / 2
            wanted = -call.quantity * float(ndtr(d1))
            if wanted != held:
                costs += hedge.cost_rate * price * abs(wanted - held) + hedge.fixed_cost
                trades += 1
            held = wanted
        after = price * growth
        gain += (held + base) * (after - price)
        funding -= (held + base) * price * float(np.asarray(perpetual.funding_per_year)) * DT
        price = after
        value = abs(held + base) * price
        equity = perpetual.margin + gain + funding - costs
        if alive and equity < perpetual.maintenance * value:
            costs += perpetual.liquidation_fee * value
            # What is gone beyond the margin is not the vault's.
            carried += max(0.0, perpetual.liquidation_fee * value - equity)
            held, base, alive = 0.0, 0.0, False
    start = black_call(SPOT, call.strike, YEARS, hedge.volatility)
    options = call.quantity * (max(price - call.strike, 0.0) - start)
    return Walk(options + gain + funding - costs + carried, costs, funding, not alive, trades)


def test_a_hedged_perpetual_is_closed_when_its_equity_is_gone_and_trades_no_more() -> None:
    """Funding and costs count against the margin, hedge and position are one; 400 venues and books."""
    g = np.random.default_rng(17)
    closed = early = 0
    for _ in range(400):
        growth = float(np.exp(g.uniform(-0.05, 0.05)))
        perpetual = Perpetual(
            float(g.uniform(-2, 2)),
            margin=float(g.uniform(2, 40)),
            maintenance=float(g.uniform(0, 0.1)),
            liquidation_fee=float(g.uniform(0, 0.1)),
            funding_per_year=float(g.uniform(-1, 1)),
        )
        call = Option(float(g.uniform(80, 120)), YEARS, float(g.uniform(-2, 2)))
        hedge = Hedge(
            Rule.NEUTRAL,
            0.6,
            cost_rate=float(g.uniform(0, 0.02)),
            fixed_cost=float(g.uniform(0, 1)),
        )
        model = Gbm(0.0, drift=math.log(growth) / DT)
        held = Portfolio((call,), perpetual, hedge=hedge)
        done = simulate(model, held, SPOT, Run(1, STEPS, YEARS))
        expected = walked(growth, perpetual, call, hedge)
        assert bool(done.perpetual_liquidated[0]) is expected.liquidated
        assert float(done.pnl[0]) == pytest.approx(expected.pnl, rel=1e-9, abs=1e-9)
        assert float(done.costs[0]) == pytest.approx(expected.costs, rel=1e-9)
        assert float(done.funding[0]) == pytest.approx(expected.funding, rel=1e-9, abs=1e-12)
        assert int(done.trades[0]) == expected.trades
        closed += expected.liquidated
        early += expected.liquidated and expected.trades < STEPS
    assert 100 < closed < 300
    assert early > 50


def test_a_fee_above_the_maintenance_takes_nothing_before_the_position_is_closed() -> None:
    perpetual = Perpetual(-1.0, margin=30.0, maintenance=0.01, liquidation_fee=0.05)
    up = Gbm(0.0, drift=math.log(1.25))
    done = simulate(up, Portfolio(perpetual=perpetual), SPOT, Run(1, 1, 1.0))
    assert not done.perpetual_liquidated[0]
    assert float(done.pnl[0]) == pytest.approx(-25.0)


def borrowed(growth: float, lending: Lending, steps: int) -> tuple[float, float, bool]:
    """(gain, bonus seized, liquidated) of one path, by Aave's rules."""
    collateral, debt, price, seized, hit = lending.collateral, lending.debt, SPOT, 0.0, False
    for _ in range(steps):
        price *= growth
        collateral *= math.exp(lending.supply_rate * DT)
        debt *= math.exp(lending.borrow_rate * DT)
        if debt <= 0.0:
            continue
        health = collateral * price * lending.threshold / debt
        if health < 1.0:
            part = 1.0 if health < lending.full_close_health else lending.close_factor
            repaid = min(part * debt, collateral * price / (1 + lending.bonus))
            collateral -= repaid * (1 + lending.bonus) / price
            debt -= repaid
            seized += lending.bonus * repaid
            hit = hit or repaid > 0.0
    left = collateral * price - debt
    left = max(left, 0.0) if hit else left
    return left - (lending.collateral * SPOT - lending.debt), seized, hit


def test_a_borrower_is_liquidated_as_often_and_as_far_as_the_rules_say() -> None:
    """400 loans near their threshold, falling and rising; some end beyond their collateral."""
    g = np.random.default_rng(18)
    hits = beyond = 0
    for _ in range(400):
        growth = float(np.exp(g.uniform(-0.12, 0.02)))
        lending = Lending(
            10.0,
            float(g.uniform(500, 820)),
            threshold=float(g.uniform(0.82, 0.9)),
            close_factor=float(g.uniform(0.2, 0.8)),
            full_close_health=float(g.uniform(0.85, 0.99)),
            bonus=float(g.uniform(0, 0.15)),
            supply_rate=float(g.uniform(0, 0.1)),
            borrow_rate=float(g.uniform(0, 0.5)),
        )
        model = Gbm(0.0, drift=math.log(growth) / DT)
        done = simulate(model, Portfolio(lending=lending), SPOT, Run(1, STEPS, YEARS))
        gain, seized, hit = borrowed(growth, lending, STEPS)
        assert bool(done.lending_liquidated[0]) is hit
        assert float(done.pnl[0]) == pytest.approx(gain, rel=1e-9, abs=1e-8)
        assert float(done.seized[0]) == pytest.approx(seized, rel=1e-9, abs=1e-9)
        hits += hit
        beyond += hit and gain <= -(1_000.0 - lending.debt) + 1e-9
    assert hits > 150
    assert beyond > 5


def test_a_loan_that_nobody_liquidates_is_owed_beyond_its_collateral() -> None:
    """Between looks the price can only be owed for: with the threshold at all of the value health just holds."""
    lending = Lending(10.0, 0.0, borrow_rate=0.0)
    fall = Gbm(0.0, drift=math.log(0.5) / YEARS)
    done = simulate(fall, Portfolio(lending=lending), SPOT, Run(1, STEPS, YEARS))
    assert not done.lending_liquidated[0]
    assert float(done.pnl[0]) == pytest.approx(-500.0)
