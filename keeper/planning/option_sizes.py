"""How much of a series may be written, and at which price its sale starts."""

from dataclasses import dataclass, replace

from keeper.model.desk import DeskState
from keeper.model.market import MarketState
from keeper.model.option_marks import mark_of, market_value, price_wad_up
from keeper.model.policy import PlanningPolicy
from keeper.model.series import Series
from keeper.model.units import BPS, Wad
from keeper.planning.option_book import scale_of


@dataclass(frozen=True, slots=True)
class Sale:
    """What one option of a series is, as it may be when the sale opens."""

    start_price_wad: Wad
    vega_wad: Wad
    """Change for volatility 1.00 higher, asset per option on a whole base, rounded up."""


def sale_of(
    market: MarketState, state: DeskState, policy: PlanningPolicy, series: Series
) -> tuple[Sale | None, str]:
    """The terms of a sale, or why the mandate would refuse it."""
    readings, options = market.readings, policy.options
    limits, now, spot = readings.mandate.terms.options, readings.block.timestamp, readings.price
    moved = int(spot.price_wad) * options.spot_margin_bps // BPS
    more = options.volatility_margin_bps / BPS
    spots = (int(spot.price_wad) - moved, int(spot.price_wad), int(spot.price_wad) + moved)
    marks = [mark_of(state.volatility, series, at, now, more=more) for at in spots]
    here = mark_of(state.volatility, series, int(spot.price_wad), now)
    found = [m for m in marks if m is not None]
    if here is None or len(found) < len(spots):
        return None, "the volatility oracle has no mark for it"
    low, high = int(limits.min_delta_bps), int(limits.max_delta_bps)
    room = min(int(options.delta_margin_bps), (high - low) // 4)
    if not low + room <= here.first_delta * BPS <= high - room:
        bounds = f"the mandate writes {low} to {high} bps"
        return None, f"its delta is {here.first_delta * BPS:.0f} bps, {bounds}"
    worth = [m.value for m in found]
    worth += [v for at in spots if (v := market_value(market.outlook, series, at, now)) is not None]
    return Sale(
        start_price_wad=price_wad_up(max(worth), int(options.start_over_mark_bps)),
        vega_wad=price_wad_up(max(m.vega for m in found)),
    ), ""


@dataclass(frozen=True, slots=True)
class Room:
    """What is left of the mandate's limits on options, with the policy's margin; asset units."""

    notional: int
    vega: int
    collateral: int
    price_wad: int
    scale: int
    base_decimals: int
    asset_decimals: int

    @classmethod
    def of(cls, market: MarketState, policy: PlanningPolicy) -> "Room":
        """None left where the vault could not be measured."""
        readings, measure = market.readings, market.readings.measure
        keep = BPS - policy.options.limit_margin_bps
        limits, caps = readings.mandate.terms.options, readings.mandate.terms.caps
        sound = measure is not None and measure.priced and measure.options_known
        nav, gross = (max(0, measure.nav), max(0, measure.gross)) if measure and sound else (0, 0)
        used = (measure.notional, measure.vega, measure.option_collateral) if measure else (0, 0, 0)
        most = (
            nav * limits.max_notional_bps,
            nav * limits.max_vega_bps,
            gross * caps.max_option_bps,
        )
        notional, vega, collateral = (
            max(0, cap * keep // (BPS * BPS) - int(so_far))
            for cap, so_far in zip(most, used, strict=True)
        )
        return cls(
            notional=notional,
            vega=vega,
            collateral=collateral,
            price_wad=int(readings.price.price_wad),
            scale=scale_of(readings),
            base_decimals=readings.base.decimals,
            asset_decimals=readings.asset.decimals,
        )

    def amount_down(self, series: Series, sale: Sale) -> int:
        """Base units of a series that still fit every limit, and a slot of the desk's record."""
        by_notional = self.notional * self.scale // max(1, self.price_wad)
        by_vega = self.vega * self.scale // sale.vega_wad
        tokens = self.collateral
        if series.is_call:
            tokens = self.collateral * self.scale // max(1, self.price_wad)
        by_collateral = series.covered_down(tokens, self.base_decimals, self.asset_decimals)
        return min(by_notional, by_vega, by_collateral, 2**95)

    def less(self, series: Series, sale: Sale, amount: int) -> "Room":
        """What is left when so much more is written; what is used is rounded up."""
        collateral = series.collateral_up(amount, self.base_decimals, self.asset_decimals)
        if series.is_call:
            collateral = -(-collateral * self.price_wad // self.scale)
        return replace(
            self,
            notional=max(0, self.notional - -(-amount * self.price_wad // self.scale)),
            vega=max(0, self.vega - -(-amount * int(sale.vega_wad) // self.scale)),
            collateral=max(0, self.collateral - collateral),
        )
