"""What is lent and owed at the vault's own venue: target minus holdings, as moves that keep health up on the way.

In rounds, each in the order that raises health before it lowers it: repay from what is idle, supply what is idle,
withdraw what is too much, borrow what is missing; what a round frees, the next one repays and supplies. Nothing is
swapped: a target for supplies moves amounts of a token about and does not change how much of it the vault has, so
what would need a swap is left, and said.
"""

from dataclasses import dataclass

from keeper.model.decision import MoveKind, Target
from keeper.model.ledger import Holding
from keeper.model.mandate import DUST_UNITS
from keeper.model.market import MarketState, Readings
from keeper.model.policy import PlanningPolicy
from keeper.model.units import BPS, MAX_UINT256
from keeper.planning.state import MAX_ROUNDS, Draft, delta_band

OWN_VENUE = "lending"
"""As outlooks and risk reports name the venue behind the vault's own adapter."""


def is_own(readings: Readings, venue: str) -> bool:
    """True for the vault's own venue, where what is wanted is moves and not orders."""
    return venue.lower() in (OWN_VENUE, readings.lending_adapter.lower(), readings.vault.lower())


def wants_own(readings: Readings, target: Target) -> bool:
    """True if a target says anything about the vault's own venue."""
    return any(is_own(readings, one.venue) for one in target.supplies or ())


@dataclass(frozen=True, slots=True)
class _Goal:
    """Of one token, token units."""

    token: str
    supplied: int
    owed: int | None
    """None leaves it as it is."""


def move_supplies(
    draft: Draft, market: MarketState, target: Target, policy: PlanningPolicy, floor_wad: int
) -> Draft:
    """The draft with moves towards what should be supplied and owed, or as near as the bounds allow.

    floor_wad: health that no step goes under; one that starts under it only rises.
    """
    goals = _goals(draft, market, target, policy)
    if not goals:
        return draft
    if not _delta_fits(draft, market):
        return draft.note("supplies wait until the net delta is inside the mandate's band")
    for _ in range(MAX_ROUNDS):
        before = len(draft.moves)
        draft = _round(draft, goals, floor_wad)
        if len(draft.moves) == before:
            break
    left = sum(_left(draft, goal) for goal in goals)
    if left > draft.bounds.min_trade:
        return draft.note(f"{left} asset units of supplies and loans are left to a later plan")
    return draft


# ---------------------------------------------------------------- what is wanted


def _goals(
    draft: Draft, market: MarketState, target: Target, policy: PlanningPolicy
) -> tuple[_Goal, ...]:
    """By token, what several parts want added up; a token with both changes inside the no-trade band is left.

    One outside takes the other with it: what is withdrawn may be what is repaid.
    """
    wanted: dict[str, tuple[int, int | None]] = {}
    for one in target.supplies or ():
        if is_own(market.readings, one.venue):
            amount, owed = wanted.get(one.token.lower(), (0, None))
            both = one.owed if owed is None else owed + (one.owed or 0)
            wanted[one.token.lower()] = (amount + one.amount, both)
    goals = []
    for holding in (draft.ledger.asset, draft.ledger.base):
        if holding.token.lower() not in wanted:
            continue
        amount, owed = wanted[holding.token.lower()]
        amount = min(amount, holding.supplied + _cap(market, holding))
        if _changes(draft, holding, holding.supplied, amount, policy) or (
            owed is not None and _changes(draft, holding, holding.debt, owed, policy)
        ):
            goals.append(_Goal(holding.token, amount, owed))
    return tuple(goals)


def _changes(draft: Draft, holding: Holding, have: int, want: int, policy: PlanningPolicy) -> bool:
    change = abs(want - have)
    return change * BPS >= have * policy.resize_bps and draft.worth_it(holding, change)


def _cap(market: MarketState, holding: Holding) -> int:
    """What the venue still takes of it, as the outlook has it; no bound where it says nothing."""
    return min(
        (
            int(rate.cap)
            for rate in market.outlook.lending
            if is_own(market.readings, rate.venue) and rate.token.lower() == holding.token.lower()
        ),
        default=MAX_UINT256,
    )


def _delta_fits(draft: Draft, market: MarketState) -> bool:
    """True if the mandate would take a change that leaves the net delta where it is, or the draft mends it."""
    if any(move.kind is MoveKind.SWAP for move in draft.moves):
        return True
    ledger = draft.ledger
    dust = DUST_UNITS * MAX_ROUNDS + ledger.value_up(ledger.base, DUST_UNITS * MAX_ROUNDS)
    caps = market.readings.mandate.terms.caps
    band = delta_band(ledger, caps, max(0, ledger.nav_down()), dust)
    if band.low is None or band.high is None:
        return False
    return band.low <= ledger.net_delta() <= band.high


# ---------------------------------------------------------------- moves


def _round(draft: Draft, goals: tuple[_Goal, ...], floor_wad: int) -> Draft:
    """What raises health of every token, then what lowers it."""
    for goal in goals:
        draft = _repay(draft, goal)
    for goal in goals:
        draft = _supply(draft, goal)
    for goal in goals:
        draft = _withdraw(draft, goal, floor_wad)
    for goal in goals:
        draft = _borrow(draft, goal, floor_wad)
    return draft


def _spendable(draft: Draft, holding: Holding) -> int:
    reserve = draft.bounds.idle_reserve if holding.token == draft.ledger.asset.token else 0
    return max(0, holding.idle - reserve)


def _repay(draft: Draft, goal: _Goal) -> Draft:
    holding = draft.ledger.holding(goal.token)
    if goal.owed is None:
        return draft
    amount = min(holding.debt - goal.owed, _spendable(draft, holding))
    if not draft.worth_it(holding, amount):
        return draft
    # interest until the block it lands in is part of "all"
    whole = goal.owed == 0 and amount == holding.debt
    return draft.do(MoveKind.REPAY, holding, MAX_UINT256 if whole else amount)


def _supply(draft: Draft, goal: _Goal) -> Draft:
    holding, ledger = draft.ledger.holding(goal.token), draft.ledger
    if holding.frozen:
        return draft
    share = draft.bounds.max_venue_bps * ledger.gross_scaled() - BPS * ledger.collateral_scaled()
    room = max(0, share) // (ledger.scale(holding) * BPS)
    amount = min(goal.supplied - holding.supplied, _spendable(draft, holding), room)
    if not draft.worth_it(holding, amount):
        return draft
    after = draft.do(MoveKind.SUPPLY, holding, amount)
    # The venue rounds the average threshold down: a little of a lower one can lower health.
    least = min(draft.bounds.health_floor_wad, draft.ledger.health_wad())
    return after if after.ledger.health_wad() >= least else draft


def _withdraw(draft: Draft, goal: _Goal, floor_wad: int) -> Draft:
    holding, ledger = draft.ledger.holding(goal.token), draft.ledger
    free = draft.withdrawable(holding, floor_wad)
    amount = min(holding.supplied - goal.supplied, free)
    if not draft.worth_it(holding, amount):
        return draft
    alone = ledger.debt_scaled() == 0 and amount == holding.supplied
    return draft.do(MoveKind.WITHDRAW, holding, MAX_UINT256 if alone else amount)


def _borrow(draft: Draft, goal: _Goal, floor_wad: int) -> Draft:
    """Within health, loan-to-value, liquidity and the mandate's ratio of debt D to gross assets G.

    (D + y) = m (G + y)   =>   y = (m G - D) / (1 - m).
    """
    holding, ledger = draft.ledger.holding(goal.token), draft.ledger
    if goal.owed is None:
        return draft
    most = draft.bounds.max_borrow_bps
    amount = min(goal.owed - holding.debt, draft.borrowable(holding, floor_wad))
    if most < BPS:
        room = most * ledger.gross_scaled() - BPS * ledger.owed_scaled()
        amount = min(amount, room // (ledger.scale(holding) * (BPS - most)))
    return draft.do(MoveKind.BORROW, holding, amount) if draft.worth_it(holding, amount) else draft


def _left(draft: Draft, goal: _Goal) -> int:
    holding, ledger = draft.ledger.holding(goal.token), draft.ledger
    gaps = (
        abs(goal.supplied - holding.supplied),
        0 if goal.owed is None else abs(goal.owed - holding.debt),
    )
    return sum(ledger.value_down(holding, gap) for gap in gaps)
