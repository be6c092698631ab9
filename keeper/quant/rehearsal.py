"""What `keeper quant warm` runs of the parts that are more than one module: each by its public functions, once.

Small work of the types that ticks and commands bring: it compiles all that they will call. Left to compile on first
use are the dynamic programs of `bands` (`scripts/bands` tabulates with them; no tick and no command does).
"""

from __future__ import annotations

import math

import numpy as np

from keeper.quant import black
from keeper.quant.bands import Exposure, Terms, hodges_neuberger, whalley_wilmott, zakamouline
from keeper.quant.compiled import warms_part
from keeper.quant.montecarlo import (
    Bootstrap,
    Gbm,
    Hedge,
    Heston,
    Jumps,
    Lending,
    Option,
    Perpetual,
    Portfolio,
    Rule,
    Run,
    Sampling,
    simulate,
)
from keeper.quant.surface import (
    Quotes,
    Surface,
    fit_report,
    fit_surface,
    marks_of,
)
from keeper.quant.volatility import (
    ewma_variances,
    fit_garch,
    forecast_garch,
    realised_kernel,
    regimes,
    volatility_ratio,
)

SPOT = 2_000.0
_DAYS = (7, 30, 90)
_STRIKES = 9


@warms_part("keeper.quant.surface")
def _surface() -> None:
    level, rho, convexity = (np.full(len(_DAYS), number) for number in (0.6, -0.2, 1.0))
    true = Surface.of(np.array(_DAYS) / 365.0, level, rho, convexity)
    years = np.repeat(true.years, _STRIKES)
    k = np.tile(np.linspace(-1.5, 1.5, _STRIKES), len(_DAYS)) * np.sqrt(years) * 0.6
    mid = true.volatility(k, years)
    mid[4] += 0.5  # an outlier, to be set aside
    strike, sign = SPOT * np.exp(k), np.where(k > 0.0, 1.0, -1.0)
    cold = fit_surface(Quotes.of(years, strike, SPOT, mid - 0.005, mid + 0.005, sign=sign))
    bid, ask = (
        black.price(SPOT, strike, years, volatility, sign)
        for volatility in (mid - 0.005, mid + 0.005)
    )
    quotes = Quotes.of_prices(years, strike, SPOT, bid, ask, sign=sign)
    fit_report(fit_surface(quotes, cold.surface))
    found = cold.surface
    found.local(k, years)
    found.total_variance(k, years)
    found.smile_at(0.1)
    found.faults()
    marks_of(found, tuple(86_400 * day for day in _DAYS)).volatility(k, years * 365 * 86_400)


@warms_part("keeper.quant.volatility")
def _volatility() -> None:
    returns = 0.02 * np.random.default_rng(1).standard_t(5, 300)
    for asymmetric, student in ((False, False), (True, True)):
        model = fit_garch(returns, asymmetric=asymmetric, student=student)
        model.variances(returns)
        forecast_garch(model, returns, 5, 365.0)
    regimes(volatility_ratio(ewma_variances(returns**2)[1:], 30))
    realised_kernel(np.exp(np.cumsum(returns)))


@warms_part("keeper.quant.bands")
def _bands() -> None:
    for size in (1, 2):
        spot = np.full(size, SPOT)
        exposure = Exposure.of_book(spot, 1.0, 0.01, 100.0, 0.1, 0.6, 0.1)
        for fixed in (0.0, 5.0):
            terms = Terms(cost_rate=0.0008, aversion=1e-5, fixed_cost=fixed)
            for rule in (hodges_neuberger, zakamouline, whalley_wilmott):
                rule(exposure, terms)


@warms_part("keeper.quant.montecarlo")
def _montecarlo() -> None:
    held = Portfolio(
        options=(Option(SPOT, 0.1, -1.0),),
        perpetual=Perpetual(-1.0, 500.0, 0.05, 0.01, 0.1),
        lending=Lending(10.0, 10_000.0),
        hedge=Hedge(Rule.WHALLEY_WILMOTT, volatility=0.6, cost_rate=0.0008, aversion=1e-5),
    )
    jumps = Jumps(1.0, -0.1, 0.1)
    returns = 0.01 * np.random.default_rng(2).standard_normal(50)
    for model in (
        Gbm(0.6, jumps=jumps),
        Heston(0.36, 2.0, 0.36, 0.8, -0.5, jumps=jumps),
        Bootstrap(returns, 5.0),
    ):
        simulate(model, held, SPOT, Run(paths=64, steps=4, years=0.1))
    sobol = Run(paths=64, steps=4, years=0.1, sampling=Sampling.SOBOL, replicates=2)
    simulate(
        Gbm(0.6), Portfolio(hedge=Hedge(Rule.NEUTRAL, volatility=math.sqrt(0.36))), SPOT, sobol
    )
