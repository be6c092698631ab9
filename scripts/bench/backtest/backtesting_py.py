"""backtesting.py on the common rule; run by the bench in the peers' environment: backtesting_py.py BARS.csv -> JSON.

The rule: hold half of the equity in ether; when its share has left 45 to 55 per cent at a bar's close, trade it back.
"""

# mypy: ignore-errors
import json
import sys
import time
import warnings

import pandas as pd
from backtesting import Strategy
from backtesting.lib import FractionalBacktest

SHARE, BAND, CASH = 0.5, 0.05, 1_000_000
COUNT = {"bars": 0, "trades": 0}
UNIT = 1e-5


class Half(Strategy):
    """Half in ether."""

    def init(self) -> None:
        """Nothing is computed before."""

    def next(self) -> None:
        """Trade back to half where the share has left the band."""
        COUNT["bars"] += 1
        price = self.data.Close[-1]
        held = self.position.size
        share = held * price / self.equity
        if abs(share - SHARE) <= BAND:
            return
        wanted = int(SHARE * self.equity / price - held)
        if wanted > 0:
            self.buy(size=wanted)
        elif wanted < 0:
            self.sell(size=-wanted)
        COUNT["trades"] += 1


def main(path: str) -> None:
    """Run it once and print how long it took."""
    warnings.simplefilter("ignore")
    frame = pd.read_csv(path)
    frame.index = pd.to_datetime(frame.pop("t"), unit="s")
    frame.columns = [name.capitalize() for name in frame.columns]
    test = FractionalBacktest(
        frame, Half, cash=CASH, commission=0.0005, fractional_unit=UNIT, exclusive_orders=False
    )
    began = time.perf_counter()
    test.run()
    print(json.dumps({**COUNT, "seconds": time.perf_counter() - began}))


if __name__ == "__main__":
    main(sys.argv[1])
