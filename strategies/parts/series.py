"""Which series: an expiry of the calendar, a strike of the grid at a wanted delta, and how many of it.

The book takes any strike and expiry; grids keep series few, so that what one epoch did not sell is the next one's
series too, and make the choice of a strike the same on machines whose logarithms differ in their last bits.
"""

import hashlib
import math
from dataclasses import dataclass

from keeper.model.decision import OptionTarget
from keeper.model.market import MarketState
from keeper.model.quick import quick
from keeper.model.units import BPS, WAD, Wad
from strategies.parts.positions import (
    SECONDS_A_YEAR,
    free_asset,
    free_base,
    gross_of,
    price_of,
    to_base_units,
    unit,
)
from strategies.parts.smiles import implied_at

DAY = 86_400
WEEK = 7 * DAY
EXPIRY_HOUR = 8
"""UTC: when the large venues settle, so that series can be compared and hedged there."""
_FIRST_FRIDAY = DAY  # of the epoch: 2 January 1970
_NICE = (1, 2, 5)
_GRID_REACH = 2.5
"""Strikes are looked for between price / 2.5 and price x 2.5."""


@quick
@dataclass(frozen=True, slots=True)
class Chosen:
    """One series with what it is worth at the smile."""

    is_call: bool
    strike_wad: Wad
    expiry: int
    volatility: float
    delta: float
    """Of one option held."""
    price: float
    """Assets of one option."""
    vega: float
    years: float

    @property
    def strike(self) -> float:
        """Assets per whole base."""
        return self.strike_wad / WAD

    def target(self, quantity: int, reason: str) -> OptionTarget:
        """So many base units of it; negative: written."""
        return OptionTarget(self.is_call, self.strike_wad, self.expiry, quantity, reason=reason)


def expiry_at(now: int, tenor_days: float) -> int:
    """The expiry nearest to `tenor_days` from now: 08:00 UTC, on Fridays from a week on; never sooner than half of
    the tenor."""
    wanted = now + tenor_days * DAY
    step, first = (WEEK, _FIRST_FRIDAY) if tenor_days >= 7 else (DAY, 0)
    offset = first + EXPIRY_HOUR * 3_600
    expiry = offset + round((wanted - offset) / step) * step
    while expiry - now < tenor_days * DAY / 2:
        expiry += step
    return expiry


def period_start(now: int, tenor_days: float) -> int:
    """The last point of the same calendar: when the series before this one expired."""
    step, first = (WEEK, _FIRST_FRIDAY) if tenor_days >= 7 else (DAY, 0)
    offset = first + EXPIRY_HOUR * 3_600
    return now - (now - offset) % step


def auction_start(market: MarketState, tenor_days: float, window_hours: float) -> int:
    """Unix seconds from which this period's series is offered: at a time within the window that nobody can know
    from the calendar, and that is the same whoever asks again (a hash of the vault and its epoch)."""
    readings = market.readings
    start = period_start(readings.block.timestamp, tenor_days)
    seed = f"{readings.vault.lower()}:{readings.depositors.epoch}:{start}".encode()
    draw = int.from_bytes(hashlib.sha256(seed).digest()[:8], "big")
    window = max(1, int(window_hours * 3_600))
    return start + draw % window


def strike_step_wad(price: float, share: float) -> int:
    """Distance of strikes: the largest 1, 2 or 5 times a power of ten that is at most `share` of the price."""
    wanted = max(price * share, 1e-6)
    exponent = math.floor(math.log10(wanted))
    for power in (exponent, exponent - 1):
        for digit in reversed(_NICE):
            step = digit * 10 ** (power + 18) if power >= -18 else 0
            if 0 < step <= wanted * WAD:
                return int(step)
    return 10**12


def strike_grid(price: float, share: float) -> list[int]:
    """Strikes as WAD around the price, ascending."""
    step = strike_step_wad(price, share)
    low = max(1, math.ceil(price / _GRID_REACH * WAD / step))
    high = math.floor(price * _GRID_REACH * WAD / step)
    return [number * step for number in range(low, high + 1)]


def at_strikes(
    market: MarketState, is_call: bool, expiry: int, strikes_wad: list[int]
) -> tuple[Chosen, ...]:
    """Each of the strikes at the smile; empty where the smile says nothing."""
    from keeper.quant import black

    now, price = market.readings.block.timestamp, price_of(market)
    years = (expiry - now) / SECONDS_A_YEAR
    if years <= 0 or price <= 0 or not strikes_wad:
        return ()
    strikes = [strike / WAD for strike in strikes_wad]
    volatilities = [v or 0.0 for v in implied_at(market.outlook, now, years, strikes)]
    if not all(volatilities):
        return ()
    g = black.greeks(price, strikes, years, volatilities, 1.0 if is_call else -1.0)
    return tuple(
        Chosen(is_call, Wad(strike), expiry, v, d, p, vega, years)
        for strike, v, d, p, vega in zip(
            strikes_wad,
            volatilities,
            g.delta.tolist(),
            g.price.tolist(),
            g.vega.tolist(),
            strict=True,
        )
    )


def by_delta(
    market: MarketState, is_call: bool, expiry: int, delta: float, step_share: float
) -> Chosen | None:
    """The out-of-the-money series whose |delta| is nearest to `delta` from below, inside the mandate's deltas.

    From below: never more exercise risk than was asked for. None if no strike of the grid fits.
    """
    limits = market.readings.mandate.terms.options
    low, high = limits.min_delta_bps / BPS, min(delta, limits.max_delta_bps / BPS)
    price = price_of(market)
    grid = strike_grid(price, step_share)
    side = [k for k in grid if (k >= price * WAD) is is_call or k == round(price * WAD)]
    fitting = [
        one for one in at_strikes(market, is_call, expiry, side) if low <= abs(one.delta) <= high
    ]
    return max(fitting, key=lambda one: round(abs(one.delta), 9), default=None)


def at_money(market: MarketState, is_call: bool, expiry: int, step_share: float) -> Chosen | None:
    """The series whose strike is nearest to the price, whatever its delta."""
    grid = strike_grid(price_of(market), step_share)
    if not grid:
        return None
    nearest = min(grid, key=lambda strike: abs(strike - price_of(market) * WAD))
    return next(iter(at_strikes(market, is_call, expiry, [nearest])), None)


def tenor_fits(market: MarketState, expiry: int) -> bool:
    """Whether the mandate lets a series of this expiry be written now."""
    limits = market.readings.mandate.terms.options
    return limits.min_tenor_s <= expiry - market.readings.block.timestamp <= limits.max_tenor_s


def most_written(
    market: MarketState, series: Chosen, nav: float, tokens: float, sharers: int = 1
) -> float:
    """At most `tokens` whole options of it: by the mandate's notional, vega, collateral and number of series, each
    shared by as many series as are written together, and by what is idle to stand for them; never negative."""
    readings = market.readings
    limits, price = readings.mandate.terms.options, price_of(market)
    value = readings.options.value
    if value is None or value.open_series + sharers > limits.max_series:
        return 0.0
    asset, base = unit(readings.asset.decimals), unit(readings.base.decimals)
    notional = nav * limits.max_notional_bps / BPS - value.notional_base / base * price
    vega = nav * limits.max_vega_bps / BPS - abs(value.vega) / asset
    held = value.collateral_asset / asset + value.collateral_base / base * price
    collateral = gross_of(market) * readings.mandate.terms.caps.max_option_bps / BPS - held
    if series.is_call:
        idle, per_option = free_base(market), price
    else:
        idle, per_option = free_asset(market) / series.strike, series.strike
    by_vega = vega / series.vega if series.vega > 0 else math.inf
    shared = min(notional / price, collateral / per_option, by_vega) / sharers
    return max(0.0, min(tokens, shared, idle))


def sized(market: MarketState, tokens: float, least_value: float) -> int:
    """Base units, towards zero; 0 if they are worth less than `least_value` assets at the price."""
    if tokens * price_of(market) < least_value:
        return 0
    return to_base_units(market, tokens)
