"""Another strategy's target, made smaller; protection is never touched."""

from dataclasses import replace

from keeper.model.decision import Lane, OptionTarget, PerpetualTarget, SupplyTarget, Target
from keeper.model.exposure import Kind
from keeper.model.ledger import Ledger
from keeper.model.market import NO_OPTIONS, MarketState
from keeper.model.ports import Strategy
from keeper.model.risk import RiskReport
from keeper.model.units import BPS, WAD, Raw, Wad
from strategies.parts.asking import asked
from strategies.parts.claims import claims_perpetual, series_claim
from strategies.parts.lending import OWN
from strategies.parts.positions import held_series, perpetuals_of, to_base_units
from strategies.parts.targets import hold, series_key
from strategies.parts.wrapping import claims_of

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
        supplies=_supplies(market, target, scale),
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


def _supplies(
    market: MarketState, target: Target, scale: _Scale
) -> tuple[SupplyTarget, ...] | None:
    """Of what would be lent its part; what is owed stays as it is wanted, so that no collateral is thinned out."""
    if target.supplies is None:
        return None
    readings = market.readings
    lent = {
        side.token.lower(): side.supplied
        for side in (readings.asset_position, readings.base_position)
    }
    return tuple(
        one
        if one.owed
        else replace(
            one,
            amount=Raw(
                scale.of(one.amount, lent.get(one.token.lower(), 0) if one.venue == OWN else 0)
            ),
        )
        for one in target.supplies
    )


def all_smaller(
    market: MarketState, risk: RiskReport, inner: Strategy, factor: float, tolerance: float
) -> Target:
    """What is held in options and perpetuals, scaled: for when the inner strategy rests and the size must not. Where it
    says what it claims, that and nothing else.

    Scaled against what the inner strategy would hold if it held nothing: against what is held already, every tick
    would take its part of what the last one left. Where it would hold nothing its own size is not known, and what is
    there is left, but for a factor of 0.
    """
    full = asked(inner, bare(market), risk)
    ppm, allowed = max(0, int(factor * PPM)), PPM + int(tolerance * PPM)
    if ppm > 0 and (full.hold or full.lane is Lane.PROTECTIVE):
        return hold(f"the size of what is held is not known: {full.reason}")
    claims = claims_of(inner)
    series = held_series(market)
    have, most = _by_claim(series), _by_claim(full.options or ())

    def smaller(held: int, wanted: int | None) -> int:
        """Of a size without its sign; None: nobody knows what it should be."""
        if ppm == 0:
            return 0
        if wanted is None or held * PPM * PPM <= wanted * ppm * allowed:
            return held
        return wanted * ppm // PPM

    options = []
    for one in series:
        claim = series_claim(one)
        mine = not claims or claim in claims
        left = smaller(have[claim], most.get(claim)) if mine else have[claim]
        # a part of each series, towards zero
        size = abs(one.quantity) * left // have[claim]
        options.append(replace(one, quantity=size if one.quantity > 0 else -size))
    wanted = {one.venue: abs(one.quantity) for one in full.perpetuals or ()}
    perpetuals = []
    for venue in sorted({h.venue for h in market.holdings if h.kind is Kind.PERPETUAL}):
        if claims and not claims_perpetual(claims, venue):
            continue
        held = to_base_units(market, perpetuals_of(market, venue))
        size = smaller(abs(held), wanted.get(venue))
        if size != abs(held):
            perpetuals.append(PerpetualTarget(venue, size if held > 0 else -size))
    changed = tuple(options) != series
    if not changed and not perpetuals:
        return hold("what is held is small enough")
    return replace(
        hold(f"reduce what is held; scaled to {factor:.2f}"),
        options=tuple(one for one in options if one.quantity) if changed else None,
        perpetuals=tuple(perpetuals) or None,
    )


def bare(market: MarketState) -> MarketState:
    """The same market as if the vault held no option and no perpetual, and what they bind were idle."""
    readings = market.readings
    options, value = readings.options, readings.options.value
    if value is not None:
        readings = replace(
            readings,
            idle_asset=Raw(readings.idle_asset + value.collateral_asset),
            idle_base=Raw(readings.idle_base + value.collateral_base),
            options=replace(
                options,
                value=NO_OPTIONS,
                positions=(),
                state=replace(options.state, auctions=()) if options.state else None,
            ),
        )
    others = (Kind.OPTION, Kind.PERPETUAL)
    holdings = tuple(h for h in market.holdings if h.kind not in others)
    return replace(market, readings=readings, holdings=holdings)


def _by_claim(series: tuple[OptionTarget, ...]) -> dict[str, int]:
    """Base units of each kind of position, without their sign."""
    found: dict[str, int] = {}
    for one in series:
        claim = series_claim(one)
        found[claim] = found.get(claim, 0) + abs(one.quantity)
    return found
