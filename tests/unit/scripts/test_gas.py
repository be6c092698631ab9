"""Gas is compared entry by entry; what is new or gone is a change too."""

import json
from pathlib import Path

import pytest

from scripts.contracts.common import ToolError
from scripts.contracts.gas import changes, collect, parse_group, parse_table

FILE = Path("gas.json")


@pytest.mark.parametrize(("now", "changed"), [(102, False), (98, False), (103, True), (97, True)])
def test_two_percent_either_way_are_let_through(now: int, changed: bool) -> None:
    assert bool(changes({"vault": {"settle": 100}}, {"vault": {"settle": now}})) is changed


def test_new_and_gone_entries_are_told() -> None:
    found = changes({"vault": {"old": 1}}, {"vault": {"new": 2}})
    assert [str(change) for change in found] == [
        "vault: new: 2, not in the file",
        "vault: old: 1 in the file, not measured any more",
    ]


def test_the_change_is_told_in_percent() -> None:
    (change,) = changes({"vault": {"settle": 1000}}, {"vault": {"settle": 1500}})
    assert str(change) == "vault: settle: 1,000 -> 1,500 (+50.0%)"


def test_what_forge_writes_is_read(tmp_path: Path) -> None:
    (tmp_path / "vault.json").write_text(json.dumps({"b": "2", "a": "1"}))
    assert collect(tmp_path) == {"vault": {"a": 1, "b": 2}}


def test_nothing_measured_is_no_agreement(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="nothing was measured"):
        collect(tmp_path)


@pytest.mark.parametrize("value", [[], "x", {"settle": "much"}, {"settle": None}])
def test_doubtful_numbers_are_refused(value: object) -> None:
    with pytest.raises(ToolError):
        parse_group(value, FILE)


def test_a_file_without_groups_is_refused() -> None:
    with pytest.raises(ToolError, match="groups"):
        parse_table([], FILE)
