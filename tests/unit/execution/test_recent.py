"""How soon protection is in, asked seldom, and believed only so far."""

from typing import Any

import pytest

from keeper.errors import EndpointError, RpcError
from keeper.execution.fees import GasPolicy
from keeper.execution.inclusion import UrgencyPolicy
from keeper.execution.recent import EVERY_BLOCKS, RecentInclusion
from tests.unit.execution.fake_chain import GWEI, FakeChain

METHOD = "eth_feeHistory"


def history(tips_gwei: list[int]) -> dict[str, Any]:
    """Full blocks, in which so many gwei were enough."""
    return {
        "baseFeePerGas": [hex(10 * GWEI)] * (len(tips_gwei) + 1),
        "gasUsedRatio": [1.0] * len(tips_gwei),
        "reward": [[hex(tip * GWEI)] * 4 for tip in tips_gwei],
    }


def recent(chain: FakeChain) -> RecentInclusion:
    return RecentInclusion(chain, GasPolicy(), UrgencyPolicy())


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
    chain = FakeChain(answers={METHOD: history(tips)})
    found = recent(chain)
    found.look(chain.block)
    assert found.blocks == blocks


def test_it_is_asked_once_in_so_many_blocks() -> None:
    chain = FakeChain(answers={METHOD: history([1] * 60)})
    found = recent(chain)
    for _ in range(2 * EVERY_BLOCKS):
        found.look(chain.advance())
    assert [method for method, _ in chain.asked] == [METHOD] * 2


@pytest.mark.parametrize(
    "answer", [RpcError("http://fake", METHOD, -32601, "method not found"), {"reward": []}, None]
)
def test_without_a_history_nothing_is_known_and_what_was_known_stands(answer: Any) -> None:
    chain = FakeChain(answers={METHOD: answer})
    found = recent(chain)
    found.look(chain.block)
    assert found.blocks is None
    chain.answers[METHOD] = history([99] * 60)
    found.look(chain.advance(EVERY_BLOCKS))
    chain.answers[METHOD] = answer
    found.look(chain.advance(EVERY_BLOCKS))
    assert found.blocks == 10.0


def test_an_endpoint_that_is_gone_costs_no_tick() -> None:
    class Gone(FakeChain):
        def call(self, method: str, params: list[Any]) -> Any:
            raise EndpointError(self.name, method, "did not answer")

    found = recent(Gone())
    found.look(FakeChain().block)
    assert found.blocks is None
