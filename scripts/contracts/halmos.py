"""Prove the lemmas of tests/halmos: every `check_...` holds for all its arguments.

A lemma whose name ends in `_must_fail` is false; the run fails unless the solver refutes it. A prover that explores
nothing, or a lemma whose assumptions nothing meets, would pass everything: the false ones show that it does not.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.contracts.common import (
    BUILD,
    ROOT,
    ToolError,
    closing,
    program,
    read_json,
    say,
    stream,
)

LEMMAS = ROOT / "tests" / "halmos"
WORK = BUILD / "halmos"
FALSE = "_must_fail"
SECONDS_A_QUERY = 120
PROVED, REFUTED = (
    0,
    1,
)  # halmos's exit codes of a test; others: timed out, stuck, reverted everywhere, raised
# This halmos ends its progress display before it begins it, which the locked rich does not forgive.
LAUNCH = (
    "import sys\n"
    "from halmos.ui import UI\n"
    "UI.clear_live = lambda self: None\n"
    "from halmos.__main__ import main\n"
    "sys.exit(main())\n"
)
REASONS = {1: "refuted", 2: "the solver ran out of time", 3: "stuck", 4: "every path reverts"}


@dataclass(frozen=True)
class Lemma:
    """What became of one."""

    contract: str
    name: str
    outcome: int
    paths: int
    seconds: float
    values: Mapping[str, int]

    @property
    def meant_to_fail(self) -> bool:
        """True for the self-checks."""
        return self.name.endswith(FALSE)

    @property
    def as_meant(self) -> bool:
        """A true lemma is proved, a false one refuted by values."""
        if self.meant_to_fail:
            return self.outcome == REFUTED and bool(self.values)
        return self.outcome == PROVED


def main() -> int:
    """Exit 1 if a lemma is not proved or a false one is not refuted."""
    parser = argparse.ArgumentParser(description="Prove the lemmas of tests/halmos.")
    parser.add_argument(
        "contract", nargs="?", default="Lemmas", help="regular expression of contracts"
    )
    chosen = parser.parse_args().contract
    begun = time.monotonic()
    lemmas = parse_results(prove(chosen))
    missing = [] if chosen != "Lemmas" else unproved(lemmas, written())
    return report(lemmas, missing, time.monotonic() - begun)


def prove(contract: str) -> Any:
    """Run halmos over the lemmas, from a fresh build."""
    program("halmos"), program("yices-smt2")
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    result = WORK / "results.json"
    with (
        tempfile.TemporaryDirectory() as scratch
    ):  # queries that time out are dumped, and of no use later
        code, lines = stream(
            [
                program("python"),
                "-c",
                LAUNCH,
                "--forge-build-out",
                "build/halmos/out",
                "--match-contract",
                contract,
                "--solver",
                "yices",
                "--solver-timeout-assertion",
                str(SECONDS_A_QUERY * 1000),
                "--json-output",
                str(result),
            ],
            extra={"FOUNDRY_PROFILE": "halmos", "TMPDIR": scratch, "COLUMNS": "160"},
        )
    if not result.exists():
        raise ToolError(
            f"halmos ended with exit code {code} and no results; contracts like {contract!r}?"
        )
    if any("parsing failure" in line for line in lines):
        raise ToolError(
            "halmos left out artifacts it cannot read", "remove build/halmos and run again"
        )
    return read_json(result)


def parse_results(results: Any) -> list[Lemma]:
    """Every test of halmos's report."""
    lemmas = []
    for contract, tests in results["test_results"].items():
        for test in tests:
            values = {
                value["variable_name"]: value["value"]
                for model in test["models"] or []
                if model["is_valid"]
                for value in model["model"].values()
            }
            lemmas.append(
                Lemma(
                    contract.split(":")[-1],
                    test["name"].split("(")[0],
                    int(test["exitcode"]),
                    int(test["num_paths"][0]),
                    float(test["time"][0]),
                    values,
                )
            )
    return lemmas


def written(folder: Path = LEMMAS) -> set[str]:
    """The names of the lemmas in the sources."""
    return {
        name
        for file in folder.glob("*.t.sol")
        for name in re.findall(r"function (check_\w+)", file.read_text())
    }


def unproved(lemmas: Sequence[Lemma], names: set[str]) -> list[str]:
    """Lemmas that stand in the sources and were not run."""
    return sorted(names - {lemma.name for lemma in lemmas})


def report(lemmas: Sequence[Lemma], missing: Sequence[str], seconds: float) -> int:
    """A line a lemma, then the closing line."""
    for lemma in lemmas:
        state = "ok  " if lemma.as_meant else "FAIL"
        what = "refuted, as it must be" if lemma.meant_to_fail and lemma.as_meant else "proved"
        if not lemma.as_meant:
            what = "not refuted" if lemma.meant_to_fail else REASONS.get(lemma.outcome, "failed")
            what += "".join(f" {name}={value}" for name, value in lemma.values.items())
        say(
            f"{state} {lemma.contract}.{lemma.name}: {what} ({lemma.paths} paths, {lemma.seconds:.1f} s)"
        )
    for name in missing:
        say(f"FAIL {name}: did not run")
    refuted = sum(lemma.as_meant and lemma.meant_to_fail for lemma in lemmas)
    proved = sum(lemma.as_meant for lemma in lemmas) - refuted
    if not refuted:
        say("FAIL no false lemma was refuted: nothing shows that paths are explored")
    failed = sum(not lemma.as_meant for lemma in lemmas) + len(missing)
    say(
        f"halmos: {proved} lemmas proved, {refuted} false ones refuted, {failed} failed, {seconds:.0f} s"
    )
    return 0 if proved and refuted and not failed else 1


if __name__ == "__main__":
    sys.exit(closing(main))
