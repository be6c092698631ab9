"""A part of market history laid out in blocks: what the chain and the backtest both play, and what was left out.

Blocks stand on a grid of `block_s` from the first event. An event comes with the first block at or after it; of two
in one block the later holds. Between events there are no blocks, but for one: where a price came in a ramp (a bar),
the block a window before it has the price of the ramp there, so that an average over the window sees a market that
moved and not one that jumped. Blocks that follow a transaction are not here: whoever plays makes them.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from keeper.backtest.events import (
    Event,
    GasEvent,
    PriceEvent,
    RoundEvent,
    batches,
)
from keeper.backtest.sources import price_wad
from keeper.errors import MarketDataError
from keeper.localnet.paths.path import PricePath
from keeper.model.units import BPS, WAD

BLOCK_S = 12
MOST_MOMENTS = 20_000
"""More would take hours; a longer history is compressed by `every_s`."""
DEFAULT_FEE_WEI = 20 * 10**9
ANSWER = 10**8
DEVIATION_BPS, HEARTBEAT_S = 50, 3_600
"""Of the feed's network where rounds are laid out beforehand: as the local transmitter has them."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One block that is made whatever happens."""

    time: int
    """Unix seconds."""
    price_wad: int
    """Of the market, assets per whole base."""
    base_fee_wei: int
    answer: int | None = None
    """A round of the base feed, 8 decimals, where rounds are given."""
    decides: bool = True
    """The keeper ticks on it; on every other block only if something is under way."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Moments in order, and how they came to be."""

    name: str
    moments: tuple[Moment, ...]
    block_s: int
    rounds_given: bool
    """The feed answers what the moments say and nothing else."""
    events: int
    """Of the market, before compression."""
    leads: int
    """Moments put a window before a bar's end."""
    notes: tuple[str, ...] = ()

    @property
    def span_s(self) -> int:
        """From the first moment to the last."""
        return self.moments[-1].time - self.moments[0].time

    @property
    def share_of_blocks(self) -> float:
        """Moments over the blocks a chain would have had."""
        return len(self.moments) / (self.span_s // self.block_s + 1)


def of_events(
    name: str,
    events: Iterable[Event],
    *,
    window_s: int,
    every_s: int = 0,
    block_s: int = BLOCK_S,
    notes: Sequence[str] = (),
) -> Segment:
    """Lay out prices, rounds and gas; other events are not for a chain whose venues make their own.

    window_s: of the vault's average. every_s: prices closer together than this are left out (0: none are), the last
    one is always there. MarketDataError for events out of order, no price, one price only, or too many moments.
    """
    slots = list(_slots(list(_thinned(_until_last_price(list(events)), every_s)), block_s))
    first = next((i for i, slot in enumerate(slots) if slot.price is not None), None)
    if first is None:
        raise MarketDataError(name, "has no price", "give bars, ticks or rounds of the time")
    opening = _opening(slots[: first + 1])
    given = any(slot.answer is not None for slot in slots)
    if given and opening.answer is None:
        opening = replace(opening, answer=_answer(opening.price_wad))
    moments, waiting, leads = [opening], list[_Slot](), 0
    fee = opening.base_fee_wei
    for slot in slots[first + 1 :]:
        slot.fee = fee = fee if slot.fee is None else slot.fee
        if slot.price is None:
            waiting += [slot] if slot.answer is not None else []
            continue
        before = moments[-1]
        lead = _lead(before, slot, window_s, block_s, taken={w.time for w in waiting})
        leads += lead is not None
        for between in sorted([*waiting, *([lead] if lead else [])], key=lambda w: w.time):
            moments.append(between.at_price(_on_ramp(before, slot, between.time), fee))
        moments.append(slot.at_price(slot.price, fee))
        waiting.clear()
    moments += [slot.at_price(moments[-1].price_wad, fee) for slot in waiting]
    return _checked(Segment(name, tuple(moments), block_s, given, len(slots), leads, tuple(notes)))


def _opening(slots: Sequence["_Slot"]) -> Moment:
    """The first price, and what was said last before it."""
    at = slots[-1]
    answers = [slot.answer for slot in slots if slot.answer is not None]
    fees = [slot.fee for slot in slots if slot.fee is not None]
    answer = answers[-1] if answers else None
    return Moment(at.time, at.price or 0, fees[-1] if fees else DEFAULT_FEE_WEI, answer)


def of_path(path: PricePath, *, every_s: int = 0, block_s: int = BLOCK_S) -> Segment:
    """A generated scenario. Where its oracle falls silent its rounds are laid out beforehand, by the network's rule."""
    keep = list(_kept(path.times.tolist(), every_s))
    rows = [
        (int(path.times[i]), price_wad(float(path.market_price[i])), int(path.base_fee_wei[i]))
        for i in keep
    ]
    silent = not bool(path.oracle_online.all())
    online = [bool(path.oracle_online[i]) for i in keep]
    answers = _answers(rows, online) if silent else [None] * len(rows)
    moments = tuple(
        Moment(time, price, fee, answer)
        for (time, price, fee), answer in zip(rows, answers, strict=True)
    )
    notes = (f"{path.name}, seed {path.seed}: {path.description}", *path.notes)
    return _checked(Segment(path.name, moments, block_s, silent, len(path), 0, notes))


@dataclass(slots=True)
class _Slot:
    """All that comes with one block."""

    time: int
    price: int | None = None
    ramp_s: int = 0
    answer: int | None = None
    fee: int | None = None
    decides: bool = False

    def at_price(self, price: int, fee: int) -> Moment:
        """The moment, with a price and a fee for want of its own."""
        own = fee if self.fee is None else self.fee
        return Moment(self.time, price, own, self.answer, self.decides)


def _slots(events: Sequence[Event], block_s: int) -> Iterator[_Slot]:
    """By block, counted from the first price; the last of a kind holds."""
    begin = next((e.time for e in events if isinstance(e, PriceEvent)), 0)
    slot: _Slot | None = None
    for time, batch in batches(events):
        at = begin + -(-(time - begin) // block_s) * block_s
        if slot is None or slot.time != at:
            if slot is not None:
                yield slot
            slot = _Slot(at)
        for event in batch:
            if isinstance(event, PriceEvent):
                slot.price, slot.ramp_s = event.price_wad, event.ramp_s
                slot.decides |= event.decides
            elif isinstance(event, RoundEvent):
                slot.answer = event.answer
                slot.decides |= event.decides
            elif isinstance(event, GasEvent):
                slot.fee = event.base_fee_wei
    if slot is not None:
        yield slot


def _until_last_price(events: list[Event]) -> list[Event]:
    """A file of rounds or gas may go on for months after the market that is played."""
    last = max((e.time for e in events if isinstance(e, PriceEvent)), default=None)
    return events if last is None else [e for e in events if e.time <= last]


def _thinned(events: list[Event], every_s: int) -> Iterator[Event]:
    """Prices no closer than `every_s`, the last one in any case; all else as it is."""
    prices = [i for i, event in enumerate(events) if isinstance(event, PriceEvent)]
    times = [events[i].time for i in prices]
    kept = {prices[i] for i in _kept(times, every_s)}
    before: int | None = None
    for i, event in enumerate(events):
        if not isinstance(event, PriceEvent):
            yield event
        elif i in kept:
            ramp = event.ramp_s
            if every_s and ramp and before is not None:
                ramp = event.time - before
            before = event.time
            yield replace(event, ramp_s=ramp)


def _kept(times: Sequence[int], every_s: int) -> Iterator[int]:
    """Places of the times that stay."""
    last: int | None = None
    for i, time in enumerate(times):
        if last is None or time - last >= every_s or i == len(times) - 1:
            last = time
            yield i


def _lead(
    before: Moment, slot: _Slot, window_s: int, block_s: int, taken: set[int]
) -> _Slot | None:
    """The block a window before the end of a ramp, where there is room for it."""
    at = slot.time - -(-window_s // block_s) * block_s
    begin = slot.time - slot.ramp_s
    if slot.ramp_s <= window_s or at <= max(begin, before.time) or at in taken:
        return None
    return _Slot(at)


def _on_ramp(before: Moment, slot: _Slot, time: int) -> int:
    """The market's price on its way to a slot: even steps of the logarithm over the ramp, still before it."""
    begin = max(before.time, slot.time - slot.ramp_s)
    share = max(0.0, (time - begin) / (slot.time - begin)) if slot.time > begin else 0.0
    if slot.price is None or share == 0.0:
        return before.price_wad
    first, last = math.log(before.price_wad / WAD), math.log(slot.price / WAD)
    return price_wad(math.exp(first + share * (last - first)))


def _answers(rows: Sequence[tuple[int, int, int]], online: Sequence[bool]) -> list[int | None]:
    """Rounds by deviation and heartbeat, none while the network is silent; the first is always there."""
    found: list[int | None] = []
    answer, at = 0, 0
    for (time, price, _), speaks in zip(rows, online, strict=True):
        new = _answer(price)
        moved = abs(new - answer) * BPS > DEVIATION_BPS * answer
        due = not found or (speaks and (moved or time - at >= HEARTBEAT_S))
        if due:
            answer, at = new, time
        found.append(new if due else None)
    return found


def _answer(price: int) -> int:
    return price * ANSWER // WAD


def _checked(segment: Segment) -> Segment:
    count = len(segment.moments)
    if count < 2:
        raise MarketDataError(segment.name, "has one price only", "choose a longer span")
    if count > MOST_MOMENTS:
        problem = f"would be {count} blocks, {MOST_MOMENTS} at most are played"
        raise MarketDataError(segment.name, problem, "choose a shorter span, or --every SECONDS")
    return segment
