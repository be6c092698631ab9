"""The risk engine's share of a tick, and how it grows: `python -m scripts.bench.risk`.

31 scenarios over 100 to 10,000 positions (nine options to one perpetual), beside the same in plain numpy and scipy,
and the full report of vaults with as many. Rounds are interleaved, so that what the machine does meanwhile falls on
all alike. The 99th percentile of a busy machine is the machine's; the time on the processor is given as well.
Figures go to build/bench/risk.json.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr  # type: ignore[import-untyped]

from keeper.model.exposure import BASE, Exposure, Kind, RiskPolicy
from keeper.risk.book import Book, Moves
from keeper.risk.scan import scan
from keeper.risk.scenarios import moves_of, standard_scenarios
from scripts.bench.harness import machine, write

Floats = NDArray[np.float64]
SCENARIOS = standard_scenarios(RiskPolicy())[:31]
TARGET_MS = 4.0
"""Of the whole tick at 1,000 positions, 99th percentile; this is a part of it."""


def made(count: int) -> Book:
    """`count` positions, the same for the same count."""
    g = np.random.default_rng(count)
    found = []
    for i in range(count):
        quantity = float(g.normal() * 5)
        if i % 10 == 9:
            found.append(Exposure(f"p{i}", Kind.PERPETUAL, "perps", BASE, quantity, entry=2_000.0))
            continue
        strike = float(2_000 * np.exp(g.normal() * 0.3))
        years, volatility = float(g.uniform(0.003, 0.5)), float(g.uniform(0.3, 1.5))
        is_call = bool(g.random() < 0.5)
        found.append(
            Exposure(
                f"o{i}", Kind.OPTION, "options", BASE, quantity, is_call, strike, years, volatility
            )
        )
    return Book(tuple(found), 2_000.0, 0.8)


def plain(book: Book, moves: Moves) -> Floats:
    """Changes of value (m, n) in numpy and scipy, vectorised as one would write it."""
    strike, years, volatility, sign = book.terms
    quantity = book.quantity

    def values(m: Moves) -> Floats:
        spot = (book.price * (1 + m.spot))[:, None]
        left = np.maximum(years - m.years[:, None], 1e-12)
        spread = np.maximum(volatility * (1 + m.volatility[:, None]) * np.sqrt(left), 1e-12)
        d = np.log(spot / strike) / spread + spread / 2
        found = quantity * (spot - 2_000.0)
        price = sign * (spot * ndtr(sign * d) - strike * ndtr(sign * (d - spread)))
        found[:, book.options] = quantity[book.options] * price
        return found

    changes: Floats = values(moves) - values(Moves.of(1))
    return changes


def timed(tasks: dict[str, Callable[[], object]], rounds: int) -> dict[str, dict[str, float]]:
    """Milliseconds by task: wall least, p50 and p99, and processor time p50, of interleaved rounds."""
    for task in tasks.values():
        task()
    wall: dict[str, list[float]] = {name: [] for name in tasks}
    processor: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(rounds):
        for name, task in tasks.items():
            begin, used = time.perf_counter(), time.process_time()
            task()
            processor[name].append(1e3 * (time.process_time() - used))
            wall[name].append(1e3 * (time.perf_counter() - begin))
    return {
        name: {
            "wall_least_ms": min(wall[name]),
            "wall_p50_ms": float(np.median(wall[name])),
            "wall_p99_ms": float(np.quantile(wall[name], 0.99)),
            "processor_p50_ms": float(np.median(processor[name])),
        }
        for name in tasks
    }


def measured(count: int, rounds: int) -> dict[str, Any]:
    """One size."""
    book = made(count)
    moves = moves_of(SCENARIOS)
    apart = np.abs(scan(book, SCENARIOS, {}).pnl - plain(book, moves)).max()
    found = timed(
        {
            "scan": lambda: scan(book, SCENARIOS, {}),
            "scan of a new book": lambda: scan(
                Book(book.exposures, book.price, book.volatility), SCENARIOS, {}
            ),
            "values alone": lambda: book.values(moves),
            "a new book alone": lambda: Book(book.exposures, book.price, book.volatility),
            "greeks": book.greeks,
            "numpy": lambda: plain(book, moves),
        },
        rounds,
    )
    numpy, ours = found["numpy"], found["scan"]
    return {
        "positions": count,
        "largest_difference": float(apart),
        "speed": numpy["wall_p50_ms"] / ours["wall_p50_ms"],
        "speed_of_processor_time": numpy["processor_p50_ms"] / ours["processor_p50_ms"],
        "tasks": found,
    }


def main() -> None:
    """Measure, print, and write build/bench/risk.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 300, 1_000, 3_000, 10_000])
    given = parser.parse_args()
    results = []
    for count in given.sizes:
        result = measured(count, given.rounds)
        results.append(result)
        print(
            f"{count:,} positions x {len(SCENARIOS)} scenarios, numpy / scan {result['speed']:.1f}"
            f" (processor {result['speed_of_processor_time']:.1f}),"
            f" furthest apart {result['largest_difference']:.1e}"
        )
        for name, figures in result["tasks"].items():
            print(
                f"  {name:<20} least {figures['wall_least_ms']:8.3f} ms   p50 "
                f"{figures['wall_p50_ms']:8.3f} ms   p99 "
                f"{figures['wall_p99_ms']:8.3f} ms   processor {figures['processor_p50_ms']:8.3f} ms"
            )
    figures = {"target_ms": TARGET_MS, "scenarios": len(SCENARIOS), "results": results}
    path = write("risk", {"machine": machine(), **figures})
    print(f"load average {machine()['load_average']}; {path}")


if __name__ == "__main__":
    main()
