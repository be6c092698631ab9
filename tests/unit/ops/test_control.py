"""Switches that hold over restarts and fail to the safe side, and the gate before every signature."""

import json
from pathlib import Path
from typing import Any

import pytest

from keeper.errors import ControlError, SigningError
from keeper.execution.signers import from_private_key
from keeper.loop import Ports, TickRecord, run_tick
from keeper.model.decision import Beat, Lane, Settle
from keeper.model.outcome import TickStatus
from keeper.ops.control import Order, Switches
from keeper.ops.gate import Gate
from tests.builders import NOW, make_readings
from tests.unit.execution.signers.asked import ASKED
from tests.unit.loop.test_tick import POLICIES, QUIET, RULES, WAITED_FOR, World, holds, wants

VAULT = "0x" + "11" * 20
OTHER = "0x" + "22" * 20
BOTH = (Lane.ROUTINE, Lane.PROTECTIVE)


@pytest.fixture
def switches(tmp_path: Path) -> Switches:
    return Switches(tmp_path / "control")


def rules(switches: Switches, lane: Lane, vault: str = VAULT) -> list[str]:
    return [r.rule for r in switches.refusals(vault, lane)]


def test_at_first_nothing_is_forbidden(switches: Switches) -> None:
    assert [rules(switches, lane) for lane in BOTH] == [[], []]


def test_the_kill_switch_forbids_both_lanes_until_it_is_released(switches: Switches) -> None:
    switches.kill("drill")
    assert [rules(switches, lane) for lane in BOTH] == [["kill switch"], ["kill switch"]]
    assert switches.revive()
    assert [rules(switches, lane) for lane in BOTH] == [[], []]
    assert not switches.revive()


def test_a_kill_that_no_disk_takes_holds_in_this_process(tmp_path: Path) -> None:
    """The signal comes on the worst day: a full disk must not leave the keeper signing."""
    (tmp_path / "control").mkdir()
    switches = Switches(tmp_path / "control")
    with pytest.MonkeyPatch.context() as full:
        full.setattr("keeper.ops.control.os.fsync", _no_space)
        with pytest.raises(ControlError):
            switches.kill("drill")
    assert switches.killed() == Order("drill", 0)
    assert switches.revive()
    assert rules(switches, Lane.PROTECTIVE) == []


def _no_space(_handle: int) -> None:
    raise OSError(28, "No space left on device")


def test_a_pause_forbids_routine_work_of_one_vault_only(switches: Switches) -> None:
    switches.pause(VAULT, "audit")
    assert rules(switches, Lane.ROUTINE) == ["pause"]
    assert rules(switches, Lane.PROTECTIVE) == []
    assert rules(switches, Lane.ROUTINE, OTHER) == []
    assert switches.resume(VAULT)
    assert rules(switches, Lane.ROUTINE) == []


def test_every_spelling_of_an_address_is_one_vault(switches: Switches) -> None:
    address = "0xAb5801a7D398351b8bE11C439e05C5B3259aeC9B"
    switches.pause(address, "audit")
    assert rules(switches, Lane.ROUTINE, address.lower()) == ["pause"]


def test_switches_hold_for_the_next_process(switches: Switches) -> None:
    switches.kill("drill")
    switches.pause(VAULT, "audit")
    again = Switches(switches.directory)
    assert rules(again, Lane.ROUTINE) == ["kill switch", "pause"]


def test_setting_the_kill_switch_twice_keeps_the_first_reason(switches: Switches) -> None:
    switches.kill("first")
    switches.kill("second")
    killed = switches.killed()
    assert killed is not None
    assert killed.reason == "first"


@pytest.mark.parametrize("content", ["", "stop!", "{}", "[]", '{"reason": 1}', "\x00"])
def test_a_file_made_by_hand_is_a_switch(switches: Switches, content: str) -> None:
    switches.directory.mkdir()
    (switches.directory / "kill.json").write_text(content)
    assert rules(switches, Lane.PROTECTIVE) == ["kill switch"]


def test_a_switch_that_cannot_be_read_is_set(switches: Switches) -> None:
    (switches.directory / "kill.json").mkdir(parents=True)  # reading it fails, whoever tries
    assert rules(switches, Lane.PROTECTIVE) == ["kill switch"]


def test_a_switch_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ControlError, match="nothing was changed"):
        Switches(tmp_path / "file").kill("drill")


def test_a_reason_cannot_forge_lines_of_a_log(switches: Switches) -> None:
    switches.kill("a\nb\x1b[31m")
    content = json.loads((switches.directory / "kill.json").read_text())
    assert content["reason"] == "a b [31m"


def test_while_the_gate_is_closed_nothing_is_signed(switches: Switches) -> None:
    signer = from_private_key("0x" + "4c" * 32, "test")
    deposed: list[str | None] = [None]
    gate = Gate(switches, VAULT, lambda: deposed[0])
    gated = gate.seal(signer)
    assert gated.sign(ASKED) == signer.sign(ASKED)
    switches.pause(VAULT, "audit")
    assert gated.sign(ASKED) == signer.sign(ASKED)  # what is in flight is still looked after
    switches.kill("drill")
    with pytest.raises(SigningError, match="kill switch is set: drill"):
        gated.sign(ASKED)
    with gate.by_hand():
        assert gated.sign(ASKED) == signer.sign(ASKED)
    with pytest.raises(SigningError, match="drill"):
        gated.sign(ASKED)
    switches.revive()
    deposed[0] = "another keeper leads"
    with gate.by_hand(), pytest.raises(SigningError, match="another keeper leads"):
        gated.sign(ASKED)


def ticked(switches: Switches, world: World, strategy: Any) -> TickRecord:
    ports = Ports(world, world, world, control=Gate(switches, VAULT))
    return run_tick(ports, POLICIES, strategy, lambda: NOW, rules=RULES)


def test_a_paused_vault_is_protected_and_not_rebalanced(switches: Switches) -> None:
    switches.pause(VAULT, "audit")
    routine = ticked(switches, World(), wants(1.6, Lane.ROUTINE))
    assert routine.outcome.status is TickStatus.REFUSED
    assert "pause: audit" in routine.outcome.reason
    assert ticked(switches, World(), wants(1.6)).outcome.status is TickStatus.SENT


def test_a_killed_keeper_decides_and_journals_and_sends_nothing(switches: Switches) -> None:
    switches.kill("drill")
    world = World()
    record = ticked(switches, world, wants(1.6))
    assert "kill switch: drill" in record.outcome.reason
    assert world.calls == ["follow", "read", "decision", "outcome"]


def test_the_heart_of_a_paused_vault_goes_on_and_of_a_killed_one_stops(switches: Switches) -> None:
    """Who beats says: I am here and protect."""
    switches.pause(VAULT, "audit")
    beating = World(make_readings(debt_asset=1_500_000, last_beat=QUIET))
    assert ticked(switches, beating, holds).outcome.status is TickStatus.SENT
    assert isinstance(beating.intents[0].payload, Beat)
    switches.kill("drill")
    stopped = World(make_readings(debt_asset=1_500_000, last_beat=QUIET))
    assert ticked(switches, stopped, holds).outcome.status is TickStatus.REFUSED


def test_a_paused_vault_is_not_settled(switches: Switches) -> None:
    waiting = make_readings(debt_asset=1_500_000, depositors=WAITED_FOR)
    world = World(waiting)
    assert ticked(switches, world, holds).outcome.status is TickStatus.SENT
    assert isinstance(world.intents[0].payload, Settle)
    switches.pause(VAULT, "audit")
    assert ticked(switches, World(waiting), holds).outcome.status is TickStatus.REFUSED
