"""A feed's past comes back whole and in order, and no further than it was asked for."""

from collections.abc import Sequence
from typing import Any

import pytest
from eth_abi.abi import decode as abi_decode
from eth_abi.abi import encode as abi_encode
from hypothesis import given
from hypothesis import strategies as st

from keeper.chain.feed_history import Round, rounds_before
from keeper.chain.source import Call
from keeper.errors import EndpointError, RpcError
from tests.builders import make_readings

BLOCK = make_readings().block
FEED = "0x" + "fe" * 20
PHASE = 3 << 64


class Feed:
    """Answers `getRoundData` of rounds 1 .. n of one phase; round i was answered at `times[i - 1]`."""

    name = "feed"

    def __init__(self, times: Sequence[int], missing: frozenset[int] = frozenset()) -> None:
        self.times, self.missing, self.batches = times, missing, 0

    def answer(self, place: int) -> int:
        """Of a round."""
        return 10**8 + place

    def agreed_batch(self, calls: Sequence[Call]) -> list[Any]:
        self.batches += 1
        assert len(calls) <= 100
        return [self._answer(call) for call in calls]

    def _answer(self, call: Call) -> Any:
        method, (request, at) = call
        assert (method, request["to"], at) == ("eth_call", FEED, {"blockHash": BLOCK.hash})
        (number,) = abi_decode(["uint80"], bytes.fromhex(request["data"][10:]))
        place = number - PHASE
        if place in self.missing or not 1 <= place <= len(self.times):
            return RpcError("feed", "eth_call", 3, "No data present")
        kinds = ["uint80", "int256", "uint256", "uint256", "uint80"]
        when = self.times[place - 1]
        return "0x" + abi_encode(kinds, [number, self.answer(place), when, when, number]).hex()


def read(feed: Feed, *, size: int = 100) -> list[Round]:
    """All of it, batch by batch."""
    before, after, found = PHASE + len(feed.times), None, list[Round]()
    while True:
        batch, asked = rounds_before(feed, FEED, before, BLOCK, most=size, after=after)  # type: ignore[arg-type]
        found = batch + found
        if len(batch) < asked or asked == 0:
            return found
        before, after = before - asked, batch[0][0]


@given(st.integers(1, 450), st.integers(1, 150))
def test_every_round_before_the_newest_comes_back_once_and_in_order(count: int, size: int) -> None:
    times = [1_000 + 700 * i for i in range(count)]
    feed = Feed(times)
    assert read(feed, size=size) == [(t, 10**8 + i + 1) for i, t in enumerate(times[:-1])]
    assert feed.batches == -(-(count - 1) // min(size, 100))


def test_it_ends_at_a_round_that_is_not_there() -> None:
    feed = Feed([1_000 + i for i in range(300)], missing=frozenset({120}))
    found = read(feed)
    assert [at for at, _ in found] == [1_000 + i for i in range(120, 299)]


def test_it_ends_where_time_goes_the_wrong_way() -> None:
    times = [1_000 + i for i in range(150)]
    times[60] = 9_999
    assert next(at for at, _ in read(Feed(times))) == 1_061


def test_an_endpoint_that_answers_nonsense_is_an_error_and_not_a_past() -> None:
    class Nonsense(Feed):
        def _answer(self, call: Call) -> Any:
            return "0x12"

    with pytest.raises(EndpointError):
        read(Nonsense([1, 2, 3]))
