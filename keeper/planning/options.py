"""Written options: what is too much is cancelled or bought back, what is missing is written and auctioned.

Never both ways at once: a series that is bought back is not sold until its purchases are gone, and the other way
round. Cancelling comes first, because it frees collateral and costs nothing.
"""

from dataclasses import dataclass, replace

from eth_utils.crypto import keccak

from keeper.model.decision import Move, MoveKind, Target
from keeper.model.desk import Auction, DeskState
from keeper.model.ledger import ImpossibleMoveError
from keeper.model.market import MarketState, OptionPosition
from keeper.model.option_marks import price_wad_up
from keeper.model.policy import PlanningPolicy
from keeper.model.series import Series
from keeper.model.units import BPS, Raw
from keeper.planning.option_book import Line, lines_of, matters, scale_of
from keeper.planning.option_sizes import Room, sale_of
from keeper.planning.state import Draft

MAX_EXITS = 8
"""Cancellations and purchases of one plan: about 3 million gas."""
LEAST_SALE_S = 600
"""A sale or a purchase that could not run so long before expiry is not opened."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What all of it is planned from."""

    market: MarketState
    state: DeskState
    target: Target
    policy: PlanningPolicy

    @classmethod
    def of(cls, market: MarketState, target: Target, policy: PlanningPolicy) -> "Desk | None":
        """None where nothing is wanted of options, or the vault has no desk that could be read."""
        state = market.readings.options.state
        if target.options is None or state is None or not market.readings.options.has_desk:
            return None
        return cls(market, state, target, policy)

    @property
    def now(self) -> int:
        """Unix seconds."""
        return self.market.readings.block.timestamp

    def lines(self) -> tuple[Line, ...]:
        """Every live series."""
        return lines_of(self.market.readings, self.state, self.target)

    def large(self, change: int, line: Line) -> bool:
        """True if a change of a series is worth making; closing it always is."""
        if change > 0 and line.wanted == 0:
            return True
        whole = max(line.wanted, line.written)
        options = self.policy.options
        readings = self.market.readings
        return matters(change, whole, readings, self.policy.min_trade, options.resize_bps)

    def move(self, kind: MoveKind, token: str, amount: int, limit: int, target: int) -> Move:
        """A move through the desk."""
        desk = self.market.readings.options.desk
        return Move(kind, desk, token, Raw(amount), Raw(limit), target)


# ---------------------------------------------------------------- exits


def leave_options(draft: Draft, desk: Desk) -> Draft:
    """The draft with what reduces: auctions cancelled, options bought back."""
    for line in desk.lines():
        if len(draft.moves) >= MAX_EXITS:
            return draft.note("more options are left to a later plan")
        for auction in _unwanted(desk, line):
            draft = _cancel(draft, desk, auction, line)
        draft = _buy_back(draft, desk, line)
    return draft


def _unwanted(desk: Desk, line: Line) -> tuple[Auction, ...]:
    """Auctions against the target: sales beyond it, purchases of what may stay sold."""
    if line.sales and desk.large(line.written - line.wanted, line):
        return line.sales
    if line.purchases and (
        line.wanted >= line.sold or desk.large(line.buying - (line.sold - line.wanted), line)
    ):
        return line.purchases
    return ()


def _cancel(draft: Draft, desk: Desk, auction: Auction, line: Line) -> Draft:
    readings = desk.market.readings
    move = desk.move(MoveKind.CANCEL, readings.asset.address, 0, 0, auction.auction_id)
    try:
        if not auction.sells:
            return draft.option(move, draft.ledger.park(-auction.cash))
        token, freed = _freed(desk, auction, line)
        return draft.option(move, draft.ledger.lock(token, -freed))
    except ImpossibleMoveError as error:  # readings that contradict each other
        return draft.note(f"auction {auction.auction_id}: {error}")


def _freed(desk: Desk, auction: Auction, line: Line) -> tuple[str, int]:
    """Collateral that comes back with unsold options: rounded up as a whole before and after, as the book does."""
    readings, position = desk.market.readings, line.position
    if position is None:
        return readings.asset.address, 0
    series = terms_of(position, desk)
    decimals = (readings.base.decimals, readings.asset.decimals)
    before = series.collateral_up(position.written, *decimals)
    after = series.collateral_up(max(0, position.written - auction.left), *decimals)
    token = readings.base.address if position.is_call else readings.asset.address
    return token, before - after


def terms_of(position: OptionPosition, desk: Desk) -> Series:
    """The series of a position."""
    readings = desk.market.readings
    return Series(
        base=readings.base.address,
        quote=readings.asset.address,
        oracle=desk.state.settlement_oracle,
        expiry=position.expiry,
        is_call=position.is_call,
        strike_wad=position.strike_wad,
        second_strike_wad=position.second_strike_wad,
    )


def _buy_back(draft: Draft, desk: Desk, line: Line) -> Draft:
    """A purchase of what is sold beyond the target, as far as cash and loss allowance go."""
    position = line.position
    too_much = line.sold - line.wanted
    if position is None or line.purchases or not desk.large(too_much, line):
        return draft
    readings, limits = desk.market.readings, desk.market.readings.mandate.terms.options
    if position.fault or not readings.options.volatility_known:
        return draft.note(f"series {line.series_id}: no mark to buy back at")
    if position.expiry - desk.now < limits.start_window_s + LEAST_SALE_S:
        return draft.note(f"series {line.series_id}: expires before it could be bought back")
    mid, most = buy_back_prices_wad(position, desk)
    scale = scale_of(readings)
    spendable = max(0, draft.ledger.asset.idle - draft.bounds.idle_reserve)
    amount = min(too_much, spendable * scale // most)
    if most > mid:  # each fill is charged with what it pays over the mid mark
        amount = min(amount, max(0, draft.bounds.max_loss - draft.loss) * scale // (most - mid))
    if not desk.large(amount, line) or amount <= 0:
        return draft.note(f"series {line.series_id}: not enough cash or loss allowance to buy back")
    cash = -(-amount * most // scale)
    move = desk.move(MoveKind.BUY_BACK, readings.asset.address, amount, most, int(line.series_id))
    loss = -(-amount * max(0, most - mid) // scale)
    bought = draft.option(move, draft.ledger.park(cash))
    return replace(bought, loss=draft.loss + loss)


def buy_back_prices_wad(position: OptionPosition, desk: Desk) -> tuple[int, int]:
    """Mid mark, rounded down, and the most to pay, at least a millionth: assets per option on a whole base, WAD."""
    scale, sold = scale_of(desk.market.readings), max(1, int(position.sold))
    limits = desk.market.readings.mandate.terms.options
    mid = position.mark_mid * scale // sold
    high = position.mark_high * scale // sold
    wanted = mid * (BPS + desk.policy.options.buy_back_over_mark_bps) // BPS
    cap = high * (BPS + limits.buy_back_premium_bps) // BPS
    return mid, max(price_wad_up(0.0), min(wanted, cap))


# ---------------------------------------------------------------- entries


def enter_options(draft: Draft, desk: Desk, health_floor_wad: int) -> Draft:
    """The draft with what is missing written and put up for sale."""
    opened, room = 0, Room.of(desk.market, desk.policy)
    for line in desk.lines():
        missing = line.wanted - line.written
        if line.series is None or not desk.large(missing, line):
            continue
        why = _why_not_yet(draft, desk, line, opened)
        if not why:
            after, room, why = _write(draft, desk, line, room, health_floor_wad)
            opened += after is not draft
            draft = after
        if why:
            draft = draft.note(f"series {line.series_id}: {why}")
    return draft


def _why_not_yet(draft: Draft, desk: Desk, line: Line, opened: int) -> str:
    """Why a series may not be sold now; empty if it may."""
    readings = desk.market.readings
    limits, exists = readings.mandate.terms.options, desk.state.exists(line.series_id)
    tenor = (line.series.expiry if line.series else 0) - desk.now
    targets = {a.auction_id for a in (*line.sales, *line.purchases)}
    touched = any(
        (m.kind is MoveKind.CANCEL and m.target in targets)
        or (m.kind is MoveKind.BUY_BACK and m.target == int(line.series_id))
        for m in draft.moves
    )
    new = line.position is None
    series_open = len(readings.options.positions) + len(
        {m.target for m in draft.moves if m.kind is MoveKind.WRITE}
    )
    needed = limits.start_window_s + limits.auction_duration_s
    cases = (
        (line.position is None and exists is None, "not looked up in the book yet"),
        (new and exists is False, "does not exist yet"),
        (not desk.state.volatility.usable, "volatility is unusable"),
        (touched or bool(line.purchases), "is being bought back or cancelled"),
        (any(desk.now > a.end_at for a in line.sales), "an auction that is over comes first"),
        (new and series_open >= limits.max_series, f"{limits.max_series} series are open"),
        (tenor > limits.max_tenor_s, f"expires in {tenor} s, at most {limits.max_tenor_s} may"),
        (
            tenor < max(limits.min_tenor_s + LEAST_SALE_S, needed),
            f"expires in {tenor} s, too soon to be sold",
        ),
        (opened >= desk.policy.options.max_writes, "left to a later plan"),
        (not starts_now(desk, line.series_id), "its hidden start is not reached"),
    )
    return next((why for applies, why in cases if applies), "")


def starts_now(desk: Desk, series_id: str) -> bool:
    """True from the hidden instant of each span of time on: nobody can wait for the vault's sales."""
    window = desk.policy.options.start_window_s
    if window <= 0:
        return True
    span, into = divmod(desk.now, window)
    readings = desk.market.readings
    key = f"{readings.vault.lower()}:{readings.depositors.epoch}:{series_id}:{span}"
    return into >= int.from_bytes(keccak(key.encode()), "big") % window


def _write(
    draft: Draft, desk: Desk, line: Line, room: Room, health_floor_wad: int
) -> tuple[Draft, Room, str]:
    if line.series is None:
        return draft, room, ""
    readings, series = desk.market.readings, line.series
    sale, why = sale_of(desk.market, desk.state, desk.policy, series)
    if sale is None:
        return draft, room, why
    holding = draft.ledger.base if series.is_call else draft.ledger.asset
    decimals = (readings.base.decimals, readings.asset.decimals)
    reserve = 0 if series.is_call else draft.bounds.idle_reserve
    free = max(0, holding.idle - reserve)
    reach = free + draft.withdrawable(holding, health_floor_wad)
    amount = min(
        line.wanted - line.written,
        series.covered_down(reach, *decimals),
        room.amount_down(series, sale),
    )
    if not desk.large(amount, line) or amount <= 0:
        return draft, room, "no room in collateral or in the mandate's limits"
    collateral = series.collateral_up(amount, *decimals)
    after = draft.do(MoveKind.WITHDRAW, holding, collateral - free)
    move = desk.move(
        MoveKind.WRITE, holding.token, amount, sale.start_price_wad, int(line.series_id)
    )
    after = after.option(move, after.ledger.lock(holding.token, collateral))
    return replace(after, series=(*after.series, series)), room.less(series, sale, amount), ""
