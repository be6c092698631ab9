"""What a change costs and what it is worth: gas, fees and impact against the loss expected from leaving it.

Leaving a gap of value v open for a time T costs a holder with relative risk aversion a

    a / (2 NAV) x v^2 x volatility^2 x T

of certainty equivalent, the second order of expected utility (Pratt 1964). A change is made when that is at least its
cost, so the no-trade band is wide where trading is dear and narrow where the market moves.
Floats are estimates; they become integers here, rounded up.
"""

from math import ceil, isfinite

from keeper.model.ledger import Ledger
from keeper.model.market import MarketState
from keeper.model.policy import PlanningPolicy
from keeper.model.units import WAD, Raw

DAYS_A_YEAR = 365


def waiting_up(market: MarketState, policy: PlanningPolicy, value: int) -> Raw | None:
    """Loss expected from leaving a gap of `value` asset units open.

    None while no volatility is forecast or no aversion is set.
    """
    volatility = market.outlook.volatility
    nav = max(1, int(Ledger.of(market.readings).nav_down()))
    unknown = volatility is None or not isfinite(volatility) or volatility < 0
    if volatility is None or unknown or not policy.risk_aversion > 0:
        return None
    years = policy.waiting_days / DAYS_A_YEAR
    risk = policy.risk_aversion / 2 * volatility * volatility * years
    return Raw(ceil(risk * value * (value / nav)))


def gas_up(market: MarketState, gas: int) -> Raw:
    """Value of so much gas at the base fee expected, asset units; base stands for the coin that pays it."""
    expected, readings = market.outlook.base_fee_wei, market.readings
    fee_wei = readings.block.base_fee_wei if expected is None else expected
    price = max(0, int(readings.price.price_wad)) * 10**readings.asset.decimals
    return Raw(-(-gas * fee_wei * price // (WAD * WAD)))


def pays(market: MarketState, policy: PlanningPolicy, value: int, cost: int) -> bool:
    """True if a change of `value` is large enough, and worth `cost` (asset units)."""
    if value < policy.min_trade:
        return False
    worth = waiting_up(market, policy, value)
    return worth is None or worth >= cost
