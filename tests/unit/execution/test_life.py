"""Wait, send again, bump or stop: by a table."""

from dataclasses import replace

import pytest

from keeper.execution.life import Action, FollowPolicy, Life, next_action

POLICY = FollowPolicy(bump_after_blocks=2, lost_after_blocks=4)
FRESH = Life(
    nonce=5,
    mined_nonce=5,
    has_receipt=False,
    blocks_since_signed=0,
    nonce_used_blocks=0,
    timestamp=1_000,
    deadline=1_100,
)


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ({}, Action.WAIT),
        ({"blocks_since_signed": 1}, Action.RESEND),
        ({"blocks_since_signed": 2}, Action.BUMP),
        ({"blocks_since_signed": 9}, Action.BUMP),
        ({"timestamp": 1_100, "blocks_since_signed": 1}, Action.RESEND),
        ({"timestamp": 1_101}, Action.STOP),
        # a missing receipt means nothing while the nonce is unused
        ({"has_receipt": False, "blocks_since_signed": 1}, Action.RESEND),
        # a used nonce decides, also after the deadline
        ({"mined_nonce": 6, "has_receipt": True}, Action.SETTLE),
        ({"mined_nonce": 6, "has_receipt": True, "timestamp": 9_999}, Action.SETTLE),
        # the nonce is used and the receipt is late: never bump, never stop at once
        ({"mined_nonce": 6, "blocks_since_signed": 9}, Action.WAIT),
        ({"mined_nonce": 6, "timestamp": 9_999}, Action.WAIT),
        ({"mined_nonce": 6, "nonce_used_blocks": 3}, Action.WAIT),
        ({"mined_nonce": 6, "nonce_used_blocks": 4}, Action.LOST),
        # a receipt of a block that was reorganised away, nonce unused again
        ({"mined_nonce": 5, "has_receipt": True, "blocks_since_signed": 1}, Action.RESEND),
    ],
)
def test_next_action(what: dict[str, int], expected: Action) -> None:
    assert next_action(replace(FRESH, **what), POLICY) is expected  # type: ignore[arg-type]
