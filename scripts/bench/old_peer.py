"""Runs py_vollib_vectorized once for each line on standard input and answers with the seconds it took."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def case(what: str, size: int) -> Callable[[], Any]:
    """The same arrays as the other peers have."""
    peer = import_module("py_vollib_vectorized")
    from scripts.bench.peers import options

    o = options(size)
    plain = (o["letter"], o["spot"], o["strike"], o["years"], o["rate"], o["volatility"])
    if what == "greeks":
        return lambda: (
            peer.get_all_greeks(*plain, model="black_scholes", return_as="dict"),
            peer.vectorized_black_scholes(*plain, return_as="numpy"),
        )
    price = peer.vectorized_black_scholes(*plain[:4], o["none"], o["volatility"], return_as="numpy")
    return lambda: peer.vectorized_implied_volatility_black(
        price, o["spot"], o["strike"], o["none"], o["years"], o["letter"], return_as="numpy"
    )


if __name__ == "__main__":
    run = case(sys.argv[1], int(sys.argv[2]))
    for _ in sys.stdin:
        begun = time.perf_counter()
        run()
        print(time.perf_counter() - begun, flush=True)
