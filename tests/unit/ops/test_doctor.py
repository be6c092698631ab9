"""What doctor makes of what it finds: ok, warn or fail, and always what to do."""

import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from keeper.cli.doctor import _guarded
from keeper.errors import KeystoreError
from keeper.market import build_market
from keeper.model.desk import Posting
from keeper.model.units import Bps, Wad
from keeper.ops.control import Switches
from keeper.ops.doctor import Level, Line, chain, exit_code, machine
from keeper.ops.doctor import vault as vaults
from keeper.ops.doctor.chain import Probe
from keeper.risk import assess
from tests.builders import KEEPER, NOW, make_readings, market_policy
from tests.desk_builders import desk_market, volatility

GOOD = [Probe(f"e{i}", "", 1, 100, 1_000) for i in range(3)]
VAULT = "0x" + "11" * 20


def levels(lines: list[Line]) -> dict[str, str]:
    assert all(line.remedy for line in lines if line.level is not Level.OK)
    return {line.check: str(line.level) for line in lines}


@pytest.mark.parametrize(
    ("probes", "expected"),
    [
        (GOOD, {}),
        ([*GOOD[:2], Probe("e2", "did not answer")], {"endpoint e2": "fail"}),
        ([*GOOD[:2], Probe("e2", "", 5, 100, 1_000)], {"endpoint e2": "fail"}),
        ([*GOOD[:2], Probe("e2", "", 1, 97, 1_000)], {}),
        ([*GOOD[:2], Probe("e2", "", 1, 96, 1_000)], {"endpoint e2": "warn"}),
        ([GOOD[0], Probe("e1", "x"), Probe("e2", "x")], {"endpoints": "fail"}),
        (GOOD[:2], {"endpoints": "warn"}),
        ([Probe("e0", "x")], {"endpoints": "fail", "endpoint e0": "fail"}),
    ],
)
def test_endpoints_are_judged_each_and_together(
    probes: list[Probe], expected: dict[str, str]
) -> None:
    found = levels(chain.endpoints(probes, 1, 2))
    assert expected.items() <= {k: v for k, v in found.items() if v != "ok"}.items()
    assert bool(expected) == any(v != "ok" for v in found.values())


@pytest.mark.parametrize(
    ("newest", "level"),
    [
        (1_000, "ok"),
        (940, "ok"),
        (939, "fail"),
        (1_010, "ok"),
        (1_011, "warn"),
        (1_020, "warn"),
        (1_021, "fail"),
        (0, "fail"),
    ],
)
def test_the_clock_is_judged_by_the_newest_head(newest: int, level: str) -> None:
    assert str(chain.clock(newest, 1_000.0, 60, 20).level) == level


def judged(**change: object) -> dict[str, str]:
    market = build_market(make_readings(**change), market_policy())  # type: ignore[arg-type]
    return levels(vaults.vault(market, assess(market), max_feed_age_s=4_500))


def test_a_vault_in_order_has_no_failing_line() -> None:
    assert "fail" not in judged().values()


def test_a_stranger_is_told_that_it_is_no_keeper() -> None:
    assert judged(keeper_allowed=False)["role"] == "fail"


@pytest.mark.parametrize(
    ("change", "level", "words"),
    [
        ({}, "ok", "posted by this keeper's account"),
        ({"poster": "0x" + "77" * 20}, "ok", "not this keeper"),
        ({"marked_at": NOW - 3_601}, "warn", "3601 s ago"),
        ({"frozen": True}, "warn", "frozen"),
    ],
)
def test_who_posts_volatility_marks_is_told(change: dict[str, Any], level: str, words: str) -> None:
    posting = replace(Posting(KEEPER, NOW, False, 600, 3_600, Bps(500), Wad(0)), **change)
    surface = replace(volatility(), posting=posting)
    (line,) = vaults.marks(desk_market(surface=surface).readings)
    assert (line.check, str(line.level)) == ("marks", level)
    assert words in line.found
    assert vaults.marks(make_readings()) == []


def test_the_account_of_protection_is_judged_under_names_of_its_own() -> None:
    stranger = make_readings(keeper_allowed=False)
    assert levels(vaults.account(stranger, "protective ")) == {
        "protective role": "fail",
        "protective balance": levels(vaults.account(stranger))["balance"],
    }


def test_what_cannot_be_looked_at_says_what_to_do_apart_from_what_is_wrong() -> None:
    def broken() -> list[Line]:
        raise KeystoreError("key.keystore", "a.json is missing", "name a file")

    (line,) = _guarded("key", broken)
    assert (line.level, line.remedy) == (Level.FAIL, "name a file")
    assert line.found.endswith("a.json is missing")


@pytest.mark.parametrize(
    ("protections", "level"), [(0, "fail"), (0.5, "warn"), (2.9, "warn"), (3, "ok"), (100, "ok")]
)
def test_gas_money_is_counted_in_protections_at_ten_times_the_base_fee(
    protections: float, level: str
) -> None:
    one = 1_500_000 * 10 * 10**9
    line = vaults.balance("0xaa", int(protections * one), 10**9)
    assert str(line.level) == level
    assert f"{int(protections)} protections" in line.found


def test_without_an_account_nobody_is_told_to_send_money_anywhere() -> None:
    market = build_market(make_readings(), market_policy())
    found = vaults.vault(market, assess(market), max_feed_age_s=3_600, known=False)
    assert not any(market.readings.keeper in line.found for line in found)
    assert levels(found)["role"] == "fail"
    assert "balance" not in levels(found)


@pytest.mark.parametrize(("silent", "level"), [(10, "ok"), (100, "ok"), (101, "warn")])
def test_a_silent_heart_is_told(silent: int, level: str) -> None:
    assert str(vaults.heart(silent, 100).level) == level


@pytest.mark.parametrize(
    ("free", "level"), [(99 * 2**20, "fail"), (2**30 - 1, "warn"), (2**30, "ok")]
)
def test_the_disk_is_judged_by_what_is_free(
    free: int, level: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=free))
    assert str(machine.disk(tmp_path / "not" / "there.sqlite").level) == level


def test_switches_are_told_with_the_command_that_releases_them(tmp_path: Path) -> None:
    switches = Switches(tmp_path / "control")
    assert machine.switches(switches, VAULT).level is Level.OK
    switches.pause(VAULT, "audit")
    assert machine.switches(switches, VAULT).remedy == "keeper resume"
    switches.kill("drill")
    line = machine.switches(switches, VAULT)
    assert (line.level, line.remedy) == (Level.FAIL, "keeper revive")


@pytest.mark.parametrize(("mode", "open_"), [(0o600, False), (0o640, True), (0o604, True)])
def test_a_file_with_a_secret_that_others_may_read_is_told(
    tmp_path: Path, mode: int, open_: bool
) -> None:
    path = tmp_path / "password"
    path.write_text("x")
    os.chmod(path, mode)  # noqa: PTH101 - the mode exactly
    line = machine.private_file("password file", path)
    assert (line is not None and line.level is Level.WARN) == open_


def test_only_what_fails_makes_the_command_fail() -> None:
    assert exit_code([Line("a", Level.OK, ""), Line("b", Level.WARN, "", "x")]) == 0
    assert exit_code([Line("a", Level.OK, ""), Line("b", Level.FAIL, "", "x")]) == 1
