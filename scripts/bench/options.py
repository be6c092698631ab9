"""Greeks and implied volatility beside the peers: `make bench-quant`; JSON to build/bench/options.json.

Exit code 0 whatever the figures are: they are reported, not judged.
"""

from __future__ import annotations

import argparse
import csv
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from scripts.bench import harness
from scripts.bench.peers import greek_cases, implied_cases, options

REFERENCES = Path(__file__).resolve().parents[2] / "tests" / "unit" / "quant" / "references"
TURN_SECONDS = 0.005
CORRECT = 1e-8
"""A peer whose implied volatility is further off than this, or NaN, in any regime is not a correct one."""


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    warnings.simplefilter("ignore")
    figures: dict[str, Any] = {"machine": harness.machine(), "targets": targets()}
    for size in (1_000, 100_000):
        figures[f"greeks {size}"] = measured(size, greek_cases(options(size)), rounds)
    figures["greeks 1000, lone calls"] = measured(1_000, greek_cases(options(1_000)), rounds, 0.0)
    figures["implied accuracy"] = accuracy = regimes()
    for size in (1_000, 100_000):
        found = measured(size, implied_cases(quotes(size)), rounds)
        for name, row in found.items():
            row["correct in every regime"] = accuracy.get(name, {}).get("correct", False)
        figures[f"implied {size}"] = found
    figures["machine"]["load_average_after"] = harness.machine()["load_average"]
    show(figures)
    print(f"load average {figures['machine']['load_average']}; {harness.write('options', figures)}")
    return 0


def targets() -> dict[str, str]:
    """What was aimed at."""
    return {
        "greeks 1000": "8 x the best",
        "greeks 100000": "10 x the best",
        "implied 100000": "4 x the best correct",
    }


def measured(
    size: int, cases: dict[str, Callable[[], Any]], rounds: int, turn_seconds: float = TURN_SECONDS
) -> dict[str, Any]:
    """Interleaved; slow peers in three rounds where there are many options."""
    slow = dict.fromkeys(("QuantLib", "fast-vollib", "fast-vollib jackel"), 3)
    few = slow if size > 10_000 else {}
    return dict(harness.summary(harness.interleave(cases, rounds, few, turn_seconds), "gimbal"))


def quotes(size: int) -> dict[str, Any]:
    """Undiscounted prices out of the money."""
    from keeper.quant.black import price

    o = options(size)
    sign = np.where(o["strike"] > o["spot"], 1.0, -1.0)
    value = price(o["spot"], o["strike"], o["years"], o["volatility"], sign)
    return {
        "price": value,
        "forward": o["spot"],
        "strike": o["strike"],
        "years": o["years"],
        "sign": sign,
    }


def regimes() -> dict[str, dict[str, Any]]:
    """Every library on the 50-digit references: a minute to decades, up to 36 deviations out."""
    with (REFERENCES / "implied.csv").open() as file:
        rows = list(csv.DictReader(file))
    q = {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}
    found = {}
    for name, run in implied_cases(q).items():
        error = np.abs(np.asarray(run(), dtype=float).reshape(-1) / q["volatility"] - 1.0)
        weighed = error / np.maximum(q["condition"], 1.0) / 2.0**-52
        bad = ~np.isfinite(error)
        found[name] = {
            "cases": len(rows),
            "nan": int(bad.sum()),
            "worst relative error": float(np.nanmax(error)),
            "worst eps over condition": float(np.nanmax(weighed)),
            "correct": bool(
                not bad.any() and (error / np.maximum(q["condition"], 1.0)).max() < CORRECT
            ),
        }
    return found


def show(figures: dict[str, Any]) -> None:
    """For people."""
    for title, rows in figures.items():
        if title in ("machine", "targets"):
            continue
        print(f"\n{title}")
        for name, row in rows.items():
            cells = ", ".join(
                f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}"
                for key, value in row.items()
            )
            print(f"  {name:22} {cells}")


if __name__ == "__main__":
    sys.exit(main())
