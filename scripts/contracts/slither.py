"""Static analysis of contracts/: no high or medium finding stands without a reason.

`contracts/slither-triage.json` holds one entry per check, contract and function, with the number of findings it
explains and why they are no fault. Lines do not count, so that an entry survives edits; the number does, so that a
second finding of the same kind in the same function is seen.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scripts.contracts.common import (
    BUILD,
    ROOT,
    ToolError,
    closing,
    program,
    read_json,
    run,
    say,
    shown,
    tail,
)

TRIAGE = ROOT / "contracts" / "slither-triage.json"
WORK = BUILD / "slither"
GRAVE = ("High", "Medium")
LEAST_REASON = 20  # characters; "ok" is no reason


@dataclass(frozen=True, order=True)
class Key:
    """What a triage entry is about."""

    check: str
    contract: str
    function: str

    def __str__(self) -> str:
        return f"{self.check}: {self.contract}.{self.function}"


@dataclass(frozen=True)
class Finding:
    """One finding of slither."""

    key: Key
    impact: str
    description: str


@dataclass(frozen=True)
class Entry:
    """One explanation."""

    count: int
    reason: str


@dataclass(frozen=True)
class Verdict:
    """What triage leaves over."""

    unexplained: Mapping[Key, Sequence[Finding]]
    explained: int
    stale: Sequence[str]

    @property
    def passed(self) -> bool:
        """Nothing grave without a reason."""
        return not self.unexplained


def main() -> int:
    """Exit 1 on an unexplained high or medium finding."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--all", action="store_true", help="print the lighter findings too")
    arguments = parser.parse_args()
    entries = parse_triage(read_json(TRIAGE, []))
    findings = parse_findings(analyse())
    if arguments.all:
        for finding in findings:
            if finding.impact not in GRAVE:
                say(f"{finding.impact.lower()}: {finding.description}")
    verdict = judge(findings, entries)
    report(verdict, findings)
    return 0 if verdict.passed else 1


def analyse() -> Any:
    """Compile contracts/ afresh with the compiler's full output, and let slither read it."""
    slither, forge = program("slither"), program("forge")
    shutil.rmtree(WORK, ignore_errors=True)
    out, info = WORK / "out", WORK / "out" / "build-info"
    say("slither: compiling contracts/")
    places = ["--out", str(out), "--cache-path", str(WORK / "cache")]
    built = run(
        [forge, "build", "contracts", "--build-info", "--build-info-path", str(info), *places],
        seconds=600,
    )
    if built.returncode:
        raise ToolError(
            f"the contracts do not compile\n{tail(built.stdout + built.stderr)}",
            "correct the contract",
        )
    say("slither: analysing")
    report_file = WORK / "report.json"
    done = run(
        [
            slither,
            ".",
            "--ignore-compile",
            "--foundry-out-directory",
            str(out.relative_to(ROOT)),
            "--fail-none",
            "--json",
            str(report_file),
        ],
        seconds=900,
    )
    if not report_file.exists():
        raise ToolError(f"slither wrote no report\n{tail(done.stdout + done.stderr)}")
    return read_json(report_file)


def parse_findings(report_json: Any) -> list[Finding]:
    """The findings whose subject stands in contracts/."""
    if not report_json.get("success"):
        raise ToolError(f"slither failed: {report_json.get('error')}")
    findings = []
    for found in report_json["results"].get("detectors", []):
        element = found["elements"][0] if found["elements"] else {}
        if not str(_file(element)).startswith("contracts/"):
            continue
        key = Key(found["check"], *place(element))
        findings.append(Finding(key, found["impact"], found["description"].strip()))
    return sorted(
        findings, key=lambda f: (GRAVE.index(f.impact) if f.impact in GRAVE else 9, f.key)
    )


def place(element: Mapping[str, Any]) -> tuple[str, str]:
    """Contract and function a finding is in; a state variable stands for itself, a file for its contract."""
    contract = function = ""
    here: Mapping[str, Any] | None = element
    while here:
        fields = here.get("type_specific_fields") or {}
        if here["type"] == "contract":
            contract = here["name"]
        elif here["type"] == "function":
            function = fields.get("signature", here["name"])
        elif here["type"] == "variable" and not function:
            function = here["name"]
        parent = fields.get("parent")
        # A variable within a function is told by the function.
        if parent and parent["type"] == "function":
            function = ""
        here = parent
    return contract or str(_file(element)), function


def _file(element: Mapping[str, Any]) -> str:
    return str(element.get("source_mapping", {}).get("filename_relative", ""))


def parse_triage(entries: Any) -> dict[Key, Entry]:
    """The triage file, refused whole if an entry is doubtful."""
    if not isinstance(entries, list):
        raise ToolError(f"{shown(TRIAGE)} must be a list of entries")
    known: dict[Key, Entry] = {}
    for number, entry in enumerate(entries, 1):
        try:
            key = Key(entry["check"], entry["contract"], entry["function"])
            value = Entry(int(entry["count"]), str(entry["reason"]).strip())
        except (KeyError, TypeError, ValueError) as error:
            raise ToolError(
                f"{shown(TRIAGE)}, entry {number}: {error!r}",
                "an entry has check, contract, function, count and reason",
            ) from error
        if len(value.reason) < LEAST_REASON:
            raise ToolError(f"{shown(TRIAGE)}, {key}: no reason given")
        if key in known:
            raise ToolError(f"{shown(TRIAGE)}, {key}: there twice")
        known[key] = value
    return known


def judge(findings: Iterable[Finding], entries: Mapping[Key, Entry]) -> Verdict:
    """Grave findings against the explanations."""
    grave: dict[Key, list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.impact in GRAVE:
            grave[finding.key].append(finding)
    unexplained = {
        key: found
        for key, found in grave.items()
        if key not in entries or len(found) > entries[key].count
    }
    explained = sum(len(found) for key, found in grave.items() if key not in unexplained)
    stale = [
        f"{key}: explains {entry.count}, found {len(grave.get(key, []))}"
        for key, entry in entries.items()
        if len(grave.get(key, [])) < entry.count
    ]
    return Verdict(unexplained, explained, stale)


def report(verdict: Verdict, findings: Sequence[Finding]) -> None:
    """What is left to do, then the closing line."""
    for found in verdict.unexplained.values():
        for finding in found:
            say(f"\n{finding.impact.upper()} {finding.description}")
    if verdict.unexplained:
        say(f"\nentries for {shown(TRIAGE)}, once each has its reason:")
        say(",\n".join(f"  {skeleton(k, len(f))}" for k, f in verdict.unexplained.items()))
    for line in verdict.stale:
        say(f"stale entry in {shown(TRIAGE)}: {line}")
    grave = sum(finding.impact in GRAVE for finding in findings)
    say(
        f"slither: {grave} high or medium findings, {verdict.explained} explained, "
        f"{grave - verdict.explained} not; {len(findings) - grave} lighter; {len(verdict.stale)} stale entries"
    )


def skeleton(key: Key, count: int) -> str:
    """An entry that waits for its reason."""
    entry = {
        "check": key.check,
        "contract": key.contract,
        "function": key.function,
        "count": count,
        "reason": "",
    }
    return json.dumps(entry)


if __name__ == "__main__":
    sys.exit(closing(main))
