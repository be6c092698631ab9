"""Where mutants are tested: a copy of the tree, compiled once, where a mutant takes the place of a compiled contract.

The tests deploy contracts by artifact (`dynamic_test_linking`), so no test need be compiled again: the mutant's code is
written into the artifact, the tests that can deploy it are run, and the artifact is put back. Before every run with a
filter forge asks the compiler for all interfaces; the answer cannot change here and is kept.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from scripts.contracts.common import ROOT, ToolError, environment, program, read_json, tail
from scripts.contracts.mutant_code import Artifact, Code

BUILD_SECONDS, QUICK_SECONDS, ALL_SECONDS = 3600.0, 900.0, 3600.0
# Slow for what they kill: campaigns, searches, measurements. They meet what the others let live.
SLOW_TESTS = (
    "*Invariant*", "*Campaign*", "*Gas*", "Real*", "Stolen*",
    "BlackScholes*", "Conformance", "MandateBuckets", "VaultRebalance",
)  # fmt: skip
MEMO = """#!/usr/bin/env python3
import hashlib, pathlib, subprocess, sys
words = sys.argv[1:]
text = b"" if "--version" in words else sys.stdin.buffer.read()
name = hashlib.sha256("\\0".join(words).encode() + text).hexdigest()
kept = pathlib.Path(__file__).parent / "answers" / name
if not kept.exists():
    kept.parent.mkdir(exist_ok=True)
    done = subprocess.run([{solc!r}, *words], input=text, stdout=subprocess.PIPE)
    if done.returncode:
        sys.exit(done.returncode)
    kept.with_suffix(".new").write_bytes(done.stdout)
    kept.with_suffix(".new").replace(kept)
sys.stdout.buffer.write(kept.read_bytes())
"""


class Tree:
    """A copy of contracts and tests that is compiled and whose artifacts are exchanged."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.out = place / "build" / "forge" / "out"
        self.solc = place / "build" / "solc" / "solc"

    def prepare(self) -> None:
        """Bring it to the state of the project and compile; forge sees by content what is old."""
        self.place.mkdir(parents=True, exist_ok=True)
        for folder in ("contracts", "tests"):
            shutil.rmtree(self.place / folder, ignore_errors=True)
        shutil.copytree(ROOT / "contracts", self.place / "contracts")
        shutil.copytree(ROOT / "tests" / "forge", self.place / "tests" / "forge")
        shutil.copy2(ROOT / "foundry.toml", self.place)
        link = self.place / "node_modules"
        if not link.is_symlink():
            link.symlink_to((ROOT / "node_modules").resolve())
        self._keep_answers()
        self._start_from_the_project()
        self._restore()
        code, output = self._forge(["build"], BUILD_SECONDS, {})
        if code:
            raise ToolError(f"the unchanged contracts do not compile\n{tail(output)}")

    def _keep_answers(self) -> None:
        self.solc.parent.mkdir(parents=True, exist_ok=True)
        real = next((ROOT / "build" / "solc").glob("solc-v*"), None)
        if real is None:
            raise ToolError("no compiler in build/solc", "run `make setup`")
        self.solc.write_text(MEMO.format(solc=str(real)))
        self.solc.chmod(0o755)
        config = self.place / "foundry.toml"
        named = re.sub(r'^solc = ".*"$', f'solc = "{self.solc}"', config.read_text(), flags=re.M)
        config.write_text(named)

    def _start_from_the_project(self) -> None:
        """What the project has compiled need not be compiled again."""
        theirs, ours = ROOT / "build" / "forge", self.place / "build" / "forge"
        if ours.exists() or not (theirs / "cache" / "solidity-files-cache.json").exists():
            return
        shutil.copytree(theirs, ours)
        cache = ours / "cache" / "solidity-files-cache.json"
        cache.write_text(cache.read_text().replace(f'"{ROOT}/', f'"{self.place}/'))

    def _restore(self) -> None:
        """Artifacts that a run broken off has left exchanged."""
        for kept in self.out.glob("*/*.json.original"):
            kept.replace(kept.with_suffix(""))

    def exchange(self, code: Mapping[str, str]) -> None:
        """Put the code where forge will take it from; `back` undoes it."""
        for name, creation in code.items():
            file = self._file(name)
            artifact = read_json(file)
            if "_" in creation:
                raise ToolError(f"{name} is linked to a library, which is not provided for")
            artifact["bytecode"]["object"] = f"0x{creation}"
            kept = file.with_name(file.name + ".original")
            if not kept.exists():
                shutil.copy2(file, kept)
            file.write_text(json.dumps(artifact))

    def back(self) -> None:
        """The original artifacts."""
        self._restore()

    def holds(self, code: Mapping[str, str]) -> bool:
        """True if the artifacts are still what was put there: forge has compiled nothing."""
        return all(self.original(name) == creation for name, creation in code.items())

    def original(self, name: str) -> str:
        """Creation code in hex that forge would deploy now."""
        found: str = read_json(self._file(name))["bytecode"]["object"]
        return found.removeprefix("0x")

    def _file(self, name: str) -> Path:
        path, _, contract = name.partition(":")
        return self.out / Artifact(path, contract).folder

    def suites(self, roots: Sequence[Artifact]) -> list[str]:
        """Stems of the test files whose code names one of the contracts, or is one: no other can see a mutant."""
        marks = [str(root).encode()[:32].hex() for root in roots]
        own = {Path(root.path).name for root in roots}
        found = set()
        for file in self.out.glob("*.t.sol/*.json"):
            code = read_json(file).get("bytecode", {}).get("object", "")
            if file.parent.name in own or any(mark in code for mark in marks):
                found.add(file.parent.name.removesuffix(".t.sol"))
        return sorted(found)

    def test(
        self, stems: Sequence[str], extra: Mapping[str, str], seconds: float
    ) -> tuple[str, str]:
        """Run test files by stem, up to the first failure: killed, survived, timeout, odd; and by what."""
        names = ",".join(stems)
        paths = f"**/{{{names},}}.t.sol" if len(stems) > 1 else f"**/{names}.t.sol"
        for memory in (
            "fuzz",
            "invariant",
        ):  # a counterexample of one mutant is no test of the next
            shutil.rmtree(self.place / "build" / "forge" / "cache" / memory, ignore_errors=True)
        arguments = ["test", "--fail-fast", "--match-path", paths]
        code, output = self._forge(arguments, seconds, extra)
        return (
            ("timeout", f"more than {seconds:.0f} s") if code is None else read_output(output, code)
        )

    def _forge(
        self, arguments: Sequence[str], seconds: float, extra: Mapping[str, str]
    ) -> tuple[int | None, str]:
        """Forge in a process group of its own, so that a mutant that never ends is ended with its children."""
        with subprocess.Popen(
            [program("forge"), *arguments],
            cwd=self.place,
            env=environment({"FOUNDRY_FUZZ_SEED": "0x1", **extra}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                output, _ = process.communicate(timeout=seconds)
            except BaseException as error:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                if isinstance(error, subprocess.TimeoutExpired):
                    return None, ""
                raise
        return process.returncode, output


def read_output(output: str, code: int) -> tuple[str, str]:
    """What forge's output says about the mutant."""
    failed = re.search(r"^\[FAIL[^\n]*\] (\S+)", output, re.MULTILINE)
    if failed:
        return "killed", failed[1]
    closing_line = re.search(r"(\d+) tests passed, 0 failed", output)
    if code == 0 and closing_line and int(closing_line[1]) > 0:
        return "survived", ""
    return "odd", tail(output, 3)


def matching(stems: Iterable[str], patterns: Sequence[str]) -> list[str]:
    """Stems that match one of the patterns."""
    return sorted(s for s in set(stems) if any(fnmatch.fnmatchcase(s, p) for p in patterns))


def tiers(visible: Sequence[str], first: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
    """Test files by what they cost: those named after the contract, the rest, the slow."""
    slow = [s for s in matching(visible, SLOW_TESTS) if s not in first]  # a whole name is meant
    near = [stem for stem in matching(visible, first) if stem not in slow]
    rest = [stem for stem in visible if stem not in slow and stem not in near]
    return near, rest, slow


def poison(code: Code) -> Code:
    """A contract that cannot be deployed, by the same names."""
    return dict.fromkeys(code, "60006000fd")
