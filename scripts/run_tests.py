"""Run the suites, stream what they print, and close with counts and time.

`run_tests.py` runs all but chaos, which has a command of its own; `run_tests.py unit ape` only those. A suite that ran
no test has failed. Two run at a time, for two cores: the contracts and then Ape, beside them the unit and then the
integration tests. What the latter print comes when the former are done.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
REPORTS = ROOT / "build" / "tests"


@dataclass(frozen=True)
class Counts:
    """What one suite did."""

    passed: int
    failed: int
    skipped: int
    exit_code: int

    @property
    def ok(self) -> bool:
        """At least one test ran, none failed, and the runner agrees."""
        return self.exit_code == 0 and self.failed == 0 and self.passed > 0


BESIDE = ("unit", "integration")
"""Run on the other core, in this order, beside the rest."""
Printed = list[str] | None


def main() -> int:
    """Exit 1 if any suite failed or ran nothing."""
    suites: dict[str, Callable[[Printed], Counts]] = {
        "unit": python_units,
        "contracts": forge,
        "integration": lambda printed: pytest("integration", "tests/integration", printed=printed),
        "ape": ape,
        "chaos": lambda printed: pytest("chaos", "tests/chaos", printed=printed),
    }
    chosen = sys.argv[1:] or [name for name in suites if name != "chaos"]
    unknown = [name for name in chosen if name not in suites]
    if unknown:
        print(f"no suite {unknown[0]!r}; there are {', '.join(suites)}", file=sys.stderr)
        return 2
    REPORTS.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    here = [name for name in chosen if name not in BESIDE] or chosen
    beside = [name for name in BESIDE if name in chosen and name not in here]
    printed: dict[str, list[str]] = {name: [] for name in beside}
    with ThreadPoolExecutor(1) as pool:
        waiting = [
            (name, pool.submit(timed, name, partial(suites[name], printed[name])))
            for name in beside
        ]
        results = []
        for name in here:
            print(f"\n=== {name} ===", flush=True)
            results.append(timed(name, partial(suites[name], None)))
        for name, running in waiting:
            results.append(running.result())
            print(f"\n=== {name} ===", *printed[name], sep="\n", flush=True)
    return summarise(results, time.monotonic() - begun)


def timed(name: str, suite: Callable[[], Counts]) -> tuple[str, Counts, float]:
    """A suite with what it counted and took."""
    begun = time.monotonic()
    return name, suite(), time.monotonic() - begun


def python_units(printed: Printed = None) -> Counts:
    """Unit and property tests, and replays; into `printed` instead of the terminal if that is given."""
    return pytest("unit", "tests/unit", "tests/properties", "tests/replay", printed=printed)


def pytest(name: str, *paths: str, printed: Printed = None) -> Counts:
    """Python tests; counts from the JUnit report."""
    report = REPORTS / f"{name}.xml"
    report.unlink(missing_ok=True)
    command = [str(BIN / "pytest"), "-q", "--color=no", f"--junitxml={report}", *paths]
    code = stream(command, printed, aloud=printed is None)
    return from_junit(report, code)


def ape(printed: Printed = None) -> Counts:
    """Contracts against real protocols, through Ape's own test runner on a fork of the local mainnet."""
    report = REPORTS / "ape.xml"
    report.unlink(missing_ok=True)
    command = [str(BIN / "python"), "scripts/ape_tests.py", f"--junitxml={report}"]
    return from_junit(report, stream(command, printed, aloud=printed is None))


def forge(printed: Printed = None) -> Counts:
    """Solidity tests; counts from forge's closing line. The gas they measure is held against tests/forge/gas.json."""
    lines: list[str] = [] if printed is None else printed
    measured = ROOT / "build" / "forge" / "snapshots"
    shutil.rmtree(measured, ignore_errors=True)
    code = stream([str(BIN / "forge"), "test"], lines, aloud=printed is None)
    closing = re.compile(r"(\d+) tests passed, (\d+) failed, (\d+) skipped")
    found = [match for line in lines if (match := closing.search(line))]
    passed, failed, skipped = (int(part) for part in found[-1].groups()) if found else (0, 0, 0)
    # forge skips, without a word, what its cache believes unchanged and lost: every file must have run.
    ran = {match[1] for line in lines if (match := re.match(r"Ran \d+ tests? for (\S+):", line))}
    there = {str(p.relative_to(ROOT)) for p in (ROOT / "tests" / "forge").rglob("*.t.sol")}
    for missing in sorted(there - ran):
        print(f"{missing}: its tests did not run")
        failed += 1
    gas = [str(BIN / "python"), "-m", "scripts.contracts.gas", "--measured", str(measured)]
    if not code and stream(gas):
        failed += 1
    return Counts(passed, failed, skipped, code)


def from_junit(report: Path, code: int) -> Counts:
    """Counts of a JUnit file; nothing if it was never written."""
    if not report.exists():
        return Counts(0, 0, 0, code or 1)
    root = ElementTree.parse(report).getroot()  # noqa: S314 - written by our own runner a moment ago
    total = failed = skipped = 0
    for suite in root.iter("testsuite"):
        total += int(suite.get("tests", 0))
        failed += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped += int(suite.get("skipped", 0))
    return Counts(total - failed - skipped, failed, skipped, code)


def stream(command: list[str], keep: list[str] | None = None, *, aloud: bool = True) -> int:
    """Run, printing each line as it comes if `aloud`."""
    environment = {
        **os.environ,
        "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}",
        "NO_COLOR": "1",
    }
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        for line in process.stdout or ():
            if aloud:
                print(line, end="", flush=True)
            if keep is not None:
                keep.append(re.sub(r"\x1b\[[0-9;]*m", "", line.rstrip("\n")))
    return process.returncode


def summarise(results: list[tuple[str, Counts, float]], wall_s: float) -> int:
    """A line a suite, then the closing line."""
    print("\n=== summary ===")
    for name, counts, seconds in results:
        print(
            f"{'ok  ' if counts.ok else 'FAIL'} {name:12} {counts.passed:5} passed {counts.failed:3} failed "
            f"{counts.skipped:3} skipped {seconds:7.1f} s"
            + ("" if counts.ok else f"  (exit code {counts.exit_code})")
        )
    print(f"total time {wall_s:.0f} s")
    passed = sum(counts.passed for _, counts, _ in results)
    # A suite that died or ran nothing counts as a failure even if no single test failed.
    failed = sum(max(counts.failed, 0 if counts.ok else 1) for _, counts, _ in results)
    print(
        f"{passed} passed, {failed} failed, {sum(counts.skipped for _, counts, _ in results)} skipped"
    )
    return 0 if all(counts.ok for _, counts, _ in results) else 1


if __name__ == "__main__":
    sys.exit(main())
