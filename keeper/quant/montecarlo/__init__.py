"""Monte Carlo of a hedged portfolio: options, a perpetual, lending, costs, funding and liquidators.

held = Portfolio(
    options=(Option(2_000.0, 30 / 365, -100.0),),
    hedge=Hedge(Rule.WHALLEY_WILMOTT, volatility=0.6, cost_rate=0.0008, aversion=5e-6),
)
outcome = simulate(Heston(...), held, spot=2_000.0, run=Run(paths=100_000, steps=720, years=30 / 365))
outcome.mean(outcome.pnl)      # (mean, standard error)
"""

from keeper.quant.montecarlo.models import Bootstrap, Gbm, Heston, Jumps, Model
from keeper.quant.montecarlo.portfolio import Hedge, Lending, Option, Perpetual, Portfolio, Rule
from keeper.quant.montecarlo.simulate import Outcome, Run, Sampling, simulate

__all__ = [
    "Bootstrap",
    "Gbm",
    "Hedge",
    "Heston",
    "Jumps",
    "Lending",
    "Model",
    "Option",
    "Outcome",
    "Perpetual",
    "Portfolio",
    "Rule",
    "Run",
    "Sampling",
    "simulate",
]
