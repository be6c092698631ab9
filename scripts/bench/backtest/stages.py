"""Where the time of a bar goes in the whole pipeline, stage by stage.

    python -m scripts.bench.backtest.stages [--rounds 5] [--bars FILE] [--last 5000]

Stages are watched by a clock around each of their functions; a stage's time is without that of the stages it calls,
and the clocks' own time is measured and taken off. What is shown is the median of a function's calls times its calls
a bar, of the round where that is least: a call during which another process had the core does not count.
"""

import argparse
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from time import perf_counter_ns
from typing import Any

from keeper import loop
from keeper.backtest import ends, engine
from keeper.backtest.ledger import CashLedger
from keeper.backtest.record import Recorder
from keeper.backtest.world import World
from keeper.history.table import market_data
from scripts.bench.backtest import ours
from scripts.bench.backtest.__main__ import HOURLY, write_bars

WATCHED: tuple[tuple[str, Any, str], ...] = (
    ("interest", World, "advance"),
    ("price, pool, round of the feed", World, "apply"),
    ("who reacts", engine._Engine, "_after_change"),
    ("block, readings", engine, "block_of"),
    ("block, readings", ends.Reader, "read"),
    ("outlook", ends.Around, "look"),
    ("market checks", loop, "build_market"),
    ("risk report", loop, "assess"),
    ("strategy", ours.Half, "__call__"),
    ("planning", loop, "make_plan"),
    ("guard", loop, "_verdict"),
    ("due work", loop, "_upkeep"),
    ("intent", loop, "make_intent"),
    ("simulation, execution", ends.SimulatedExecutor, "submit"),
    ("simulation, execution", ends.SimulatedExecutor, "land"),
    ("journal", ends.MemoryJournal, "record_decision"),
    ("journal", ends.MemoryJournal, "record_outcome"),
    ("the loop itself", engine, "run_tick"),
    ("recorder", Recorder, "ticked"),
    ("recorder", Recorder, "step"),
    ("books against NAV", CashLedger, "check"),
    ("the engine itself", engine._Engine, "play"),
    ("result, once", engine, "result_of"),
)


class Clock:
    """Own time of each call, nanoseconds."""

    def __init__(self) -> None:
        self.spent: dict[tuple[str, str], list[int]] = defaultdict(list)
        self._inner: list[int] = []
        self.cost = 0

    def around(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, watched."""
        spent = self.spent[stage, function.__qualname__]

        def watched(*args: Any, **kwargs: Any) -> Any:
            self._inner.append(0)
            began = perf_counter_ns()
            try:
                return function(*args, **kwargs)
            finally:
                took = perf_counter_ns() - began
                spent.append(took - self._inner.pop())
                if self._inner:
                    self._inner[-1] += took + self.cost

        return watched

    def calibrate(self) -> None:
        """What watching costs whoever calls: the least of many calls of nothing."""
        nothing = self.around("", lambda: None)
        self._inner.append(0)
        took = []
        for _ in range(10_000):
            began = perf_counter_ns()
            nothing()
            took.append(perf_counter_ns() - began)
        self._inner.clear()
        self.spent.clear()
        self.cost = sorted(took)[len(took) // 4] - perf_cost()


def perf_cost() -> int:
    """Of two looks at the clock, nanoseconds."""
    took = []
    for _ in range(10_000):
        began = perf_counter_ns()
        took.append(perf_counter_ns() - began)
    return sorted(took)[len(took) // 4]


def main() -> None:
    """Measure and print a table."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--bars", type=Path)
    asked.add_argument("--last", type=int, default=5_000, help="so many of the newest bars")
    options = asked.parse_args()
    clock = Clock()
    clock.calibrate()
    for stage, owner, name in WATCHED:
        setattr(owner, name, clock.around(stage, getattr(owner, name)))
    least: dict[tuple[str, str], float] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bars.csv"
        write_bars(options.bars or market_data(HOURLY), path, options.last)
        for _ in range(options.rounds):
            bars = ours.run(path)["bars"]
            for key, spent in clock.spent.items():
                if spent:
                    found = statistics.median(spent) * len(spent) / bars / 1_000
                    least[key] = min(found, least.get(key, found))
                spent.clear()
    for stage in dict.fromkeys(stage for stage, _, _ in WATCHED):
        mine = sum(spent for (name, _), spent in least.items() if name == stage)
        print(f"{stage:34}{mine:8.2f} us a bar")
    print(f"{'sum':34}{sum(least.values()):8.2f}")


if __name__ == "__main__":
    main()
