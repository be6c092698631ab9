"""Terms of a keeper that may lead: it stands by, leads, loses it, and stands by again (K-10)."""

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from keeper.cli import term
from keeper.cli.main import invoke
from keeper.errors import ControlError, EndpointError, JournalError, SimulationReverted
from keeper.ops.gate import Gate
from keeper.ops.leadership import Heart, Leader, steady_clock
from keeper.ops.lease import LeaseFile


class Store:
    """Leadership as a test gives it."""

    def __init__(self) -> None:
        self.free = True

    def hold(self, holder: str) -> bool:
        return self.free

    def release(self, holder: str) -> None:
        pass

    def holder(self) -> str:
        return ""


@pytest.fixture
def leader(monkeypatch: pytest.MonkeyPatch) -> Leader:
    monkeypatch.setattr(term, "_checked", lambda _: None)
    monkeypatch.setattr(term, "_follow", lambda *_: None)
    return Leader(Store(), 4.0, now=lambda: 0.0)


def kept(leader: Leader | None, keep: Any, terms: int = 1) -> threading.Event:
    stop = threading.Event()
    health = SimpleNamespace(mark=lambda: leader.beat() if leader else None)
    operation: Any = SimpleNamespace(leader=leader, health=health)
    settings: Any = SimpleNamespace(leadership=SimpleNamespace(ttl_s=0.0))
    count = [0]

    def once() -> None:
        count[0] += 1
        try:
            keep()
        finally:
            if count[0] == terms:
                stop.set()

    term.lead(operation, settings, stop, once, done=lambda: False)
    assert count[0] == terms
    return stop


def test_a_keeper_alone_keeps_once() -> None:
    assert kept(None, lambda: None).is_set()


def test_a_keeper_keeps_only_while_it_leads(leader: Leader) -> None:
    kept(leader, lambda: pytest.fail("not leading") if leader.why_not() else None)


def test_who_lost_leadership_stands_by_and_leads_again(leader: Leader) -> None:
    led = []

    def keep() -> None:
        led.append(leader.why_not() is None)
        leader.led.clear()
        leader.lost.set()

    kept(leader, keep, terms=3)
    assert led == [True, True, True]


@pytest.mark.parametrize(
    "fault",
    [
        JournalError("j", "is in use by another keeper"),
        EndpointError("http://x", "eth_call", "did not answer"),
    ],
)
def test_who_cannot_take_over_gives_leadership_up_and_tries_again(
    leader: Leader, fault: Exception
) -> None:
    """The one before may hang with the journal in its hands."""
    faults = [fault]

    def keep() -> None:
        if faults:
            raise faults.pop()

    kept(leader, keep, terms=2)


def test_what_it_does_not_understand_ends_it(leader: Leader) -> None:
    def keep() -> None:
        raise SimulationReverted("x")

    with pytest.raises(SimulationReverted):
        kept(leader, keep)


def test_a_term_ends_by_the_process_or_by_leadership(leader: Leader) -> None:
    stop = threading.Event()
    ended = term.Ended(stop, leader)
    assert not ended.is_set()
    leader.lost.set()
    assert ended.is_set()
    leader.begin()
    assert not ended.is_set()
    stop.set()
    assert ended.is_set()
    assert term.Ended(stop, None).is_set()


def test_a_password_is_asked_for_once(leader: Leader) -> None:
    asked = []

    def ask(question: str) -> str:
        asked.append(question)
        return "secret"

    again = term.remembered(ask)
    assert again is not None
    assert [again("?"), again("?")] == ["secret", "secret"]
    assert asked == ["?"]
    assert term.remembered(None) is None


def test_once_beside_a_keeper_that_leads_may_not_sign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """K-10: two never sign at once, whichever command the second is."""
    address, lease, file = f"0x{1:040x}", tmp_path / "lease", tmp_path / "keeper.toml"
    file.write_text(
        f'chain_id = 1\nrpc_url = "http://127.0.0.1:1"\nvault = "{address}"\nlens = "{address}"\n'
        f'[leadership]\nmode = "lease"\nttl_s = 1.0\nlease = "{lease}"\n'
    )
    said: list[str | None] = []

    def build(*_: object, gate: Gate, **__: object) -> None:
        said.append(gate.closed())
        raise ControlError("here", "is far enough")

    monkeypatch.setattr("keeper.app.build_keeper", build)
    other = Leader(LeaseFile(lease, 1.0, steady_clock), 1.0)
    with Heart(other, 1.0):
        assert other.led.wait(5)
        invoke(["once", "--config", str(file)])
    assert said[0] is not None
    assert "another keeper leads" in said[0]
    invoke(["once", "--config", str(file)])
    assert said[1:] == [None], "given up, it is free"


def test_a_kill_where_two_take_turns_says_whom_it_reaches(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The switch is a file of one host; who thinks both are stopped finds the other one signing."""
    address, file = f"0x{1:040x}", tmp_path / "keeper.toml"
    alone = (
        f'chain_id = 1\nrpc_url = "http://127.0.0.1:1"\nvault = "{address}"\nlens = "{address}"\n'
    )
    for text, said in ((alone, False), (alone + '[leadership]\nmode = "lease"\n', True)):
        file.write_text(text)
        assert invoke(["kill", "--config", str(file)]) == 0
        assert ("other host" in capfd.readouterr().err) is said
