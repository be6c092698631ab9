"""What it costs if protection comes late: the ceiling of its fees, and its deadline (K-06). Pure.

Expected loss = penalty of a liquidation x probability of one before protection takes effect. With log distance
`d` to the nearer liquidation price, volatility `s` and time `T`, a driftless price is there before T with
probability 2 N(-d / (s sqrt(T))) (reflection principle).
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

from keeper.model.market import Readings
from keeper.model.risk import RiskReport
from keeper.model.units import BPS, WAD

_YEAR_S = 365 * 86_400
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class WorthPolicy:
    """How lateness is valued."""

    volatility: float = 1.5
    """Annualised, of a market in which protection is needed: about twice that of ordinary months."""
    late_s: float = 86_400.0
    """How late protection may come if it loses the market for block space: congestion of crashes lasted for most
    of a day."""
    tolerance: float = 1e-3
    """Probability of liquidation before the deadline of protection."""
    least_penalty_bps: int = 500
    """Penalty where the venue names none."""
    native_price_wad: int | None = None
    """Price of one whole coin that pays gas, in whole assets; None: it is the base token."""


@dataclass(frozen=True, slots=True)
class Stake:
    """What lateness costs, and from when on it costs."""

    value_at_risk_wei: int
    needed_by: int


NO_STAKE = Stake(0, 0)
"""Of what may be late."""


def stake_of(risk: RiskReport, readings: Readings, policy: WorthPolicy) -> Stake:
    """The stake of a protective intent at the block of the readings."""
    worth = value_at_risk_wei(risk, readings, policy)
    return Stake(worth, needed_by(risk, readings.block.timestamp, policy))


def liquidation_probability(risk: RiskReport, seconds: float, volatility: float) -> float:
    """Probability, 0 to 1, that a price at which the venue liquidates is touched within `seconds`."""
    if not risk.has_position:
        return 0.0
    if risk.health_wad < WAD:
        return 1.0
    nearest = _log_distance(risk)
    if nearest is None:
        return 0.0
    spread = volatility * math.sqrt(max(seconds, 0.0) / _YEAR_S)
    if nearest <= 0.0:
        return 1.0
    return 2.0 * _NORMAL.cdf(-nearest / spread) if spread > 0.0 else 0.0


def value_at_risk_wei(risk: RiskReport, readings: Readings, policy: WorthPolicy) -> int:
    """Expected loss if protection is `late_s` late, in wei of the coin that pays gas, rounded up; 0 if unknown.

    Where the vault's price cannot be used there is nothing to value by, and the caller bounds fees otherwise.
    """
    price_wad = policy.native_price_wad or int(readings.price.price_wad)
    if price_wad <= 0 or risk.debt <= 0:
        return 0
    bonuses = (
        int(p.liquidation_bonus_bps) for p in (readings.asset_position, readings.base_position)
    )
    penalty_bps = max(policy.least_penalty_bps, *(_penalty(bonus) for bonus in bonuses))
    probability = liquidation_probability(risk, policy.late_s, policy.volatility)
    loss = int(risk.debt) * penalty_bps * math.ceil(probability * BPS)
    unit = 10**readings.asset.decimals * BPS * BPS
    return int(-(-loss * WAD * 10**18 // (unit * price_wad)))


def needed_by(risk: RiskReport, now: int, policy: WorthPolicy) -> int:
    """Unix seconds by which protection must be in: before that a liquidation is as rare as tolerated."""
    nearest = _log_distance(risk)
    if risk.health_wad < WAD or nearest is None or nearest <= 0.0:
        return now
    deviations = -_NORMAL.inv_cdf(policy.tolerance / 2.0)
    years = (nearest / (policy.volatility * deviations)) ** 2
    return now + int(min(years * _YEAR_S, policy.late_s))


def _penalty(bonus_bps: int) -> int:
    """Venues name the bonus as 10,500 or as 500."""
    return bonus_bps - BPS if bonus_bps >= BPS else bonus_bps


def _log_distance(risk: RiskReport) -> float | None:
    distances = []
    if risk.fall_to_liquidation is not None:
        distances.append(-math.log1p(-min(risk.fall_to_liquidation, 1.0 - 1e-12)))
    if risk.rise_to_liquidation is not None:
        distances.append(math.log1p(risk.rise_to_liquidation))
    return min(distances, default=None)
