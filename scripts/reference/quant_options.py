"""Writes tests/unit/quant/references/*.csv: options valued with 50 digits, for the tests of keeper.quant.

`python -m scripts.reference.quant_options`. Prices by the textbook formula, every Greek by differentiating that formula
numerically at high precision (not by the closed forms under test), implied volatilities by bisection and Newton on the
exact value of the double that stands for the price.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Callable
from pathlib import Path

import mpmath as mp  # type: ignore[import-untyped]

FOLDER = Path(__file__).resolve().parents[2] / "tests" / "unit" / "quant" / "references"
DIGITS = 50
_GREEKS = ("price", "delta", "gamma", "vega", "theta", "rho", "vanna", "volga")
Values = dict[str, mp.mpf]


def normal(z: mp.mpf) -> mp.mpf:
    """P(Z <= z)."""
    return mp.erfc(-z / mp.sqrt(2)) / 2


def forward_price(v: Values) -> mp.mpf:
    """Black (1976)."""
    width = v["volatility"] * mp.sqrt(v["years"])
    d1 = mp.log(v["forward"] / v["strike"]) / width + width / 2
    s = v["sign"]
    value = v["forward"] * normal(s * d1) - v["strike"] * normal(s * (d1 - width))
    return mp.exp(-v["rate"] * v["years"]) * s * value


def spot_price(v: Values) -> mp.mpf:
    """Merton (1973)."""
    growth = mp.exp((v["rate"] - v["carry_yield"]) * v["years"])
    return forward_price({**v, "forward": v["forward"] * growth})


def inverse_price(v: Values) -> mp.mpf:
    """In coins."""
    return forward_price(v) / v["forward"]


def cash_price(v: Values) -> mp.mpf:
    """Pays 1."""
    width = v["volatility"] * mp.sqrt(v["years"])
    d2 = mp.log(v["forward"] / v["strike"]) / width - width / 2
    return mp.exp(-v["rate"] * v["years"]) * normal(v["sign"] * d2)


def asset_price(v: Values) -> mp.mpf:
    """Pays the forward."""
    width = v["volatility"] * mp.sqrt(v["years"])
    d1 = mp.log(v["forward"] / v["strike"]) / width + width / 2
    return mp.exp(-v["rate"] * v["years"]) * v["forward"] * normal(v["sign"] * d1)


MODELS = {
    "black": forward_price,
    "merton": spot_price,
    "inverse": inverse_price,
    "cash_digital": cash_price,
    "asset_digital": asset_price,
}


def derivative(price: Callable[[Values], mp.mpf], v: Values, *steps: str) -> mp.mpf:
    """Mixed partial derivative by nested central differences with 40 digits to spare."""
    if not steps:
        return price(v)
    name, rest = steps[0], steps[1:]
    h = (abs(v[name]) + mp.mpf("1e-3")) * mp.mpf(10) ** -30
    above = derivative(price, {**v, name: v[name] + h}, *rest)
    below = derivative(price, {**v, name: v[name] - h}, *rest)
    return (above - below) / (2 * h)


def greeks(price: Callable[[Values], mp.mpf], v: Values) -> dict[str, mp.mpf]:
    """In the order and units of keeper.quant.black."""
    return {
        "price": price(v),
        "delta": derivative(price, v, "forward"),
        "gamma": derivative(price, v, "forward", "forward"),
        "vega": derivative(price, v, "volatility"),
        "theta": -derivative(price, v, "years"),
        "rho": derivative(price, v, "rate"),
        "vanna": derivative(price, v, "forward", "volatility"),
        "volga": derivative(price, v, "volatility", "volatility"),
    }


def cases(draw: random.Random) -> list[dict[str, float]]:
    """From one minute to thirty years, at the money and far from it."""
    found = []
    for years in (1.0 / 525600, 1.0 / 365, 7.0 / 365, 0.25, 1.0, 5.0, 30.0):
        for deviations in (0.0, 0.3, -1.0, 2.5, -5.0, 12.0):
            volatility = draw.choice((0.05, 0.3, 0.65, 1.2, 3.0))
            forward = draw.choice((0.01, 1.0, 100.0, 2345.678))
            strike = forward * float(mp.exp(deviations * volatility * mp.sqrt(years)))
            found.append(
                {
                    "forward": forward,
                    "strike": strike,
                    "years": years,
                    "volatility": volatility,
                    "sign": draw.choice((1.0, -1.0)),
                    "rate": draw.choice((0.0, 0.03, -0.02, 0.2)),
                    "carry_yield": draw.choice((0.0, 0.035)),
                }
            )
    return found


def write_greeks() -> None:
    """One file for all models."""
    draw = random.Random(4)  # noqa: S311 - draws cases, not secrets
    with (FOLDER / "greeks.csv").open("w", newline="") as file:
        inputs = ("forward", "strike", "years", "volatility", "sign", "rate", "carry_yield")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("model", *inputs, *_GREEKS))
        for model, price in MODELS.items():
            for case in cases(draw):
                exact = greeks(price, {name: mp.mpf(value) for name, value in case.items()})
                row = [repr(case[name]) for name in inputs]
                writer.writerow([model, *row, *(mp.nstr(exact[g], 20) for g in _GREEKS)])


def exact_deviation(worth: mp.mpf, y: mp.mpf, near: mp.mpf) -> mp.mpf:
    """s of the option out of the money worth `worth` low prices, from a start nearby: secant on the logarithm."""

    def miss(s: mp.mpf) -> mp.mpf:
        value = normal(s / 2 - y / s) - mp.exp(y) * normal(-s / 2 - y / s)
        return mp.log(value / worth)

    return mp.findroot(miss, (near, near * (1 + mp.mpf("1e-12"))), solver="secant", tol=1e-60)


def write_implied() -> None:
    """Out of the money: the price as a double, and the volatility that belongs to that very double."""
    draw = random.Random(5)  # noqa: S311 - draws cases, not secrets
    with (FOLDER / "implied.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("price", "forward", "strike", "years", "sign", "volatility", "condition"))
        for years in (1.0 / 525600, 1.0 / 365, 0.1, 1.0, 30.0):
            for deviations in (0.0, 1e-4, 0.02, 0.3, 0.8, 1.6, 3.0, 6.0, 12.0, 25.0, 36.0):
                for volatility in (0.05, 0.8, 4.0):
                    row = implied_case(years, deviations, volatility, draw.choice((1.0, -1.0)))
                    if row:
                        writer.writerow(row)


def implied_case(
    years: float, deviations: float, volatility: float, sign: float
) -> list[str] | None:
    """None where the price leaves the range in which doubles have all their digits."""
    forward = 2345.678
    width = mp.mpf(volatility) * mp.sqrt(years)
    strike = forward * float(mp.exp(sign * deviations * width))
    if not 1e-200 < strike < 1e200:
        return None
    with mp.workdps(1500):
        y = abs(mp.log(mp.mpf(forward) / mp.mpf(strike)))
        low = min(mp.mpf(forward), mp.mpf(strike))
        value = normal(width / 2 - y / width) - mp.exp(y) * normal(-width / 2 - y / width)
        price = float(value * low)
        if not 1e-290 < price < float(low) * (1 - 1e-9):
            return None
        s = exact_deviation(mp.mpf(price) / low, y, width)
        density = mp.exp(-((s / 2 - y / s) ** 2) / 2) / mp.sqrt(2 * mp.pi)
        condition = mp.mpf(price) / low / (s * density)
        exact = s / mp.sqrt(mp.mpf(years))
    return [
        *(repr(x) for x in (price, forward, strike, years, sign)),
        mp.nstr(exact, 20),
        mp.nstr(condition, 6),
    ]


if __name__ == "__main__":
    mp.mp.dps = 110  # nested differences of step 1e-30 keep 50 digits
    FOLDER.mkdir(parents=True, exist_ok=True)
    write_greeks()
    write_implied()
