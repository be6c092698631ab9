"""What a vault's options need of anybody, in the order of how much waiting costs.

An observation has a slack of minutes, a recording a window of hours: both are lost if they are late. Then come
settlements, which depositors wait for. Marks, which every value hangs on, what frees collateral and what opens new
business take turns.
"""

from collections.abc import Iterator

from keeper.model.decision import (
    CancelAuction,
    Chore,
    Collect,
    CreateSeries,
    Observe,
    ProvePrice,
    RecordPrice,
    ResolvePrice,
    Target,
)
from keeper.model.desk import DeskState, Settlement, SettlementStatus
from keeper.model.market import MarketState, Readings
from keeper.model.policy import MarkPolicy
from keeper.planning.marks import due_marks
from keeper.planning.written import series_of, wanted_written

LATE_S = 24
"""Two blocks: a call that would come later than the slot or window allows is not sent."""


TURN_BLOCKS = 7
"""How long the first of those that can wait is tried; more than a pause after a failure, and no multiple of it."""


def due_chore(market: MarketState, target: Target, policy: MarkPolicy) -> Chore | None:
    """The first that is due and would pass now, or None.

    What has no hour of its own takes turns: one that is refused over and over must not keep the others from being done.
    """
    state = market.readings.options.state
    if state is None:
        return None
    timed = next(_timed(market, state), None)
    if timed is not None:
        return timed
    others = tuple(_untimed(market, state, target, policy))
    turn = market.readings.block.number // TURN_BLOCKS
    return others[turn % len(others)] if others else None


def _timed(market: MarketState, state: DeskState) -> Iterator[Chore]:
    readings, now = market.readings, market.readings.block.timestamp
    if market.tradable:
        yield from _observation(state, now)
    for settlement in state.settlements:
        yield from _settlement(state.settlement_oracle, settlement, now)
    settled = {
        s.expiry
        for s in state.settlements
        if s.status in (SettlementStatus.SETTLED, SettlementStatus.VOID)
    }
    for position in readings.options.positions:
        if position.awaiting and position.expiry in settled:
            yield Collect(readings.options.desk, position.series_id)


def _untimed(
    market: MarketState, state: DeskState, target: Target, policy: MarkPolicy
) -> Iterator[Chore]:
    readings, now = market.readings, market.readings.block.timestamp
    marks = due_marks(market, policy)
    if marks is not None:
        yield marks
    expiries = {p.series_id: p.expiry for p in readings.options.positions}
    for auction in state.auctions:
        if now > auction.end_at or now >= expiries.get(auction.series_id, now + 1):
            yield CancelAuction(readings.options.desk, auction.auction_id)
    if market.tradable and not readings.paused:
        yield from _creations(readings, state, target)


def _observation(state: DeskState, now: int) -> Iterator[Chore]:
    """The slot that has begun, while it can still be observed."""
    volatility = state.volatility
    slot, into = divmod(now, max(1, volatility.interval_s))
    if (
        volatility.observed_at // max(1, volatility.interval_s) < slot
        and into + LATE_S <= volatility.slack_s
    ):
        yield Observe(volatility.oracle, slot)


def _settlement(oracle: str, s: Settlement, now: int) -> Iterator[Chore]:
    """Record, prove, resolve: each once it can pass."""
    open_, quarantined = (
        s.status is SettlementStatus.OPEN,
        s.status is SettlementStatus.QUARANTINED,
    )
    if open_ and not s.recorded and s.record_from <= now <= s.record_until - LATE_S:
        yield RecordPrice(oracle, s.expiry)
    provable = s.recorded or now > s.record_until
    unproven = not s.proven and (open_ or quarantined)
    if unproven and provable and s.base_rounds is not None and s.quote_rounds is not None:
        yield ProvePrice(oracle, s.expiry, s.base_rounds, s.quote_rounds)
    if quarantined and s.resolve_at and now >= s.resolve_at:
        yield ResolvePrice(oracle, s.expiry)


def _creations(readings: Readings, state: DeskState, target: Target) -> Iterator[Chore]:
    """Series that are to be written and that the book was seen not to know."""
    limits = readings.mandate.terms.options
    now = readings.block.timestamp
    for option in wanted_written(target):
        series = series_of(option, readings, state)
        in_time = limits.min_tenor_s <= series.expiry - now <= limits.max_tenor_s
        if in_time and series.well_formed and state.exists(series.id) is False:
            yield CreateSeries(state.book, series)
