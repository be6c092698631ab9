"""A foreign strategy cannot stop, delay or deceive the keeper: whatever it does, the vault holds still and says why."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from keeper.cli.replay import Tally, replay_one
from keeper.config.strategy import GROUP, is_foreign
from keeper.errors import SettingError
from keeper.hosted import HostedStrategy, StrategyLimits
from keeper.journal.codec import encode
from keeper.journal.query import Filter, decision_ids
from keeper.journal.store import open_journal
from keeper.model.decision import Target
from keeper.risk import assess
from tests.builders import ether, make_market, make_readings
from tests.installed import install
from tests.replay.ticks import MadeUp, keeper_of, tick

MARKET = make_market()
RISK = assess(MARKET)
PATIENT = StrategyLimits(time_s=60.0, start_s=120.0, most_faults=100)
HERE = "tests.unit.hosted.outside"


@pytest.fixture(autouse=True)
def _outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    points = {"outside_good": f"{HERE}:Good", "outside_bad": f"{HERE}:Bad"}
    points["outside_gone"] = "no_such_package_at_all:Gone"
    install(tmp_path, "outside", GROUP, points)
    monkeypatch.syspath_prepend(str(tmp_path))


@contextmanager
def hosting(
    name: str, limits: StrategyLimits = PATIENT, **parameters: Any
) -> Iterator[HostedStrategy]:
    hosted = HostedStrategy(name, parameters, limits)
    try:
        yield hosted.start()
    finally:
        hosted.close()


def test_decides_as_it_would_at_home() -> None:
    with hosting("outside_good", delta=2.5) as hosted:
        target = hosted(MARKET, RISK)
        assert target.net_delta == ether(2.5)
        assert target.reason == "block 100"
        assert hosted.problem == ""
        assert hosted.recorded_as == (f"{HERE}:Good", {"delta": 2.5})
        assert hosted(MARKET, RISK) == target


def test_every_fault_holds_still_and_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIMBAL_SECRET", "hunter2")
    faults = {
        "raises": "RuntimeError: broken inside",
        "exits": "SystemExit",
        "nonsense": "returned int, not a Target",
        "greedy": "MemoryError",
        "float": "wants the net delta 0.5",
        "huge": "wants the net delta",
        "sick": "wants the health -1",
        "flood": "perpetuals that are no list of at most 256",
        "novel": "no short text",
        "bell": "cannot be printed",
        "dies": "ended without an answer",
    }
    hosted: HostedStrategy
    for how, problem in faults.items():
        with hosting("outside_bad", how=how) as hosted:
            target = hosted(MARKET, RISK)
            assert target.hold
            assert problem in target.reason
            assert "holds still" in target.reason
            assert problem in hosted.problem
            encode(target)
    with hosting("outside_bad", how="spies") as hosted:
        assert hosted(MARKET, RISK).reason == "saw []"


def test_one_that_hangs_is_killed_and_begun_anew() -> None:
    """It would run for ever: that there is an answer at all is the test."""
    limits = StrategyLimits(time_s=0.5, start_s=120.0, most_faults=100)
    with hosting("outside_bad", limits, how="hangs") as hosted:
        first = hosted._process
        target = hosted(MARKET, RISK)
        assert target.hold
        assert "no answer within 0.5 s" in target.reason
        assert first is not None
        assert first.poll() is not None
        assert hosted._process is not None
        assert hosted._process is not first


def test_faults_in_a_row_make_it_rest_and_a_good_answer_makes_them_forgotten() -> None:
    limits = StrategyLimits(time_s=60.0, start_s=120.0, most_faults=2, rest=2)
    with hosting("outside_bad", limits, how="raises") as hosted:
        said = [hosted(MARKET, RISK).reason for _ in range(4)]
        assert ["RuntimeError" in one for one in said] == [True, True, False, False]
        assert "rests" in said[2]
        assert hosted._process is None
        assert "RuntimeError" in hosted(MARKET, RISK).reason


@pytest.mark.parametrize(
    ("name", "parameters", "says"),
    [
        ("outside_good", {"delta": -1}, "must not be negative"),
        ("outside_good", {"gamma": 1}, "no such parameter"),
        ("outside_bad", {}, "is missing"),
        ("outside_gone", {}, "cannot be loaded"),
        ("nobody", {}, "no strategy"),
    ],
)
def test_what_it_does_not_like_is_said_at_the_start(
    name: str, parameters: dict[str, Any], says: str
) -> None:
    with pytest.raises(SettingError, match=says), hosting(name, **parameters):
        pass


def test_closing_ends_its_process() -> None:
    with hosting("outside_good") as hosted:
        process = hosted._process
        assert process is not None
    assert process.wait(30) != 0


def test_foreign_is_what_another_distribution_registers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = tmp_path / "ours"
    install(ours, "gimbal", GROUP, {"ours": "strategies.delta_band:DeltaBand"})
    monkeypatch.syspath_prepend(str(ours))
    inside = {"inner": {"name": "outside_good", "parameters": {}}}
    assert is_foreign("outside_good", {})
    assert not is_foreign("ours", {})
    assert is_foreign("ours", inside)
    assert is_foreign("ours", {"parts": [{"name": "ours"}, {"name": "ours", "parameters": inside}]})
    assert is_foreign("ours", {"inner": '{"name": "outside_good"}'})
    assert not is_foreign("ours", {"inner": {"name": "ours", "parameters": {"band": 2}}})
    assert not is_foreign("nobody", {})


def test_no_way_of_writing_a_foreign_strategy_brings_it_into_the_process_that_signs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """K-09: in a file of candidates, as the journal writes it, and as deep as strategies nest."""
    ours = tmp_path / "ours"
    install(ours, "gimbal", GROUP, {"ours": "strategies.delta_band:DeltaBand"})
    monkeypatch.syspath_prepend(str(ours))
    foreign: Any = {"name": "outside_good"}
    file = tmp_path / "candidates.json"
    for name, strategy in (("outside_good", True), ("ours", False)):
        one = {"name": "a", "expected_return": 0.1, "losses": [0.0], "strategy": {"name": name}}
        file.write_text(json.dumps([one]))
        assert is_foreign("ours", {"candidates": str(file)}) is strategy
        inner = {"name": "ours", "parameters": {"candidates": str(file)}}
        assert is_foreign("ours", {"parts": [inner]}) is strategy
    assert is_foreign("ours", {"inner": {"strategy": f"{HERE}:Good", "parameters": {}}})
    for _ in range(12):
        foreign = {"name": "ours", "parameters": {"parts": [foreign]}}
        assert is_foreign("ours", {"parts": [foreign]})
    assert not is_foreign("ours", {"candidates": str(tmp_path / "nowhere.json")})


def test_targets_of_hosted_and_home_are_one(tmp_path: Path) -> None:
    from tests.unit.hosted.outside import Good

    with hosting("outside_good", delta=0.25) as hosted:
        there: Target = hosted(MARKET, RISK)
    assert there == Good(0.25)(MARKET, RISK)


def replayed(path: Path) -> list[str]:
    """Fields that come out otherwise when every decision is made again."""
    with open_journal(path, exclusive=False) as journal:
        return [
            difference.field
            for number in decision_ids(journal, Filter())
            for difference in replay_one(journal, number, Tally())
        ]


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("outside_good", {"delta": 1_400.0}), ("outside_bad", {"how": "raises"})],
)
def test_what_it_answered_is_replayed_and_not_asked_again(
    tmp_path: Path, name: str, parameters: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """K-07: a fault cannot be had again on order, so the answer is in the journal."""
    path, world = tmp_path / "j.sqlite", MadeUp()
    with (
        hosting(name, **parameters) as hosted,
        keeper_of(path, world, strategy=hosted) as keeper,
    ):
        tick(keeper, world, make_readings(), 10)
        last = keeper.last
    assert last is not None
    assert last.target is not None
    assert last.target.hold == bool(hosted.problem)
    monkeypatch.undo()  # the package is gone
    assert replayed(path) == []
