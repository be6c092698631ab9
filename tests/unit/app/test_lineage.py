"""A reorganisation is said, and one deeper than is followed ends the keeper before it decides (K-12)."""

from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from keeper.app import build_keeper_for
from keeper.app.lineage import Lineage
from keeper.chain.pool import EndpointPool
from keeper.chain.reorg import ReorgWatch
from keeper.errors import DeepReorganisationError, EndpointError, RpcError
from keeper.journal.store import open_journal
from keeper.model.outcome import TickStatus
from keeper.model.policy import Policies
from strategies.collateral_guard import CollateralGuard
from tests.builders import CHAIN_ID, KEEPER, VAULT, guard_policy, market_policy, planning_policy
from tests.unit.app.test_ahead import AtOnce
from tests.unit.chain.nodes import Node, block
from tests.unit.chain.test_reorg import Chain

DEPTH = 4


class InOrder(AtOnce):
    """One thread, and every fault kept for who waits."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().submit(fn, *args, **kwargs)
        except DeepReorganisationError as error:
            return _Failed(error)


class _Failed:
    def __init__(self, error: Exception) -> None:
        self._error = error

    def result(self) -> None:
        raise self._error


def lineage_of(chain: Chain) -> Lineage:
    found = Lineage(ReorgWatch(chain, DEPTH), InOrder())
    found.see(chain.head())
    found.settled()
    return found


def test_a_head_that_follows_the_last_one_costs_no_request() -> None:
    chain = Chain()
    lineage = lineage_of(chain)
    chain.requests.clear()
    for _ in range(10):
        lineage.see(chain.extend(1))
    lineage.settled()
    assert chain.requests == []


@pytest.mark.parametrize("depth", range(1, DEPTH + 1))
def test_a_reorganisation_that_is_followed_is_said_with_its_depth(depth: int) -> None:
    chain = Chain()
    lineage = lineage_of(chain)
    with capture_logs() as said:
        lineage.see(chain.rewrite(depth, grow=1))
        lineage.settled()
    assert [entry["depth"] for entry in said] == [depth]


def test_a_deeper_one_is_an_alert_and_an_error() -> None:
    chain = Chain()
    lineage = lineage_of(chain)
    with capture_logs() as said:
        lineage.see(chain.rewrite(DEPTH + 1, grow=1))
        with pytest.raises(DeepReorganisationError):
            lineage.settled()
    assert [entry["log_level"] for entry in said] == ["error"]


def test_blocks_of_the_past_that_cannot_be_read_are_no_reason_not_to_protect(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chain = Chain()
    lineage = lineage_of(chain)

    def away(_calls: Any) -> Any:
        raise EndpointError("chain", "eth_getBlockByHash", "is away")

    head = chain.rewrite(2, grow=1)
    with monkeypatch.context() as patched:
        patched.setattr(chain, "agreed_batch", away)
        lineage.see(head)
        lineage.settled()
    with capture_logs() as said:
        lineage.see(chain.extend(1))  # found by the next head
        lineage.settled()
    assert [entry["depth"] for entry in said] == [2]


def test_the_keeper_stops_at_it_decides_nothing_and_writes_why(tmp_path: Path) -> None:
    node = Node("one")
    no_history = RpcError("one", "eth_feeHistory", -32601, "not kept")
    node.lies = lambda method, _: no_history if method == "eth_feeHistory" else NotImplemented
    path = tmp_path / "j.sqlite"
    now = block(100).timestamp
    with build_keeper_for(
        pool=EndpointPool([node]),
        chain_id=CHAIN_ID,
        vault=VAULT,
        lens=VAULT,
        strategy=CollateralGuard(),
        policies=Policies(market_policy(), planning_policy(), guard_policy()),
        journal_path=path,
        address=KEEPER,
        clock=lambda: float(now),
        reorganisation_depth=DEPTH,
    ) as keeper:
        keeper.tick(block(100))
        node.fork, node.forked_at, node.height = 1, 100 - DEPTH - 2, 101
        node.asked.clear()
        with pytest.raises(DeepReorganisationError):
            keeper.tick(block(101, 1, 100 - DEPTH - 2))
        assert not any("eth_call" in methods for methods in node.asked)
    with open_journal(path) as journal:
        (last, *_) = journal.outcomes()
        assert (last.block_number, last.status) == (101, TickStatus.FAILED)
        assert "shares no ancestor" in last.reason
