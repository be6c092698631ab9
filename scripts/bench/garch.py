"""Fitting GARCH beside arch, the library a Python user picks: `python -m scripts.bench.garch`.

Returns are simulated from GARCH and GJR-t; the same series, likelihood and start of the variance for both. Rounds are
interleaved; ratios are medians over rounds. What counts is also who finds the higher likelihood.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from keeper.quant.volatility import fit_garch

Floats = NDArray[np.float64]
SIZES = (250, 1_000, 4_000)
SHAPE = 5.0


def returns(size: int, *, gjr_t: bool, seed: int = 3) -> Floats:
    """In percent, long-run variance 1."""
    rng = np.random.Generator(np.random.Philox(seed))
    z = (
        rng.standard_t(SHAPE, size) * np.sqrt((SHAPE - 2) / SHAPE)
        if gjr_t
        else rng.standard_normal(size)
    )
    alpha, gamma, beta = (0.05, 0.06, 0.88) if gjr_t else (0.08, 0.0, 0.88)
    out, h = np.empty(size), 1.0
    for t in range(size):
        out[t] = z[t] * np.sqrt(h)
        h = 1 - alpha - gamma / 2 - beta + (alpha + gamma * (z[t] < 0)) * out[t] ** 2 + beta * h
    return out


def measure(rounds: int) -> dict[str, Any]:
    """Milliseconds, ratios, and the difference of the log likelihoods (ours less arch's)."""
    report: dict[str, Any] = {}
    for gjr_t in (False, True):
        for size in SIZES:
            name = f"{'GJR-t' if gjr_t else 'GARCH(1,1)'}, n = {size}"
            report[name] = _compare(returns(size, gjr_t=gjr_t), gjr_t, rounds)
    return report


def _compare(series: Floats, gjr_t: bool, rounds: int) -> dict[str, float]:
    from arch import arch_model

    def theirs() -> Any:
        dist: Literal["t", "normal"] = "t" if gjr_t else "normal"
        model = arch_model(series, p=1, o=int(gjr_t), q=1, dist=dist, rescale=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return model.fit(disp="off", show_warning=False)

    def ours() -> Any:
        return fit_garch(series, asymmetric=gjr_t, student=gjr_t)

    mine, arch = ours(), theirs()
    seconds: dict[str, list[float]] = {"ours": [], "arch": []}
    for _ in range(rounds):
        for name, run in (("ours", ours), ("arch", theirs)):
            began = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - began)
    a, b = np.array(seconds["ours"]), np.array(seconds["arch"])
    return {
        "ms_median": float(np.median(a)) * 1e3,
        "ms_least": float(a.min()) * 1e3,
        "arch_ms_median": float(np.median(b)) * 1e3,
        "times_faster": float(np.median(b / a)),
        "steps": mine.iterations,
        "log_likelihood_above_arch": float(mine.log_likelihood - arch.loglikelihood),
    }


def main(arguments: list[str] | None = None) -> int:
    """Print and write the measurement."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--output", type=Path, default=Path("build/bench/garch.json"))
    options = parser.parse_args(arguments)
    report = measure(options.rounds)
    for name, found in report.items():
        print(f"{name}: " + ", ".join(f"{key} {value:.4g}" for key, value in found.items()))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
