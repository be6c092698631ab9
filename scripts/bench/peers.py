"""The same options through every peer, each by its fastest documented way in.

py_vollib_vectorized 0.1.1 is left out: with numba 0.59.1, py_vollib 1.0.1, py_lets_be_rational 1.0.1 its kernels fail
numba's type inference ("runaway recursion" in `black`), and it does not run with a later numba.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

Arrays = dict[str, Any]


def options(size: int) -> Arrays:
    """Spot options a week to two years out, up to a standard deviation or so from the money; rate 3 %."""
    random = np.random.default_rng(7)
    years, volatility = random.uniform(0.02, 2.0, size), random.uniform(0.2, 1.5, size)
    spot = random.uniform(50.0, 150.0, size)
    strike = spot * np.exp(random.normal(0.0, 1.0, size) * volatility * np.sqrt(years))
    sign = random.choice([-1.0, 1.0], size)
    return {
        "spot": spot,
        "strike": strike,
        "years": years,
        "volatility": volatility,
        "sign": sign,
        "flag": sign.astype(np.int8),
        "letter": np.where(sign > 0, "c", "p"),
        "rate": np.full(size, 0.03),
        "none": np.zeros(size),
    }


def greek_cases(o: Arrays) -> dict[str, Callable[[], Any]]:
    """Price, delta, gamma, vega, theta and rho of Black-Scholes (ours: vanna and volga too)."""
    fast_vollib, pyvolr = import_module("fast_vollib"), import_module("pyvolr")
    from keeper.quant.black import bsm_greeks

    plain = (o["spot"], o["strike"], o["years"], o["rate"], o["volatility"])

    def vollib(backend: str) -> Callable[[], Any]:
        def run() -> Any:
            found = fast_vollib.get_all_greeks(
                o["letter"], *plain, model="black_scholes", return_as="dict", backend=backend
            )
            price = fast_vollib.fast_black_scholes(
                o["letter"], *plain, return_as="numpy", backend=backend
            )
            return None if found is None else (found, price)

        return run

    return {
        "gimbal": lambda: bsm_greeks(
            o["spot"], o["strike"], o["years"], o["volatility"], o["sign"], o["rate"], o["none"]
        ),
        "fast-vollib numpy": vollib("numpy"),
        "fast-vollib numba": vollib("numba"),
        "pyvolr": lambda: (
            pyvolr.bs.greeks(o["flag"], *plain),
            pyvolr.bs.price(o["flag"], *plain),
        ),
        "QuantLib": lambda: quantlib_greeks(o),
    }


def quantlib_greeks(o: Arrays) -> list[tuple[float, ...]]:
    """One BlackCalculator each: the wrapper has no arrays."""
    ql = import_module("QuantLib")
    found: list[tuple[float, ...]] = []
    columns = (o[name].tolist() for name in ("spot", "strike", "years", "volatility", "flag"))
    for spot, strike, years, volatility, flag in zip(*columns, strict=True):
        discount = math.exp(-0.03 * years)
        payoff = ql.PlainVanillaPayoff(ql.Option.Call if flag > 0 else ql.Option.Put, strike)
        c = ql.BlackCalculator(payoff, spot / discount, volatility * math.sqrt(years), discount)
        found.append(
            (
                c.value(),
                c.delta(spot),
                c.gamma(spot),
                c.vega(years),
                c.theta(spot, years),
                c.rho(years),
            )
        )
    return found


def implied_cases(q: Arrays) -> dict[str, Callable[[], Any]]:
    """Implied volatility of undiscounted prices on forwards."""
    fast_vollib, pyvolr = import_module("fast_vollib"), import_module("pyvolr")
    jackel_iv_black = import_module("fast_vollib.jackel").jackel_iv_black
    from keeper.quant.implied import implied_volatility

    plain = (q["price"], q["forward"], q["strike"], q["years"])
    flag, call = q["sign"].astype(np.int8), q["sign"] > 0
    letter, none = np.where(call, "c", "p"), np.zeros(call.size)
    return {
        "gimbal": lambda: implied_volatility(*plain, q["sign"], none).volatility,
        "fast-vollib jackel": lambda: jackel_iv_black(*plain, call),
        "fast-vollib": lambda: fast_vollib.fast_implied_volatility_black(
            q["price"], q["forward"], q["strike"], none, q["years"], letter, return_as="numpy"
        ),
        "pyvolr": lambda: pyvolr.black76.implied_vol(
            q["price"], flag, q["forward"], q["strike"], q["years"], none, on_error="ignore"
        ),
        "QuantLib": lambda: quantlib_implied(q),
    }


def quantlib_implied(q: Arrays) -> np.ndarray[Any, Any]:
    """One call each; where it raises, NaN."""
    ql = import_module("QuantLib")
    found = []
    columns = (q[name].tolist() for name in ("price", "forward", "strike", "years", "sign"))
    for price, forward, strike, years, sign in zip(*columns, strict=True):
        kind = ql.Option.Call if sign > 0 else ql.Option.Put
        try:
            deviation = ql.blackFormulaImpliedStdDev(kind, strike, forward, price)
        except RuntimeError:
            deviation = math.nan
        found.append(deviation / math.sqrt(years))
    return np.array(found)
