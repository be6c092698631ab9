"""A backtest as a tear sheet: the same figures, the same trades."""

import numpy as np
import pytest

from keeper.backtest.sheet import sheet_of
from keeper.report.tearsheet import performance_of
from strategies.collateral_guard import CollateralGuard
from tests.unit.backtest.worlds import run, spec, walk


def test_the_sheet_agrees_with_the_run() -> None:
    events = walk(24 * 12, seed=3, hourly=0.02)
    result = run(events, CollateralGuard(), spec(1.5))
    sheet = sheet_of(result, command="x")
    unit = 10**result.asset_decimals
    a = result.attribution
    change = (a.closing - a.opening - a.flows - a.gas) / unit
    assert sum(amount for _, amount in sheet.parts) == pytest.approx(change, abs=1e-6)
    assert len(sheet.trades) == len(result.swaps) > 0
    held = np.asarray(result.steps["delta"], dtype=np.float64)
    moved = sum(trade.quantity for trade in sheet.trades)
    assert moved == pytest.approx(held[-1] - held[0], rel=1e-3)  # the rest is interest
    paid = sum(trade.cost for trade in sheet.trades)
    fees = -sum(amount for name, amount in sheet.parts if name in {"fees", "slippage"})
    gas = sum(t.gas_cost for t in result.transactions if t.effect and t.effect.swaps) / unit
    assert paid == pytest.approx(fees + gas, rel=1e-6)
    assert performance_of(sheet, resamples=5).total_return == pytest.approx(
        result.statistics.total_return
    )
