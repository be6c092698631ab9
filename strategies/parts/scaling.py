"""Another strategy's target, made smaller; protection is never touched."""

from dataclasses import replace

from keeper.model.decision import Lane, OptionTarget, PerpetualTarget, Target
from keeper.model.exposure import Kind
from keeper.model.ledger import Ledger
from keeper.model.market import MarketState
from keeper.model.risk import RiskReport
from keeper.model.units import BPS, WAD, Raw, Wad
from strategies.parts.positions import held_series, perpetuals_of, to_base_units
from strategies.parts.targets import hold, series_key

PPM = 10**6


def scaled(
    market: MarketState, risk: RiskReport, target: Target, factor: float, tolerance: float | None
) -> Target:
    """What is wanted beyond nothing, times `factor` (0 to 1); what the target itself reduces is left as it is.

    tolerance: what is held may be over its scaled size by this part of it before it is reduced; None never reduces.
    A routine target that raises debt gets so much less of it: debt over equity scales.
    """
    if target.lane is Lane.PROTECTIVE or target.hold or factor >= 1:
        return target
    scale = _Scale(max(0, int(factor * PPM)), None if tolerance is None else int(tolerance * PPM))
    result = replace(
        target,
        health_wad=_health(market, risk, target, scale),
        net_delta=None
        if target.net_delta is None
        else Raw(scale.of(target.net_delta, risk.net_delta)),
        options=_options(market, target, scale),
        perpetuals=_perpetuals(market, target, scale),
    )
    if result.hold:
        return hold(f"{target.reason}; scaled to {factor:.2f}, which leaves nothing to do")
    return replace(result, reason=f"{target.reason}; scaled to {factor:.2f}")


class _Scale:
    """Integers throughout, so that the same inputs give the same target everywhere."""

    def __init__(self, factor_ppm: int, tolerance_ppm: int | None) -> None:
        self.ppm, self.tolerance = factor_ppm, tolerance_ppm

    def of(self, wanted: int, held: int) -> int:
        """The size to want, between nothing and what was wanted."""
        sign = -1 if wanted < 0 else 1
        beside = max(0, sign * held)
        small = abs(wanted) * self.ppm // PPM
        if self.tolerance is not None and beside * PPM > small * (PPM + self.tolerance):
            return sign * min(small, abs(wanted))
        return sign * min(abs(wanted), max(small, beside))


def _health(market: MarketState, risk: RiskReport, target: Target, scale: _Scale) -> Wad | None:
    """A higher health for the same collateral: D / NAV = t / (h - t) with t the average threshold, so that debt
    times f is h' = t + (h - t) / f; None where that asks for less debt than there is."""
    wanted = target.health_wad
    if wanted is None or wanted >= risk.health_wad:
        return wanted
    if scale.ppm == 0:
        return None
    ledger = Ledger.of(market.readings)
    collateral = ledger.collateral_scaled()
    threshold = ledger.threshold_scaled() * WAD // (collateral * BPS) if collateral else 0
    raised = threshold + (wanted - threshold) * PPM // scale.ppm
    return Wad(raised) if raised < risk.health_wad else None


def _options(market: MarketState, target: Target, scale: _Scale) -> tuple[OptionTarget, ...] | None:
    if target.options is None:
        return None
    held = {series_key(one): one.quantity for one in held_series(market)}
    sized = (
        replace(one, quantity=scale.of(one.quantity, held.get(series_key(one), 0)))
        for one in target.options
    )
    return tuple(one for one in sized if one.quantity)


def _perpetuals(
    market: MarketState, target: Target, scale: _Scale
) -> tuple[PerpetualTarget, ...] | None:
    if target.perpetuals is None:
        return None
    return tuple(
        replace(
            one,
            quantity=scale.of(
                one.quantity, to_base_units(market, perpetuals_of(market, one.venue))
            ),
        )
        for one in target.perpetuals
    )


def all_smaller(market: MarketState, risk: RiskReport, factor: float, tolerance: float) -> Target:
    """What is held in options and perpetuals, scaled: for when the inner strategy rests and the size must not."""
    venues = sorted({h.venue for h in market.holdings if h.kind is Kind.PERPETUAL})
    held = tuple(
        PerpetualTarget(venue, to_base_units(market, perpetuals_of(market, venue)))
        for venue in venues
    )
    series = held_series(market)
    now = Target(
        Lane.ROUTINE,
        None,
        None,
        "reduce what is held",
        options=series or None,
        perpetuals=held or None,
    )
    found = scaled(market, risk, now, factor, tolerance)
    unchanged = found.options == now.options and found.perpetuals == now.perpetuals
    return hold("what is held is small enough") if unchanged or found.hold else found
