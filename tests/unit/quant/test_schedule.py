"""The schedule against its definition: nothing cheaper is near, and the limits are what they must be."""

from typing import Any

import mpmath as mp  # type: ignore[import-untyped]
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from keeper.errors import QuantityError
from keeper.quant.schedule import almgren_chriss

TERMS: dict[str, Any] = {
    "price": 2_000.0,
    "volatility": 0.8,
    "risk_aversion": 1e-6,
    "temporary_impact": 1e-4,
}
aversions = st.one_of(st.just(0.0), st.floats(1e-12, 1e4))


@given(st.floats(-1e6, 1e6), st.integers(1, 300), aversions)
def test_trades_sum_to_the_size_and_never_turn(size: float, slices: int, aversion: float) -> None:
    plan = almgren_chriss(size, 1 / 365, slices, **{**TERMS, "risk_aversion": aversion})
    assert plan.trades.sum() == pytest.approx(size, rel=1e-12, abs=1e-300)
    assert plan.holdings[0] == size
    assert plan.holdings[-1] == 0
    assert np.all(plan.trades * np.sign(size) >= 0)
    # Risk is shed early: no trade is larger than the one before.
    assert np.all(np.diff(np.abs(plan.trades)) <= 1e-9 * abs(size))


@pytest.mark.parametrize("aversion", [1e-18, 1e-13, 1e-9, 1e-6, 1e-3, 10.0])
def test_holdings_are_the_formulas_to_every_digit(aversion: float) -> None:
    """Against 50 digits, from trades that are all but equal to one that is everything."""
    plan = almgren_chriss(1.0, 1 / 365, 24, **{**TERMS, "risk_aversion": aversion})
    with mp.workdps(50):
        dt = mp.mpf(1 / 365) / 24
        urgency = mp.sqrt(aversion * (mp.mpf(2_000) * mp.mpf(0.8)) ** 2 / mp.mpf(1e-4))
        step = mp.acosh(1 + (urgency * dt) ** 2 / 2)
        exact = [float(mp.sinh(step * (24 - j)) / mp.sinh(step * 24)) for j in range(25)]
    np.testing.assert_allclose(plan.holdings, exact, rtol=1e-11, atol=1e-300)


def test_without_aversion_it_is_twap() -> None:
    plan = almgren_chriss(120.0, 1 / 365, 24, **{**TERMS, "risk_aversion": 0.0})
    np.testing.assert_allclose(plan.trades, 5.0, rtol=1e-13)


@given(st.floats(1e-9, 1e-2), st.integers(2, 40), st.integers(0, 2**31))
def test_no_schedule_nearby_is_better(aversion: float, slices: int, seed: int) -> None:
    """Cost + aversion x variance of any other schedule, recomputed here from the definition."""
    dt = 1 / 365 / slices
    plan = almgren_chriss(
        50.0, 1 / 365, slices, **{**TERMS, "risk_aversion": aversion, "permanent_impact": 1e-3}
    )

    def objective(trades: NDArray[np.float64]) -> float:
        left = 50.0 - np.cumsum(trades)
        moved = 1e-3 * np.sum(trades * left)  # what each trade does to the price of the rest
        temporary = 1e-4 / dt * np.sum(trades**2)
        return float(moved + temporary + aversion * (2_000.0 * 0.8) ** 2 * dt * np.sum(left**2))

    change = np.random.default_rng(seed).normal(size=slices)
    change -= change.mean()
    best = objective(plan.trades)
    assert best <= objective(plan.trades + 0.3 * change) + 1e-9 * abs(best)
    assert plan.expected_cost + aversion * plan.variance == pytest.approx(best, rel=1e-9)


def test_more_aversion_trades_earlier_and_costs_more() -> None:
    plans = [
        almgren_chriss(100.0, 1 / 365, 24, **{**TERMS, "risk_aversion": a})
        for a in (0.0, 1e-7, 1e-5, 1e-3)
    ]
    assert np.all(np.diff([p.trades[0] for p in plans]) > 0)
    assert np.all(np.diff([p.expected_cost for p in plans]) > 0)
    assert np.all(np.diff([p.variance for p in plans]) < 0)


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("size", {"size": np.nan}),
        ("horizon_years", {"horizon_years": 0.0}),
        ("slices", {"slices": 0}),
        ("slices", {"slices": 2.5}),
        ("price", {"price": -1.0}),
        ("volatility", {"volatility": -0.1}),
        ("risk_aversion", {"risk_aversion": np.inf}),
        ("temporary_impact", {"temporary_impact": 0.0}),
        ("temporary_impact", {"permanent_impact": 10.0}),
        ("permanent_impact", {"permanent_impact": -1.0}),
    ],
)
def test_a_bad_quantity_is_named(field: str, change: dict[str, Any]) -> None:
    good = {"size": 1.0, "horizon_years": 0.01, "slices": 5, **TERMS}
    with pytest.raises(QuantityError) as caught:
        almgren_chriss(**{**good, **change})
    assert caught.value.field == field
