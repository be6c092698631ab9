"""One tick's numerics and how they grow: `make bench-quant`; JSON to build/bench/tick.json, a plot beside it.

Quotes -> implied volatility and surface (warm) -> Greeks of the positions at the surface's volatility -> all positions
under 31 scenarios -> the hedge's band. Beside it the same from parts a Python user could pick: fast-vollib's implied
volatility (its correct method), raw SVI by scipy expiry by expiry without conditions against arbitrage, fast-vollib's
Greeks, numpy and scipy for the scenarios, Whalley-Wilmott in numpy. Rounds are interleaved.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr  # type: ignore[import-untyped]

from keeper.quant import black
from keeper.quant.bands import Exposure, Terms, hodges_neuberger
from keeper.quant.surface import Quotes, Surface, fit_surface
from scripts.bench import harness
from scripts.bench.surface import MODEL_ERROR, chain, market, raw_svi

Floats = NDArray[np.float64]
EXPIRIES = 20
SIZES = (100, 300, 1_000, 3_000, 10_000)
ASKED = 1_000
TARGET_P99_MS = 4.0
SPOT = 2_000.0
SHIFTS = np.array([-0.5, -0.3, -0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.2, 0.3])
WIDTHS = np.array([-0.25, 0.0, 0.5])
TERMS = Terms(cost_rate=0.0005, aversion=1e-5)


@dataclass(frozen=True)
class Work:
    """A tick's input: n quotes as prices, the surface of the tick before, n option positions."""

    quotes: dict[str, Any]
    before: Surface
    strike: Floats
    years: Floats
    sign: Floats
    quantity: Floats


def made(size: int) -> Work:
    """The same for the same size."""
    surface = market(EXPIRIES)
    drawn = chain(surface, size // EXPIRIES, 1)
    common = (drawn.forward, drawn.strike, drawn.years)
    quotes = {
        "years": drawn.years,
        "strike": drawn.strike,
        "forward": drawn.forward,
        "bid": black.price(*common, drawn.bid, drawn.sign),
        "ask": black.price(*common, drawn.ask, drawn.sign),
        "sign": drawn.sign,
    }
    g = np.random.default_rng(size)
    return Work(
        quotes,
        fit_surface(chain(surface, size // EXPIRIES, 2)).surface,
        SPOT * np.exp(0.3 * g.normal(size=size)),
        g.uniform(0.003, 1.0, size),
        g.choice([-1.0, 1.0], size),
        g.normal(size=size),
    )


def scenarios() -> tuple[Floats, Floats]:
    """31 moves of spot and of volatility, fractions, each (31, 1)."""
    spot = np.append(np.tile(SHIFTS, WIDTHS.size), 0.0)
    volatility = np.append(np.repeat(WIDTHS, SHIFTS.size), 1.0)
    return spot[:, None], volatility[:, None]


def ours(work: Work) -> dict[str, Any]:
    """Through keeper.quant."""
    surface = fit_surface(Quotes.of_prices(**work.quotes), work.before).surface
    volatility = surface.volatility(np.log(work.strike / SPOT), work.years)
    greeks = black.greeks(SPOT, work.strike, work.years, volatility, work.sign)
    moved, wider = scenarios()
    prices = black.price(
        SPOT * (1 + moved), work.strike, work.years, volatility * (1 + wider), work.sign
    )
    losses = np.einsum(
        "ij,j->i", prices - greeks.price, work.quantity
    )  # no BLAS: its threads wait for a core
    delta, gamma, vega, vanna = (
        float((work.quantity * part).sum())
        for part in (greeks.delta, greeks.gamma, greeks.vega, greeks.vanna)
    )
    level = float(volatility.mean())
    years = float(work.years.mean())
    exposure = Exposure.of_book(SPOT, delta, gamma, vega, vanna, level, years)
    return {"losses": losses, "delta": delta, "band": hodges_neuberger(exposure, TERMS)}


def of_peers(work: Work) -> dict[str, Any]:
    """The parts by their own fastest ways, each where it is correct."""
    fast_vollib = import_module("fast_vollib")
    q = work.quotes
    call, none = q["sign"] > 0, np.zeros(work.strike.size)
    jackel = import_module("fast_vollib.jackel").jackel_iv_black
    bid, ask = (
        jackel(q[side], q["forward"], q["strike"], q["years"], call) for side in ("bid", "ask")
    )
    raw_svi(Quotes.of(q["years"], q["strike"], q["forward"], bid, ask, sign=q["sign"]))
    volatility = work.before.volatility(np.log(work.strike / SPOT), work.years)
    spot = np.full(work.strike.size, SPOT)
    plain = (spot, work.strike, work.years, none, volatility)
    letter = np.where(work.sign > 0, "c", "p")
    greeks = fast_vollib.get_all_greeks(
        letter, *plain, model="black_scholes", return_as="dict", backend="numpy"
    )
    moved, wider = scenarios()
    prices = _plain_prices(work, SPOT * (1 + moved), volatility * (1 + wider))
    losses = np.einsum("ij,j->i", prices, work.quantity)
    delta, gamma = (
        float((work.quantity * np.asarray(greeks[name])).sum()) for name in ("delta", "gamma")
    )
    half = (1.5 * SPOT * 0.0005 * gamma * gamma / 1e-5) ** (1 / 3)
    return {"losses": losses, "delta": delta, "band": (-delta - half, -delta + half)}


def _plain_prices(work: Work, spot: Floats, volatility: Floats) -> Floats:
    spread = volatility * np.sqrt(work.years)
    d = np.log(spot / work.strike) / spread + spread / 2
    found: Floats = work.sign * (
        spot * ndtr(work.sign * d) - work.strike * ndtr(work.sign * (d - spread))
    )
    return found


def measured(size: int, rounds: int) -> dict[str, Any]:
    """Milliseconds: p50 and p99 of the whole, and where they go."""
    work = made(size)
    cases: dict[str, Callable[[], Any]] = {"gimbal": partial(ours, work)}
    few = {}
    try:
        import_module("fast_vollib")
    except ImportError:
        print("the peers are not installed here; `make bench-quant` installs them")
    else:
        cases["peers' parts"] = partial(of_peers, work)
        few["peers' parts"] = max(3, rounds // 10)
    times = harness.interleave(cases, rounds, few)
    return {
        name: {
            "p50_ms": 1e3 * float(np.quantile(runs, 0.5)),
            "p99_ms": 1e3 * float(np.quantile(runs, 0.99)),
            "least_ms": 1e3 * min(runs),
            "runs": len(runs),
        }
        for name, runs in times.items()
    }


def draw() -> int:
    """build/bench/tick.png from build/bench/tick.json."""
    pyplot = import_module("matplotlib.pyplot")
    figures = json.loads((harness.RESULTS / "tick.json").read_text())
    sizes = [int(size) for size in figures["sizes"]]
    figure, axes = pyplot.subplots(figsize=(7, 4.2))
    for name in figures["sizes"][str(ASKED)]:
        rows = [figures["sizes"][str(size)][name] for size in sizes]
        axes.loglog(sizes, [row["p50_ms"] for row in rows], "o-", label=f"{name}, p50")
        axes.loglog(sizes, [row["p99_ms"] for row in rows], "o:", label=f"{name}, p99")
    axes.axhline(TARGET_P99_MS, color="grey", linewidth=0.8)
    axes.annotate("target at 1,000: 4 ms", (sizes[0], TARGET_P99_MS * 1.1), color="grey")
    axes.set(xlabel="quotes and positions", ylabel="milliseconds a tick")
    axes.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(harness.RESULTS / "tick.png", dpi=150)
    print(harness.RESULTS / "tick.png")
    return 0


def main() -> int:
    """Measure, print, write; exit code 0 whatever the figures are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--plot", action="store_true", help="draw what was measured last")
    given = parser.parse_args()
    if given.plot:
        return draw()
    found: dict[str, Any] = {"machine": harness.machine(), "target_p99_ms": TARGET_P99_MS}
    found["model_error"] = MODEL_ERROR
    found["sizes"] = {}
    for size in SIZES:
        rows = measured(size, given.rounds)
        found["sizes"][str(size)] = rows
        for name, row in rows.items():
            print(f"{size:>7,} {name:<14} p50 {row['p50_ms']:8.2f} ms   p99 {row['p99_ms']:8.2f}")
    found["machine"]["load_average_after"] = harness.machine()["load_average"]
    print(harness.write("tick", found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
