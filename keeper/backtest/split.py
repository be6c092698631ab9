"""The books by strategy: every entry, to the last unit, among the parts of a composite and what is theirs together.

Rules, in this order. What none of them gives to somebody is `shared`: the vault's own base and debt, interest paid,
liquidations, depositors, roundings.

- Options: of marks, what the part's own kinds of series (calls or puts, written or held: claims) came to; of a trade
  or a settlement, those whose quantity changed. One part owns a kind.
- Perpetuals and their funding: the part that claims them.
- Interest earned: the part that claims supplies.
- Swaps: whoever asked for health and net delta in the decision, pro rata to the value each asked for: netted trades are
  not made twice, so neither are their costs. Who asked for base owns it from then on: a new price on it is theirs.
- Gas of a transaction: in equal parts among all who asked for anything in its decision.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from keeper.backtest.ends import Decision, Landed
from keeper.backtest.ledger import LENDING, OPTIONS, PERPETUAL, POOL, CashLedger, Cause, Entry
from keeper.backtest.option_market import Terms
from keeper.model.decision import Owner

if TYPE_CHECKING:
    from keeper.backtest.world import World

SHARED = "shared"
ORDINARY = ("health", "net delta")
Shares = dict[str, int]
"""Asset units by who they belong to."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What was known when an entry was booked."""

    price_wad: int
    held: dict[Terms, tuple[int, float]]
    """Base units (negative: sold) and the market's value of a whole one, of every option; for options' entries only."""


class SplitLedger(CashLedger):
    """Books that remember the moment of every entry."""

    def __init__(self, world: "World") -> None:
        CashLedger.__init__(self, world.ledger.opening, world.ledger.nav)
        self._world = world
        self.moments: list[Moment] = []
        self.opened_at = world.oracle.price_wad
        self.venue = world.perpetual.spec.venue

    def book(self, time: int, epoch: int, cause: Cause, venue: str, amount: int) -> None:
        """As the books; what was simulated and taken back leaves no moment."""
        count = len(self.entries)
        CashLedger.book(self, time, epoch, cause, venue, amount)
        if len(self.entries) > count:
            held = self._options() if venue == OPTIONS else {}
            del self.moments[count:]
            self.moments.append(Moment(self._world.oracle.price_wad, held))

    def _options(self) -> dict[Terms, tuple[int, float]]:
        world = self._world
        desk, now, price = world.desk, world.time, world.oracle.price_wad
        held = {s.terms: -s.sold for s in desk.series.values() if s.sold}
        for terms, quantity in desk.bought.values():
            held[terms] = held.get(terms, 0) + quantity
        found = {}
        for terms, quantity in held.items():
            value = desk.market.value(terms, price, now)
            found[terms] = (quantity, value.price if value else 0.0)
        return found


@dataclass(frozen=True, slots=True)
class StrategySplit:
    """Asset units by strategy."""

    by_strategy: dict[str, dict[str, int]]
    """Sums by cause of each; all of them add up to the books exactly."""
    gas: dict[str, int]
    """Paid by the keeper's account for each."""

    @property
    def totals(self) -> dict[str, int]:
        """Change of NAV by each, after its gas; flows of depositors are in `shared`."""
        found: dict[str, int] = defaultdict(int)
        for name, causes in self.by_strategy.items():
            found[name] += sum(causes.values())
        for name, amount in self.gas.items():
            found[name] -= amount
        return dict(found)


def claimants(strategy: Any) -> tuple[tuple[str, str], ...]:
    """(claim, who) of a strategy that has parts, or of one inside it; empty for any other."""
    own = getattr(strategy, "claimants", None)
    if own is not None:
        return tuple(own)
    inner = getattr(strategy, "inner", None) or getattr(strategy, "strategy", None)
    return claimants(inner) if inner is not None and inner is not strategy else ()


@dataclass(slots=True)
class _Split:
    claims: dict[str, str]
    landed: dict[int, list[tuple[Landed, tuple[Owner, ...]]]]
    scale: int
    asset_unit: int
    base_unit: int
    venue: str
    """Of the perpetual."""
    base: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """Base units by who bought them."""
    options: dict[Terms, tuple[int, float]] = field(default_factory=dict)
    price_wad: int = 0

    def of(self, entry: Entry, moment: Moment) -> Shares:
        """One entry among its owners; they may leave something."""
        found: Shares = {}
        if entry.venue == OPTIONS:
            found = self._of_options(entry, moment)
        elif entry.venue == PERPETUAL:
            found = {self._perpetual(): entry.amount}
        elif entry.venue == LENDING and entry.cause is Cause.INTEREST_EARNED:
            found = {self.claims.get("supplies", SHARED): entry.amount}
        elif entry.venue == POOL:
            found = pro_rata(entry.amount, self.askers(entry.time))
        elif entry.cause is Cause.PRICE:
            change = moment.price_wad - self.price_wad
            found = {who: held * change // self.scale for who, held in self.base.items()}
        self.price_wad = moment.price_wad
        return found

    def swapped(self, entry: Entry) -> None:
        """Base that a transaction's swaps brought belongs to who asked; once, at its first entry."""
        for done, _ in self.landed.get(entry.time, ()):
            swaps = done.effect.swaps if done.effect else ()
            change = sum(-s.amount_in if s.sells_base else s.received for s in swaps)
            for who, part in pro_rata(change, self.askers(entry.time)).items():
                self.base[who] += part

    def askers(self, time: int) -> dict[str, int]:
        """Who asked for swaps that landed at a time, and for how much."""
        found: dict[str, int] = defaultdict(int)
        for done, owners in self.landed.get(time, ()):
            if done.effect is None or not done.effect.swaps:
                continue
            for owner in owners:
                if owner.what in ORDINARY:
                    found[owner.who] += owner.asks
        return dict(found)

    def _perpetual(self) -> str:
        own = self.claims.get(f"perpetual {self.venue}")
        return own or self.claims.get("perpetuals", SHARED)

    def _of_options(self, entry: Entry, moment: Moment) -> Shares:
        before, self.options = self.options, moment.held
        if entry.cause is Cause.OPTIONS:
            found: Shares = defaultdict(int)
            for terms, (quantity, value) in moment.held.items():
                was = before.get(terms, (0, value))[1]
                worth = quantity / self.base_unit * (value - was) * self.asset_unit
                found[self._owner(terms, quantity)] += round(worth)
            return dict(found)
        changed: dict[str, int] = defaultdict(int)
        for terms in before.keys() | moment.held.keys():
            then, now = before.get(terms, (0, 0.0))[0], moment.held.get(terms, (0, 0.0))[0]
            if then != now:
                changed[self._owner(terms, now or then)] += abs(now - then)
        return pro_rata(entry.amount, dict(changed))

    def _owner(self, terms: Terms, quantity: int) -> str:
        side = "held" if quantity > 0 else "written"
        return self.claims.get(f"{side} {'calls' if terms.is_call else 'puts'}", SHARED)


def pro_rata(amount: int, weights: dict[str, int]) -> Shares:
    """An amount by weights, towards zero; what is left over belongs to nobody. Equal parts where all weights are 0."""
    if weights and not any(weights.values()):
        weights = dict.fromkeys(weights, 1)
    total = sum(weights.values())
    sign = -1 if amount < 0 else 1
    return {who: sign * (abs(amount) * weight // total) for who, weight in weights.items()}


def split(
    ledger: SplitLedger,
    claims: Iterable[tuple[str, str]],
    landed: Sequence[Landed],
    decisions: Sequence[Decision],
    *,
    scale: int,
    units: tuple[int, int],
) -> StrategySplit:
    """The books by strategy. scale: base units x price WAD / scale = asset units. units: of whole asset and base."""
    asked = {d.intent_id: d.target.owners for d in decisions if d.intent_id}
    at: dict[int, list[tuple[Landed, tuple[Owner, ...]]]] = defaultdict(list)
    gas: dict[str, int] = defaultdict(int)
    for done in landed:
        owners = asked.get(done.intent_id, ())
        at[done.time].append((done, owners))
        names = dict.fromkeys((owner.who for owner in owners), 1)
        parts = pro_rata(done.gas_cost, names)
        parts[SHARED] = parts.get(SHARED, 0) + done.gas_cost - sum(parts.values())
        for who, part in parts.items():
            gas[who] += part
    state = _Split(dict(claims), dict(at), scale, *units, ledger.venue, price_wad=ledger.opened_at)
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    swapped: set[int] = set()
    # moments beyond the last entry are of a simulation that was taken back
    moments = ledger.moments[: len(ledger.entries)]
    for entry, moment in zip(ledger.entries, moments, strict=True):
        parts = state.of(entry, moment)
        parts[SHARED] = parts.get(SHARED, 0) + entry.amount - sum(parts.values())
        for who, part in parts.items():
            if part:
                found[who][str(entry.cause)] += part
        if entry.venue == POOL and entry.time not in swapped:
            swapped.add(entry.time)
            state.swapped(entry)
    every = (*dict.fromkeys(dict(claims).values()), SHARED)
    ordered = dict.fromkeys((*every, *found))
    return StrategySplit(
        {who: dict(found.get(who, {})) for who in ordered},
        {who: amount for who, amount in gas.items() if amount},
    )
