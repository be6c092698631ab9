"""The worst crash in the data: what it does to a levered vault with a keeper and without one."""

import pytest

from keeper.backtest import BacktestResult, BacktestSpec, default_policies, levered, run_backtest
from keeper.backtest.files import Files, read_events
from keeper.backtest.sources import price_wad
from keeper.errors import MarketDataError
from keeper.history.table import market_data
from keeper.model.ports import Strategy
from strategies.collateral_guard import CollateralGuard
from tests.unit.backtest.worlds import Still

HOURLY = "spot_binance_ETHUSDT_1h_2017-08_2023-12.csv.gz"
MARCH_7, MARCH_15 = 1_583_539_200, 1_584_230_400


def crash(strategy: Strategy) -> BacktestResult:
    try:
        path = market_data(HOURLY)
    except MarketDataError as error:
        pytest.skip(str(error))
    files = Files(path, max_missing=6, ticks_inside=True, inside=True)
    events = list(read_events(files, MARCH_7, MARCH_15))
    spec = levered(BacktestSpec(), 1.6, price_wad(237.0))
    return run_backtest(spec, events, strategy, default_policies(), name="crash")


def test_in_march_2020_a_guard_loses_less_than_an_idle_keeper() -> None:
    """Steps of twenty minutes are coarse: the price halves in a few of them, and sources disagree meanwhile."""
    guarded, alone = crash(CollateralGuard()), crash(Still())
    lost = [sum(done.loss for done in r.liquidations) for r in (guarded, alone)]
    assert lost[0] < lost[1]
    assert guarded.attribution.closing > 0 > alone.attribution.closing
    assert guarded.attribution.exact
    assert alone.attribution.exact
