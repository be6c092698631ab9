"""Run every linter, all of them even if one fails, and say which failed."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
FORGE = BIN / "forge"

CHECKS: list[tuple[str, list[str]]] = [
    ("ruff format", [str(BIN / "ruff"), "format", "--check", "."]),
    ("ruff", [str(BIN / "ruff"), "check", "."]),
    ("mypy --strict", [str(BIN / "mypy")]),
    ("import-linter", [str(BIN / "lint-imports")]),
    ("forge fmt", [str(FORGE), "fmt", "--check"]),
    ("forge lint", [str(FORGE), "lint", "contracts"]),
    (
        "no test ends at an expected refusal",
        [str(BIN / "python"), "-m", "scripts.contracts.ended_tests"],
    ),
    ("committed ABIs", [str(BIN / "python"), "scripts/abi.py", "--check"]),
    (
        "derived constants",
        [str(BIN / "python"), "-m", "scripts.reference.approximations", "--check"],
    ),
    (
        "reference vectors",
        [str(BIN / "python"), "-m", "scripts.reference.black_scholes", "--check"],
    ),
    ("lock files name no host", [sys.executable, __file__, "--locks"]),
]


def locks_name_no_host() -> int:
    """A lock file must work with any mirror: no download host may stand in one."""
    guilty = [
        f"{path.name}:{number}"
        for path in [*ROOT.glob("requirements*.lock"), ROOT / "package-lock.json"]
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if '"resolved": "http' in line or "--index-url" in line or "--extra-index-url" in line
    ]
    for place in guilty:
        print(f"{place}: a download host in a lock file; see scripts/lock.sh")
    return 1 if guilty else 0


def main() -> int:
    """Exit 1 if any check failed."""
    if "--locks" in sys.argv:
        return locks_name_no_host()
    failed = []
    for name, command in CHECKS:
        begun = time.monotonic()
        result = subprocess.run(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        ok = result.returncode == 0
        print(f"{'ok  ' if ok else 'FAIL'} {name} ({time.monotonic() - begun:.1f} s)", flush=True)
        if not ok:
            failed.append(name)
            print(result.stdout)
    print(
        f"lint: {len(CHECKS) - len(failed)} of {len(CHECKS)} checks passed"
        + (f"; failed: {', '.join(failed)}" if failed else "")
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
