"""The next nonce: from chain and journal together (K-04)."""

from dataclasses import replace

import pytest

from keeper.execution.fees import Fees
from keeper.execution.nonces import POOL_MEMORY_BLOCKS, Floor, fee_floor, next_nonce
from keeper.model.attempt import Attempt
from keeper.model.decision import Lane
from keeper.model.outcome import AttemptStatus
from keeper.model.units import Wei


def attempt(nonce: int, status: AttemptStatus, cap: int = 10, tip: int = 1) -> Attempt:
    return Attempt(
        "0x1", 1, "0xa", "0xv", Lane.ROUTINE, nonce, "0xh", "0x", "0x",
        100, Wei(cap), Wei(tip), 1, 1, status,
    )  # fmt: skip


ROUTINE, PROTECTIVE = Lane.ROUTINE, Lane.PROTECTIVE
SIGNED, SENT = AttemptStatus.SIGNED, AttemptStatus.SENT


@pytest.mark.parametrize(
    ("mined", "pending", "ours", "lane", "expected"),
    [
        (5, 5, {}, ROUTINE, 5),
        (5, 7, {}, ROUTINE, 7),  # another program with this key queued two: they go first
        (5, 6, {5: (AttemptStatus.DROPPED,)}, ROUTINE, 5),  # the pending one is ours and given up
        (5, 5, {5: (AttemptStatus.DROPPED,)}, ROUTINE, 5),
        (5, 7, {5: (AttemptStatus.REFUSED,)}, ROUTINE, 5),  # refused, and pooled all the same
        (0, 0, {0: (AttemptStatus.REFUSED,)}, ROUTINE, 0),  # a refused transaction burns no nonce
        (5, 4, {}, ROUTINE, 5),  # a pool that lags behind its chain
        (5, 7, {5: (SENT,), 6: (SENT,)}, ROUTINE, 7),  # one behind those in flight
        (5, 5, {5: (SIGNED,)}, ROUTINE, 6),  # signed is taken, whatever the pool says
        (5, 7, {5: (SENT,), 6: (AttemptStatus.DROPPED,)}, ROUTINE, 6),  # a gap is filled first
        (5, 6, {5: (SENT,)}, PROTECTIVE, 5),  # K-05: a routine intent is taken over
        (5, 6, {5: (AttemptStatus.REFUSED, SENT)}, ROUTINE, 6),
        (5, 8, {6: (SENT,)}, ROUTINE, 8),  # others at 5 and 7
    ],
)
def test_next_nonce(
    mined: int,
    pending: int,
    ours: dict[int, tuple[AttemptStatus, ...]],
    lane: Lane,
    expected: int,
) -> None:
    """K-04."""

    def mine_at(nonce: int) -> list[Attempt]:
        return [attempt(nonce, status) for status in ours.get(nonce, ())]

    assert next_nonce(mined, pending, mine_at, lane) == expected


def test_protection_in_flight_is_never_taken_over() -> None:
    held = replace(attempt(5, SENT), lane=PROTECTIVE)
    assert next_nonce(5, 6, lambda n: [held] if n == 5 else [], PROTECTIVE) == 6


DROPPED, REFUSED = AttemptStatus.DROPPED, AttemptStatus.REFUSED


def test_a_reused_nonce_must_outbid_what_a_pool_may_hold() -> None:
    given_up = [attempt(1, DROPPED, 10, 3), attempt(1, DROPPED, 20, 2), attempt(1, REFUSED, 99, 9)]
    assert fee_floor(given_up, pooled=True, block=99_999) == Floor(Fees(20, 3), certain=True)
    assert fee_floor(given_up, pooled=False, block=2) == Floor(Fees(20, 3), certain=False)


def test_an_empty_pool_forgets() -> None:
    given_up = [attempt(1, DROPPED)]
    last = 1 + POOL_MEMORY_BLOCKS
    assert fee_floor(given_up, pooled=False, block=last) is not None
    assert fee_floor(given_up, pooled=False, block=last + 1) is None


def test_refused_attempts_raise_no_fee_unless_something_is_in_the_pool() -> None:
    """Fees must not climb for an unfunded account."""
    refused = [attempt(1, REFUSED, 10, 3)]
    assert fee_floor(refused, pooled=False, block=1) is None
    assert fee_floor(refused, pooled=True, block=1) == Floor(Fees(10, 3), certain=True)
