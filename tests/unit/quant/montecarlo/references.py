"""Prices and hedges computed some other way than by the engine."""

import cmath
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import integrate  # type: ignore[import-untyped]
from scipy.special import ndtr  # type: ignore[import-untyped]

from keeper.quant.montecarlo import Heston, Jumps, Rule

Floats = NDArray[np.float64]


def black_call(spot: float, strike: float, years: float, volatility: float) -> float:
    deviation = volatility * math.sqrt(years)
    d1 = math.log(spot / strike) / deviation + deviation / 2
    return float(spot * ndtr(d1) - strike * ndtr(d1 - deviation))


def merton_call(spot: float, strike: float, years: float, volatility: float, jumps: Jumps) -> float:
    """Merton's series (1976), no interest."""
    growth = math.exp(jumps.mean + jumps.deviation**2 / 2)
    rate = jumps.per_year * years
    total = 0.0
    for n in range(60):
        chance = math.exp(-rate) * rate**n / math.factorial(n)
        deviation = math.sqrt(volatility**2 * years + n * jumps.deviation**2)
        forward = spot * math.exp(-jumps.per_year * (growth - 1) * years) * growth**n
        total += chance * black_call(forward, strike, 1.0, deviation)
    return total


def heston_call(spot: float, strike: float, years: float, model: Heston) -> float:
    """Lewis's integral (2000) over the stable form of the characteristic function (Albrecher et al. 2007); or Bates."""

    def characteristic(u: complex) -> complex:
        xi, kappa, rho = model.vol_of_vol, model.kappa, model.rho
        d = cmath.sqrt((rho * xi * 1j * u - kappa) ** 2 + xi**2 * (1j * u + u * u))
        start = kappa - rho * xi * 1j * u
        g = (start - d) / (start + d)
        decay = cmath.exp(-d * years)
        c = (
            kappa
            * model.theta
            / xi**2
            * ((start - d) * years - 2 * cmath.log((1 - g * decay) / (1 - g)))
        )
        exponent = c + model.variance * (start - d) / xi**2 * (1 - decay) / (1 - g * decay)
        if model.jumps is not None:
            j = model.jumps
            compensator = math.expm1(j.mean + j.deviation**2 / 2)
            jump = cmath.exp(1j * u * j.mean - j.deviation**2 * u * u / 2) - 1
            exponent += j.per_year * years * (jump - 1j * u * compensator)
        return cmath.exp(exponent)

    x = math.log(spot / strike)

    def integrand(u: float) -> float:
        return float((cmath.exp(1j * u * x) * characteristic(u - 0.5j)).real / (u * u + 0.25))

    value = integrate.quad(integrand, 0, 200, limit=400)[0]
    return float(spot - math.sqrt(spot * strike) / math.pi * value)


def hedged(
    log_paths: Floats,
    spot: float,
    legs: list[tuple[float, float, float, int]],
    years: float,
    hedge: Any,
) -> dict[str, Floats]:
    """Hedge along given log paths (steps + 1, paths), written with arrays over paths and loops over steps."""
    steps, paths = log_paths.shape[0] - 1, log_paths.shape[1]
    dt = years / steps
    price = spot * np.exp(log_paths)
    held, gain, cost, trades, payoff = (np.zeros(paths) for _ in range(5))
    for step in range(steps):
        now, left = price[step], 0.0
        if step % hedge.every == 0:
            delta, gamma = np.zeros(paths), np.zeros(paths)
            for strike, expiry, quantity, sign in legs:
                left = expiry - step * dt
                if left <= 1e-12:
                    continue
                deviation = hedge.volatility * math.sqrt(left)
                d1 = np.log(now / strike) / deviation + deviation / 2
                delta += quantity * (ndtr(d1) - (sign < 0))
                gamma += quantity * np.exp(-d1 * d1 / 2) / math.sqrt(2 * math.pi) / now / deviation
            half = {
                Rule.NEUTRAL: np.zeros(paths),
                Rule.BAND: np.full(paths, hedge.half_width),
                Rule.WHALLEY_WILMOTT: np.cbrt(
                    1.5 * hedge.cost_rate * now * gamma**2 / hedge.aversion
                ),
            }[hedge.rule]
            after = np.clip(held, -delta - half, -delta + half)
            cost += hedge.cost_rate * now * np.abs(after - held) + hedge.fixed_cost * (
                after != held
            )
            trades += after != held
            held = after
        gain += held * (price[step + 1] - now)
        for strike, expiry, quantity, sign in legs:
            if abs(expiry - (step + 1) * dt) < 1e-12:
                payoff += quantity * np.maximum(sign * (price[step + 1] - strike), 0.0)
    return {"gain": gain, "costs": cost, "trades": trades, "payoff": payoff, "spot": price[-1]}
