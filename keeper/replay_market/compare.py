"""Decisions of two runs side by side: what a tick wanted, planned and sent, with amounts within a stated tolerance."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from keeper.loop import TickRecord
from keeper.market.spot import spot_price_wad
from keeper.model.decision import Move, MoveKind, Plan, Rebalance, Target
from keeper.model.market import MarketState, Readings
from keeper.model.units import BPS, INFINITE_HEALTH, MAX_UINT256
from keeper.replay_market.books import price_of

AMOUNT_BPS = 20
"""What the moves of one plan come to may differ by so much of the largest of its sums, by value: 0.2 %."""
TOLD = 1e-4
"""Inputs further apart are named where decisions differ, and in any case the one furthest apart."""
MOST_TOLD = 5
SAME = 1e-6
"""Readings that differ by no more, relatively, count as equal."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One tick at which two runs decided otherwise."""

    time: int
    what: str
    """What differs, as replay against backtest."""
    why: tuple[str, ...]
    """Inputs that differed at that tick; empty where all that is compared was equal."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """All ticks of both runs."""

    compared: int
    """Ticks that both had and that came to a decision."""
    equal: int
    acted: int
    """Of the compared: ticks at which at least one run sent something."""
    acted_equal: int
    undecided: int
    """Ticks at which neither run decided (a protective intent in flight, an unreadable block)."""
    one_sided: int
    """Ticks that only one of the runs had, or decided on."""
    largest_off: float
    """Largest relative difference of an amount in equal decisions."""
    readings_equal: int
    """Ticks whose readings were equal to within `SAME`."""
    plans_equal_there: int
    """Of those: plans with equal moves and amounts, to the same."""
    differences: tuple[Difference, ...]


def compared(replay: Sequence[TickRecord], backtest: Sequence[TickRecord]) -> Comparison:
    """Tick by tick, by the time of the block."""
    here, there = _by_time(replay), _by_time(backtest)
    tally = _Tally()
    for time in sorted({*here, *there}):
        one, other = here.get(time), there.get(time)
        if one is None or other is None or (one.plan is None) != (other.plan is None):
            tally.one_sided += 1
            tally.differences.append(Difference(time, _sides(one, other), ()))
        elif one.plan is None:
            tally.undecided += 1
        else:
            tally.pair(time, one, other)
    return tally.result()


class _Tally:
    def __init__(self) -> None:
        self.compared = self.equal = self.acted = self.acted_equal = 0
        self.undecided = self.one_sided = self.readings = self.plans = 0
        self.largest = 0.0
        self.differences: list[Difference] = []

    def pair(self, time: int, one: TickRecord, other: TickRecord) -> None:
        found, off = differing(one, other)
        acts = one.intent is not None or other.intent is not None
        self.compared += 1
        self.acted += acts
        if found:
            self.differences.append(Difference(time, "; ".join(found), tuple(_why(one, other))))
        else:
            self.equal += 1
            self.acted_equal += acts
            self.largest = max(self.largest, off)
        if one.market is None or other.market is None:
            return
        if not _inputs_differ(one.market.readings, other.market.readings, SAME):
            self.readings += 1
            self.plans += not found and off <= SAME

    def result(self) -> Comparison:
        return Comparison(
            self.compared,
            self.equal,
            self.acted,
            self.acted_equal,
            self.undecided,
            self.one_sided,
            self.largest,
            self.readings,
            self.plans,
            tuple(self.differences),
        )


def differing(one: TickRecord, other: TickRecord) -> tuple[list[str], float]:
    """What two decided ticks differ in, and the largest relative difference of their amounts."""
    found: list[str] = []
    if one.target is None or other.target is None or one.plan is None or other.plan is None:
        return ["one of them came to no plan"], 0.0
    found += _targets(one.target, other.target, one.market)
    off = 0.0
    if _shape(one.plan, one.market) != _shape(other.plan, other.market):
        found.append(f"plan {_said(one)} against {_said(other)}")
    else:
        off = _largest_off(one.plan.moves, other.plan.moves, one.market)
        if off * BPS > AMOUNT_BPS:
            found.append(f"amounts of {_said(one)} are {off:.2%} apart")
    if _sent(one) != _sent(other):
        found.append(f"sent {_sent(one)} against {_sent(other)}")
    return found, off


def _targets(one: Target, other: Target, market: MarketState | None) -> Iterator[str]:
    if (one.lane, one.hold) != (other.lane, other.hold):
        yield f"target {_wants(one)} against {_wants(other)}"
        return
    pairs = (
        ("health", one.health_wad, other.health_wad, 0),
        ("net delta", one.net_delta, other.net_delta, _exposure(market)),
    )
    for name, mine, its, scale in pairs:
        if (mine is None) != (its is None):
            yield f"target {name} {mine} against {its}"
        elif mine is not None and its is not None:
            whole = max(abs(mine), abs(its), scale, 1)
            if abs(mine - its) * BPS > AMOUNT_BPS * whole:
                yield f"target {name} {mine} against {its}"


def _exposure(market: MarketState | None) -> int:
    """Base held, units: a small net delta of a large book is compared with the book."""
    if market is None:
        return 0
    r = market.readings
    return int(r.idle_base + r.base_position.supplied + r.base_position.debt)


def _shape(plan: Plan, market: MarketState | None) -> tuple[object, ...]:
    """Lane, and kinds of moves with their tokens in the order of their first place.

    A change too deep for one withdrawal is made in rounds, and how it is cut into them turns on the last digits of
    health: rounds are not compared, what they come to is.
    """
    return (plan.lane, *_sums(plan.moves, market))


def _sums(moves: Sequence[Move], market: MarketState | None) -> dict[tuple[MoveKind, bool], int]:
    """Amounts by kind and whether the token is base; the marker for all of a token counts as itself."""
    base = market.readings.base.address.lower() if market is not None else ""
    found: dict[tuple[MoveKind, bool], int] = {}
    for move in moves:
        key = (MoveKind(move.kind), move.token.lower() == base)
        found[key] = min(MAX_UINT256, found.get(key, 0) + int(move.amount))
    return found


def _largest_off(one: Sequence[Move], other: Sequence[Move], market: MarketState | None) -> float:
    """Of the largest change, by value at the oracle's price; all of a token against a number is off by all."""
    mine, its = _sums(one, market), _sums(other, market)
    pairs = [(mine[key], its[key], _unit_worth(key[1], market)) for key in mine]
    if any((a == MAX_UINT256) != (b == MAX_UINT256) for a, b, _ in pairs):
        return 1.0
    fixed = [(a * worth, b * worth) for a, b, worth in pairs if a != MAX_UINT256]
    whole = max((max(a, b) for a, b in fixed), default=0.0)
    return max((abs(a - b) / whole for a, b in fixed if whole), default=0.0)


def _unit_worth(of_base: bool, market: MarketState | None) -> float:
    """Asset units of one unit of a token."""
    if market is None or not of_base:
        return 1.0
    r = market.readings
    return float(price_of(r) / 10 ** (18 + r.base.decimals - r.asset.decimals))


def _said(record: TickRecord) -> str:
    plan = record.plan
    if plan is None or not plan.moves:
        return "nothing"
    kinds = dict.fromkeys(MoveKind(m.kind).name.lower() for m in plan.moves)
    return f"{plan.lane} {', '.join(kinds)}"


def _sent(record: TickRecord) -> str:
    """What the tick made an intent of."""
    if record.intent is None:
        rules = sorted({r.rule for r in record.verdict.refusals}) if record.verdict else []
        return f"nothing ({', '.join(rules)})" if rules else "nothing"
    payload = record.intent.payload
    name = type(payload).__name__.lower()
    return f"{record.intent.lane} {name}" if isinstance(payload, Rebalance) else name


def _wants(target: Target) -> str:
    return "hold" if target.hold else f"{target.lane}: {target.reason}"


def _sides(one: TickRecord | None, other: TickRecord | None) -> str:
    names = [
        "no tick" if r is None else f"{r.outcome.status}: {r.outcome.reason}" for r in (one, other)
    ]
    return f"{names[0]} against {names[1]}"


def _why(one: TickRecord, other: TickRecord) -> Sequence[str]:
    """Inputs that differed, the furthest apart first."""
    if one.market is None or other.market is None:
        return ()
    mine, its = (dict(inputs_of(r.market.readings)) for r in (one, other) if r.market)
    for inputs, record in ((mine, one), (its, other)):
        if record.market is not None:
            inputs["volatility"] = record.market.outlook.volatility or 0.0
    apart = {name: _apart(value, its[name]) for name, value in mine.items()}
    named = sorted((n for n in apart if apart[n] > 0), key=lambda n: -apart[n])[:MOST_TOLD]
    told = [n for place, n in enumerate(named) if place == 0 or apart[n] > TOLD]
    return tuple(f"{n} {mine[n]:,.9g} against {its[n]:,.9g}" for n in told)


def _inputs_differ(one: Readings, other: Readings, most: float) -> bool:
    """Whether anything a decision is made of is further apart than `most`."""
    mine, its = inputs_of(one), inputs_of(other)
    return any(_apart(value, its[name]) > most for name, value in mine.items())


def inputs_of(r: Readings) -> Mapping[str, float]:
    """What a decision is made of, in whole tokens and plain ratios."""
    asset, base = 10**r.asset.decimals, 10**r.base.decimals
    a, b, budgets = r.asset_position, r.base_position, r.mandate
    health = min(int(r.account.health_wad), INFINITE_HEALTH) / 1e18
    return {
        "oracle price": price_of(r) / 1e18,
        "price fault": float(r.price.fault),
        "average price": r.price.twap_wad / 1e18,
        "pool price": spot_price_wad(r) / 1e18,
        "pool liquidity": float(r.pool.liquidity),
        "health": health,
        "idle asset": int(r.idle_asset) / asset,
        "idle base": int(r.idle_base) / base,
        "asset supplied": int(a.supplied) / asset,
        "asset owed": int(a.debt) / asset,
        "base supplied": int(b.supplied) / base,
        "base owed": int(b.debt) / base,
        "routine budget left": budgets.routine.left_wad / 1e18,
        "protective budget left": budgets.protective.left_wad / 1e18,
        "turnover left": budgets.turnover.left_wad / 1e18,
        "last routine plan": float(budgets.last_routine_at),
        "last beat": float(budgets.last_beat),
        "unhedged": float(r.unhedged),
        "base fee": float(r.block.base_fee_wei),
    }


def _apart(a: float, b: float) -> float:
    return 0.0 if a == b else abs(a - b) / max(abs(a), abs(b))


def _by_time(records: Sequence[TickRecord]) -> dict[int, TickRecord]:
    return {r.block.timestamp: r for r in records if r.block is not None}
