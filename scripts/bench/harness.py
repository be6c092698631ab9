"""How things are measured here: interleaved with their peers, the machine's load beside the figures.

In every round each case runs once, in an order that turns, so that what the machine does meanwhile falls on all alike.
Only ratios mean anything on a shared machine.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parents[2] / "build" / "bench"


def interleave(
    cases: dict[str, Callable[[], Any]],
    rounds: int,
    few: dict[str, int] | None = None,
    turn_seconds: float = 0.0,
) -> dict[str, list[float]]:
    """Seconds of a run in every turn, after one unmeasured run each; `few` limits the rounds of slow cases.

    A turn is one run, or as many as fill `turn_seconds`, the mean of which counts: a lone short run after the others
    finds every cache cold, which is a figure of its own.
    """
    for run in cases.values():
        run()
    names = list(cases)
    times: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        for place in range(len(names)):
            name = names[(place + turn) % len(names)]
            if turn >= (few or {}).get(name, rounds):
                continue
            begun = time.perf_counter()
            runs = 0
            while runs == 0 or time.perf_counter() - begun < turn_seconds:
                cases[name]()
                runs += 1
            times[name].append((time.perf_counter() - begun) / runs)
    return times


def summary(times: dict[str, list[float]], ours: str) -> dict[str, dict[str, float]]:
    """Median and least microseconds of each case, and how many times ours goes into them."""
    median = statistics.median(times[ours])
    return {
        name: {
            "median_us": 1e6 * statistics.median(runs),
            "least_us": 1e6 * min(runs),
            "runs": len(runs),
            "ratio_of_medians": statistics.median(runs) / median,
            "ratio_of_least": min(runs) / min(times[ours]),
        }
        for name, runs in times.items()
    }


def machine() -> dict[str, Any]:
    """What the figures were taken on, and how busy it was."""
    return {
        "cores": os.cpu_count(),
        "processor": platform.processor() or platform.machine(),
        "python": platform.python_version(),
        "load_average": os.getloadavg(),
    }


def write(name: str, figures: dict[str, Any]) -> Path:
    """build/bench/NAME.json."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return path
