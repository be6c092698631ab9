"""A block that could not be finished is ticked on again: a block is long in a fall."""

import threading
from pathlib import Path
from typing import Any

import pytest

from keeper.app import build_keeper_for
from keeper.loop import TickRecord
from keeper.model.block import BlockStamp
from keeper.model.outcome import TickOutcome, TickStatus
from keeper.model.policy import Policies
from strategies.collateral_guard import CollateralGuard
from tests.builders import CHAIN_ID, KEEPER, VAULT, guard_policy, market_policy, planning_policy

HEAD = BlockStamp(7, "0x07", "0x06", 1_700_000_000, 1)


class OneHead:
    """The same head, as often as it is asked for again; then it tells the keeper to stop."""

    def __init__(self, stop: threading.Event) -> None:
        self.given = 0
        self._again = True
        self._stop = stop

    def next(self) -> BlockStamp | None:
        if not self._again:
            self._stop.set()
            return None
        self._again = False
        self.given += 1
        return HEAD

    def again(self) -> None:
        self._again = True


@pytest.mark.parametrize(
    ("unread", "untaken", "ticks"),
    [([], [], 1), ([True], [], 2), ([], [1], 2), ([True], [1, 1], 4)],
)
def test_a_block_is_ticked_on_until_it_is_read_and_protection_is_taken(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    unread: list[bool],
    untaken: list[int],
    ticks: int,
) -> None:
    stop = threading.Event()
    heads = OneHead(stop)
    with build_keeper_for(
        rpc_url="http://127.0.0.1:9",
        chain_id=CHAIN_ID,
        vault=VAULT,
        lens=VAULT,
        strategy=CollateralGuard(),
        policies=Policies(market_policy(), planning_policy(), guard_policy()),
        journal_path=tmp_path / "j.sqlite",
        address=KEEPER,
    ) as keeper:
        blind, offers = iter(unread), iter(untaken)

        (vault,) = keeper.vaults

        def one_pass(head: BlockStamp, _vaults: Any) -> tuple[TickRecord, ...]:
            outcome = TickOutcome(head.number, TickStatus.SENT, "")
            vault.last = TickRecord(outcome, head, unread=next(blind, False))
            return (vault.last,)

        monkeypatch.setattr(keeper, "_pass", one_pass)
        monkeypatch.setattr(vault.lanes, "untaken", lambda _lane: next(offers, 0))
        feed: Any = heads
        assert keeper.run(feed, stop) == ticks
    assert heads.given == ticks
