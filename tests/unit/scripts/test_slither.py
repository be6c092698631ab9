"""A grave finding needs its reason, and a reason its finding."""

import json
from typing import Any

import pytest

from scripts.contracts.common import ToolError
from scripts.contracts.slither import Key, judge, parse_findings, parse_triage, skeleton

REASON = "the sender is immutable and the only caller"
KEY = Key("arbitrary-send", "Vault", "pay(address)")


def entry(**changed: object) -> dict[str, Any]:
    return {
        "check": "arbitrary-send",
        "contract": "Vault",
        "function": "pay(address)",
        "count": 1,
        "reason": REASON,
        **changed,
    }


def element(file: str = "contracts/Vault.sol", **inner: Any) -> dict[str, Any]:
    contract = {
        "type": "contract",
        "name": "Vault",
        "source_mapping": {"filename_relative": file},
        "type_specific_fields": {},
    }
    return {
        "type": "function",
        "name": "pay",
        "source_mapping": {"filename_relative": file},
        "type_specific_fields": {"parent": contract, "signature": "pay(address)"},
        **inner,
    }


def found(impact: str = "High", subject: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "check": "arbitrary-send",
        "impact": impact,
        "description": "Vault.pay sends\n",
        "elements": [subject or element()],
    }


def output(*findings: dict[str, Any]) -> dict[str, Any]:
    return {"success": True, "error": None, "results": {"detectors": list(findings)}}


@pytest.mark.parametrize("impact", ["High", "Medium"])
def test_a_grave_finding_without_a_reason_fails(impact: str) -> None:
    verdict = judge(parse_findings(output(found(impact))), {})
    assert not verdict.passed
    assert list(verdict.unexplained) == [KEY]


def test_a_light_finding_needs_no_reason() -> None:
    assert judge(parse_findings(output(found("Low"))), {}).passed


def test_an_entry_explains_its_finding_wherever_it_stands() -> None:
    verdict = judge(parse_findings(output(found())), parse_triage([entry()]))
    assert verdict.passed
    assert verdict.explained == 1
    assert not verdict.stale


def test_a_second_finding_of_the_same_kind_is_seen() -> None:
    verdict = judge(parse_findings(output(found(), found())), parse_triage([entry()]))
    assert not verdict.passed
    assert len(verdict.unexplained[KEY]) == 2


@pytest.mark.parametrize("findings", [[], [found("Low")]])
def test_an_entry_without_its_finding_is_stale(findings: list[dict[str, Any]]) -> None:
    verdict = judge(parse_findings(output(*findings)), parse_triage([entry()]))
    assert verdict.passed
    assert verdict.stale == ["arbitrary-send: Vault.pay(address): explains 1, found 0"]


def test_findings_outside_the_contracts_are_left_out() -> None:
    library = element("node_modules/@openzeppelin/contracts/utils/math/Math.sol")
    assert parse_findings(output(found(subject=library))) == []


def test_a_local_variable_is_told_by_its_function() -> None:
    local = {
        "type": "variable",
        "name": "sum",
        "source_mapping": {"filename_relative": "contracts/Vault.sol"},
        "type_specific_fields": {"parent": element()},
    }
    assert parse_findings(output(found(subject=local)))[0].key == KEY


def test_a_state_variable_stands_for_itself() -> None:
    state = element(type="variable", name="total")
    assert parse_findings(output(found(subject=state)))[0].key.function == "total"


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({}, "must be a list"),
        ([{"check": "x"}], "entry 1"),
        ([entry(count="two")], "entry 1"),
        ([entry(reason="ok")], "no reason"),
        ([entry(), entry()], "there twice"),
    ],
)
def test_a_doubtful_triage_file_is_refused(entries: Any, words: str) -> None:
    with pytest.raises(ToolError, match=words):
        parse_triage(entries)


def test_a_failed_analysis_is_no_clean_one() -> None:
    with pytest.raises(ToolError, match="no solc"):
        parse_findings({"success": False, "error": "no solc", "results": {}})


def test_what_is_printed_for_pasting_still_asks_for_a_reason() -> None:
    with pytest.raises(ToolError, match="no reason"):
        parse_triage([json.loads(skeleton(KEY, 1))])
