"""The next nonce: from chain and journal together (K-04)."""

import pytest

from keeper.execution.fees import Fees
from keeper.execution.nonces import fee_floor, next_nonce
from keeper.model.attempt import Attempt
from keeper.model.decision import Lane
from keeper.model.outcome import AttemptStatus
from keeper.model.units import Wei


def attempt(nonce: int, status: AttemptStatus, cap: int = 10, tip: int = 1) -> Attempt:
    return Attempt(
        "0x1", 1, "0xa", "0xv", Lane.ROUTINE, nonce, "0xh", "0x", "0x",
        100, Wei(cap), Wei(tip), 1, 1, status,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("mined", "pending", "ours", "expected"),
    [
        (5, 5, (), 5),
        (5, 7, (), 7),  # another program with this key queued two: they go first
        (5, 6, (AttemptStatus.DROPPED,), 5),  # the pending one is ours and given up: no gap
        (5, 5, (AttemptStatus.DROPPED,), 5),
        (5, 7, (AttemptStatus.REFUSED,), 7),  # ours never was in a pool: the others are foreign
        (0, 0, (AttemptStatus.REFUSED,), 0),  # a refused transaction burns no nonce
        (5, 4, (), 5),  # a pool that lags behind its chain
    ],
)
def test_next_nonce(
    mined: int, pending: int, ours: tuple[AttemptStatus, ...], expected: int
) -> None:
    assert next_nonce(mined, pending, [attempt(mined, status) for status in ours]) == expected


def test_a_reused_nonce_must_outbid_what_a_pool_may_hold() -> None:
    given_up = AttemptStatus.DROPPED
    assert fee_floor([attempt(1, given_up, 10, 3), attempt(1, given_up, 20, 2)]) == Fees(20, 3)


def test_refused_attempts_raise_no_fee() -> None:
    """Fees must not climb for an unfunded account."""
    assert fee_floor([attempt(1, AttemptStatus.REFUSED, 10, 3)]) is None
