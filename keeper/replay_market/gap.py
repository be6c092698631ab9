"""The execution gap: NAV of the replay less NAV of the backtest, in named parts that add up to it to the last unit.

With R and B the two runs, E the net base held, P the oracle's price, all at the blocks they share:

    gap = NAV_R - NAV_B at the end = opening + sum over causes of (R's entries - B's entries)

The price's own part, sum of E x dP, is taken apart: what R's rounds would have done to B's holdings less what B's did
is `oracle rounds`; the rest is R's holdings being others than B's, and belongs to why they were: a transaction that
one run had in and the other not yet (`timing of landing`), a decision that only one run made (`decisions that
differed`), or amounts after equal decisions (`amounts held`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from keeper.backtest.ledger import Cause
from keeper.replay_market.books import UNEXPLAINED, Step

OPENING = "opening"
ROUNDS, TIMING = "oracle rounds", "timing of landing"
DECISIONS, HELD = "decisions that differed", "amounts held"
ORDER = (
    OPENING,
    ROUNDS,
    TIMING,
    DECISIONS,
    HELD,
    Cause.POOL_FEE,
    Cause.IMPACT,
    Cause.BASIS,
    Cause.INTEREST_EARNED,
    Cause.INTEREST_PAID,
    Cause.LIQUIDATION,
    Cause.ROUNDING,
    UNEXPLAINED,
)
"""Of the parts as they are shown; others come after them by name."""


@dataclass(frozen=True, slots=True)
class Line:
    """One change of NAV of one run, asset units."""

    time: int
    cause: str
    amount: int


@dataclass(frozen=True, slots=True)
class Costs:
    """What the swaps of one transaction cost, asset units."""

    fee: int = 0
    impact: int = 0
    basis: int = 0

    @property
    def whole(self) -> int:
        """All of it."""
        return self.fee + self.impact + self.basis


@dataclass(frozen=True, slots=True)
class Done:
    """One transaction of one run."""

    sent_at: int
    landed_at: int | None
    """None for one that never landed."""
    kind: str
    lane: str
    reverted: bool
    gas: int
    gas_cost: int
    """Asset units at the market's price then."""
    costs: Costs
    sold: int = 0
    """Value at the oracle's price, asset units."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One decision's transaction in both runs; None where a run did not send it."""

    replay: Done | None
    backtest: Done | None

    @property
    def matched(self) -> bool:
        """Both runs sent it, and it came to the same: in effect, or reverted."""
        one, other = self.replay, self.backtest
        return one is not None and other is not None and one.reverted == other.reverted


@dataclass(frozen=True, slots=True)
class Run:
    """One run's books: a step for each shared block, in order, and every change between."""

    steps: Sequence[Step]
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Gap:
    """The whole, and its parts in the order of `ORDER`; asset units."""

    nav_replay: int
    nav_backtest: int
    parts: Mapping[str, int]
    gas_replay: int
    """Paid by the keeper's account, so no part of NAV; as the next."""
    gas_backtest: int

    @property
    def whole(self) -> int:
        """NAV of the replay less NAV of the backtest."""
        return self.nav_replay - self.nav_backtest

    @property
    def exact(self) -> bool:
        """Whether the parts add up to it to the last unit."""
        return sum(self.parts.values()) == self.whole


def gap_of(replay: Run, backtest: Run, pairs: Sequence[Pair], scale: int) -> Gap:
    """scale: base units x price WAD / scale = asset units. Both runs have a step at each of the same times."""
    times = [s.time for s in replay.steps]
    if times != [s.time for s in backtest.steps]:
        raise ValueError("the two runs have steps at different times")
    parts: dict[str, int] = {}

    def add(part: str, amount: int) -> None:
        parts[part] = parts.get(part, 0) + amount

    add(OPENING, replay.steps[0].nav - backtest.steps[0].nav)
    first = times[0]
    for line, sign in _signed(replay.lines, backtest.lines):
        if line.time > first and line.cause != Cause.PRICE:
            add(line.cause, sign * line.amount)
    for part, amount in _of_price(replay, backtest, pairs, scale):
        add(part, amount)
    for part, amount in _moved(pairs):
        add(part, amount)
    known = [name for name in ORDER if name in parts]
    ordered = {name: parts[name] for name in (*known, *sorted(set(parts) - set(known)))}
    return Gap(
        replay.steps[-1].nav,
        backtest.steps[-1].nav,
        ordered,
        sum(p.replay.gas_cost for p in pairs if p.replay),
        sum(p.backtest.gas_cost for p in pairs if p.backtest),
    )


def _signed(replay: Iterable[Line], backtest: Iterable[Line]) -> Iterator[tuple[Line, int]]:
    yield from ((line, 1) for line in replay)
    yield from ((line, -1) for line in backtest)


def _of_price(
    replay: Run, backtest: Run, pairs: Sequence[Pair], scale: int
) -> Iterator[tuple[str, int]]:
    """The price's part, step by step."""
    mine, its = _by_time(replay.lines), _by_time(backtest.lines)
    why = _Why(pairs)
    for place in range(1, len(replay.steps)):
        was, now = replay.steps[place - 1], replay.steps[place]
        simulated = its.get(now.time, 0)
        others = [step.price_wad for step in backtest.steps[place - 1 : place + 1]]
        as_replayed = simulated  # under the same rounds B's holdings did what they did
        if others != [was.price_wad, now.price_wad]:
            held = backtest.steps[place - 1].long
            as_replayed = held * now.price_wad // scale - held * was.price_wad // scale
        yield ROUNDS, as_replayed - simulated
        yield why.of(was.time, now.time), mine.get(now.time, 0) - as_replayed


def _by_time(lines: Iterable[Line]) -> dict[int, int]:
    found: dict[int, int] = {}
    for line in lines:
        if line.cause == Cause.PRICE:
            found[line.time] = found.get(line.time, 0) + line.amount
    return found


@dataclass(slots=True)
class _Why:
    """Why holdings differ between two blocks."""

    pairs: Sequence[Pair]
    _apart: list[tuple[int, int]] = field(init=False)
    _differed_at: int | None = field(init=False)

    def __post_init__(self) -> None:
        self._apart = []
        differed: list[int] = []
        for pair in self.pairs:
            one, other = pair.replay, pair.backtest
            if not pair.matched:
                lands = [d.landed_at for d in (one, other) if d and d.landed_at and not d.reverted]
                differed += lands[:1]
            elif one and other and one.landed_at and other.landed_at:
                ends = sorted((one.landed_at, other.landed_at))
                if ends[0] != ends[1]:
                    self._apart.append((ends[0], ends[1]))
        self._differed_at = min(differed, default=None)

    def of(self, begin: int, end: int) -> str:
        """The part a difference made by the price between two blocks belongs to."""
        if any(first < end and begin < last for first, last in self._apart):
            return TIMING
        if self._differed_at is not None and self._differed_at < end:
            return DECISIONS
        return HELD


def _moved(pairs: Sequence[Pair]) -> Iterator[tuple[str, int]]:
    """Costs of transactions that only one run had go from their causes to the decisions that differed."""
    for pair in pairs:
        if pair.matched:
            continue
        for done, sign in ((pair.replay, 1), (pair.backtest, -1)):
            if done is None:
                continue
            costs = done.costs
            for cause, cost in (
                (Cause.POOL_FEE, costs.fee),
                (Cause.IMPACT, costs.impact),
                (Cause.BASIS, costs.basis),
            ):
                if cost:
                    yield cause, sign * cost
            if costs.whole:
                yield DECISIONS, -sign * costs.whole
