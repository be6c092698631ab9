"""What options need of anybody becomes due when it can pass, and only then."""

from dataclasses import replace

import pytest

from keeper.model.decision import (
    CancelAuction,
    Collect,
    CreateSeries,
    Observe,
    ProvePrice,
    RecordPrice,
    ResolvePrice,
    Work,
)
from keeper.model.desk import Settlement, SettlementStatus, Straddle
from keeper.model.market import MarketState
from keeper.model.policy import UpkeepPolicy
from keeper.planning import due_work, unseen_series
from keeper.risk import assess
from tests.builders import NOW
from tests.desk_builders import (
    BOOK,
    DESK,
    ETHER,
    SETTLEMENT,
    VOLATILITY,
    auction,
    desk_market,
    position,
    series,
    target,
    volatility,
    wanted,
)

CALL = series(2_200)
EXPIRED = series(2_200, days=-0.05)
SLOT = NOW // 3_600


def due(market: MarketState, *, options: bool = True, wants: int = 0) -> Work | None:
    want = target(wanted(CALL, wants)) if wants else target()
    return due_work(market, assess(market), want, UpkeepPolicy(options=options))


def at(market: MarketState, now: int) -> MarketState:
    """The same vault at another time, its heart beaten lately."""
    readings = market.readings
    block = replace(readings.block, timestamp=now)
    mandate = replace(readings.mandate, last_beat=now)
    return replace(market, readings=replace(readings, block=block, mandate=mandate))


def waiting(**changes: object) -> MarketState:
    """A vault with one expired series, and what is known of its settlement."""
    found = Settlement(
        expiry=EXPIRED.expiry,
        status=SettlementStatus.OPEN,
        recorded=False,
        record_from=NOW - 600,
        record_until=NOW + 600,
        quarantined_at=0,
        resolve_at=0,
        proven=False,
    )
    found = replace(found, **changes)  # type: ignore[arg-type]
    return desk_market(position(EXPIRED, sold=ETHER, awaiting=True), settlements=(found,))


ROUNDS = Straddle(7, 8)
FOUND = {"base_rounds": ROUNDS, "quote_rounds": ROUNDS}
OPEN, QUARANTINED, SETTLED, VOID = SettlementStatus


@pytest.mark.parametrize(
    ("known", "work"),
    [
        ({}, RecordPrice(SETTLEMENT, EXPIRED.expiry)),
        ({"record_from": NOW + 1}, None),
        ({"record_until": NOW + 23}, None),
        ({"recorded": True}, None),
        ({"recorded": True, **FOUND}, ProvePrice(SETTLEMENT, EXPIRED.expiry, ROUNDS, ROUNDS)),
        (
            {"record_until": NOW - 1, **FOUND},
            ProvePrice(SETTLEMENT, EXPIRED.expiry, ROUNDS, ROUNDS),
        ),
        ({"record_from": NOW + 1, **FOUND}, None),
        ({"status": QUARANTINED, "recorded": True, "proven": True, "resolve_at": NOW + 1}, None),
        (
            {"status": QUARANTINED, "recorded": True, "proven": True, "resolve_at": NOW},
            ResolvePrice(SETTLEMENT, EXPIRED.expiry),
        ),
        ({"status": SETTLED, "recorded": True}, Collect(DESK, EXPIRED.id)),
        ({"status": VOID}, Collect(DESK, EXPIRED.id)),
    ],
)
def test_an_expired_series_is_recorded_proven_resolved_and_collected(
    known: dict[str, object], work: Work | None
) -> None:
    market = at(waiting(**known), NOW)
    assert due(market) == work
    assert due(market, options=False) is None


def test_a_slot_of_volatility_is_observed_once_and_in_time() -> None:
    market = desk_market(surface=volatility(observed_at=(SLOT - 1) * 3_600 + 10))
    start = SLOT * 3_600
    assert due(at(market, start)) == Observe(VOLATILITY, SLOT)
    assert due(at(market, start + 276)) == Observe(VOLATILITY, SLOT)
    assert due(at(market, start + 277)) is None  # two blocks later the slack is over
    seen = desk_market(surface=volatility(observed_at=start + 1))
    assert due(at(seen, start + 100)) is None


def test_nothing_is_observed_at_a_price_that_cannot_be_trusted() -> None:
    market = desk_market(surface=volatility(observed_at=0), faults=("stale",))
    assert due(at(market, SLOT * 3_600)) is None


def test_auctions_that_are_over_are_cleared_away() -> None:
    held = position(CALL, sold=0, unsold=ETHER)
    running = desk_market(held, auctions=(auction(CALL, ends_in_s=0, number=4),))
    ended = desk_market(held, auctions=(auction(CALL, ends_in_s=-1, number=4),))
    assert due(running) is None
    assert due(ended) == CancelAuction(DESK, 4)


def test_an_auction_of_an_expired_series_is_over() -> None:
    held = position(EXPIRED, sold=0, unsold=ETHER, awaiting=True)
    assert due(desk_market(held, auctions=(auction(EXPIRED),))) == CancelAuction(DESK, 1)


def test_a_wanted_series_is_created_once_it_was_seen_to_be_missing() -> None:
    assert due(desk_market(), wants=ETHER) is None
    assert due(desk_market(known=(CALL,)), wants=ETHER) is None
    assert due(desk_market(unknown=(CALL,)), wants=ETHER) == CreateSeries(BOOK, CALL)


def test_series_that_are_not_held_are_looked_up() -> None:
    want = target(wanted(CALL, ETHER))
    assert unseen_series(desk_market().readings, want) == (CALL.id,)
    assert unseen_series(desk_market(position(CALL, sold=1)).readings, want) == ()
    without = desk_market().readings
    without = replace(without, options=replace(without.options, state=None))
    assert unseen_series(without, want) == ()


def test_only_what_could_be_sold_in_its_tenor_is_created() -> None:
    market = desk_market()
    terms = market.readings.mandate.terms.options
    for seconds, made in (
        (terms.min_tenor_s - 1, False),
        (terms.min_tenor_s, True),
        (terms.max_tenor_s, True),
        (terms.max_tenor_s + 1, False),
    ):
        one = series(2_200, days=seconds / 86_400)
        market = desk_market(unknown=(one,))
        want = target(wanted(one, ETHER))
        work = due_work(market, assess(market), want, UpkeepPolicy(options=True))
        assert work == (CreateSeries(BOOK, one) if made else None)
