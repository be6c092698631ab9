"""Simulate a portfolio: the one entry, and what it returns."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from keeper.errors import QuantityError
from keeper.quant import black
from keeper.quant.montecarlo import engine, models, portfolio, quasi

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Sampling(Enum):
    """Where the random numbers come from."""

    PLAIN = "plain"
    ANTITHETIC = "antithetic"
    """Each odd path mirrors the even one before it."""
    SOBOL = "sobol"
    """Scrambled Sobol points through a Brownian bridge; jumps stay random. Not for a bootstrap."""


@dataclass(frozen=True, slots=True)
class Run:
    """How much is simulated and how."""

    paths: int
    steps: int
    years: float
    seed: int = 0
    sampling: Sampling = Sampling.PLAIN
    replicates: int = 16
    """Independent scramblings that the Sobol points are divided into."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Per path, shape (paths,); money in the quote currency, gains positive."""

    pnl: Floats = field(repr=False)
    """Of everything: options, hedge, perpetual with funding, lending, less costs."""
    hedging_error: Floats = field(repr=False)
    """Options against their first model value, plus the hedge's gains; before costs and funding."""
    costs: Floats = field(repr=False)
    """Trading costs and fees of the perpetual's liquidation; >= 0."""
    funding: Floats = field(repr=False)
    """Received; negative: paid."""
    seized: Floats = field(repr=False)
    """Lost to bonuses of the lending venue's liquidators; >= 0, inside `pnl`."""
    lending_liquidated: Flags = field(repr=False)
    perpetual_liquidated: Flags = field(repr=False)
    spot: Floats = field(repr=False)
    """At the end."""
    trades: Floats = field(repr=False)
    """Of the hedge."""
    group: int
    """Paths that depend on each other lie together in groups of this size (1, 2 or a scrambling)."""

    def mean(self, values: Floats | Flags) -> tuple[float, float]:
        """Mean over paths of one of the fields (or a function of them), and its standard error.

        Raises QuantityError if `values` is not one number per path.
        """
        numbers = np.asarray(values, dtype=np.float64)
        if numbers.shape != self.pnl.shape:
            raise QuantityError(
                "values",
                f"has shape {numbers.shape}",
                f"give one number for each of {self.pnl.size} paths",
            )
        grouped = numbers.reshape(-1, self.group).mean(axis=1)
        if grouped.size < 2:
            return float(grouped[0]), math.inf
        return float(grouped.mean()), float(grouped.std(ddof=1) / math.sqrt(grouped.size))


def simulate(model: models.Model, held: portfolio.Portfolio, spot: float, run: Run) -> Outcome:
    """Walk `held` along paths of `model` from `spot` and settle it at the end.

    Each step: options' delta and the hedge traded by its rule; the price moves; gains and funding; the perpetual's
    margin checked; interest; the lending venue's liquidators; options that expire pay out. At the
    end options that live are marked at the hedge's volatility and the hedge at the price, without closing costs.

    The same seed gives the same bits whatever the number of threads. Raises QuantityError naming the field.
    """
    dt = _check(spot, run)
    terms, history = models.pack(model, dt)
    numbers, legs, expiries, funding = portfolio.pack(held, spot, run.steps, dt)
    normals = np.empty((0, 0, 0))
    if run.sampling is Sampling.SOBOL:
        if isinstance(model, models.Bootstrap):
            raise QuantityError("sampling", "a bootstrap has no Brownian path", "sample it plain")
        factors = 2 if isinstance(model, models.Heston) else 1
        normals = quasi.bridged_normals(run.paths, run.steps, factors, run.replicates, run.seed)
    out = np.empty((engine.OUTPUTS, run.paths))
    engine.run(
        spot,
        dt,
        terms,
        history,
        numbers,
        legs,
        expiries,
        funding,
        normals,
        run.seed,
        int(run.sampling is Sampling.ANTITHETIC),
        _first_value(held, spot),
        out,
    )
    group = {Sampling.PLAIN: 1, Sampling.ANTITHETIC: 2}.get(
        run.sampling, run.paths // max(run.replicates, 1)
    )
    return Outcome(
        pnl=out[engine.PNL],
        hedging_error=out[engine.ERROR],
        costs=out[engine.COSTS],
        funding=out[engine.FUNDING],
        seized=out[engine.SEIZED],
        lending_liquidated=out[engine.LENDING_HIT] > 0,
        perpetual_liquidated=out[engine.PERPETUAL_HIT] > 0,
        spot=out[engine.SPOT],
        trades=out[engine.TRADES],
        group=group,
    )


def _first_value(held: portfolio.Portfolio, spot: float) -> float:
    """Model value of the options at the start."""
    if not held.options:
        return 0.0
    strikes, years, signs, quantities = np.array(
        [[o.strike, o.expiry_years, o.sign, o.quantity] for o in held.options], dtype=np.float64
    ).T
    values = black.price(spot, strikes, years, held.hedge.volatility, signs, 0.0)
    return float(np.dot(values, quantities))


def _check(spot: float, run: Run) -> float:
    """The step in years, of a run that can be made."""
    if not 1e-250 < spot < 1e250:
        raise QuantityError("spot", f"{spot} is not a price", "give one above zero")
    for name, count in (("paths", run.paths), ("steps", run.steps)):
        if not isinstance(count, int) or count < 1:
            raise QuantityError(name, f"{count} is not a positive integer", "give one")
    if not 0 < run.years < math.inf:
        raise QuantityError("years", f"{run.years} is not above zero", "give the horizon")
    if not isinstance(run.seed, int) or not 0 <= run.seed < 2**63:
        raise QuantityError("seed", f"{run.seed} is not in [0, 2^63)", "give an integer")
    if run.sampling is Sampling.ANTITHETIC and run.paths % 2:
        raise QuantityError("paths", f"{run.paths} is odd", "antithetic paths come in pairs")
    return run.years / run.steps
