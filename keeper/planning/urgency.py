"""Whether protection may be sliced: only while what its first slice leaves is safe for as long as the rest may take.

A large protective change moves the pool against the vault; made in slices it costs less, and every slice but the
first comes later. The health that a first slice must reach, h, is over the highest of the mandate's limits, L, by so
much that a fall back to L within the horizon T is improbable. Health moves at most as fast as the price does, so with
volatility s (the upper end of the forecast) and the reflection principle for a driftless price (Feller, vol. 2, VI.2)

    P(h falls to L within T) <= 2 Phi(-ln(h / L) / (s sqrt(T))) <= p   =>   h = L exp(s sqrt(T) Phi^-1(1 - p / 2)).

Without a forecast, while the price cannot be traded on, and under any of the mandate's limits (the critical health
among them) nothing is sliced.
"""

from math import ceil, exp, isfinite, sqrt
from statistics import NormalDist

from keeper.model.market import MarketState
from keeper.model.policy import PlanningPolicy
from keeper.model.units import WAD, Wad
from keeper.planning.deleverage import raise_health
from keeper.planning.slices import YEAR_S, slice_up
from keeper.planning.state import Draft

_MOST_RISE = 20.0
"""Of ln(health)."""


def protect(draft: Draft, market: MarketState, policy: PlanningPolicy, target_wad: Wad) -> Draft:
    """The draft with health raised to `target_wad`, or by a first slice that leaves the rest time.

    The slice is that of the Almgren-Chriss schedule (`slices`), and never less than what may wait needs: health is
    counted with every swap giving only its least output.
    """
    whole = raise_health(draft, target_wad)
    waits_from = waits_from_wad(market, policy)
    value = whole.traded - draft.traded
    if waits_from is None or waits_from >= target_wad or value <= 0:
        return whole
    due = slice_up(market, policy, value)
    if due >= value:
        return whole
    health = draft.ledger.health_wad()
    first = max(waits_from, health + (target_wad - health) * due // value)
    part = raise_health(draft, first)
    sooner = part.traded < whole.traded and part.ledger.health_wad() >= waits_from
    return part if sooner else whole


def limit_wad(market: MarketState) -> Wad:
    """The highest health at which the mandate, or anybody, does something about it."""
    terms = market.readings.mandate.terms
    emergency = terms.emergency
    limits = (emergency.emergency_health_wad, emergency.critical_health_wad)
    return Wad(max(terms.limits.min_health_wad, *limits))


def waits_from_wad(market: MarketState, policy: PlanningPolicy) -> Wad | None:
    """Health from which the rest of a protective change may wait; None if none of it may."""
    outlook, limit = market.outlook, limit_wad(market)
    told = (outlook.volatility or 0.0, outlook.volatility_high or 0.0)
    volatility, known = max(told), all(map(isfinite, told))
    sliced = 0 < policy.protective_slice_risk < 1
    if not sliced or not market.tradable or not (known and volatility > 0):
        return None
    if market.readings.account.health_wad < limit:
        return None
    z = -NormalDist().inv_cdf(policy.protective_slice_risk / 2)
    rise = volatility * sqrt(policy.slice_horizon_s / YEAR_S) * z
    if rise > _MOST_RISE:
        return None  # nobody is that far from a limit, and its power may be no number
    return Wad(ceil(limit * exp(rise) / WAD * 10**6) * (WAD // 10**6))
