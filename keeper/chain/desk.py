"""What the lens does not show of a vault's options, at the same block.

Auctions are found by the auction house's counter and the desk's tickets, not by events: views can be pinned to a
block's hash and compared between endpoints, logs of a range can not. Each id is looked at once when it is new, and
again while its ticket is the desk's; what the last blocks brought or took is looked at until it is deep enough.

A vault without a desk costs no call. With one, seven calls and two for each open auction go with the snapshot's
batch; another request follows only where the counter has moved, or a series waits for its settlement.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from keeper.chain.addresses import address
from keeper.chain.rounds import find_straddles
from keeper.chain.source import Call, Source
from keeper.chain.views import View, in_batches, struct
from keeper.errors import EndpointError
from keeper.model.block import BlockStamp
from keeper.model.desk import (
    Auction,
    DeskState,
    Posting,
    SeriesStatus,
    Settlement,
    SettlementStatus,
    VolatilityFault,
    VolatilityMark,
    VolatilityReading,
)
from keeper.model.market import Readings
from keeper.model.units import WAD, Bps, Raw, Wad

_U = "uint256"
_FIXED_OF_DESK = [
    View(name, (), "address")
    for name in ("auction", "book", "settlementOracle", "volatilityOracle")
]
_FIXED_OF_VOLATILITY = [View(name, (), _U) for name in ("interval", "slack")]
_FIXED_OF_SETTLEMENT = [
    View(name, (), _U)
    for name in ("halfTwapWindow", "recordWindow", "disputeWindow", "choiceDelay")
]
_FEEDS_OF_SETTLEMENT = [View(name, (), "address") for name in ("baseFeed", "quoteFeed")]
_COUNT = View("auctionCount", (), _U)
_MARK = {
    "type": "tuple[]",
    "name": "",
    "components": struct(levelPpm="uint32", skewBps="int16", convexityBps="uint16")["components"],
}
_SURFACE = View("surface", (), {"type": "uint256[]", "name": ""}, _MARK, _U)
_POSTER = View("poster", (), "address")
_FROZEN = View("frozen", (), "bool")
_BUDGET = View("moveBudget", (), _U, _U)
_LIMITS = View(
    "limits",
    (),
    struct(
        minPostInterval="uint32",
        maxAge="uint32",
        expireAge="uint32",
        floorPpm="uint32",
        floorRatioBps="uint16",
        maxStepBps="uint16",
        maxPerDayBps="uint16",
        halfSpreadBps="uint16",
        staleHalfSpreadBps="uint16",
    ),
)
_OF_POSTING = (_POSTER, _FROZEN, _BUDGET, _LIMITS)
_READ = View(
    "read",
    (_U, _U, _U),
    struct(
        lowWad=_U,
        midWad=_U,
        highWad=_U,
        floorWad=_U,
        realisedWad=_U,
        halfSpreadBps=_U,
        markedAt=_U,
        observedAt=_U,
        returnsInWindow=_U,
        fault="uint8",
    ),
)
_TICKET = View("ticketOf", (_U,), struct(seriesId=_U, left="uint96", cash="uint128", kind="uint8"))
_AUCTION = View(
    "auctionOf",
    (_U,),
    struct(
        seriesId=_U,
        seller="address",
        startAt="uint40",
        endAt="uint40",
        kind="uint8",
        payee="address",
        marginBps="uint16",
        minBidBps="uint16",
        maxBidBps="uint16",
        amount="uint128",
        left="uint128",
        limitPriceWad="uint128",
    ),
)
_STATE = View(
    "stateOf",
    (_U,),
    struct(
        status="uint8",
        priceWad="uint128",
        collateral="uint128",
        payoffLeft="uint128",
        burdenLeft="uint128",
        writtenLeft="uint128",
    ),
)
_SETTLEMENT = View(
    "settlementOf",
    ("uint64",),
    struct(
        status="uint8",
        choice="uint8",
        stale="bool",
        interrupted="bool",
        recordedAt="uint64",
        quarantinedAt="uint64",
        basePhase="uint16",
        quotePhase="uint16",
        twapWad="uint128",
        chainlinkWad="uint128",
        priceWad="uint128",
    ),
)
_BEFORE_AUCTIONS = 3 + len(_OF_POSTING)
_SALE = 1
_ASKED_KEPT = 8
DEEP_BLOCKS = 64
"""No reorganisation that the keeper lives through goes deeper."""

MOST_NEW = 2_000
MOST_AGAIN = 100
"""Anybody may open auctions, and the count of them is somebody's word: of those never looked at, and of those that a
reorganisation may give to the desk, only the newest are. The desk's own that are known are always looked at."""


@dataclass(frozen=True, slots=True)
class _Fixed:
    """What never changes of a desk."""

    desk: str
    auction: str
    book: str
    settlement: str
    volatility: str
    interval_s: int
    slack_s: int
    half_window_s: int
    record_window_s: int
    dispute_s: int
    choice_s: int
    feeds: tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What one batch asked, in its order."""

    auctions: tuple[int, ...]
    series: tuple[str, ...]
    known: int
    """Ids up to this one were looked at, now or before."""

    @property
    def calls(self) -> int:
        """How many calls it made."""
        return _BEFORE_AUCTIONS + 2 * len(self.auctions) + len(self.series)


class DeskReader:
    """Reads the options of one vault; remembers which auctions are its own."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._fixed: _Fixed | None = None
        self._asked: OrderedDict[str, _Asked] = OrderedDict()
        self._counts: list[tuple[int, int]] = []
        """Block number and auctions opened by then, where that changed; the first is deep."""
        self._open: dict[int, int | None] = {}
        """Auctions of the desk; for one that is gone, the block that first showed it."""
        self._wanted: tuple[str, ...] = ()

    def look_up(self, series_ids: Sequence[str]) -> None:
        """From the next block on, see whether the book knows these series."""
        self._wanted = tuple(dict.fromkeys(series_ids))

    def calls(self, block: BlockStamp) -> list[Call]:
        """What to ask beside the snapshot at `block`; nothing until a desk has been seen."""
        if self._fixed is None:
            return []
        asked = self._to_look_at(block)
        self._asked[block.hash] = asked
        while len(self._asked) > _ASKED_KEPT:
            self._asked.popitem(last=False)
        return self._calls(asked, self._fixed, block)

    def finish(self, readings: Readings, block: BlockStamp, answers: Sequence[Any]) -> Readings:
        """The readings with the desk's state, from the answers to `calls` and what they leave open."""
        if not readings.options.has_desk:
            return readings
        fixed = self._fixed
        if fixed is None or fixed.desk != readings.options.desk:
            fixed = self._fixed = self._bind(readings.options.desk, block)
            self._counts, self._open, answers = [], {}, ()
        asked = self._asked.pop(block.hash, None)
        if asked is None or len(answers) != asked.calls:
            asked = self._to_look_at(block)
            answers = in_batches(self._source, self._calls(asked, fixed, block))
        state = self._state(fixed, asked, answers, block)
        waiting = sorted({p.expiry for p in readings.options.positions if p.awaiting})
        state = replace(state, settlements=self._settlements(fixed, waiting, block))
        return replace(readings, options=replace(readings.options, state=state))

    # ------------------------------------------------------------ what to ask

    def _to_look_at(self, block: BlockStamp) -> _Asked:
        first, last = self._deep_count(block), self._counts[-1][1] if self._counts else 0
        ids = sorted({*self._open, *range(max(first, last - MOST_AGAIN) + 1, last + 1)})
        return _Asked(tuple(ids), self._wanted, last)

    def _deep_count(self, block: BlockStamp) -> int:
        """Auctions opened so long ago that none of their ids can change hands."""
        deep = [found for number, found in self._counts if number <= block.number - DEEP_BLOCKS]
        return deep[-1] if deep else 0

    def _calls(self, asked: _Asked, fixed: _Fixed, block: BlockStamp) -> list[Call]:
        soon = block.timestamp + 1
        return [
            _COUNT.call(fixed.auction, block),
            _SURFACE.call(fixed.volatility, block),
            _READ.call(fixed.volatility, block, WAD, WAD, soon),
            *(view.call(fixed.volatility, block) for view in _OF_POSTING),
            *(_TICKET.call(fixed.desk, block, i) for i in asked.auctions),
            *(_AUCTION.call(fixed.auction, block, i) for i in asked.auctions),
            *(_STATE.call(fixed.book, block, int(i)) for i in asked.series),
        ]

    def _bind(self, desk: str, block: BlockStamp) -> _Fixed:
        """The parts of a desk, read once: they are immutable."""
        house, book, settlement, volatility = (
            address(a) for a in self._values(_FIXED_OF_DESK, desk, block)
        )
        interval, slack = self._values(_FIXED_OF_VOLATILITY, volatility, block)
        terms = self._values(_FIXED_OF_SETTLEMENT, settlement, block)
        base, quote = (address(a) for a in self._values(_FEEDS_OF_SETTLEMENT, settlement, block))
        parts = (desk, house, book, settlement, volatility, interval, slack, *terms, (base, quote))
        return _Fixed(*parts)

    def _values(self, views: Sequence[View], to: str, block: BlockStamp) -> list[Any]:
        answers = in_batches(self._source, [view.call(to, block) for view in views])
        return [self._one(v, a, block) for v, a in zip(views, answers, strict=True)]

    def _one(self, view: View, answer: Any, block: BlockStamp) -> Any:
        return view.decode(answer, self._source.name, block)[0]

    # ------------------------------------------------------------ what it says

    def _state(
        self, fixed: _Fixed, asked: _Asked, answers: Sequence[Any], block: BlockStamp
    ) -> DeskState:
        opened = int(self._one(_COUNT, answers[0], block))
        surface = _SURFACE.decode(answers[1], self._source.name, block)
        reading = self._one(_READ, answers[2], block)
        n = len(asked.auctions)
        said = answers[3:_BEFORE_AUCTIONS]
        rest = answers[_BEFORE_AUCTIONS:]
        pairs = dict(zip(asked.auctions, zip(rest[:n], rest[n : 2 * n], strict=True), strict=True))
        unseen = range(max(asked.known, opened - MOST_NEW) + 1, opened + 1)
        pairs |= self._new_auctions(fixed, unseen, block)
        auctions = tuple(self._auctions(pairs, block))
        self._remember(opened, auctions, block)
        statuses = (self._one(_STATE, a, block)["status"] for a in rest[2 * n :])
        return DeskState(
            book=fixed.book,
            auction=fixed.auction,
            settlement_oracle=fixed.settlement,
            volatility=self._volatility(
                fixed, surface, reading, self._posting(said, surface, block)
            ),
            auctions=auctions,
            series=tuple(
                SeriesStatus(series_id, status != 0)
                for series_id, status in zip(asked.series, statuses, strict=True)
            ),
        )

    def _new_auctions(
        self, fixed: _Fixed, ids: range, block: BlockStamp
    ) -> dict[int, tuple[Any, Any]]:
        """Tickets and auctions of ids never looked at."""
        tickets = [_TICKET.call(fixed.desk, block, i) for i in ids]
        auctions = [_AUCTION.call(fixed.auction, block, i) for i in ids]
        answers = in_batches(self._source, [*tickets, *auctions])
        pairs = zip(answers[: len(ids)], answers[len(ids) :], strict=True)
        return dict(zip(ids, pairs, strict=True))

    def _auctions(self, pairs: dict[int, tuple[Any, Any]], block: BlockStamp) -> Iterator[Auction]:
        for auction_id, (ticket_answer, auction_answer) in sorted(pairs.items()):
            ticket = self._one(_TICKET, ticket_answer, block)
            if ticket["kind"] == 0:  # another seller's, or cancelled
                continue
            auction = self._one(_AUCTION, auction_answer, block)
            yield Auction(
                auction_id=auction_id,
                series_id=str(ticket["seriesId"]),
                sells=ticket["kind"] == _SALE,
                start_at=auction["startAt"],
                end_at=auction["endAt"],
                left=Raw(ticket["left"]),
                cash=Raw(ticket["cash"]),
                limit_price_wad=Wad(auction["limitPriceWad"]),
            )

    def _remember(self, opened: int, auctions: tuple[Auction, ...], block: BlockStamp) -> None:
        """For the next block. A counter that fell belongs to a chain that is gone."""
        self._counts = [c for c in self._counts if c[1] <= opened and c[0] < block.number]
        if not self._counts or self._counts[-1][1] != opened:
            self._counts.append((block.number, opened))
        deep = sum(number <= block.number - DEEP_BLOCKS for number, _ in self._counts)
        self._counts = self._counts[max(0, deep - 1) :]
        seen = {a.auction_id for a in auctions}
        gone = {i: at or block.number for i, at in self._open.items() if i not in seen}
        lately = {i: at for i, at in gone.items() if at > block.number - DEEP_BLOCKS}
        self._open = {i: lately.get(i) for i in (seen | lately.keys()) if i <= opened}

    def _posting(
        self, answers: Sequence[Any], surface: tuple[Any, ...], block: BlockStamp
    ) -> Posting:
        name = self._source.name
        poster, frozen, budget, limits = (
            view.decode(answer, name, block)
            for view, answer in zip(_OF_POSTING, answers, strict=True)
        )
        return Posting(
            poster=address(poster[0]),
            marked_at=surface[2],
            frozen=bool(frozen[0]),
            min_interval_s=limits[0]["minPostInterval"],
            max_age_s=limits[0]["maxAge"],
            max_step_bps=Bps(limits[0]["maxStepBps"]),
            left_wad=Wad(budget[0]),
        )

    def _volatility(
        self,
        fixed: _Fixed,
        surface: tuple[Any, ...],
        reading: dict[str, Any],
        posting: Posting,
    ) -> VolatilityReading:
        tenors, marks, _ = surface
        if len(tenors) != len(marks):
            raise EndpointError(self._source.name, "eth_call", "answered tenors without marks")
        return VolatilityReading(
            oracle=fixed.volatility,
            fault=VolatilityFault(reading["fault"]),
            floor_wad=Wad(reading["floorWad"]),
            half_spread_bps=Bps(reading["halfSpreadBps"]),
            observed_at=reading["observedAt"],
            interval_s=fixed.interval_s,
            slack_s=fixed.slack_s,
            marks=tuple(
                VolatilityMark(tenor, m["levelPpm"], m["skewBps"], Bps(m["convexityBps"]))
                for tenor, m in zip(tenors, marks, strict=True)
            ),
            posting=posting,
        )

    # ------------------------------------------------------------ settlements

    def _settlements(
        self, fixed: _Fixed, expiries: Sequence[int], block: BlockStamp
    ) -> tuple[Settlement, ...]:
        calls = [_SETTLEMENT.call(fixed.settlement, block, expiry) for expiry in expiries]
        answers = in_batches(self._source, calls)
        return tuple(
            self._with_rounds(fixed, self._settlement(fixed, expiry, answer, block), block)
            for expiry, answer in zip(expiries, answers, strict=True)
        )

    def _settlement(self, fixed: _Fixed, expiry: int, answer: Any, block: BlockStamp) -> Settlement:
        s = self._one(_SETTLEMENT, answer, block)
        record_from = expiry + fixed.half_window_s
        waits = fixed.dispute_s + fixed.choice_s
        quarantined = s["quarantinedAt"]
        return Settlement(
            expiry=expiry,
            status=SettlementStatus(s["status"]),
            recorded=s["recordedAt"] != 0,
            record_from=record_from,
            record_until=record_from + fixed.record_window_s,
            quarantined_at=quarantined,
            resolve_at=quarantined + waits if quarantined else 0,
            proven=s["chainlinkWad"] != 0,
        )

    def _with_rounds(self, fixed: _Fixed, found: Settlement, block: BlockStamp) -> Settlement:
        """The rounds that prove it, looked for only once a proof would be taken."""
        done = found.status in (SettlementStatus.SETTLED, SettlementStatus.VOID)
        provable = found.recorded or block.timestamp > found.record_until
        if done or found.proven or not provable:
            return found
        base, quote = find_straddles(self._source, fixed.feeds, found.expiry, block)
        return replace(found, base_rounds=base, quote_rounds=quote)
