"""Hedged Monte Carlo beside numpy and a C ceiling: `python -m scripts.bench.montecarlo`.

A written call is delta-hedged at every step with a proportional cost: the same paths, rules and outputs in all three.
numpy works in batches that stay in the cache, in place, on scipy's normal distribution; C is compiled with
`-O3 -march=native` here and now, on as many threads as numba. Rounds are interleaved, so that what the machine
does meanwhile falls on all alike; ratios are medians over rounds. Processor time (of all threads) stands beside the
wall's: on a busy machine only it says what is computed.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import math
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr  # type: ignore[import-untyped]

from keeper.quant.montecarlo import Gbm, Hedge, Option, Portfolio, Run, simulate

Floats = NDArray[np.float64]
SPOT, STRIKE, YEARS, VOLATILITY, COST = 100.0, 105.0, 0.25, 0.6, 0.001
BATCH = 8_192
SOURCE = Path(__file__).with_name("montecarlo_ceiling.c")
HELD = Portfolio(
    options=(Option(STRIKE, YEARS, -1.0),), hedge=Hedge(volatility=VOLATILITY, cost_rate=COST)
)


def ours(paths: int, steps: int) -> Floats:
    """(pnl, hedging error, costs, spot, trades) by keeper.quant."""
    done = simulate(Gbm(VOLATILITY), HELD, SPOT, Run(paths, steps, YEARS, seed=7))
    return np.array([done.pnl, done.hedging_error, done.costs, done.spot, done.trades])


def baseline(paths: int, steps: int) -> Floats:
    """The same by numpy."""
    random = np.random.default_rng(7)
    out = np.empty((5, paths))
    for first in range(0, paths, BATCH):
        _batch(random, steps, out[:, first : first + BATCH])
    return out


def _batch(random: np.random.Generator, steps: int, out: Floats) -> None:
    count = out.shape[1]
    dt = YEARS / steps
    spread, drift = VOLATILITY * math.sqrt(dt), -(VOLATILITY**2) * dt / 2
    level, price = np.zeros(count), np.full(count, SPOT)
    hedge, gain, cost, trades = (np.zeros(count) for _ in range(4))
    target, after = np.empty(count), np.empty(count)
    for step in range(steps):
        deviation = VOLATILITY * math.sqrt(YEARS - step * dt)
        np.multiply(level, 1.0 / deviation, out=target)
        target += deviation / 2 - math.log(STRIKE / SPOT) / deviation
        ndtr(target, out=target)
        np.subtract(target, hedge, out=hedge)
        np.abs(hedge, out=hedge)
        trades += hedge > 0
        hedge *= price
        hedge *= COST
        cost += hedge
        random.standard_normal(out=after)
        after *= spread
        after += drift
        level += after
        np.exp(level, out=after)
        after *= SPOT
        np.subtract(after, price, out=price)
        price *= target
        gain += price
        hedge, target = target, hedge
        price, after = after, price
    out[1] = _premium() - np.maximum(price - STRIKE, 0.0) + gain
    out[0] = out[1] - cost
    out[2], out[3], out[4] = cost, price, trades


def _premium() -> float:
    deviation = VOLATILITY * math.sqrt(YEARS)
    d1 = math.log(SPOT / STRIKE) / deviation + deviation / 2
    return float(SPOT * ndtr(d1) - STRIKE * ndtr(d1 - deviation))


def ceiling(folder: Path) -> Callable[[int, int], Floats] | None:
    """The same by C, or None where it cannot be compiled."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        return None
    library = folder / "ceiling.so"
    flags = ["-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-shared", "-fPIC"]
    command = [compiler, *flags, "-fopenmp", str(SOURCE), "-o", str(library), "-lm"]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        return None
    loaded = ctypes.CDLL(str(library))
    threads = int(numba.get_num_threads())
    loaded.omp_set_num_threads(threads)
    function = loaded.hedged_call
    function.argtypes = (
        [ctypes.c_double] * 6 + [ctypes.c_int64] * 2 + [ctypes.c_uint64, ctypes.c_void_p]
    )
    function.restype = None

    def run(paths: int, steps: int) -> Floats:
        out = np.empty((5, paths))
        function(
            SPOT, STRIKE, YEARS, VOLATILITY, COST, _premium(), steps, paths, 7, out.ctypes.data
        )
        return out

    return run


def measure(paths: int, steps: int, rounds: int) -> dict[str, object]:
    """Seconds and ratios of interleaved rounds, and that all three agree."""
    with tempfile.TemporaryDirectory() as folder:
        in_c = ceiling(Path(folder))
        runs: dict[str, Callable[[int, int], Floats]] = {"keeper.quant": ours, "numpy": baseline}
        if in_c is not None:
            runs["C"] = in_c
        results = {name: run(paths, steps) for name, run in runs.items()}  # and compiles
        seconds: dict[str, list[float]] = {name: [] for name in runs}
        work: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(rounds):
            for name, run in runs.items():
                began, spent = time.perf_counter(), time.process_time()
                run(paths, steps)
                seconds[name].append(time.perf_counter() - began)
                work[name].append(time.process_time() - spent)
    mine = np.asarray(seconds["keeper.quant"])
    report: dict[str, object] = {
        "paths": paths,
        "steps": steps,
        "threads": int(numba.get_num_threads()),
        "ns_per_path_step": {
            name: min(values) / paths / steps * 1e9 for name, values in seconds.items()
        },
        "processor_ns_per_path_step": {
            name: min(values) / paths / steps * 1e9 for name, values in work.items()
        },
        "times_less_processor_time_than_numpy": float(
            np.median(np.asarray(work["numpy"]) / np.asarray(work["keeper.quant"]))
        ),
        "times_faster_than_numpy": float(np.median(np.asarray(seconds["numpy"]) / mine)),
        "mean_error_apart_from_numpy_in_standard_errors": _apart(results),
    }
    if "C" in results:
        report["times_slower_than_c"] = float(np.median(mine / np.asarray(seconds["C"])))
        gap = np.abs(results["C"][:4] - results["keeper.quant"][:4])
        report["largest_difference_from_c"] = float(gap.max())
    return report


def _apart(results: dict[str, Floats]) -> float:
    a, b = results["keeper.quant"][1], results["numpy"][1]
    return float((a.mean() - b.mean()) / math.sqrt((a.var() + b.var()) / a.size))


def main(arguments: list[str] | None = None) -> int:
    """Print and write the measurement."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--paths", type=int, default=100_000)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--output", type=Path, default=Path("build/bench/montecarlo.json"))
    options = parser.parse_args(arguments)
    report = measure(options.paths, options.steps, options.rounds)
    for name, value in report.items():
        print(f"{name}: {value}")
    if "times_slower_than_c" not in report:
        print("no C compiler with OpenMP here: the ceiling was not measured")
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
