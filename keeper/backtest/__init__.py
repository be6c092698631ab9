"""The live pipeline on history: an integer simulation of the vault and its venues, under the loop that runs live."""

from keeper.backtest.engine import run_backtest
from keeper.backtest.result import BacktestResult
from keeper.backtest.spec import BacktestSpec, default_policies, levered

__all__ = ["BacktestResult", "BacktestSpec", "default_policies", "levered", "run_backtest"]
