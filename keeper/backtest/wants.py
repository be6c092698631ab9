"""What a target wants beyond what planning makes, as moves of the vault and orders at other venues.

Planning makes moves for health, delta and written options, and orders for perpetuals. While it makes none for options
bought here and for supplies at the vault's own venue, this is the shortest way from what is held to what is wanted: no
routes, slices or rolls, and nothing for a change of less than a tenth of what is held. A plan that has orders of its
own is left alone. What is made here meets the same mandate, buckets and latency as everything else.
"""

from dataclasses import dataclass

from keeper.backtest.option_market import Terms, per_base_wad
from keeper.backtest.readings import LENDING_ADAPTER
from keeper.backtest.world import World
from keeper.model.decision import (
    Lane,
    Move,
    MoveKind,
    OptionTarget,
    Order,
    Plan,
    SupplyTarget,
    Target,
)
from keeper.model.units import BPS, Raw, Wad

GAS_BASE, GAS_PER_MOVE = 500_000, 300_000
ORDER_SLIPPAGE_BPS = 100
BAND_BPS = 1_000
"""Changes of less than this part of what is held are not worth it."""
LENDING = "lending"
_NOTHING = (Terms(False, 0, 0), 0)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Moves of one rebalance, in order, and orders beside it."""

    moves: tuple[Move, ...] = ()
    orders: tuple[Order, ...] = ()

    def plan(self, target: Target, world: World) -> Plan:
        """The moves as a plan; it may lose what the mandate allows a rebalance."""
        most = max(0, world.nav()) * world.spec.terms.limits.max_loss_bps // BPS
        return Plan(
            lane=Lane.ROUTINE,
            moves=self.moves,
            reason=target.reason,
            expected_health_wad=Wad(world.lending.account(*world.oracle.answers).health_wad),
            expected_net_delta=Raw(0),
            expected_loss=Raw(0),
            max_loss=Raw(most),
            gas_limit_estimate=GAS_BASE + GAS_PER_MOVE * len(self.moves),
            trades_price=True,
        )


def wanted_of(target: Target, plan: Plan, world: World, least_value: int) -> Wanted:
    """What the plan leaves to be done; changes of less than `least_value` asset units are not worth it."""
    if plan.orders:
        return Wanted()
    orders = _bought(target.options, world, least_value)
    return Wanted(_supplies(target.supplies, world, least_value), orders)


def _bought(
    wanted: tuple[OptionTarget, ...] | None, world: World, least_value: int
) -> tuple[Order, ...]:
    """Options held, sales first; what is wanted twice of one series is added up."""
    if wanted is None or not world.desk.market.open:
        return ()
    desk = world.desk
    long: dict[str, tuple[Terms, int]] = {}
    for one in wanted:
        if one.quantity > 0:
            terms = Terms(one.is_call, one.strike_wad, one.expiry, one.second_strike_wad)
            long[terms.key] = (terms, long.get(terms.key, (terms, 0))[1] + one.quantity)
    orders = []
    for key in dict.fromkeys((*desk.bought, *long)):
        terms, have = desk.bought.get(key, (long[key][0], 0) if key in long else _NOTHING)
        change = long.get(key, (terms, 0))[1] - have
        if _worth(world, terms, change, have, least_value):
            orders.append(_option_order(world, terms, change))
    return tuple(sorted(orders, key=lambda order: order.quantity > 0))


def _worth(world: World, terms: Terms, change: int, have: int, least_value: int) -> bool:
    """By the strike's value: what is bound or hedged, not the premium. An expired series is settled, not traded."""
    value = abs(change) * terms.strike_wad // world.scale
    if abs(change) * BPS < have * BAND_BPS:
        return False
    return change != 0 and value >= least_value and terms.expiry > world.time


def _option_order(world: World, terms: Terms, change: int) -> Order:
    """At the dealer's side of the market, with room for it to move."""
    spec, market = world.desk.spec, world.desk.market
    tilt = spec.ask_premium_bps if change > 0 else -spec.bid_discount_bps
    value = market.value(terms, world.oracle.price_wad, world.time, tilt)
    price = per_base_wad(value.price) if value else 0
    room = ORDER_SLIPPAGE_BPS * 5 * (1 if change > 0 else -1)
    limit = Wad(price * (BPS + room) // BPS)
    return Order(spec.venue, terms.key, change, limit, "options wanted")


def _supplies(
    wanted: tuple[SupplyTarget, ...] | None, world: World, least_value: int
) -> tuple[Move, ...]:
    """At the vault's own venue: less first, then more; venues that are not simulated are left alone."""
    less: list[Move] = []
    more: list[Move] = []
    for one in wanted or ():
        if one.venue != LENDING:
            continue
        of_base = one.token.lower() == world.spec.base.address.lower()
        reserve = world.lending.reserve(of_base)
        unit = world.oracle.price_wad if of_base else world.scale
        for change, add, take in (
            (one.amount - reserve.supplied, MoveKind.SUPPLY, MoveKind.WITHDRAW),
            (one.owed - reserve.debt, MoveKind.BORROW, MoveKind.REPAY),
        ):
            have = reserve.supplied if add is MoveKind.SUPPLY else reserve.debt
            small = abs(change) * unit // world.scale < max(1, least_value)
            if small or abs(change) * BPS < have * BAND_BPS:
                continue
            kind = add if change > 0 else take
            move = Move(kind, LENDING_ADAPTER, one.token, Raw(abs(change)), Raw(0))
            (more if change > 0 else less).append(move)
    return (*less, *more)
