"""nautilus_trader on the common rule; run by the bench in the peers' environment: nautilus.py BARS.csv -> JSON.

The rule: hold half of the equity in ether; when its share has left 45 to 55 per cent at a bar's close, trade it back.
"""

# mypy: ignore-errors
import json
import sys
import time
from decimal import Decimal

import pandas as pd
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig, StrategyConfig
from nautilus_trader.model.currencies import ETH, USDT
from nautilus_trader.model.data import BarType
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import Venue
from nautilus_trader.model.objects import Money
from nautilus_trader.persistence.wranglers import BarDataWrangler
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.trading.strategy import Strategy

VENUE = Venue("BINANCE")
SHARE, BAND, CASH = 0.5, 0.05, 1_000_000


class HalfConfig(StrategyConfig, frozen=True):
    """Which bars."""

    bar_type: str


class Half(Strategy):
    """Half in ether."""

    def __init__(self, config: HalfConfig) -> None:
        super().__init__(config)
        self.bars = 0
        self.trades = 0

    def on_start(self) -> None:
        """Ask for the bars."""
        self.kind = BarType.from_str(self.config.bar_type)
        self.instrument = self.cache.instrument(self.kind.instrument_id)
        self.subscribe_bars(self.kind)

    def on_bar(self, bar) -> None:
        """Trade back to half where the share has left the band."""
        self.bars += 1
        price = bar.close.as_double()
        account = self.portfolio.account(VENUE)
        held = account.balance_total(ETH)
        ether = 0.0 if held is None else held.as_double()
        equity = ether * price + account.balance_total(USDT).as_double()
        if abs(ether * price / equity - SHARE) <= BAND:
            return
        wanted = SHARE * equity / price - ether
        side = OrderSide.BUY if wanted > 0 else OrderSide.SELL
        quantity = self.instrument.make_qty(Decimal(str(round(abs(wanted), 5))))
        self.submit_order(self.order_factory.market(self.instrument.id, side, quantity))
        self.trades += 1


def main(path: str) -> None:
    """Run it once and print how long it took."""
    frame = pd.read_csv(path)
    frame.index = pd.to_datetime(frame.pop("t"), unit="s", utc=True)
    instrument = TestInstrumentProvider.ethusdt_binance()
    kind = BarType.from_str(f"{instrument.id}-1-HOUR-LAST-EXTERNAL")
    bars = BarDataWrangler(kind, instrument).process(
        frame[["open", "high", "low", "close", "volume"]]
    )
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    engine.add_venue(
        venue=VENUE,
        oms_type=OmsType.NETTING,
        account_type=AccountType.CASH,
        starting_balances=[Money(CASH, USDT), Money(0, ETH)],
    )
    engine.add_instrument(instrument)
    engine.add_data(bars)
    strategy = Half(HalfConfig(bar_type=str(kind)))
    engine.add_strategy(strategy)
    began = time.perf_counter()
    engine.run()
    seconds = time.perf_counter() - began
    print(json.dumps({"bars": strategy.bars, "seconds": seconds, "trades": strategy.trades}))


if __name__ == "__main__":
    main(sys.argv[1])
