"""Every strategy that is registered, as a test can ask it: sized so that it wants something of the default world."""

import tomllib
from pathlib import Path
from typing import Any

from strategies.basis_funding import BasisFunding
from strategies.cash_secured_put import CashSecuredPut
from strategies.collar import Collar
from strategies.collateral_guard import CollateralGuard
from strategies.collateral_optimisation import CollateralOptimisation
from strategies.composite import Composite
from strategies.covered_call import CoveredCall
from strategies.cross_pool_arbitrage import CrossPoolArbitrage
from strategies.delta_band import DeltaBand
from strategies.delta_hedge import DeltaHedge
from strategies.drawdown_throttle import DrawdownThrottle
from strategies.gamma_scalping import GammaScalping
from strategies.gas_throttle import GasThrottle
from strategies.idle_yield import IdleYield
from strategies.objective import Objective
from strategies.protective_put import ProtectivePut
from strategies.short_strangle import ShortStrangle
from strategies.volatility_arbitrage import VolatilityArbitrage
from strategies.volatility_target import VolatilityTarget

ROOT = Path(__file__).parents[3]
CALLS = CoveredCall(window_hours=0)
PUTS = CashSecuredPut(window_hours=0)
EVERY: dict[str, Any] = {
    "basis_funding": BasisFunding(),
    "cash_secured_put": PUTS,
    "collar": Collar(),
    "collateral_guard": CollateralGuard(),
    "collateral_optimisation": CollateralOptimisation(),
    "composite": Composite((CollateralGuard(), CALLS, PUTS, DeltaHedge(venue="perp"))),
    "covered_call": CALLS,
    "cross_pool_arbitrage": CrossPoolArbitrage(target_delta=50, band=10),
    "delta_band": DeltaBand(),
    "delta_hedge": DeltaHedge(),
    "drawdown_throttle": DrawdownThrottle(CALLS),
    "gamma_scalping": GammaScalping(),
    "gas_throttle": GasThrottle(CALLS),
    "idle_yield": IdleYield(),
    "objective": Objective(
        parts=(CALLS, PUTS),
        names=("calls", "puts"),
        expected_returns=(0.12, 0.08),
        losses=(
            tuple(0.0005 * ((7 * i) % 100) - 0.01 for i in range(100)),
            tuple(0.0004 * ((13 * i) % 100) - 0.01 for i in range(100)),
        ),
        most=(0.8, 0.6),
        es_limit=0.03,
    ),
    "protective_put": ProtectivePut(),
    "short_strangle": ShortStrangle(window_hours=0),
    "volatility_arbitrage": VolatilityArbitrage(),
    "volatility_target": VolatilityTarget(CALLS),
}
RISKY = {k: v for k, v in EVERY.items() if k != "collateral_guard"}
"""Those that trade on prices; the guard of collateral protects whatever is wrong with them."""


def registered() -> dict[str, str]:
    """Name and value of every entry point that the project declares."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        declared: dict[str, str] = tomllib.load(file)["project"]["entry-points"][
            "gimbal.strategies"
        ]
    return declared
