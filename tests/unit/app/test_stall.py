"""A chain that stands still is told, journalled, and told again more and more rarely."""

import threading
from pathlib import Path
from typing import Any

import pytest

from keeper.app import build_keeper_for
from keeper.app.stall import StallWatch
from keeper.journal.store import SqliteJournal
from keeper.loop import TickRules
from keeper.model.block import BlockStamp
from keeper.model.outcome import TickOutcome, TickStatus
from keeper.model.policy import Policies
from strategies.collateral_guard import CollateralGuard
from tests.builders import (
    CHAIN_ID,
    KEEPER,
    VAULT,
    guard_policy,
    market_policy,
    planning_policy,
)


class Time:
    """Moves when told."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_it_is_said_after_the_patience_and_then_more_and_more_rarely() -> None:
    time, said = Time(), []
    watch = StallWatch(180, time)
    for _ in range(20_000):
        if watch.overdue_s():
            said.append(time.now - 1_000)
        time.now += 1
    assert said[:4] == [180, 540, 1_260, 2_700]
    assert said[5] - said[4] == said[6] - said[5] == 3_600


def test_a_new_head_begins_anew() -> None:
    time = Time()
    watch = StallWatch(180, time)
    time.now += 180
    assert watch.overdue_s() == 180
    watch.moved()
    time.now += 179
    assert watch.overdue_s() is None
    time.now += 1
    assert watch.overdue_s() == 180


class StandingHeads:
    """The same head for ever, which is no new one; each question takes a second."""

    def __init__(self, time: Time, stop: threading.Event, asked: int) -> None:
        self._time, self._stop, self._left = time, stop, asked

    def next(self) -> BlockStamp | None:
        self._time.now += 1
        self._left -= 1
        if not self._left:
            self._stop.set()
        return None


def test_a_head_that_stands_still_is_journalled_as_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    time, stop = Time(), threading.Event()
    monkeypatch.setattr(
        "keeper.app.keeper.StallWatch", lambda patience_s, _: StallWatch(patience_s, time)
    )
    recorded: list[TickOutcome] = []
    monkeypatch.setattr(
        SqliteJournal, "record_outcome", lambda _, outcome, _scope: recorded.append(outcome)
    )
    with build_keeper_for(
        rpc_url="http://127.0.0.1:9",
        chain_id=CHAIN_ID,
        vault=VAULT,
        lens=VAULT,
        strategy=CollateralGuard(),
        policies=Policies(market_policy(), planning_policy(), guard_policy()),
        journal_path=tmp_path / "j.sqlite",
        address=KEEPER,
        rules=TickRules(max_head_age_s=180),
    ) as keeper:
        heads: Any = StandingHeads(time, stop, 600)
        assert keeper.run(heads, stop) == 0
    assert recorded == [
        TickOutcome(0, TickStatus.SKIPPED, "no new head for 180 s"),
        TickOutcome(0, TickStatus.SKIPPED, "no new head for 540 s"),
    ]
