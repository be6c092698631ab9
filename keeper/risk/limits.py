"""One verdict per limit, of the mandate and of the keeper's own policy, with what is left of it."""

import math
from collections.abc import Iterator

from keeper.model.exposure import RiskPolicy
from keeper.model.market import Readings
from keeper.model.risk_report import (
    CollateralTarget,
    FailureCost,
    GreekSet,
    LimitVerdict,
    LiquidityRisk,
    Margin,
    Standing,
    TailRisk,
    VenueRisk,
    Wait,
)
from keeper.model.units import BPS, WAD

SEVERITY = (Standing.OK, Standing.WARN, Standing.UNKNOWN, Standing.BREACH)
"""Ascending."""


def worst(standings: Iterator[Standing] | tuple[Standing, ...]) -> Standing:
    """The worst of them; OK of none."""
    return max(standings, key=SEVERITY.index, default=Standing.OK)


def at_most(limit: str, value: float | None, bound: float, warn_share: float) -> LimitVerdict:
    """A limit from above; a bound of 0 allows exactly nothing."""
    if value is None or math.isnan(value):
        return LimitVerdict(limit, None, bound, None, Standing.UNKNOWN)
    headroom = 1.0 - value / bound if bound > 0.0 else (0.0 if value <= bound else -1.0)
    if value > bound:
        standing = Standing.BREACH
    else:
        standing = Standing.WARN if bound > 0.0 and value > warn_share * bound else Standing.OK
    return LimitVerdict(limit, value, bound, headroom, standing)


def at_least(limit: str, value: float | None, bound: float, warn_at: float) -> LimitVerdict:
    """A limit from below; None is infinite here. Warns under `warn_at`."""
    if value is None:
        return LimitVerdict(limit, None, bound, None, Standing.OK)
    headroom = value / bound - 1.0 if bound > 0.0 else None
    if value < bound:
        return LimitVerdict(limit, value, bound, headroom, Standing.BREACH)
    standing = Standing.WARN if value < warn_at else Standing.OK
    return LimitVerdict(limit, value, bound, headroom, standing)


def mandate_limits(
    readings: Readings,
    venue: VenueRisk,
    target: CollateralTarget | None,
    policy: RiskPolicy,
) -> Iterator[LimitVerdict]:
    """Those that need no price of ours."""
    minimum = readings.limits.min_health_wad / WAD
    if venue.readable:
        low = target.low if target else minimum
        yield at_least("health", venue.health, minimum, low)
    else:
        yield LimitVerdict("health", None, minimum, None, Standing.UNKNOWN)
    caps = readings.mandate.terms.caps
    age = readings.block.timestamp - readings.price.base.updated_at
    yield at_most("oracle age, s", float(age), float(caps.max_oracle_age_s), policy.warn_share)
    for name, budget in (
        ("routine losses used", readings.mandate.routine),
        ("protective losses used", readings.mandate.protective),
        ("turnover used", readings.mandate.turnover),
    ):
        capacity = budget.capacity_wad / WAD
        yield at_most(name, capacity - budget.left_wad / WAD, capacity, policy.warn_share)
    beat = float(readings.block.timestamp - readings.mandate.last_beat)
    silence = float(readings.mandate.terms.emergency.silence_s)
    yield at_most("heart's silence, s", beat, silence, policy.warn_share)


def exposure_limits(
    readings: Readings, greeks: GreekSet, price: float, venue: VenueRisk, policy: RiskPolicy
) -> Iterator[LimitVerdict]:
    """The mandate's limits on what is held, as parts of NAV or of gross assets."""
    caps, options = readings.mandate.terms.caps, readings.mandate.terms.options
    nav, share = greeks.value, policy.warn_share
    positive = nav if nav > 0.0 else None
    gap = (
        None
        if positive is None
        else abs(greeks.delta * price / positive - caps.delta_target_bps / BPS)
    )
    yield at_most("delta from its target, of NAV", gap, caps.delta_band_bps / BPS, share)
    measure = readings.measure
    unit = 10**readings.asset.decimals
    gross = measure.gross / unit if measure is not None else None
    lent = venue.collateral / gross if gross else (0.0 if gross == 0 else None)
    yield at_most("at the venue, of gross", lent, caps.max_venue_bps / BPS, share)
    debt = venue.debt / gross if gross else (0.0 if gross == 0 else None)
    yield at_most("debt, of gross", debt, readings.limits.max_borrow_bps / BPS, share)
    if measure is not None and (measure.option_collateral or measure.vega or measure.notional):
        held = measure.option_collateral / unit / gross if gross else None
        yield at_most("options' collateral, of gross", held, caps.max_option_bps / BPS, share)
        vega = None if positive is None else abs(greeks.vega) / positive
        yield at_most("vega, of NAV", vega, options.max_vega_bps / BPS, share)
        notional = None if positive is None else measure.notional / unit / positive
        yield at_most("options' notional, of NAV", notional, options.max_notional_bps / BPS, share)


def policy_limits(
    nav: float,
    *,
    venues: tuple[VenueRisk, ...],
    tail: TailRisk | None,
    margin: Margin | None,
    liquidity: LiquidityRisk | None,
    contagion: tuple[FailureCost, ...],
    wait: Wait,
    policy: RiskPolicy,
) -> Iterator[LimitVerdict]:
    """The keeper's own; a limit of None is left out."""
    share = policy.warn_share

    def of_nav(amount: float | None) -> float | None:
        return amount / nav if amount is not None and nav > 0.0 else None

    if policy.max_liquidation_probability is not None:
        found = [x.probability for v in venues for x in v.liquidations if x.underlying != "asset"]
        known = [p for p in found if p is not None]
        value = None if len(known) < len(found) else max(known, default=0.0)
        bound = policy.max_liquidation_probability
        yield at_most("liquidation before an action", value, bound, share)
    if policy.max_var_of_nav is not None:
        value = of_nav(max(0.0, tail.value_at_risk) if tail else None)
        yield at_most("value at risk, of NAV", value, policy.max_var_of_nav, share)
    if policy.max_margin_of_nav is not None:
        value = of_nav(margin.required if margin else None)
        yield at_most("margin, of NAV", value, policy.max_margin_of_nav, share)
    if policy.max_failure_of_nav is not None:
        value = of_nav(max((f.total for f in contagion), default=0.0))
        yield at_most("one failure, of NAV", value, policy.max_failure_of_nav, share)
    if policy.max_exit_days is not None:
        days = liquidity.horizon_days if liquidity else None
        yield at_most("exit, days", days, policy.max_exit_days, share)
    yield at_most(
        "keeper cannot pay for protection", 0.0 if wait.keeper_can_pay else 1.0, 0.0, share
    )
