"""The replayed vault's cash books: every change of its NAV from block to block has a cause and an amount.

NAV here is the vault's own: at the oracle's price whether or not it is believed, in the contract's own rounding. In
each block interest comes first, then rounds, moves and liquidations in the order of the receipts. What is left over
when all of them are booked is not hidden in any of them: it has a cause of its own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from keeper.backtest.ledger import Cause
from keeper.model.decision import MoveKind
from keeper.model.market import Readings
from keeper.model.units import WAD
from keeper.replay_market.logs import Action, Answered, Moved, Seized

UNEXPLAINED = "unexplained"
Q192 = 1 << 192
PIPS = 10**6


@dataclass(frozen=True, slots=True)
class Holdings:
    """Token units."""

    idle_asset: int
    idle_base: int
    supplied_asset: int
    supplied_base: int
    debt_asset: int
    debt_base: int

    @classmethod
    def of(cls, readings: Readings) -> "Holdings":
        """As the lens read them."""
        a, b = readings.asset_position, readings.base_position
        idle = (int(readings.idle_asset), int(readings.idle_base))
        return cls(*idle, int(a.supplied), int(b.supplied), int(a.debt), int(b.debt))

    @property
    def long(self) -> int:
        """Base held."""
        return self.idle_base + self.supplied_base

    def nav(self, price_wad: int, scale: int) -> int:
        """Asset units: what is held rounded down, what is owed rounded up."""
        held = self.idle_asset + self.supplied_asset + self.long * price_wad // scale
        return held - self.debt_asset + (-self.debt_base * price_wad // scale)


@dataclass(frozen=True, slots=True)
class Booked:
    """One change of NAV, asset units."""

    time: int
    cause: str
    amount: int
    tx: str = ""
    """Hash of the transaction that made it, where one did."""


@dataclass(frozen=True, slots=True)
class Swapped:
    """One swap of the vault: token units, and each part of its cost in asset units."""

    time: int
    tx: str
    sells_base: bool
    amount_in: int
    received: int
    value: int
    """Of what was sold, at the oracle's price then."""
    fee: int
    impact: int
    basis: int


@dataclass(frozen=True, slots=True)
class Step:
    """The vault after a block."""

    time: int
    nav: int
    """Asset units."""
    long: int
    """Net base, units: held less owed."""
    price_wad: int
    """Of the oracle."""


@dataclass(slots=True)
class Books:
    """What was booked so far."""

    scale: int
    """Base units x price WAD / scale = asset units."""
    base_is_token0: bool
    fee_pips: int
    entries: list[Booked] = field(default_factory=list)
    swaps: list[Swapped] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    liquidations: int = 0

    def open(self, readings: Readings) -> None:
        """The first block."""
        held, price = Holdings.of(readings), price_of(readings)
        self._step(readings.block.timestamp, held, price)

    def block(self, before: Readings, after: Readings, actions: Sequence[Action]) -> None:
        """One block: from what was read before it to what was read after it."""
        page = _Page(self, after.block.timestamp, Holdings.of(before), answers_of(before))
        seized = sum(isinstance(a, Seized) for a in actions)
        self.liquidations += seized
        moved = [a for a in actions if isinstance(a, Moved)]
        page.interest(Holdings.of(after), moved, seized=seized > 0)
        for action in actions:
            if isinstance(action, Answered):
                page.answered(action)
            elif isinstance(action, Moved):
                page.moved(action)
        page.close(Holdings.of(after), answers_of(after))
        self._step(page.time, Holdings.of(after), price_of(after))

    def by_cause(self) -> dict[str, int]:
        """Sums, in the order of first entry."""
        sums: dict[str, int] = {}
        for entry in self.entries:
            sums[entry.cause] = sums.get(entry.cause, 0) + entry.amount
        return sums

    def _step(self, time: int, held: Holdings, price_wad: int) -> None:
        net = held.long - held.debt_base
        self.steps.append(Step(time, held.nav(price_wad, self.scale), net, price_wad))


@dataclass(slots=True)
class _Page:
    """One block being booked."""

    books: Books
    time: int
    held: Holdings
    answers: tuple[int, int]
    """Of base and of quote."""

    @property
    def price_wad(self) -> int:
        return self.answers[0] * WAD // self.answers[1]

    def nav(self) -> int:
        return self.held.nav(self.price_wad, self.books.scale)

    def book(self, cause: str, amount: int, tx: str = "") -> None:
        if amount:
            self.books.entries.append(Booked(self.time, cause, amount, tx))

    def interest(self, after: Holdings, moved: Iterable[Moved], *, seized: bool) -> None:
        """What the venue's balances changed by beside the moves; of a block with a liquidation, that is it."""
        before, held = self.nav(), self.held
        for move in moved:
            held = _applied(held, move)
        grown = replace(
            self.held,
            supplied_asset=self.held.supplied_asset + after.supplied_asset - held.supplied_asset,
            supplied_base=self.held.supplied_base + after.supplied_base - held.supplied_base,
        )
        self.held = grown
        earned = self.nav() - before
        self.held = replace(
            grown,
            debt_asset=grown.debt_asset + after.debt_asset - held.debt_asset,
            debt_base=grown.debt_base + after.debt_base - held.debt_base,
        )
        paid = self.nav() - before - earned
        if seized:
            self.book(Cause.LIQUIDATION, earned + paid)
        else:
            self.book(Cause.INTEREST_EARNED, earned)
            self.book(Cause.INTEREST_PAID, paid)

    def answered(self, round_: Answered) -> None:
        before, (base, quote) = self.nav(), self.answers
        self.answers = (round_.answer, quote) if round_.of_base else (base, round_.answer)
        self.book(Cause.PRICE, self.nav() - before)

    def moved(self, move: Moved) -> None:
        before = self.nav()
        self.held = _applied(self.held, move)
        change = self.nav() - before
        if move.kind is MoveKind.SWAP:
            change += self._swap(move)
        self.book(Cause.ROUNDING, change, move.tx_hash)

    def _swap(self, move: Moved) -> int:
        """Books fee, impact and basis, and returns their sum: what they leave of the change is rounding."""
        books, price, square = self.books, self.price_wad, move.root_before_x96**2
        zero_for_one = move.of_base == books.base_is_token0

        def value_at_spot(amount: int) -> int:
            out = amount * square // Q192 if zero_for_one else amount * Q192 // square
            return worth(out)

        def worth(out: int) -> int:
            return out if move.of_base else out * price // books.scale

        fee_in = -(-move.amount * books.fee_pips // PIPS)
        spot, after_fee = value_at_spot(move.amount), value_at_spot(move.amount - fee_in)
        got = worth(move.received)
        sold = -(-move.amount * price // books.scale) if move.of_base else move.amount
        fee, impact, basis = spot - after_fee, after_fee - got, sold - spot
        for cause, cost in (
            (Cause.POOL_FEE, fee),
            (Cause.IMPACT, impact),
            (Cause.BASIS, basis),
        ):
            self.book(cause, -cost, move.tx_hash)
        books.swaps.append(
            Swapped(
                self.time,
                move.tx_hash,
                move.of_base,
                move.amount,
                move.received,
                sold,
                fee,
                impact,
                basis,
            )
        )
        return fee + impact + basis

    def close(self, after: Holdings, answers: tuple[int, int]) -> None:
        """Whatever is left between here and what was read."""
        missing = self.nav()
        self.held, self.answers = after, answers
        self.book(UNEXPLAINED, self.nav() - missing)


def answers_of(readings: Readings) -> tuple[int, int]:
    """Of base and quote, 8 decimals."""
    return readings.price.base.answer, readings.price.quote.answer


def price_of(readings: Readings) -> int:
    """Of base in asset, WAD, rounded down, whether or not the vault believes it."""
    base, quote = answers_of(readings)
    return base * WAD // quote


def _applied(held: Holdings, move: Moved) -> Holdings:
    sign = 1 if move.kind in (MoveKind.WITHDRAW, MoveKind.BORROW) else -1
    token, other = ("base", "asset") if move.of_base else ("asset", "base")
    idle = {f"idle_{token}": getattr(held, f"idle_{token}") + sign * move.amount}
    if move.kind is MoveKind.SWAP:
        return replace(
            held, **idle, **{f"idle_{other}": getattr(held, f"idle_{other}") + move.received}
        )
    side = "debt" if move.kind in (MoveKind.BORROW, MoveKind.REPAY) else "supplied"
    change = sign * move.amount if side == "debt" else -sign * move.amount
    return replace(held, **idle, **{f"{side}_{token}": getattr(held, f"{side}_{token}") + change})
