"""Of two keepers one leads, at any pace and whatever fails in between (K-10)."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.errors import ControlError
from keeper.ops.leadership import Leader
from keeper.ops.lease import PATIENCE, LeaseFile

TTL = 4.0


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Disk:
    """A store that can fail, and take its time."""

    def __init__(self, store: LeaseFile, clock: Clock) -> None:
        self.store, self.clock = store, clock
        self.fails, self.takes_s = False, 0.0

    def hold(self, holder: str) -> bool:
        if self.fails:
            raise ControlError("lease", "cannot be written")
        held = self.store.hold(holder)
        self.clock.now += self.takes_s
        return held

    def release(self, holder: str) -> None:
        self.store.release(holder)

    def holder(self) -> str:
        return self.store.holder()


def leader(path: Path, clock: Clock, name: str) -> tuple[Leader, Disk]:
    disk = Disk(LeaseFile(path, TTL, clock), clock)
    return Leader(disk, TTL, holder=name, now=clock), disk


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_the_first_leads_and_the_second_stands_by(tmp_path: Path, clock: Clock) -> None:
    (a, _), (b, _) = (leader(tmp_path / "lease", clock, n) for n in "ab")
    assert a.why_not() is not None  # not before it asked
    for _ in range(20):
        a.beat()
        b.beat()
        clock.now += 1
        assert a.why_not() is None
        assert b.why_not() is not None


def test_a_standby_takes_over_within_ten_seconds_of_the_leaders_last_beat(
    tmp_path: Path, clock: Clock
) -> None:
    (a, _), (b, _) = (leader(tmp_path / "lease", clock, n) for n in "ab")
    a.beat()
    b.beat()
    died = clock.now
    while b.why_not() is not None:
        clock.now += TTL / 4
        b.beat()
    assert PATIENCE * TTL <= clock.now - died <= 10
    assert a.why_not() is not None


def test_who_resigns_is_followed_at_once(tmp_path: Path, clock: Clock) -> None:
    (a, _), (b, _) = (leader(tmp_path / "lease", clock, n) for n in "ab")
    a.beat()
    b.beat()
    a.resign()
    b.beat()
    assert b.why_not() is None
    assert a.why_not() is not None


def test_a_leader_that_slept_does_not_act_before_it_asked_and_then_stands_by(
    tmp_path: Path, clock: Clock
) -> None:
    (a, _), (b, _) = (leader(tmp_path / "lease", clock, n) for n in "ab")
    a.beat()
    b.beat()
    clock.now += PATIENCE * TTL
    assert a.why_not() is not None
    b.beat()
    assert b.why_not() is None
    a.beat()
    assert a.lost.is_set()
    a.beat()
    assert a.why_not() is not None  # not before it begins again, with another fence


def test_a_short_failure_of_the_store_is_borne_and_a_long_one_ends_the_term(
    tmp_path: Path, clock: Clock
) -> None:
    a, disk = leader(tmp_path / "lease", clock, "a")
    a.beat()
    disk.fails = True
    clock.now += TTL / 2
    a.beat()
    assert a.why_not() is None
    assert "cannot be written" in a.problem
    clock.now += TTL / 2
    assert a.why_not() is not None
    a.beat()
    assert a.lost.is_set()


def test_a_store_that_answers_too_late_gives_no_leadership(tmp_path: Path, clock: Clock) -> None:
    a, disk = leader(tmp_path / "lease", clock, "a")
    disk.takes_s = TTL
    a.beat()
    assert a.why_not() is not None


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"holder": "x"}', "\x00"])
def test_a_broken_lease_is_taken_over_after_the_same_wait(
    tmp_path: Path, clock: Clock, content: str
) -> None:
    (tmp_path / "lease").write_text(content)
    a, _ = leader(tmp_path / "lease", clock, "a")
    a.beat()
    assert a.why_not() is not None
    clock.now += PATIENCE * TTL
    a.beat()
    assert a.why_not() is None


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32))
def test_never_do_two_lead_at_once(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    """Any order of beats, sleeps, failures, slow stores, deaths and returns."""
    draw, clock = random.Random(seed), Clock()
    path = tmp_path_factory.mktemp("lease") / "lease"
    keepers = [leader(path, clock, name) for name in "abc"]
    for _ in range(60):
        who, disk = draw.choice(keepers)
        disk.fails = draw.random() < 0.15
        disk.takes_s = draw.choice((0, 0, 0, 0.5, 5))
        draw.choice((who.beat, who.beat, who.beat, who.begin, who.resign))()
        clock.now += draw.choice((0, 0.2, 1, 1, 3, 6))
        assert sum(k.why_not() is None for k, _ in keepers) <= 1


def test_a_disk_that_gives_no_locks_is_a_failure_of_the_store(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shared disk does so now and then; anything but ControlError would end the thread that beats."""

    def refuses(_handle: int, _how: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr("keeper.ops.lease.fcntl.flock", refuses)
    with pytest.raises(ControlError, match="No locks available"):
        LeaseFile(tmp_path / "lease.json", 4.0, clock).hold("a")
