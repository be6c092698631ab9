"""How long the vault is on its own, and the health that makes that wait safe.

    wait = age of the price + oracle latency + block time x (1 + inclusion blocks x congestion)

The price of the last answer is as old as it is: the market has moved since. Congestion is the base fee over that of
a calm market, between 1 and 50. A keeper whose account cannot pay for protection does not act at all: then the wait
is until the heart's silence lets others protect.

    target = floor x exp(z v sqrt(wait)) / (1 - jump)        z = -N^-1(tolerance / 2)

is the health from which a fall of every collateral against every debt reaches the mandate's minimum within the wait
with a probability of about the tolerance (the reflection principle without drift), after a gap of `jump` that no
reaction meets. It rises with volatility, congestion, latency and age, is never under the mandate's minimum, and
never above the policy's highest (which must be positive).
"""

import math
from functools import lru_cache
from statistics import NormalDist

from keeper.errors import QuantityError
from keeper.model.exposure import RiskInputs, RiskPolicy, Tempo
from keeper.model.market import Readings
from keeper.model.risk_report import CollateralTarget, Wait
from keeper.model.units import WAD

SECONDS_A_YEAR = 365 * 86_400
MOST_CONGESTION = 50.0
MOST_VOLATILITY = 10.0
"""A year, of a forecast."""
_NORMAL = NormalDist()


def congestion_of(base_fee_wei: int, tempo: Tempo) -> float:
    """Base fee over that of a calm market, 1 to 50."""
    return min(MOST_CONGESTION, max(1.0, base_fee_wei / max(1, tempo.calm_base_fee_wei)))


def wait_of(readings: Readings, tempo: Tempo) -> Wait:
    """The wait from this block on."""
    block, emergency = readings.block, readings.mandate.terms.emergency
    congestion = congestion_of(block.base_fee_wei, tempo)
    age = float(max(0, block.timestamp - readings.price.base.updated_at))
    inclusion = tempo.block_time_s * (1.0 + tempo.inclusion_blocks * congestion)
    # A protective transaction's first fee cap is twice the base fee.
    cost = 2 * block.base_fee_wei * tempo.gas_of_protection
    can_pay = readings.keeper_balance_wei >= cost and readings.mandate.keeper_allowed
    if not can_pay:
        silent = block.timestamp - readings.mandate.last_beat
        inclusion += max(0.0, float(emergency.silence_s - silent))
    seconds = age + tempo.oracle_latency_s + inclusion
    return Wait(seconds, age, inclusion, congestion, can_pay)


def collateral_target(readings: Readings, inputs: RiskInputs) -> CollateralTarget | None:
    """The health to keep now; None without a forecast. QuantityError for one that cannot be meant."""
    volatility = inputs.volatility
    if volatility is None:
        return None
    if not 0.0 < volatility <= MOST_VOLATILITY:
        raise QuantityError("volatility", f"is {volatility!r}", "give 0 to 10, a year")
    floor = readings.limits.min_health_wad / WAD
    return health_target(floor, volatility, wait_of(readings, inputs.tempo).seconds, inputs.policy)


def health_target(
    floor: float, volatility: float, wait_s: float, policy: RiskPolicy
) -> CollateralTarget:
    """Low, target and high for a floor (the mandate's minimum health), all at least the floor.

    Protect under `low`, which covers half of the reach; `high` is as far above the target as low is below it, also
    where the highest target cuts the reach: a band without width would be acted on at every block.
    """
    reach = (
        _deviations(policy.liquidation_tolerance)
        * volatility
        * math.sqrt(max(0.0, wait_s) / SECONDS_A_YEAR)
    )
    wanted = reach - math.log1p(-min(max(policy.jump, 0.0), 0.99))
    most = max(0.0, math.log(policy.highest_health_target / floor)) if floor > 0.0 else math.inf
    kept = min(wanted, most, 700.0)
    low, target = floor * math.exp(0.5 * kept), floor * math.exp(kept)
    return CollateralTarget(low, target, floor * math.exp(1.5 * kept), wanted > most)


@lru_cache(maxsize=64)
def _deviations(tolerance: float) -> float:
    """Of the log price, that a normal variable is beyond on either side with the tolerance."""
    return max(0.0, -_NORMAL.inv_cdf(min(max(tolerance, 1e-300), 1.0) / 2.0))
