"""Mutation testing: change the contracts a little, and see whether a test fails.

Each mutant is compiled and tested in a copy of the tree under build/mutation; two copies work side by side. The tests
named after the contract run first, with few fuzz runs; what they let live meets the whole suite. Mutants that do not
compile are not counted. Results are kept: a run that was broken off goes on, and a mutant that was killed stays killed
until its function changes. Survivors that change nothing are explained in `contracts/mutants-explained.json`.
"""

from __future__ import annotations

import argparse
import fnmatch
import hashlib
import json
import os
import queue
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scripts.contracts.common import (
    BUILD,
    ROOT,
    ToolError,
    closing,
    environment,
    program,
    read_json,
    say,
    shown,
    tail,
)
from scripts.contracts.mutants import Mutant, mutants_of

EXPLAINED = ROOT / "contracts" / "mutants-explained.json"
WORK = BUILD / "mutation"
RESULTS = WORK / "results.jsonl"
TARGETS = {
    "LossBudget": "contracts/libraries/LossBudget.sol",
    "OptionBook": "contracts/OptionBook.sol",
    "Mandate": "contracts/Mandate.sol",
    "VaultShares": "contracts/VaultShares.sol",
    "Vault": "contracts/Vault.sol",
}
FIRST_TESTS = {
    "LossBudget": ("LossBudget*",),
    "OptionBook": ("OptionBook*", "OptionConservation*"),
    "Mandate": ("Mandate*", "Access*", "Vault*", "Intent*", "Guardian*", "Thief*"),
    "VaultShares": ("Vault*", "ERC*", "Erc*", "Request*", "Settle*"),
    "Vault": ("Vault*", "Mandate*", "ERC*", "Erc*", "Option*"),
}
SLOW_TESTS = ("*Invariant*", "*Gas*", "Real*")
LEAST_SCORE = 90.0
LEAST_REASON = 20
FIRST_SECONDS, ALL_SECONDS = 300.0, 1200.0
KILLED = ("killed", "timeout")


@dataclass(frozen=True)
class Job:
    """A mutant of a contract, by content and not by line."""

    contract: str
    path: str
    mutant: Mutant
    key: str


@dataclass(frozen=True)
class Result:
    """What became of a mutant."""

    key: str
    contract: str
    function: str
    kind: str
    line: str
    mutated: str
    status: str  # killed, timeout, survived, uncompiled, odd
    by: str
    seconds: float
    tree: str

    @property
    def counted(self) -> bool:
        """True if it compiled and was tested."""
        return self.status in (*KILLED, "survived")


def main() -> int:
    """Exit 1 if survivors without explanation bring the score under 90 %."""
    arguments = parse_arguments()
    contracts = arguments.contracts or list(TARGETS)
    jobs = [job for name in contracts for job in jobs_of(name, (ROOT / TARGETS[name]).read_text())]
    if arguments.sample and arguments.sample < len(jobs):
        jobs = sorted(
            random.Random(arguments.seed).sample(jobs, arguments.sample), key=lambda j: j.path
        )
    if arguments.list:
        for job in jobs:
            say(f"{job.contract}.{job.mutant.function} {job.mutant.line_number} {job.mutant.kind}")
            say(f"  - {job.mutant.line}\n  + {job.mutant.mutated}")
        say(f"{len(jobs)} mutants")
        return 0
    tree = digest_of_tree()
    known = {} if arguments.fresh else reusable(load_results(RESULTS), tree)
    todo = [job for job in jobs if job.key not in known]
    say(f"mutation: {len(jobs)} mutants, {len(jobs) - len(todo)} known, {len(todo)} to run")
    if todo:
        known |= {r.key: r for r in run_all(todo, tree, arguments.workers, arguments.first_only)}
    explained = parse_explained(read_json(EXPLAINED, []))
    return report([known[job.key] for job in jobs if job.key in known], explained)


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Mutation testing of the contracts.")
    parser.add_argument("contracts", nargs="*", metavar="contract", help=", ".join(TARGETS))
    parser.add_argument(
        "--sample", type=int, default=0, help="only so many mutants, drawn at random"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the draw")
    parser.add_argument("--workers", type=int, choices=(1, 2), default=2)
    parser.add_argument(
        "--first-only", action="store_true", help="skip the whole suite (quicker, scores lower)"
    )
    parser.add_argument("--fresh", action="store_true", help="forget earlier results")
    parser.add_argument("--list", action="store_true", help="print the mutants and stop")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.contracts if name not in TARGETS]
    if unknown:
        raise ToolError(f"no target {unknown[0]!r}; there are {', '.join(TARGETS)}")
    return arguments


# --- what is to be done ---------------------------------------------------------------------------------------------


def jobs_of(contract: str, text: str) -> list[Job]:
    """Mutants of one contract; the key holds the function's content and which of equal lines it is."""
    bodies = _functions(text)
    seen: Counter[str] = Counter()
    jobs = []
    for mutant in mutants_of(text):
        content = "|".join(
            (
                contract,
                mutant.kind,
                mutant.function,
                bodies.get(mutant.function, ""),
                mutant.line,
                mutant.mutated,
            )
        )
        seen[content] += 1
        key = hashlib.sha256(f"{content}|{seen[content]}".encode()).hexdigest()[:16]
        jobs.append(Job(contract, TARGETS[contract], mutant, key))
    return jobs


def _functions(text: str) -> dict[str, str]:
    """Text of each function by name, overloads together; enough to tell that one has changed."""
    parts = re.split(r"(?=^ {4}(?:function|constructor|modifier)\b)", text, flags=re.MULTILINE)
    bodies: dict[str, str] = defaultdict(str)
    for part in parts[1:]:
        words = re.match(r"\s*(function|modifier|constructor)\s*(\w*)", part)
        if words:
            bodies[words[2] or words[1]] += re.sub(r"\s+", " ", part)
    return bodies


def digest_of_tree() -> str:
    """Contracts and tests: what a survivor's result holds for."""
    total = hashlib.sha256()
    for folder in ("contracts", "tests/forge"):
        for file in sorted((ROOT / folder).rglob("*.sol")):
            total.update(str(file.relative_to(ROOT)).encode() + file.read_bytes())
    return total.hexdigest()[:16]


def load_results(path: Path) -> list[Result]:
    """Results of earlier runs; a line cut off by an interruption is left out."""
    if not path.exists():
        return []
    results = []
    for line in path.read_text().splitlines():
        try:
            results.append(Result(**json.loads(line)))
        except (ValueError, TypeError):
            continue
    return results


def reusable(results: Iterable[Result], tree: str) -> dict[str, Result]:
    """Killed stays killed while its function is the same; survivors are tried again once anything has changed."""
    kept: dict[str, Result] = {}
    for result in results:
        if result.status in (*KILLED, "uncompiled") or result.tree == tree:
            kept[result.key] = result
        else:
            kept.pop(result.key, None)
    return {key: result for key, result in kept.items() if result.status != "odd"}


# --- doing it -------------------------------------------------------------------------------------------------------


def run_all(jobs: Sequence[Job], tree: str, workers: int, first_only: bool) -> list[Result]:
    """Every job, each worker in a tree of its own."""
    WORK.mkdir(parents=True, exist_ok=True)
    places: queue.Queue[Path] = queue.Queue()
    names = sorted({job.contract for job in jobs})
    for number in range(min(workers, len(jobs))):
        place = WORK / f"tree{number}"
        prepare(place)
        if number == 0:
            check_baseline(place, names)
        places.put(place)
    lock = threading.Lock()
    done: list[Result] = []
    begun = time.monotonic()

    def work(job: Job) -> None:
        place = places.get()
        try:
            result = try_mutant(place, job, tree, first_only)
        finally:
            places.put(place)
        with lock:
            done.append(result)
            with RESULTS.open("a") as file:
                file.write(json.dumps(asdict(result)) + "\n")
            left = (time.monotonic() - begun) / len(done) * (len(jobs) - len(done))
            say(
                f"[{len(done)}/{len(jobs)}, {left / 60:.0f} min left] {result.status:10} {result.contract}."
                f"{result.function}: {result.mutated[:90]} ({result.seconds:.0f} s) {result.by}"
            )

    with ThreadPoolExecutor(max_workers=max(1, places.qsize())) as pool:
        for future in [pool.submit(work, job) for job in jobs]:
            future.result()
    return done


def prepare(place: Path) -> None:
    """A tree to change; what was compiled there before stays, forge sees by content what is old."""
    place.mkdir(parents=True, exist_ok=True)
    for folder in ("contracts", "tests"):
        shutil.rmtree(place / folder, ignore_errors=True)
    shutil.copytree(ROOT / "contracts", place / "contracts")
    shutil.copytree(ROOT / "tests" / "forge", place / "tests" / "forge")
    shutil.copy2(ROOT / "foundry.toml", place)
    (place / "build").mkdir(exist_ok=True)
    shutil.copytree(ROOT / "build" / "solc", place / "build" / "solc", dirs_exist_ok=True)
    link = place / "node_modules"
    if not link.is_symlink():
        link.symlink_to(ROOT / "node_modules")


def check_baseline(place: Path, contracts: Sequence[str]) -> None:
    """The unchanged contracts must pass; a suite that fails anyway would kill everything."""
    for contract in contracts:
        say(f"mutation: unchanged, the first tests of {contract}")
        status, by = first_tests(place, contract)
        if status != "survived":
            raise ToolError(f"the unchanged {contract} does not pass its tests ({status}): {by}")


def try_mutant(place: Path, job: Job, tree: str, first_only: bool) -> Result:
    """Change, test, change back."""
    file = place / job.path
    original = file.read_text()
    begun = time.monotonic()
    try:
        file.write_text(job.mutant.apply(original))
        status, by = first_tests(place, job.contract)
        if status == "survived" and not first_only:
            status, by = all_tests(place)
    finally:
        file.write_text(original)
    mutant = job.mutant
    return Result(
        job.key, job.contract, mutant.function, mutant.kind, mutant.line, mutant.mutated,
        status, by, round(time.monotonic() - begun, 1), tree,
    )  # fmt: skip


def first_tests(place: Path, contract: str) -> tuple[str, str]:
    """The tests named after the contract, with few fuzz runs."""
    names = first_files(contract, (place / "tests" / "forge").rglob("*.t.sol"))
    if not names:
        raise ToolError(f"no test file is named after {contract}", "see FIRST_TESTS in mutate.py")
    paths = f"**/{{{','.join(names)},}}.t.sol" if len(names) > 1 else f"**/{names[0]}.t.sol"
    quick = {"FOUNDRY_FUZZ_RUNS": "48", "FOUNDRY_FUZZ_SEED": "0x1"}
    return forge_test(place, ["--match-path", paths], FIRST_SECONDS, quick)


def first_files(contract: str, files: Iterable[Path]) -> list[str]:
    """Stems of the quick test files of a contract."""
    stems = {file.name.removesuffix(".t.sol") for file in files}
    return sorted(
        stem
        for stem in stems
        if any(fnmatch.fnmatchcase(stem, pattern) for pattern in FIRST_TESTS[contract])
        and not any(fnmatch.fnmatchcase(stem, pattern) for pattern in SLOW_TESTS)
    )


def all_tests(place: Path) -> tuple[str, str]:
    """Everything, as `make test-contracts` runs it, with the invariants cut to what kills in minutes."""
    cut = {
        "FOUNDRY_FUZZ_SEED": "0x1",
        "FOUNDRY_INVARIANT_RUNS": "32",
        "FOUNDRY_INVARIANT_DEPTH": "64",
    }
    return forge_test(place, [], ALL_SECONDS, cut)


def forge_test(
    place: Path, arguments: Sequence[str], seconds: float, extra: Mapping[str, str]
) -> tuple[str, str]:
    """Run forge in a session of its own, so that a mutant that never ends is ended with its children."""
    command = [program("forge"), "test", "--fail-fast", *arguments]
    with subprocess.Popen(
        command,
        cwd=place,
        env=environment(extra),
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
                return "timeout", f"more than {seconds:.0f} s"
            raise
    return read_output(output, process.returncode)


def read_output(output: str, code: int) -> tuple[str, str]:
    """What forge's output says about the mutant."""
    failed = re.search(r"^\[FAIL[^\n]*\] (\S+)", output, re.MULTILINE)
    if failed:
        return "killed", failed[1]
    if "Compiler run failed" in output or re.search(r"^Error \(\d+\)", output, re.MULTILINE):
        return "uncompiled", ""
    closing_line = re.search(r"(\d+) tests passed, 0 failed", output)
    if code == 0 and closing_line and int(closing_line[1]) > 0:
        return "survived", ""
    return "odd", tail(output, 3)


# --- what it means --------------------------------------------------------------------------------------------------


def parse_explained(entries: Any) -> dict[tuple[str, str, str, str], str]:
    """Survivors that change nothing a caller can see, with the reason, by contract, function, line and mutant."""
    if not isinstance(entries, list):
        raise ToolError(f"{shown(EXPLAINED)} must be a list of entries")
    known = {}
    for number, entry in enumerate(entries, 1):
        try:
            key = (entry["contract"], entry["function"], entry["line"], entry["mutant"])
            reason = str(entry["reason"])
        except (KeyError, TypeError) as error:
            raise ToolError(
                f"{shown(EXPLAINED)}, entry {number}: {error!r}",
                "an entry has contract, function, line, mutant and reason",
            ) from error
        if len(reason.strip()) < LEAST_REASON:
            raise ToolError(f"{shown(EXPLAINED)}, entry {number}: no reason given")
        known[key] = reason
    return known


def score(
    results: Iterable[Result], explained: Mapping[tuple[str, str, str, str], str]
) -> tuple[int, int, int]:
    """Killed, counted, explained survivors."""
    counted = [result for result in results if result.counted]
    killed = sum(result.status in KILLED for result in counted)
    equal = sum(
        result.status == "survived" and _identity(result) in explained for result in counted
    )
    return killed, len(counted), equal


def percent(killed: int, counted: int, equal: int) -> float:
    """Of the mutants that change something, how many were killed."""
    return 100.0 * killed / (counted - equal) if counted > equal else 0.0


def _identity(result: Result) -> tuple[str, str, str, str]:
    return result.contract, result.function, result.line, result.mutated


def report(results: Sequence[Result], explained: Mapping[tuple[str, str, str, str], str]) -> int:
    """Survivors, a line a contract, the score."""
    for result in results:
        if result.status == "survived" and _identity(result) not in explained:
            entry = dict(
                zip(("contract", "function", "line", "mutant"), _identity(result), strict=True)
            )
            say(f"survived: {json.dumps({**entry, 'reason': ''}, ensure_ascii=False)}")
        if result.status == "odd":
            say(
                f"odd, not counted: {result.contract}.{result.function}: {result.mutated}\n{result.by}"
            )
    for contract in sorted({result.contract for result in results}):
        own = score([r for r in results if r.contract == contract], explained)
        say(
            f"  {contract:12} {own[0]:4} of {own[1]:4} killed, {own[2]:3} explained: {percent(*own):5.1f} %"
        )
    total = score(results, explained)
    statuses = Counter(result.status for result in results)
    value = percent(*total)
    say(
        f"mutation: {total[0]} of {total[1]} mutants killed ({statuses['timeout']} by time), {total[2]} survivors "
        f"explained, {total[1] - total[0] - total[2]} not; {statuses['uncompiled']} did not compile, "
        f"{statuses['odd']} odd; score {value:.1f} %"
    )
    return 0 if total[1] and value >= LEAST_SCORE else 1


if __name__ == "__main__":
    sys.exit(closing(main))
