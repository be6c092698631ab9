"""Hold the compiled Black-Scholes library to exact values over many points, on anvil, many options in one `eth_call`.

    forge build tests/forge/libraries/BlackScholesHarness.sol
    python -m scripts.reference.campaign --points 120000

All corners of the domain, then random points (`black_scholes.random_option`). Printed: the largest error of every
result with the option it belongs to, and the most gas. Exit 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal, getcontext
from pathlib import Path
from typing import Any

from eth_abi.abi import decode, encode
from web3 import HTTPProvider
from web3.types import RPCEndpoint

from scripts.reference.black_scholes import (
    DIGITS,
    ROOT,
    WAD,
    YEAR,
    Exact,
    Option,
    corners,
    evaluate,
    random_option,
)
from scripts.reference.gaussian import self_check

ADDRESS = "0x" + "11" * 20
BATCH = 400
TARGET_RELATIVE = Decimal("1e-11")  # of prices from SMALL x spot up, and of delta, absolutely
TARGET_ABSOLUTE = Decimal("1e-15")  # of smaller prices, over spot
SMALL = Decimal("1e-6")
TARGET_GAS = {"price": 3200, "price + delta + vega": 5000}


@dataclass
class Worst:
    """The largest error of one kind so far, and where."""

    error: Decimal = Decimal(0)
    where: Option | None = None
    count: int = 0

    def see(self, error: Decimal, where: Option) -> None:
        """Count one error."""
        self.count += 1
        if error > self.error:
            self.error, self.where = error, where


class Board:
    """Errors by kind. Greeks are in units of their largest value at the option's spot and time where they are small."""

    def __init__(self) -> None:
        names = ("price, relative", "price, absolute / spot", "delta, absolute", "vega", "gamma")
        self.worst = {name: Worst() for name in names}

    def compare(self, option: Option, exact: Exact, found: tuple[int, ...]) -> None:
        """One option's results against the exact ones."""
        spot = Decimal(option.spot) / WAD
        call, put, delta, vega, gamma = (Decimal(value) / WAD for value in found)
        for value, right in ((call, exact.call), (put, exact.put)):
            if right >= SMALL * spot:
                self.worst["price, relative"].see(abs(value / right - 1), option)
            else:
                self.worst["price, absolute / spot"].see(abs(value - right) / spot, option)
        self.worst["delta, absolute"].see(abs(delta - exact.delta), option)
        root = (Decimal(option.time) / YEAR).sqrt()
        for name, value, right, most in (
            ("vega", vega, exact.vega, spot * root),
            ("gamma", gamma, exact.gamma, 1 / (spot * root * option.volatility / WAD)),
        ):
            # One unit of the grid is not an error of the method; gammas of large spots have few digits there.
            error = max(abs(value - right) - Decimal(1) / WAD, Decimal(0))
            self.worst[name].see(error / max(right, SMALL * most), option)

    def report(self) -> bool:
        """Print all; true if every target is met."""
        met = True
        for name, worst in self.worst.items():
            target = TARGET_ABSOLUTE if "absolute / spot" in name else TARGET_RELATIVE
            met &= worst.error <= target
            verdict = "met" if worst.error <= target else "MISSED"
            print(f"{name:24} {worst.error:.2e} of {target} {verdict}, {worst.count} values")
            print(f"{'':24} at {worst.where}")
        return met


@contextmanager
def chain(anvil: Path, port: int) -> Iterator[HTTPProvider]:
    """Anvil of our own, ended on leaving."""
    command = [str(anvil), "--port", str(port), "--silent", "--gas-limit", "1000000000"]
    process = subprocess.Popen(command)
    provider = HTTPProvider(f"http://127.0.0.1:{port}")
    try:
        for _ in range(100):
            if provider.is_connected():
                break
            time.sleep(0.05)
        yield provider
    finally:
        process.terminate()
        process.wait()


class Harness:
    """The compiled harness, placed on the chain."""

    def __init__(self, provider: HTTPProvider, artifact: Path) -> None:
        built = json.loads(artifact.read_text())
        self._provider = provider
        self._selectors = {k.split("(")[0]: v for k, v in built["methodIdentifiers"].items()}
        self._request("anvil_setCode", [ADDRESS, built["deployedBytecode"]["object"]])

    def _request(self, method: str, params: list[Any]) -> Any:
        response = self._provider.make_request(RPCEndpoint(method), params)
        if "error" in response:
            raise RuntimeError(f"{method}: {response['error']}")
        return response["result"]

    def _call(self, function: str, options: list[Option], result: str) -> Any:
        types = "(uint256,uint256,uint256,uint256,int256)[]"
        data = encode([types], [[option.fields() for option in options]]).hex()
        call = {"to": ADDRESS, "data": "0x" + self._selectors[function] + data, "gas": hex(10**9)}
        answer = self._request("eth_call", [call, "latest"])
        return decode([result], bytes.fromhex(answer[2:]))[0]

    def greeks(self, options: list[Option]) -> list[tuple[int, ...]]:
        """call, put, delta, vega, gamma of each."""
        return list(self._call("greeksOf", options, "(uint256,uint256,uint256,uint256,uint256)[]"))

    def gas(self, options: list[Option]) -> list[tuple[int, ...]]:
        """Gas of price, of price + delta + vega, and of all Greeks, of each."""
        return list(self._call("gasOf", options, "(uint256,uint256,uint256)[]"))


def points(count: int, seed: int) -> list[Option]:
    """All corners, then random ones."""
    rng = random.Random(seed)  # noqa: S311 - a sample, not a secret
    fixed = list(corners())
    return fixed + [random_option(rng) for _ in range(max(0, count - len(fixed)))]


def run(harness: Harness, options: list[Option]) -> bool:
    """Compare all; true if every target is met."""
    board, most = Board(), (0, 0, 0)
    for start in range(0, len(options), BATCH):
        batch = options[start : start + BATCH]
        for option, found in zip(batch, harness.greeks(batch), strict=True):
            board.compare(option, evaluate(option), found)
        for used in harness.gas(batch):
            most = (max(most[0], used[0]), max(most[1], used[1]), max(most[2], used[2]))
    met = board.report()
    for (name, target), used_most in zip(TARGET_GAS.items(), most, strict=False):
        met &= used_most <= target
        print(f"gas of {name}: at most {used_most} of {target}")
    print(f"gas of price + delta + vega + gamma: at most {most[2]}")
    return met


def main() -> int:
    """Run the campaign; exit 1 if a target is missed."""
    parser = argparse.ArgumentParser(description="Compare the library with exact values.")
    parser.add_argument("--points", type=int, default=120_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--port", type=int, default=18_745)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "forge" / "out")
    parser.add_argument("--anvil", type=Path, default=ROOT / ".venv" / "bin" / "anvil")
    arguments = parser.parse_args()
    getcontext().prec = DIGITS
    self_check()
    artifact = arguments.out / "BlackScholesHarness.sol" / "BlackScholesHarness.json"
    options = points(arguments.points, arguments.seed)
    began = time.monotonic()
    with chain(arguments.anvil, arguments.port) as provider:
        met = run(Harness(provider, artifact), options)
    print(f"{len(options)} options in {time.monotonic() - began:.0f} s")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
