"""Fitting a volatility surface: cold, warm, from prices, and how it grows: `python -m scripts.bench.surface`.

The chain is simulated: expiries x strikes from a surface without arbitrage, noise of half a half spread. Warm is the
fit of a chain from the surface of the chain before, the quotes of the two being drawn anew. Beside it, what a Python
user writes without a library of this kind: scipy's least squares of raw SVI, one expiry after another, with the same
weights and no condition against arbitrage; and, where they are installed, what QuantLib and fast-vollib can do (see
`surface_peers`). Rounds are interleaved; figures are over rounds.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares  # type: ignore[import-untyped]

from keeper.quant.black import price
from keeper.quant.surface import Fit, Quotes, Surface, fit_surface
from scripts.bench import harness
from scripts.bench.surface_peers import judged, peers, smile_of

Floats = NDArray[np.float64]
SIZES = ((1, 25), (4, 25), (8, 25), (12, 40), (20, 50))
ASKED = (8, 25)
CHAINS = 8
MODEL_ERROR = 0.0025


def market(expiries: int) -> Surface:
    """A surface of so many expiries, a day to two years."""
    years = np.geomspace(1 / 365, 2.0, expiries) if expiries > 1 else np.array([0.1])
    u = np.linspace(0, 1, expiries)
    return Surface.of(years, 0.6 + 0.1 * u, -0.1 - 0.2 * u, 1.2 - 0.3 * u)


def chain(surface: Surface, strikes: int, seed: int) -> Quotes:
    """Noisy quotes within two standard deviations of the money."""
    rng = np.random.Generator(np.random.Philox(seed))
    z = np.tile(np.linspace(-2, 2, strikes), surface.years.size)
    years = np.repeat(surface.years, strikes)
    k = z * np.sqrt(np.repeat(surface.theta, strikes))
    half = 0.004 * (1 + z * z / 4)
    mid = surface.volatility(k, years) + 0.5 * half * rng.standard_normal(z.size)
    return Quotes.of(
        years, 2_000 * np.exp(k), 2_000, mid - half, mid + half, sign=np.sign(k + 1e-9)
    )


def raw_svi(quotes: Quotes) -> int:
    """Gatheral's raw SVI by scipy, expiry by expiry; returns how many converged."""
    done = 0
    for t in np.unique(quotes.years):
        here = quotes.years == t
        k, mid = quotes.k[here], quotes.mid[here]
        weight = 1 / np.hypot(0.5 * (quotes.ask - quotes.bid)[here], MODEL_ERROR)
        root = float(np.sqrt(t))

        def away(
            p: Floats, k: Floats = k, mid: Floats = mid, t: float = t, weight: Floats = weight
        ) -> Floats:
            a, b, rho, m, sigma = p
            w = a + b * (rho * (k - m) + np.sqrt((k - m) ** 2 + sigma * sigma))
            return np.asarray((np.sqrt(np.maximum(w, 1e-12) / t) - mid) * weight)

        start = [0.2 * t, 0.4 * root, -0.2, 0.0, 0.5 * root]
        low, high = [-1.0, 1e-6, -0.999, -2.0, 1e-4], [20.0, 10.0, 0.999, 2.0, 10.0]
        done += bool(least_squares(away, start, bounds=(low, high)).success)
    return done


def measure(rounds: int, peer_rounds: int) -> dict[str, Any]:
    """Milliseconds by size and way."""
    report: dict[str, Any] = {"milliseconds": {}}
    for expiries, strikes in SIZES:
        surface = market(expiries)
        chains = [chain(surface, strikes, seed) for seed in range(CHAINS)]
        ways, fits = _ways(chains)
        times = _timed(ways, rounds)
        if (expiries, strikes) == ASKED:
            times = _with_peers(chains, ways, times, peer_rounds)
            report["arbitrage"] = _judgements(chains, fits)
            report["least_g"] = float(min(fit.surface.least_g().min() for fit in fits))
            report["least_calendar_gap"] = float(min(f.surface.calendar_gap().min() for f in fits))
            report["steps"] = {
                "cold": float(np.mean([fit.iterations for fit in fits])),
                "warm": float(
                    np.mean([fit_surface(q, fits[0].surface).iterations for q in chains])
                ),
            }
        report["milliseconds"][f"{expiries} x {strikes}"] = times
    return report


def _ways(chains: list[Quotes]) -> tuple[dict[str, Callable[[int], object]], list[Fit]]:
    fits = [fit_surface(quotes) for quotes in chains]
    prices = [_prices(quotes) for quotes in chains]

    def cold(i: int) -> object:
        return fit_surface(chains[i % CHAINS])

    def warm(i: int) -> object:
        return fit_surface(chains[i % CHAINS], fits[(i - 1) % CHAINS].surface)

    def from_prices(i: int) -> object:
        quotes = Quotes.of_prices(**prices[i % CHAINS])
        return fit_surface(quotes, fits[(i - 1) % CHAINS].surface)

    return {"cold": cold, "warm": warm, "warm, from prices": from_prices}, fits


def _with_peers(
    chains: list[Quotes],
    ways: dict[str, Callable[[int], object]],
    times: dict[str, dict[str, float]],
    rounds: int,
) -> dict[str, dict[str, float]]:
    """Ours and every peer interleaved, so that the ratios are of the same minutes; our own many rounds stay."""
    cases: dict[str, Callable[[int], object]] = {
        "cold, beside the peers": ways["cold"],
        "raw SVI by scipy, no conditions": partial(_of_peer, chains),
    }
    for name, fit in peers().items():
        cases[name] = partial(_fitted, fit, chains)
    found = _timed(cases, rounds)
    ours = found["cold, beside the peers"]
    for row in found.values():
        row["ratio_of_medians"] = row["median"] / ours["median"]
        row["ratio_of_least"] = row["least"] / ours["least"]
    return times | found


def _fitted(fit: Callable[[Quotes], object], chains: list[Quotes], i: int) -> object:
    return fit(chains[i % CHAINS])


def _judgements(chains: list[Quotes], fits: list[Fit]) -> dict[str, dict[str, Any]]:
    """The worst over the chains, and on how many there is no arbitrage."""
    found = {"gimbal": [judged(smile_of(f.surface), q) for f, q in zip(fits, chains, strict=True)]}
    for name, peer in peers().items():
        found[name] = [judged(peer(quotes), quotes) for quotes in chains]
    return {
        name: {
            "chains": len(rows),
            "free_of_arbitrage": sum(row["free_of_arbitrage"] for row in rows),
            "answered": min(row["answered"] for row in rows),
            "least_g": min(row["least_g"] for row in rows),
            "least_rise": min(row["least_rise"] for row in rows),
            "rms": max(row["rms"] for row in rows),
        }
        for name, rows in found.items()
    }


def _of_peer(chains: list[Quotes], i: int) -> object:
    return raw_svi(chains[i % CHAINS])


def _prices(quotes: Quotes) -> dict[str, Any]:
    common = (quotes.forward, quotes.strike, quotes.years)
    return {
        "years": quotes.years,
        "strike": quotes.strike,
        "forward": quotes.forward,
        "bid": price(*common, quotes.bid, quotes.sign),
        "ask": price(*common, quotes.ask, quotes.sign),
        "sign": quotes.sign,
    }


def _timed(ways: Mapping[str, Callable[[int], object]], rounds: int) -> dict[str, dict[str, float]]:
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way(0)  # compiled, or read from the cache on disk
    for i in range(rounds):
        for name, way in ways.items():
            began = time.perf_counter()
            way(i)
            seconds[name].append(time.perf_counter() - began)
    return {
        name: {
            "median": float(np.median(s)) * 1e3,
            "least": min(s) * 1e3,
            "p90": float(np.quantile(s, 0.9)) * 1e3,
        }
        for name, s in seconds.items()
    }


def main(arguments: list[str] | None = None) -> int:
    """Print and write the measurement."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--peer-rounds", type=int, default=5)
    parser.add_argument("--output", type=Path, default=Path("build/bench/surface.json"))
    options = parser.parse_args(arguments)
    report = measure(options.rounds, options.peer_rounds)
    for size, ways in report["milliseconds"].items():
        for name, t in ways.items():
            times = f", {t['ratio_of_medians']:.0f} times ours" if "ratio_of_medians" in t else ""
            print(
                f"{size:8} {name:32} {t['median']:8.3f} ms median {t['least']:8.3f} least "
                f"{t['p90']:8.3f} p90{times}"
            )
    for name, row in report["arbitrage"].items():
        print(
            f"{name:32} free of arbitrage on the dense grid for {row['free_of_arbitrage']} chains of "
            f"{row['chains']}: least g {row['least_g']:.4f}, least rise {row['least_rise']:.2e}; worst RMS "
            f"{100 * row['rms']:.2f} points of volatility; answers on {100 * row['answered']:.0f} % of it"
        )
    print(
        f"least g {report['least_g']:.4f}, calendar gap {report['least_calendar_gap']:.2e}, steps {report['steps']}"
    )
    report["machine"] = harness.machine()
    print(f"load average {report['machine']['load_average']}")
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
