"""Runs the common rule in turns on the same bars: nautilus_trader, backtesting.py, and the keeper's whole pipeline.

    python -m scripts.bench.backtest [--rounds 3] [--bars FILE] [--last 20000]

Each peer runs in a process of its own in build/bench-backtest-env (made by `make bench-backtest`); its run is
timed, not its start. JSON goes to build/bench/backtest.json.
"""

import argparse
import csv
import json
import statistics
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from keeper.history.table import market_data, read_table
from scripts.bench.backtest.ours import run
from scripts.bench.harness import write

ROOT = Path(__file__).resolve().parents[3]
PYTHON = ROOT / "build" / "bench-backtest-env" / "bin" / "python"
HERE = Path(__file__).parent
COLUMNS = ("t", "open", "high", "low", "close", "volume")
HOURLY = "spot_binance_ETHUSDT_1h_2017-08_2023-12.csv.gz"


def main() -> None:
    """Measure, print a table, write JSON."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--bars", type=Path)
    asked.add_argument("--last", type=int, default=20_000, help="so many of the newest bars")
    options = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bars.csv"
        write_bars(options.bars or market_data(HOURLY), path, options.last)
        cases: dict[str, Callable[[], dict[str, Any]]] = {
            "nautilus_trader": lambda: _peer("nautilus.py", path),
            "backtesting.py": lambda: _peer("backtesting_py.py", path),
            "gimbal, whole pipeline": lambda: run(path),
        }
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in cases}
        names = list(cases)
        for turn in range(options.rounds):
            for place in range(len(names)):
                name = names[(place + turn) % len(names)]
                found[name].append(cases[name]())
    _print(found)


def write_bars(source: Path, path: Path, last: int) -> None:
    """The newest bars of a file, as the peers read them."""
    table = read_table(source, COLUMNS)
    rows = list(zip(*(table.columns[name] for name in COLUMNS), strict=True))[-last:]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])


def _peer(script: str, path: Path) -> dict[str, Any]:
    done = subprocess.run(
        [PYTHON, HERE / script, path], capture_output=True, text=True, check=True, timeout=600
    )
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def _print(found: dict[str, list[dict[str, Any]]]) -> None:
    rates = {
        n: statistics.median(r["bars"] / r["seconds"] for r in runs) for n, runs in found.items()
    }
    best = {n: max(r["bars"] / r["seconds"] for r in runs) for n, runs in found.items()}
    peer = rates["nautilus_trader"]
    print(f"{'':24}{'bars/s median':>15}{'best':>12}{'of nautilus':>13}{'trades':>8}")
    for name, runs in found.items():
        line = f"{name:24}{rates[name]:15,.0f}{best[name]:12,.0f}{rates[name] / peer:13.3f}"
        print(f"{line}{runs[0]['trades']:8}")
    write("backtest", {"runs": found, "bars_per_second": rates, "best": best})


if __name__ == "__main__":
    main()
