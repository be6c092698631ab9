"""Target minus holdings, as ordered moves within the mandate."""

from dataclasses import replace

from keeper.model.decision import Lane, MoveKind, Plan, PlanCosts, Target
from keeper.model.ledger import Ledger, changes_price_exposure
from keeper.model.market import MarketState, Readings
from keeper.model.policy import PlanningPolicy
from keeper.model.risk import RiskReport
from keeper.model.units import INFINITE_HEALTH, Raw, Wad, wad_float
from keeper.planning.costs import gas_up, waiting_up
from keeper.planning.deleverage import raise_health
from keeper.planning.delta import delta_gap, move_delta
from keeper.planning.options import Desk, enter_options, leave_options
from keeper.planning.orders import plan_orders
from keeper.planning.price_free import raise_health_without_price
from keeper.planning.relever import lower_health
from keeper.planning.slices import slice_up
from keeper.planning.state import VENUE_FLOOR_WAD, Bounds, Draft
from keeper.planning.supplies import move_supplies, wants_own
from keeper.planning.swap_quote import PIPS
from keeper.planning.urgency import protect

GAS_BASE = 500_000
GAS_PER_MOVE = {
    MoveKind.SUPPLY: 130_000,
    MoveKind.WITHDRAW: 130_000,
    MoveKind.BORROW: 150_000,
    MoveKind.REPAY: 110_000,
    MoveKind.SWAP: 120_000,
    MoveKind.WRITE: 650_000,
    MoveKind.CANCEL: 200_000,
    MoveKind.BUY_BACK: 350_000,
}
"""A tenth to a half over what forked protocols measure; the simulation gives the true figure."""


def make_plan(
    market: MarketState, risk: RiskReport, target: Target, policy: PlanningPolicy
) -> Plan:
    """Moves that bring the vault to the target, or as far as mandate, policy and market allow.

    An empty plan carries the reason why nothing is done.
    """
    if target.hold and target.reason:
        return _empty(risk, target.lane, target.reason)
    plan = _plan_moves(market, risk, target, policy)
    if plan.moves and plan.lane is Lane.PROTECTIVE:
        return plan  # what cannot be reached elsewhere must not stop it: orders come with the next plan
    orders = plan_orders(market, target, policy)
    if not orders:
        return plan
    reason = plan.reason if plan.moves else target.reason
    return replace(plan, orders=orders, reason=reason)


def _plan_moves(
    market: MarketState, risk: RiskReport, target: Target, policy: PlanningPolicy
) -> Plan:
    """The plan without what is ordered elsewhere."""
    impossible = _why_nothing(market, risk, target)
    desk = _desk(market, target, policy)
    if impossible and desk is None:
        return _empty(risk, target.lane, impossible)
    readings = market.readings
    draft = Draft(Bounds.of(market, target.lane, policy), Ledger.of(readings), readings.pool)
    planned = leave_options(draft, desk) if desk else draft
    lends = False
    moves_position = target.net_delta is not None or (
        target.health_wad is not None and risk.has_position
    )
    if not impossible and not _priced(market, target.lane):
        planned = raise_health_without_price(planned, risk.health_wad, target.health_wad or 0)
    elif not impossible:
        planned = _full(planned, target, market, policy) if moves_position else planned
        floor = max(planned.bounds.health_floor_wad, target.health_wad or 0)
        planned = enter_options(planned, desk, floor) if desk else planned
        exposed = planned
        if target.lane is Lane.ROUTINE and not readings.paused:
            planned = move_supplies(planned, market, target, policy, floor)
        lends = planned.moves != exposed.moves
    if not planned.moves:
        why = (_why_unreachable(draft, market, target),) if moves_position else ()
        reason = "; ".join((*why, *planned.notes)) or "everything is as wanted"
        return _empty(risk, target.lane, impossible or reason)
    plan = _finish(draft, planned, market, target, policy)
    left = "" if lends else _not_worth_it(plan, target)
    return _empty(risk, target.lane, left) if left else plan


def _priced(market: MarketState, lane: Lane) -> bool:
    """Whether moves of a lane may trade on the price: the keeper's own caution binds what is routine only."""
    return market.protectable if lane is Lane.PROTECTIVE else market.tradable


def _not_worth_it(plan: Plan, target: Target) -> str:
    """Why a routine change of exposure is left; empty if it is made, or if nobody knows what waiting costs."""
    exposure_only = target.lane is Lane.ROUTINE and target.health_wad is None
    optional = any(move.kind >= MoveKind.WRITE for move in plan.moves)
    costs = plan.costs
    if costs is None or costs.waiting == 0 or not exposure_only or optional:
        return ""
    if (cost := costs.gas + costs.fee + costs.impact) <= costs.waiting:
        return ""
    return f"moving costs {cost} asset units, leaving it {costs.waiting}: left"


def _desk(market: MarketState, target: Target, policy: PlanningPolicy) -> Desk | None:
    """Where options may be moved at all: on a price, with the venue readable, and never in the way of protection."""
    if target.lane is Lane.PROTECTIVE or not market.tradable or not market.readings.venue_readable:
        return None
    return Desk.of(market, target, policy)


def _why_nothing(market: MarketState, risk: RiskReport, target: Target) -> str:
    """Why no move may even be looked for; empty if one may."""
    readings = market.readings
    if target.hold:
        return target.reason
    if not readings.venue_readable:
        return "the lending venue cannot be read, so nothing is moved"
    wants_exposure = target.net_delta is not None or target.options is not None
    if not (wants_exposure or risk.has_position or wants_own(readings, target)):
        return "no position to protect or to lever"
    if target.lane is Lane.PROTECTIVE and target.health_wad is not None:
        return ""
    if not market.tradable:
        return f"prices cannot be traded on: {'; '.join(market.faults)}"
    return _why_routine_waits(readings)


def _why_routine_waits(readings: Readings) -> str:
    """What the mandate makes everything wait for that does not reduce every risk; empty for nothing."""
    if readings.paused:
        return "the vault is paused or winding down: only protective moves are possible"
    caps, now = readings.mandate.terms.caps, readings.block.timestamp
    until = readings.mandate.last_routine_at + caps.cooldown_s
    if now < until:
        return f"the mandate's cooldown lasts {until - now} s more"
    age = now - readings.measure.price_at if readings.measure else 0
    if age > caps.max_oracle_age_s:
        most = caps.max_oracle_age_s
        return f"the price is {age} s old, routine moves need one of at most {most} s"
    if readings.unhedged:
        return "a venue holds less than the vault opened there: nothing is added to it"
    return ""


def _full(draft: Draft, target: Target, market: MarketState, policy: PlanningPolicy) -> Draft:
    """Health first, then exposure: an exit may already close part of the delta's gap."""
    if target.health_wad is not None:
        health = draft.ledger.health_wad()
        if health < target.health_wad and target.lane is Lane.PROTECTIVE:
            draft = protect(draft, market, policy, target.health_wad)
        elif health < target.health_wad:
            draft = raise_health(draft, target.health_wad)
        elif health > target.health_wad and target.lane is Lane.ROUTINE:
            draft = lower_health(draft, target.health_wad)
    if target.net_delta is not None and not market.readings.paused:
        floor = max(draft.bounds.health_floor_wad, target.health_wad or 0)
        bounds = replace(draft.bounds, health_floor_wad=min(floor, draft.ledger.health_wad()))
        if target.lane is Lane.ROUTINE:
            gap = _gap_value_up(draft, target.net_delta)
            due = slice_up(market, policy, gap)
            if due < gap:
                bounds = replace(bounds, max_swap=min(bounds.max_swap, draft.traded + due))
        draft = move_delta(replace(draft, bounds=bounds), target.net_delta)
    return draft


def _why_unreachable(draft: Draft, market: MarketState, target: Target) -> str:
    bounds, health = draft.bounds, draft.ledger.health_wad()
    if not _priced(market, target.lane):
        return f"nothing idle to repay with, and prices cannot be traded on: {market.faults[0]}"
    if target.health_wad is not None and health < min(VENUE_FLOOR_WAD, target.health_wad):
        return (
            f"health {wad_float(health):.4f} is too low for any withdrawal at the venue and nothing "
            "is idle to repay with"
        )
    return (
        f"no move of at least {bounds.min_trade} asset units fits: swap limit {bounds.max_swap}, "
        f"loss allowed {bounds.max_loss}, reserve {bounds.idle_reserve}"
    )


def _gas(draft: Draft) -> int:
    return GAS_BASE + sum(GAS_PER_MOVE[move.kind] for move in draft.moves)


def _gap_value_up(draft: Draft, target: int) -> int:
    """What is to be bought or sold, asset units."""
    return draft.ledger.value_up(draft.ledger.base, abs(delta_gap(draft, target)))


def _costs(
    start: Draft, end: Draft, market: MarketState, target: Target, policy: PlanningPolicy
) -> PlanCosts:
    fee = -(-end.traded * start.pool.fee_pips // PIPS)
    gap = 0 if target.net_delta is None else _gap_value_up(start, target.net_delta)
    return PlanCosts(
        gas=gas_up(market, _gas(end)),
        fee=Raw(fee),
        impact=Raw(end.loss - fee),
        waiting=waiting_up(market, policy, gap) or Raw(0),
    )


def _finish(
    start: Draft, end: Draft, market: MarketState, target: Target, policy: PlanningPolicy
) -> Plan:
    bounds = end.bounds
    priced = end.ledger.price_wad > 0
    return Plan(
        lane=target.lane,
        moves=end.moves,
        reason="; ".join((target.reason + _what_is_left(end, market, target), *end.notes)),
        expected_health_wad=end.ledger.health_wad()
        if priced
        else market.readings.account.health_wad,
        expected_net_delta=Raw(end.ledger.net_delta() + end.surplus_base),
        expected_loss=Raw(max(0, end.loss)),
        max_loss=Raw(min(end.max_loss(end.loss, end.traded), max(bounds.max_loss, 0))),
        gas_limit_estimate=_gas(end),
        trades_price=_trades_price(start.ledger, end),
        series=end.series,
        costs=_costs(start, end, market, target, policy),
    )


def _trades_price(ledger: Ledger, end: Draft) -> bool:
    if any(move.kind >= MoveKind.WRITE for move in end.moves):
        return True  # a lone cancellation needs no price, but nothing is planned of options without one
    for move in end.moves:
        if changes_price_exposure(move, ledger):
            return True
        ledger = ledger.apply(move)
    return False


def _what_is_left(end: Draft, market: MarketState, target: Target) -> str:
    """A clause for the reason when the plan stops short of the target."""
    if not _priced(market, target.lane):
        return f"; from idle only: {market.faults[0]}"
    health = end.ledger.health_wad()
    if target.health_wad is not None and abs(health - target.health_wad) * 200 > target.health_wad:
        return f"; this plan reaches {wad_float(health):.4f}"
    if target.net_delta is not None:
        left = end.ledger.value_up(end.ledger.base, abs(delta_gap(end, target.net_delta)))
        if left > end.bounds.min_trade:
            return f"; {left} asset units of exposure are left to a later plan"
    return ""


def _empty(risk: RiskReport, lane: Lane, reason: str) -> Plan:
    return Plan(
        lane,
        (),
        reason,
        Wad(min(risk.health_wad, INFINITE_HEALTH)),
        risk.net_delta,
        Raw(0),
        Raw(0),
        0,
        False,
    )
