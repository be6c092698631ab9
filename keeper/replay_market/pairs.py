"""Transactions of both runs, paired by the tick that sent them and what they were."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from keeper.backtest import BacktestResult
from keeper.backtest.ends import Landed
from keeper.model.decision import Intent
from keeper.model.outcome import TickStatus
from keeper.model.units import WAD
from keeper.replay_market.books import Books
from keeper.replay_market.gap import Costs, Done, Pair
from keeper.replay_market.player import Landing, Played

Key = tuple[int, str, str]
"""When it was sent, what it was, its lane."""


def pairs_of(played: Played, books: Books, result: BacktestResult, unit: int) -> tuple[Pair, ...]:
    """In the order of their sending. `unit`: asset units of one whole asset."""
    here, there = _replayed(played, books, unit), _simulated(result.transactions)
    found: list[Pair] = []
    for key in sorted({*here, *there}):
        mine, its = here.get(key, []), there.get(key, [])
        for place in range(max(len(mine), len(its))):
            found.append(Pair(_nth(mine, place), _nth(its, place)))
    return tuple(found)


def _nth(items: Sequence[Done], place: int) -> Done | None:
    return items[place] if place < len(items) else None


def _simulated(transactions: Sequence[Landed]) -> dict[Key, list[Done]]:
    found: dict[Key, list[Done]] = defaultdict(list)
    for t in transactions:
        swaps = t.effect.swaps if t.effect else ()
        costs = Costs(
            sum(s.fee for s in swaps), sum(s.impact for s in swaps), sum(s.basis for s in swaps)
        )
        sold = sum(s.value for s in swaps)
        found[t.sent_at, t.kind, str(t.lane)].append(
            Done(
                t.sent_at,
                t.time,
                t.kind,
                str(t.lane),
                bool(t.reverted),
                t.gas,
                t.gas_cost,
                costs,
                sold,
            )
        )
    return found


def _replayed(played: Played, books: Books, unit: int) -> dict[Key, list[Done]]:
    price = {block.made.time: block.made.price_wad for block in played.blocks}
    by_intent = {played.intent_of.get(landing.tx_hash, ""): landing for landing in _best(played)}
    found: dict[Key, list[Done]] = defaultdict(list)
    for time, intent in _sent(played):
        kind = type(intent.payload).__name__.lower()
        landing, cost = by_intent.get(intent.id), 0
        if landing is not None:
            cost = -(-landing.cost_wei * price[landing.time] * unit // (WAD * 10**18))
        found[time, kind, str(intent.lane)].append(_done(time, kind, intent, landing, books, cost))
    return found


def _best(played: Played) -> Iterator[Landing]:
    """Of several transactions for one intent the one that took effect comes last."""
    yield from sorted(played.landings, key=lambda landing: landing.succeeded)


def _sent(played: Played) -> Iterator[tuple[int, Intent]]:
    for block in played.blocks:
        record = block.record
        if record is None or record.intent is None:
            continue
        if record.outcome.status is TickStatus.SENT:
            yield block.made.time, record.intent


def _done(  # noqa: PLR0917 - the parts of one value
    time: int,
    kind: str,
    intent: Intent,
    landing: Landing | None,
    books: Books,
    gas_cost: int,
) -> Done:
    lane = str(intent.lane)
    if landing is None:
        return Done(time, None, kind, lane, False, 0, 0, Costs())
    swaps = [s for s in books.swaps if s.tx.lower() == landing.tx_hash]
    costs = Costs(
        sum(s.fee for s in swaps), sum(s.impact for s in swaps), sum(s.basis for s in swaps)
    )
    sold = sum(s.value for s in swaps)
    reverted = not landing.succeeded
    return Done(time, landing.time, kind, lane, reverted, landing.gas, gas_cost, costs, sold)
