"""Black-Scholes prices and Greeks to 50 digits, and the vectors that `tests/forge` holds the library to.

The exact values come from the textbook formula spot Phi(d1) - strike e^(-rT) Phi(d2) in 80-digit arithmetic, on purpose
not from the form the library uses. Standard library only.

`python -m scripts.reference.black_scholes` writes `tests/forge/reference/black_scholes.csv`; the same seed writes the
same file. `--check` compares instead.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, getcontext
from itertools import product
from pathlib import Path

from scripts.reference.gaussian import cumulative, density, self_check

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT / "tests" / "forge" / "reference" / "black_scholes.csv"
DIGITS = (
    80  # of the working precision; at least 50 survive wherever a price is above 1e-25 of the spot
)
YEAR = 365 * 24 * 3600
WAD = 10**18
VECTOR_COUNT = 600
SEED = 20240229
MAX_PRICE = 2**112 - 1


@dataclass(frozen=True)
class Option:
    """What the library is asked: WAD, seconds, WAD per year, signed WAD per year."""

    spot: int
    strike: int
    time: int
    volatility: int
    rate: int

    def fields(self) -> tuple[int, int, int, int, int]:
        """In the order of the library's arguments."""
        return (self.spot, self.strike, self.time, self.volatility, self.rate)


@dataclass(frozen=True)
class Exact:
    """What it should answer, in units rather than WAD; delta is the call's."""

    call: Decimal
    put: Decimal
    delta: Decimal
    vega: Decimal
    gamma: Decimal

    def fields(self) -> tuple[Decimal, Decimal, Decimal, Decimal, Decimal]:
        """In the order of the library's results."""
        return (self.call, self.put, self.delta, self.vega, self.gamma)


def evaluate(option: Option) -> Exact:
    """The exact values; spot, strike, time and volatility must be positive."""
    spot, strike = Decimal(option.spot) / WAD, Decimal(option.strike) / WAD
    volatility, rate = Decimal(option.volatility) / WAD, Decimal(option.rate) / WAD
    time = Decimal(option.time) / YEAR
    root = time.sqrt()
    s = volatility * root
    d1 = ((spot / strike).ln() + rate * time) / s + s / 2
    d2 = d1 - s
    discounted = strike * (-rate * time).exp()
    below1, below2 = cumulative(d1), cumulative(d2)
    above1, above2 = cumulative(-d1), cumulative(-d2)
    phi = density(d1)
    return Exact(
        call=spot * below1 - discounted * below2,
        put=discounted * above2 - spot * above1,
        delta=below1,
        vega=spot * phi * root,
        gamma=phi / (spot * s),
    )


def corners() -> Iterator[Option]:
    """Corners of the domain, at the money, thresholds of the logarithm, and both sides of the switch at -1/4."""
    times = (60, 61, 3600, 86_400, 30 * 86_400, YEAR, 2 * YEAR)
    volatilities = (WAD // 20, WAD // 2, 8 * WAD // 10, WAD, 4 * WAD)
    ratios = (
        "0.2",
        "0.35355339",
        "0.70710678",
        "0.9999",
        "1",
        "1.0001",
        "1.41421357",
        "2.82842713",
        "5",
    )
    for time, volatility, ratio in product(times, volatilities, ratios):
        for rate in (0, -WAD // 5, WAD // 5):
            yield Option(int(1000 * WAD * Decimal(ratio)), 1000 * WAD, time, volatility, rate)


def random_option(rng: random.Random) -> Option:
    """A point of the accurate domain; three in four within 6.5 standard deviations, where prices say something."""
    while True:
        time = round(math.exp(rng.uniform(math.log(60), math.log(2 * YEAR))))
        volatility = math.exp(rng.uniform(math.log(0.05), math.log(4)))
        x = rng.uniform(-math.log(5), math.log(5))
        if rng.random() < 0.75:
            x = rng.uniform(-6.5, 6.5) * volatility * math.sqrt(time / YEAR)
        spot = math.exp(rng.uniform(0, math.log(1e5)))
        rate = rng.choice((0.0, rng.uniform(-0.2, 0.2)))
        if abs(x) <= math.log(5):
            break
    return Option(
        spot=int(spot * 1e15) * 1000 + rng.randrange(1000),
        strike=int(spot * math.exp(-x) * 1e15) * 1000 + rng.randrange(1000),
        time=time,
        volatility=int(volatility * WAD),
        rate=int(rate * WAD),
    )


def vectors() -> list[Option]:
    """The committed points: a spread of corners, the rest random."""
    rng = random.Random(SEED)  # noqa: S311 - a sample, not a secret
    chosen = rng.sample(list(corners()), VECTOR_COUNT // 2)
    return chosen + [random_option(rng) for _ in range(VECTOR_COUNT - len(chosen))]


def render(options: list[Option]) -> str:
    """CSV; results are integers in units of 1e-36: 30 digits of the smallest price that must be accurate."""
    lines = ["spot,strike,time,volatility,rate,call_e36,put_e36,delta_e36,vega_e36,gamma_e36"]
    for option in options:
        exact = [str(scaled(value, 36)) for value in evaluate(option).fields()]
        lines.append(",".join([*map(str, option.fields()), *exact]))
    return "\n".join(lines) + "\n"


def scaled(value: Decimal, places: int) -> int:
    """Nearest integer to value x 10^places."""
    return int((value * Decimal(10) ** places).to_integral_value(ROUND_HALF_EVEN))


def main() -> int:
    """Write the vectors, or exit 1 if the committed ones differ."""
    parser = argparse.ArgumentParser(description="Write the reference vectors.")
    parser.add_argument("--check", action="store_true", help="compare with the committed file")
    check = parser.parse_args().check
    getcontext().prec = DIGITS
    self_check()
    text = render(vectors())
    if check:
        same = VECTORS.read_text() == text
        print(f"{VECTORS.name}: {'agrees' if same else 'differs'}")
        return 0 if same else 1
    VECTORS.parent.mkdir(parents=True, exist_ok=True)
    VECTORS.write_text(text)
    print(f"{VECTORS.name}: {VECTOR_COUNT} options, {len(text) // 1000} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
