"""Every reason why a plan must not be sent.

The first group mirrors the mandate, so that what the vault would refuse is never sent. The second is the
keeper's own. Gas rules bind the routine lane only: a protective plan never waits for cheaper gas.
"""

from keeper.guard.mandate import judge
from keeper.guard.rehearsal import Rehearsal, rehearse
from keeper.model.decision import Beat, Lane, Plan, Refusal, Verdict, Work
from keeper.model.market import MarketState, Readings
from keeper.model.policy import GuardPolicy
from keeper.model.units import BPS


def check_upkeep(work: Work, market: MarketState, policy: GuardPolicy) -> Verdict:
    """All reasons against work that is due; it waits for cheap gas like any routine transaction."""
    access = _keeper(market.readings) if isinstance(work, Beat) else []
    return Verdict((*access, *_gas(Lane.ROUTINE, market, policy)))


def check(plan: Plan, market: MarketState, policy: GuardPolicy) -> Verdict:
    """All reasons against the plan; an empty plan has none because nothing is sent."""
    if plan.empty:
        return Verdict(())
    orders = _orders(plan, market, policy)
    if not plan.moves:
        return Verdict(orders)
    rehearsal = rehearse(plan, market)
    return Verdict(
        (
            *orders,
            *_access(market),
            *rehearsal.refusals,
            *_price(plan, market, rehearsal),
            *judge(plan, market, rehearsal),
            *_loss(plan, rehearsal, policy),
            *_gas(plan.lane, market, policy),
        )
    )


def _access(market: MarketState) -> list[Refusal]:
    readings = market.readings
    found = _keeper(readings)
    if not readings.venue_readable:
        message = f"lending venue behind {readings.lending_adapter} could not be read"
        found.append(Refusal("venue", message))
    return found


def _keeper(readings: Readings) -> list[Refusal]:
    if readings.mandate.keeper_allowed:
        return []
    message = f"{readings.keeper} is not a keeper of vault {readings.vault}"
    return [Refusal("keeper", message)]


def _price(plan: Plan, market: MarketState, rehearsal: Rehearsal) -> list[Refusal]:
    """V-07, off-chain: no move with price exposure at a price that cannot be trusted."""
    found = []
    believed = market.protectable if plan.lane is Lane.PROTECTIVE else market.tradable
    if rehearsal.trades_price and not believed:
        found.append(Refusal("price", "; ".join(market.faults)))
    if rehearsal.trades_price and not plan.trades_price:
        found.append(Refusal("mislabelled", "the plan trades on the price and says it does not"))
    return found


def _orders(plan: Plan, market: MarketState, policy: GuardPolicy) -> tuple[Refusal, ...]:
    """Against what is to be done at other venues: no mandate bounds it, so the keeper's own limits must."""
    unknown = sorted({o.venue for o in plan.orders} - set(policy.connected_venues))
    found = [Refusal("order-venue", f"no venue {venue} is connected") for venue in unknown]
    found += [
        Refusal("order", f"an order for {order.instrument} at {order.venue} changes nothing")
        for order in plan.orders
        if order.quantity == 0
    ]
    priced = any(order.limit_price_wad for order in plan.orders)
    if priced and not market.tradable and plan.lane is Lane.ROUTINE:
        found.append(Refusal("order-price", "; ".join(market.faults)))
    return tuple(found)


def _loss(plan: Plan, rehearsal: Rehearsal, policy: GuardPolicy) -> list[Refusal]:
    """The keeper's own limit on what a routine plan may lose; protection has the mandate's."""
    if not rehearsal.trades_price and plan.max_loss == 0:
        return []
    found = []
    bound = max(0, rehearsal.before.nav_down()) * policy.max_loss_bps // BPS
    if plan.max_loss > bound and plan.lane is Lane.ROUTINE:
        message = (
            f"accepts a loss of {plan.max_loss} asset units, the keeper's own limit is {bound}"
        )
        found.append(Refusal("keeper-max-loss", message))
    if plan.expected_loss > plan.max_loss:
        message = f"expects to lose {plan.expected_loss} asset units and accepts {plan.max_loss}"
        found.append(Refusal("expected-loss", message))
    return found


def _gas(lane: Lane, market: MarketState, policy: GuardPolicy) -> list[Refusal]:
    """Routine plans wait for cheap gas and leave a reserve for protective ones (K-06, K-11)."""
    if lane is Lane.PROTECTIVE:
        return []
    readings = market.readings
    found = []
    if readings.block.base_fee_wei > policy.max_routine_base_fee_wei:
        message = (
            f"base fee {readings.block.base_fee_wei / 1e9:.2f} gwei, routine plans wait above "
            f"{policy.max_routine_base_fee_wei / 1e9:.2f} gwei"
        )
        found.append(Refusal("base-fee", message))
    if readings.keeper_balance_wei < policy.min_keeper_balance_wei:
        message = (
            f"the keeper holds {readings.keeper_balance_wei / 1e18:.6f} ETH, routine plans leave "
            f"{policy.min_keeper_balance_wei / 1e18:.6f} ETH for protection"
        )
        found.append(Refusal("keeper-balance", message))
    return found
