"""How soon protection is in, as recent blocks say: believed only so far."""

from typing import Any

import pytest

from keeper.errors import RpcError
from keeper.execution.recent import RecentInclusion
from tests.unit.execution.fake_chain import GWEI

METHOD = "eth_feeHistory"
BASE = 10 * GWEI


def history(tips_gwei: list[int]) -> dict[str, Any]:
    """Full blocks, in which so many gwei were enough."""
    return {
        "baseFeePerGas": [hex(BASE)] * (len(tips_gwei) + 1),
        "gasUsedRatio": [1.0] * len(tips_gwei),
        "reward": [[hex(tip * GWEI)] * 2 for tip in tips_gwei],
    }


@pytest.mark.parametrize(
    ("tips", "blocks"),
    [
        ([1] * 60, 4.0),
        ([29] * 60, 4.0),  # dear, and paid: protection climbs to ten times its first tip
        (([1] * 3 + [99]) * 15, 3.0),  # a miss, and in the block after it
        (([1] * 10 + [99] * 10) * 3, 10.0),
        ([99] * 60, 10.0),  # more than any may pay: as late as is believed
    ],
)
def test_it_is_what_recent_blocks_took_of_who_pays_what_protection_may(
    tips: list[int], blocks: float
) -> None:
    found = RecentInclusion()
    found.heard([history(tips)], BASE)
    assert found.blocks == blocks


def test_a_higher_base_fee_lets_protection_pay_higher_tips() -> None:
    found = RecentInclusion()
    found.heard([history([99] * 60)], 50 * GWEI)  # twice the base fee is more than 99
    assert found.blocks == 4.0


@pytest.mark.parametrize(
    "answer", [RpcError("http://fake", METHOD, -32601, "method not found"), {"reward": []}, None]
)
def test_without_a_history_nothing_is_known_and_what_was_known_stands(answer: Any) -> None:
    found = RecentInclusion()
    found.heard([answer], BASE)
    assert found.blocks is None
    found.heard([history([99] * 60)], BASE)
    found.heard([answer], BASE)
    assert found.blocks == 10.0
