"""The desk's own auctions are found at every block, whatever was opened, cancelled or reorganised before."""

from dataclasses import replace

from eth_utils.abi import function_signature_to_4byte_selector
from eth_utils.address import to_checksum_address
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.chain.desk import DeskReader
from keeper.model.block import BlockStamp
from keeper.model.desk import DeskState, Posting, SettlementStatus, Straddle
from keeper.model.market import Readings
from keeper.model.units import WAD, Bps, Wad
from tests.builders import NOW, make_readings
from tests.desk_builders import BOOK, DESK, HOUSE, position, series
from tests.unit.chain.desk_chain import PHASE, DeskChain, World, cancelled, opened

EXPIRED = series(2_200, days=-0.05)


def readings_at(block: BlockStamp, *, desk: bool = True, awaiting: bool = False) -> Readings:
    readings = make_readings()
    held = (position(EXPIRED, sold=1, awaiting=True),) if awaiting else ()
    address = to_checksum_address(DESK) if desk else readings.options.desk
    options = replace(readings.options, desk=address, positions=held)
    return replace(readings, block=block, options=options)


def read(
    chain: DeskChain, reader: DeskReader, block: BlockStamp, *, awaiting: bool = False
) -> DeskState:
    """As LensReader does: the calls go with the snapshot's batch, if there are any."""
    calls = reader.calls(block)
    answers = chain.agreed_batch(calls) if calls else []
    found = reader.finish(readings_at(block, awaiting=awaiting), block, answers)
    assert found.options.state is not None
    return found.options.state


def test_a_vault_without_a_desk_costs_no_call() -> None:
    chain = DeskChain()
    reader = DeskReader(chain)
    block = chain.put(100, World())
    assert reader.calls(block) == []
    plain = readings_at(block, desk=False)
    assert reader.finish(plain, block, []) is plain
    assert chain.requests == 0


def test_once_the_desk_is_known_one_batch_holds_all() -> None:
    chain = DeskChain()
    reader = DeskReader(chain)
    world = opened(World(), 11, own=True)
    read(chain, reader, chain.put(100, world))
    before = chain.requests
    state = read(chain, reader, chain.put(101, world))
    assert chain.requests == before + 1
    assert [(a.auction_id, a.series_id, a.sells) for a in state.auctions] == [(1, "11", True)]
    assert (state.book, state.auction) == (to_checksum_address(BOOK), to_checksum_address(HOUSE))
    assert state.volatility.floor_wad == WAD // 5
    assert state.volatility.marks[0].skew_bps == -1_000
    assert state.volatility.posting == Posting(
        to_checksum_address(BOOK), NOW, True, 11, 12, Bps(16), Wad(7)
    )
    assert state.settlements == ()


def test_series_are_looked_up_from_the_next_block_on() -> None:
    chain = DeskChain()
    reader = DeskReader(chain)
    world = World(series=frozenset({7}))
    assert read(chain, reader, chain.put(100, world)).exists("7") is None
    reader.look_up(("7", "8"))
    state = read(chain, reader, chain.put(101, world))
    assert (state.exists("7"), state.exists("8"), state.exists("9")) == (True, False, None)


def test_auctions_of_others_cannot_make_the_reading_long() -> None:
    """Anybody may open them, a hundred in a block, and protection waits for the reading."""
    chain = DeskChain()
    reader = DeskReader(chain)
    spam = World(auctions=((11, False, 1),) * 5_000)
    world = opened(opened(spam, 11, own=True), 11, own=False)
    first = read(chain, reader, chain.put(100, world))
    assert [a.auction_id for a in first.auctions] == [5_001]
    assert chain.calls < 4_100
    more = replace(world, auctions=world.auctions + ((11, False, 1),) * 500)
    again = [read(chain, reader, chain.put(n, more)) for n in (101, 102)][-1]
    assert [a.auction_id for a in again.auctions] == [5_001]
    before = chain.calls
    read(chain, reader, chain.put(103, more))
    assert chain.calls - before < 300


def test_a_count_that_no_chain_can_have_is_not_counted_through() -> None:
    chain = DeskChain()
    count = (HOUSE.lower(), function_signature_to_4byte_selector("auctionCount()"))
    chain._views[count] = lambda _world, _number: (("uint256",), (2**255,))
    assert read(chain, DeskReader(chain), chain.put(100, World())).auctions == ()


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_exactly_the_open_auctions_of_the_desk_are_seen(data: st.DataObject) -> None:
    chain = DeskChain()
    reader = DeskReader(chain)
    line: list[World] = [World()]
    number, fork = 1_000, 0
    for _ in range(data.draw(st.integers(1, 40))):
        kind = data.draw(st.sampled_from(["own", "other", "cancel", "reorganise", "wait", "read"]))
        world = line[-1]
        if kind in ("own", "other"):
            line.append(opened(world, len(line), own=kind == "own"))
        elif kind == "cancel" and world.auctions:
            line.append(cancelled(world, data.draw(st.integers(1, len(world.auctions)))))
        elif kind == "reorganise":
            back = data.draw(st.integers(0, min(20, len(line) - 1)))
            line, fork = line[: len(line) - back], fork + 1
            number -= back
        elif kind == "wait":
            blocks = data.draw(st.integers(1, 100))
            line += [world] * blocks
        number = 1_000 + len(line)
        if kind != "read":
            continue
        state = read(chain, reader, chain.put(number, line[-1], fork))
        truth = [i for i, (_, own, open_) in enumerate(line[-1].auctions, start=1) if own and open_]
        assert [a.auction_id for a in state.auctions] == truth


def test_what_an_expired_series_waits_for_is_read_with_the_rounds_that_prove_it() -> None:
    chain = DeskChain()
    reader = DeskReader(chain)
    expiry = EXPIRED.expiry
    rounds = tuple(expiry + (i - 60) * 100 for i in range(70))  # the 61st is in force
    raw = (0, 0, False, False, expiry + 901, 0, 3, 3, 5, 0, 0)
    world = World(settlements={expiry: raw}, rounds=rounds)
    block = chain.put(500, world)
    (found,) = read(chain, reader, block, awaiting=True).settlements
    assert (found.expiry, found.status, found.recorded) == (expiry, SettlementStatus.OPEN, True)
    assert (found.record_from, found.record_until) == (expiry + 900, expiry + 8_100)
    assert found.base_rounds == found.quote_rounds == Straddle(PHASE + 61, PHASE + 62)


def test_rounds_are_not_looked_for_before_a_proof_would_be_taken() -> None:
    chain = DeskChain()
    reader = DeskReader(chain)
    expiry = EXPIRED.expiry
    (found,) = read(chain, reader, chain.put(1, World()), awaiting=True).settlements
    assert not found.recorded
    assert found.base_rounds is None
    late = World(rounds=(expiry - 1, expiry))  # no round is after the instant yet
    raw = (1, 0, False, False, 1, 100, 3, 3, 5, 0, 0)
    late = replace(late, settlements={expiry: raw})
    (found,) = read(chain, reader, chain.put(2, late), awaiting=True).settlements
    assert found.base_rounds is None
    assert found.resolve_at == 100 + 2 * 86_400
