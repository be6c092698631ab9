"""Changes at venues beyond the vault's contract: target minus holdings, what reduces first.

What several strategies want of one instrument is added up before anything is traded, so that opposite sides cancel.
A change is ordered when the loss expected from leaving it is at least its fee; closing always is.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from keeper.model.address import ZERO_ADDRESS
from keeper.model.decision import Lane, Order, Target
from keeper.model.exposure import BASE, Exposure, Kind
from keeper.model.market import MarketState
from keeper.model.option_marks import YEAR_S, OptionMark, mark_of, market_value, price_wad_up
from keeper.model.outlook import Funding
from keeper.model.policy import PlanningPolicy
from keeper.model.series import OptionTerms, Series, terms_of_instrument
from keeper.model.units import BPS, WAD, Wad
from keeper.planning.costs import pays
from keeper.planning.option_book import scale_of
from keeper.planning.supplies import is_own
from keeper.planning.written import net_options

PERPETUAL = "perpetual"
"""Names a venue's one perpetual on base where none is held yet."""


@dataclass(frozen=True, slots=True)
class _Change:
    """What is to be done with one instrument; quantities in its raw units, signed."""

    venue: str
    instrument: str
    have: int
    want: int
    price_wad: int
    """Assets per whole unit; 0 where nothing is paid."""
    unit_wad: int
    """Raw units x this over the vault's scale is asset units."""
    cost_bps: float
    reason: str
    spread_wad: tuple[int, int] = (0, 0)
    """Where a venue may quote it: least to get and most to pay; zeros for `price_wad`."""
    band_bps: int = 0
    """A change by less than this part of what is held is none."""

    @property
    def reduces(self) -> bool:
        """True if less is left than was there."""
        return abs(self.want) < abs(self.have)


def plan_orders(market: MarketState, target: Target, policy: PlanningPolicy) -> tuple[Order, ...]:
    """Orders towards the target: exits before entries, otherwise in the target's order.

    While prices cannot be traded on, only a protective target orders, and only what reduces.
    """
    changes = [*_perpetuals(market, target), *_options(market, target, policy)]
    changes += _supplies(market, target, policy)
    orders = [
        (change.reduces, _order(change, policy))
        for change in changes
        if _worth_it(change, market, target, policy)
    ]
    return tuple(order for _, order in sorted(orders, key=lambda found: not found[0]))


def _worth_it(change: _Change, market: MarketState, target: Target, policy: PlanningPolicy) -> bool:
    size = abs(change.want - change.have)
    if size == 0:
        return False
    if not market.tradable and not (target.lane is Lane.PROTECTIVE and change.reduces):
        return False
    if change.want == 0:
        return True
    if size * BPS < abs(change.have) * change.band_bps:
        return False
    value = size * change.unit_wad // scale_of(market.readings)
    cost = round(value * change.cost_bps / BPS)
    return pays(market, policy, value, cost)


def _order(change: _Change, policy: PlanningPolicy) -> Order:
    quantity = change.want - change.have
    # Rounded against the vault's patience, never past the tolerance: down for the most to pay, up for the least to get.
    room = policy.order_tolerance_bps
    least, most = (edge or change.price_wad for edge in change.spread_wad)
    limit = most * (BPS + room) // BPS if quantity > 0 else -(-least * (BPS - room) // BPS)
    return Order(change.venue, change.instrument, quantity, Wad(limit), change.reason)


def _raw_down(quantity: float, decimals: int) -> int:
    """Raw units of a float, towards zero."""
    return int(quantity * 10**decimals)


def _held(holding: Exposure, decimals: int) -> int:
    """Raw units of a holding: exact where its venue says so, for more than is there cannot be closed."""
    return _raw_down(holding.quantity, decimals) if holding.raw is None else holding.raw


# ---------------------------------------------------------------- perpetuals


def _perpetuals(market: MarketState, target: Target) -> Iterator[_Change]:
    wanted: dict[str, int] = {}
    for one in target.perpetuals or ():
        wanted[one.venue] = wanted.get(one.venue, 0) + one.quantity
    oracle = int(market.readings.price.price_wad)
    for venue, quantity in wanted.items():
        held = [h for h in market.holdings if h.venue == venue and h.kind is Kind.PERPETUAL]
        offer = next((f for f in market.outlook.funding if f.venue == venue), None)
        if not held and (offer is None or not offer.mark > 0):
            continue  # nothing is opened where nothing is offered
        have = sum(_held(h, market.readings.base.decimals) for h in held)
        price = round(offer.mark * WAD) if offer and offer.mark > 0 else oracle
        yield _Change(
            venue=venue,
            instrument=held[0].id if held else PERPETUAL,
            have=have,
            want=_within(quantity, have, offer, market),
            price_wad=price,
            unit_wad=price,
            cost_bps=offer.fee * BPS if offer else 0.0,
            reason=target.reason,
        )


def _within(quantity: int, have: int, offer: Funding | None, market: MarketState) -> int:
    """As much of the position as the venue takes; what is held beyond that may stay, and never grows."""
    same_side = quantity * have >= 0
    if offer is None or not offer.mark > 0:
        return quantity if same_side and abs(quantity) < abs(have) else have
    most = max(0, _raw_down(offer.most_notional / offer.mark, market.readings.base.decimals))
    most = max(most, abs(have)) if same_side else most
    return max(-most, min(most, quantity))


# ---------------------------------------------------------------- options bought


def _options(market: MarketState, target: Target, policy: PlanningPolicy) -> Iterator[_Change]:
    """At the one venue that the policy names; none without it. An expired option is settled, not traded."""
    venue, readings = policy.option_venue, market.readings
    if target.options is None or not venue:
        return
    held = {
        _terms_of(h, readings.block.timestamp): h
        for h in market.holdings
        if h.venue == venue and h.kind is Kind.OPTION and h.underlying == BASE and h.years > 0
    }
    wanted = {
        (o.is_call, int(o.strike_wad), int(o.second_strike_wad), o.expiry): o.quantity
        for o in net_options(target)
        if o.quantity > 0 and o.expiry > readings.block.timestamp
    }
    for key in dict.fromkeys((*held, *wanted)):
        is_call, strike, second, expiry = key
        pair = (readings.base.address, readings.asset.address, ZERO_ADDRESS)
        series = Series(*pair, expiry, is_call, Wad(strike), Wad(second))
        more = policy.option_tolerance_bps / BPS
        value, dear = _option_value(market, series), _option_value(market, series, more)
        cheap = _option_value(market, series, -more)
        if value is None or dear is None or cheap is None or not series.well_formed:
            continue
        holding = held.get(key)
        have = _held(holding, readings.base.decimals) if holding else 0
        yield _Change(
            venue=venue,
            instrument=holding.id if holding else series.instrument,
            have=have,
            want=wanted.get(key, 0),
            price_wad=int(price_wad_up(value)),
            unit_wad=strike,  # what is hedged, not the premium
            cost_bps=0.0,
            reason=target.reason,
            # of a spread the value may fall as volatility rises
            spread_wad=(int(price_wad_up(min(cheap, dear))), int(price_wad_up(max(cheap, dear)))),
            band_bps=policy.resize_bps,
        )


def _terms_of(holding: Exposure, now: int) -> OptionTerms:
    """By its name; else strike to the millionth and expiry to the second, which holdings carry as floats."""
    named = terms_of_instrument(holding.id)
    if named is not None:
        return named
    expiry = now + round(holding.years * YEAR_S)
    return holding.is_call, round(holding.strike * 10**6) * 10**12, 0, expiry


def _option_value(market: MarketState, series: Series, more: float = 0.0) -> float | None:
    """By the outlook's smile, else by the vault's own marks; at a volatility higher by a part `more`."""
    spot, now = int(market.readings.price.price_wad), market.readings.block.timestamp
    if spot <= 0:
        return None
    paid = market_value(market.outlook, series, spot, now, more=more)
    state = market.readings.options.state
    mark: OptionMark | None = None
    if paid is None and state is not None:
        mark = mark_of(state.volatility, series, spot, now, more=more)
    return paid if paid is not None else mark.value if mark else None


# ---------------------------------------------------------------- supplies


def _supplies(market: MarketState, target: Target, policy: PlanningPolicy) -> Iterator[_Change]:
    """At venues that the outlook knows and that are not the vault's own; nothing is paid for them."""
    readings = market.readings
    tokens = {t.address.lower(): t for t in (readings.asset, readings.base)}
    wanted: dict[tuple[str, str], tuple[int, int | None]] = {}
    for one in target.supplies or ():
        amount, owed = wanted.get((one.venue, one.token.lower()), (0, None))
        both = one.owed if owed is None else owed + (one.owed or 0)
        wanted[one.venue, one.token.lower()] = (amount + one.amount, both)
    known = {(rate.venue, rate.token.lower()) for rate in market.outlook.lending}
    for (venue, address), (amount, owed) in wanted.items():
        token = tokens.get(address)
        if token is None or is_own(readings, venue) or (venue, address) not in known:
            continue
        is_base = token is readings.base
        unit = int(readings.price.price_wad) if is_base else scale_of(readings)
        for kind, want in ((Kind.SUPPLY, amount), (Kind.LOAN, None if owed is None else -owed)):
            if want is None:
                continue
            held = [
                h
                for h in market.holdings
                if h.venue == venue and h.kind is kind and (h.underlying == BASE) == is_base
            ]
            have = sum(_held(h, token.decimals) for h in held)
            name = held[0].id if held else f"{kind.value}:{token.address}"
            yield _Change(
                venue, name, have, want, 0, unit, 0.0, target.reason, band_bps=policy.resize_bps
            )
