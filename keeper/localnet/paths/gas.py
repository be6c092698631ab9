"""The gas market's shape: fees rise when the market moves fast, as fast as EIP-1559 lets them."""

from dataclasses import dataclass
from math import pi, sqrt

import numpy as np

from keeper.localnet.paths.bounds import Shape, bounded
from keeper.localnet.paths.bridge import YEAR_S
from keeper.localnet.paths.path import Floats, Ints

GWEI = 10**9
EIP1559_STEP = 1.125
MAX_WEIGHT = 1 / 8
"""Of one block in the average, however long it is: a single long block is not yet a storm."""


@dataclass(frozen=True)
class GasShape(Shape):
    """How the base fee follows the speed of the market."""

    baseline_gwei: float = bounded(20.0, 0.1, 1_000.0, "gwei, while the market is quiet")
    peak_gwei: float = bounded(500.0, 1.0, 5_000.0, "gwei, greatest base fee")
    quiet_volatility: float = bounded(
        1.5, 0.05, 10.0, "annualised fraction, up to which fees stay at the baseline"
    )
    sensitivity: float = bounded(
        2.5, 0.0, 100.0, "baselines added per multiple of the quiet volatility"
    )
    memory_s: float = bounded(
        180.0, 12.0, 86_400.0, "seconds over which the speed of the market is averaged"
    )


def base_fees(prices: Floats, block_seconds: int, shape: GasShape) -> Ints:
    """Base fee in wei at every block: demand follows recent speed, the fee follows demand by 12.5 % a block at most."""
    moves = np.abs(np.diff(np.log(prices), prepend=np.log(prices[0]))) * sqrt(pi / 2)
    annual = moves * sqrt(YEAR_S / block_seconds)
    weight = min(MAX_WEIGHT, block_seconds / shape.memory_s)
    peak = max(shape.peak_gwei, shape.baseline_gwei)
    speed, fee = min(float(annual[0]), shape.quiet_volatility), shape.baseline_gwei
    fees = np.empty(len(prices), dtype=np.int64)
    for i, now in enumerate(annual):
        speed += weight * (float(now) - speed)
        stress = max(0.0, speed / shape.quiet_volatility - 1.0)
        wanted = min(peak, shape.baseline_gwei * (1.0 + shape.sensitivity * stress))
        fee = min(max(wanted, fee / EIP1559_STEP), fee * EIP1559_STEP)
        fees[i] = int(fee * GWEI)
    return fees
