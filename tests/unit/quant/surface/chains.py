"""Surfaces and quotes for tests: a market without arbitrage, and spoiled ones."""

from pathlib import Path

import numpy as np
import pytest

from keeper.errors import MarketDataError
from keeper.history.table import market_data
from keeper.quant.surface import Quotes, Surface

YEARS = np.array([1, 3, 7, 14, 30, 60, 120, 300]) / 365
REAL_CHAIN = "chain_deribit_ETH_2024-01-08T1119Z.csv.gz"


def make_surface() -> Surface:
    """Eight expiries of an ordinary crypto market."""
    return Surface.of(
        YEARS, np.linspace(0.6, 0.7, 8), np.linspace(-0.1, -0.3, 8), np.linspace(1.2, 0.9, 8)
    )


def make_quotes(
    surface: Surface, *, strikes: int = 25, noise: float = 0.0, seed: int = 1
) -> Quotes:
    """Quotes around the surface; noise in half spreads."""
    rng = np.random.Generator(np.random.Philox(seed))
    z = np.tile(np.linspace(-2, 2, strikes), surface.years.size)
    years = np.repeat(surface.years, strikes)
    k = z * np.sqrt(np.repeat(surface.theta, strikes))
    half = 0.004 * (1 + z * z / 4)
    mid = surface.volatility(k, years) + noise * half * rng.standard_normal(z.size)
    return Quotes.of(years, 2_000 * np.exp(k), 2_000, mid - half, mid + half)


def real_file(name: str) -> Path:
    """A file of market data, or the test is skipped."""
    try:
        return market_data(name)
    except MarketDataError as error:
        pytest.skip(str(error))
