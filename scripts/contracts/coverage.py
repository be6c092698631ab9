"""Lines and branches of contracts/ that the forge tests reach: at least 98 % and 95 % of all."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from scripts.contracts.common import BUILD, ROOT, ToolError, closing, program, say, shown, stream

REPORT = BUILD / "coverage" / "contracts.lcov"
COMPILER = BUILD / "coverage" / "solc-v0.8.30"
LEAST_LINES, LEAST_BRANCHES = 98.0, 95.0
SHOWN_LINES = 12


@dataclass
class FileCoverage:
    """One source file."""

    path: str
    lines: dict[int, int] = field(default_factory=dict)
    branches: dict[tuple[int, str, str], int] = field(default_factory=dict)

    @property
    def missed(self) -> list[int]:
        """Lines no test reached."""
        return sorted(line for line, hits in self.lines.items() if not hits)

    @property
    def missed_branches(self) -> list[int]:
        """Lines with a branch no test took."""
        return sorted({place[0] for place, hits in self.branches.items() if not hits})


def main() -> int:
    """Exit 1 under either bar."""
    parser = argparse.ArgumentParser(description="Coverage of contracts/ by the forge tests.")
    parser.add_argument("--report", action="store_true", help="judge the last report, run nothing")
    parser.add_argument("--match-path", help="only these tests")
    arguments = parser.parse_args()
    if not arguments.report:
        cover(arguments.match_path)
    if not REPORT.exists():
        raise ToolError("there is no coverage report", "run `make coverage-contracts`")
    return report(parse_lcov(REPORT.read_text().splitlines()))


def cover(tests: str | None) -> None:
    """Run the tests under forge's coverage on code that is compiled as written (see `plain_solc`)."""
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.unlink(missing_ok=True)
    write_compiler()
    say(
        "coverage: compiling everything as written, then all tests; this takes a quarter of an hour"
    )
    # Measurements of gas mean nothing without the optimizer.
    command = [
        program("forge"), "coverage", "--report", "lcov", "--report-file", str(REPORT),
        "--no-match-path", "tests/forge/{gas/*,*Gas*}", "--no-match-test", "gas_(of|stays)_|_million_gas",
        "--no-match-coverage", "^(tests|node_modules)/",
        *(["--match-path", tests] if tests else []),
    ]  # fmt: skip
    code, lines = stream(command, extra={"FOUNDRY_PROFILE": "coverage"})
    if code:
        stack = any("Stack too deep" in line for line in lines)
        raise ToolError(
            f"forge coverage ended with exit code {code}" + (": stack too deep" if stack else ""),
            "a function has too many variables without the optimizer; split it"
            if stack
            else "see above",
        )


def write_compiler() -> None:
    """The executable that foundry.toml names for coverage: the compiler of the project behind `plain_solc`."""
    compiler = BUILD / "solc" / COMPILER.name
    if not compiler.exists():
        raise ToolError(f"{shown(compiler)} is missing", "run `make setup`")
    plain = Path(__file__).with_name("plain_solc.py")
    COMPILER.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{plain}" "{compiler}" "$@"\n')
    COMPILER.chmod(0o755)


def parse_lcov(lines: Iterable[str]) -> list[FileCoverage]:
    """Files of contracts/ in an lcov report."""
    files: dict[str, FileCoverage] = {}
    current: FileCoverage | None = None
    for line in lines:
        tag, _, rest = line.strip().partition(":")
        if tag == "SF":
            path = rest.removeprefix(f"{ROOT}/")
            current = (
                files.setdefault(path, FileCoverage(path))
                if path.startswith("contracts/")
                else None
            )
        elif current and tag == "DA":
            number, hits = rest.split(",")[:2]
            current.lines[int(number)] = current.lines.get(int(number), 0) + int(hits)
        elif current and tag == "BRDA":
            number, block, branch, taken = rest.split(",")
            place = (int(number), block, branch)
            hits_taken = 0 if taken == "-" else int(taken)
            current.branches[place] = current.branches.get(place, 0) + hits_taken
    return sorted(files.values(), key=lambda file: file.path)


def percent(reached: int, total: int) -> float:
    """All of nothing is everything."""
    return 100.0 * reached / total if total else 100.0


def report(files: list[FileCoverage]) -> int:
    """A line a file, what was missed, the whole."""
    files = [file for file in files if file.lines]
    if not files:
        raise ToolError("the coverage report holds no file of contracts/")
    lines = [(len(f.lines) - len(f.missed), len(f.lines)) for f in files]
    branches = [(sum(h > 0 for h in f.branches.values()), len(f.branches)) for f in files]
    for file, (line_hit, line_all), (branch_hit, branch_all) in zip(
        files, lines, branches, strict=True
    ):
        say(
            f"{file.path:48} lines {line_hit:4}/{line_all:<4} {percent(line_hit, line_all):5.1f} %   "
            f"branches {branch_hit:3}/{branch_all:<3} {percent(branch_hit, branch_all):5.1f} %"
        )
        for name, numbers in (("lines", file.missed), ("branches at", file.missed_branches)):
            if numbers:
                more = ", ..." if len(numbers) > SHOWN_LINES else ""
                say(f"    missed {name} {', '.join(map(str, numbers[:SHOWN_LINES]))}{more}")
    line_part = percent(sum(hit for hit, _ in lines), sum(total for _, total in lines))
    branch_part = percent(sum(hit for hit, _ in branches), sum(total for _, total in branches))
    passed = line_part >= LEAST_LINES and branch_part >= LEAST_BRANCHES
    say(
        f"coverage: lines {line_part:.2f} % (at least {LEAST_LINES:.0f}), "
        f"branches {branch_part:.2f} % (at least {LEAST_BRANCHES:.0f}): {'ok' if passed else 'FAIL'}"
    )
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(closing(main))
