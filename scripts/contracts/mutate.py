"""Mutation testing: change the contracts a little, and see whether a test fails.

Mutants are compiled together (`mutant_code`) and take the place of the contract in a copy of the tree that is compiled
once (`mutant_tests`), under build/mutation. The test files named after the contract run first, with few fuzz runs; what
they let live meets every file that deploys the contract, and in the end more runs and the campaigns. Before anything is
believed, the original must pass in the same place by the same way, and a contract that cannot be deployed must fail.

Mutants that do not compile, or compile to the very code of the original, are not counted. The order is drawn, so that a
run that is cut short is a random sample. Results are kept: a run that was broken off goes on, and a mutant that was
killed stays killed until its function changes. Survivors that change nothing are explained in
`contracts/mutants-explained.json`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import re
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

from scripts.contracts.common import BUILD, ROOT, ToolError, closing, read_json, say
from scripts.contracts.mutant_code import Artifact, Change, Code, Compiler
from scripts.contracts.mutant_score import (
    EXPLAINED,
    Result,
    load_results,
    parse_explained,
    report,
    reusable,
)
from scripts.contracts.mutant_tests import (
    ALL_SECONDS,
    QUICK_SECONDS,
    Tree,
    poison,
    tiers,
)
from scripts.contracts.mutants import Mutant, mutants_of

WORK = BUILD / "mutation"
RESULTS = WORK / "results.jsonl"
CHUNK = 120
LAST = 3  # stage
FEW_RUNS = {"FOUNDRY_FUZZ_RUNS": "8"}
MORE_RUNS = {
    "FOUNDRY_FUZZ_RUNS": "64",
    "FOUNDRY_INVARIANT_RUNS": "32",
    "FOUNDRY_INVARIANT_DEPTH": "64",
}


@dataclass(frozen=True)
class Target:
    """A file to mutate, the contracts its code ends up in, and the test files to ask first."""

    path: str
    roots: tuple[Artifact, ...]
    first: tuple[str, ...]


VAULT = Artifact("contracts/Vault.sol", "Vault")
MANDATE = Artifact("contracts/Mandate.sol", "Mandate")
OPTION_BOOK = Artifact("contracts/OptionBook.sol", "OptionBook")
TARGETS = {
    "LossBudget": Target(
        "contracts/libraries/LossBudget.sol",
        (
            Artifact("tests/forge/LossBudget.t.sol", "LossBudgetTest"),
            MANDATE,
            Artifact("contracts/VolatilityOracle.sol", "VolatilityOracle"),
        ),
        ("LossBudget*",),
    ),
    "OptionBook": Target(
        OPTION_BOOK.path, (OPTION_BOOK,), ("OptionBook*", "OptionConservation*", "OptionPurchase")
    ),
    "VaultShares": Target(
        "contracts/VaultShares.sol",
        (VAULT,),
        ("VaultShares*", "Conformance", "VaultConstruction", "VaultExit"),
    ),
    "Vault": Target(
        VAULT.path, (VAULT,), ("Vault*", "VaultRebalance", "Mandate", "MandateReducing", "Option*")
    ),
    "Mandate": Target(
        MANDATE.path,
        (MANDATE,),
        (
            "Mandate*",
            "MandateBuckets",
            "AccessSetup",
            "TermBounds",
            "VaultRebalance",
            "VaultConstruction",
            "VaultPaused",
            "VaultPriceless",
            "VaultProtect",
        ),
    ),
}


@dataclass(frozen=True)
class Job:
    """A mutant of a contract, by content and not by line."""

    contract: str
    mutant: Mutant
    key: str


def main() -> int:
    """Exit 1 if survivors without explanation bring the score of a contract under 90 %."""
    arguments = parse_arguments()
    contracts = arguments.contracts or list(TARGETS)
    every = {name: jobs_of(name, (ROOT / TARGETS[name].path).read_text()) for name in contracts}
    drawn = {name: draw(jobs, arguments.seed, arguments.sample) for name, jobs in every.items()}
    if arguments.list:
        for job in (job for jobs in every.values() for job in jobs):
            say(f"{job.contract}.{job.mutant.function} {job.mutant.line_number} {job.mutant.kind}")
            say(f"  - {job.mutant.line}\n  + {job.mutant.mutated}")
        say(f"{sum(map(len, every.values()))} mutants")
        return 0
    tree = digest_of_tree()
    known = {} if arguments.fresh else reusable(load_results(RESULTS), tree)
    todo = {
        name: [j for j in jobs if not settled(known.get(j.key), arguments.stages)]
        for name, jobs in drawn.items()
    }
    left = sum(map(len, todo.values()))
    say(f"mutation: {sum(map(len, drawn.values()))} mutants drawn, {left} to run")
    if left:
        known |= Campaign(tree, arguments.stages, arguments.minutes, known).run(todo)
    explained = parse_explained(read_json(EXPLAINED, []))
    results = [known[j.key] for jobs in drawn.values() for j in jobs if j.key in known]
    return report(results, explained, {name: len(jobs) for name, jobs in every.items()})


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Mutation testing of the contracts.")
    parser.add_argument("contracts", nargs="*", metavar="contract", help=", ".join(TARGETS))
    parser.add_argument("--sample", type=int, default=0, help="only so many of each, at random")
    parser.add_argument("--seed", type=int, default=1, help="of the draw")
    parser.add_argument("--minutes", type=float, default=0.0, help="stop then, and report")
    parser.add_argument(
        "--stages",
        type=int,
        choices=(1, 2, 3),
        default=3,
        help="1: files named after the contract, 2: all but the slow, 3: more runs, campaigns",
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
        body = bodies.get(mutant.function, "")
        words = (contract, mutant.kind, mutant.function, body, mutant.line, mutant.mutated)
        content = "|".join(words)
        seen[content] += 1
        key = hashlib.sha256(f"{content}|{seen[content]}".encode()).hexdigest()[:16]
        jobs.append(Job(contract, mutant, key))
    return jobs


def draw(jobs: Sequence[Job], seed: int, sample: int) -> list[Job]:
    """The jobs in an order that is drawn, so that the first of them are a sample; no more than `sample` if not 0."""
    ordered = sorted(jobs, key=lambda job: job.key)
    random.Random(seed).shuffle(ordered)
    return ordered[: sample or None]


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


def settled(result: Result | None, stages: int) -> bool:
    """True if there is nothing left to try: a survivor may not have met every stage."""
    return result is not None and (result.status != "survived" or stage_of(result) >= stages)


def stage_of(result: Result | None) -> int:
    """The last stage that a mutant survived; 0 if there is none."""
    passed = re.fullmatch(r"stage (\d)", result.by) if result else None
    return int(passed[1]) if passed else 0


# --- doing it -------------------------------------------------------------------------------------------------------


class Campaign:
    """Every job, a contract after the other."""

    def __init__(self, tree: str, stages: int, minutes: float, known: Mapping[str, Result]) -> None:
        self.digest, self.stages, self.known = tree, stages, known
        self.until = time.monotonic() + 60 * minutes if minutes else float("inf")
        self.tree = Tree(WORK / "tree")
        self.results: dict[str, Result] = {}

    def run(self, todo: dict[str, list[Job]]) -> dict[str, Result]:
        """Results by key; what the time did not suffice for is left out."""
        for number in (
            signal.SIGINT,
            signal.SIGTERM,
        ):  # ended politely, forge and artifacts are cleared up
            signal.signal(number, signal.default_int_handler)
        say("mutation: the tree is brought up to date and compiled")
        self.tree.prepare()
        for name, jobs in todo.items():
            for first in range(0, len(jobs), CHUNK):
                if time.monotonic() < self.until:
                    Contract(self, name).run(jobs[first : first + CHUNK])
        return self.results

    def keep(self, job: Job, status: str, by: str, seconds: float) -> None:
        """Write a result down, and say it."""
        mutant = job.mutant
        result = Result(
            job.key, job.contract, mutant.function, mutant.kind, mutant.line, mutant.mutated,
            status, by, round(seconds, 1), self.digest,
        )  # fmt: skip
        self.results[job.key] = result
        with RESULTS.open("a") as file:
            file.write(json.dumps(asdict(result)) + "\n")
        say(
            f"[{len(self.results)}] {status:10} {job.contract}.{mutant.function}: "
            f"{mutant.mutated[:90]} ({seconds:.0f} s) {by}"
        )


class Contract:
    """Some mutants of one contract, compiled together and tested one by one."""

    def __init__(self, campaign: Campaign, name: str) -> None:
        self.campaign, self.tree, self.name = campaign, campaign.tree, name
        self.target = TARGETS[name]
        self.compiler = Compiler(self.tree.place, self.tree.solc, self.target.roots)
        visible = self.tree.suites(self.target.roots)
        self.near, self.rest, self.slow = tiers(visible, self.target.first)
        if not self.near:
            raise ToolError(f"no test file is named after {name}", "see TARGETS in mutate.py")
        self.stages = {1: self.near_tests, 2: self.other_tests, LAST: self.slow_tests}
        self.plain = {str(root): self.tree.original(str(root)) for root in self.target.roots}

    def run(self, jobs: Sequence[Job]) -> None:
        """Compile, check the place, test in stages; before the last, survivors are held against the original's code."""
        codes = self.compile(jobs)
        survivors = [job for job in jobs if self.attempt(job, codes.get(job.key))]
        if not survivors:
            return
        alone = dict(self.compiler.apart([self.change(job) for job in survivors]))
        for job in survivors:
            code = alone[job.key]
            if code is None or all(self.plain[name] == made for name, made in code.items()):
                self.campaign.keep(job, "same" if code else "uncompiled", "", 0.0)
        others = [j for j in survivors if self.campaign.results[j.key].status == "survived"]
        if others and self.campaign.stages == LAST:
            self.must(self.plain, self.stages[LAST], "survived")
            for job in others:
                self.attempt(job, alone[job.key], LAST)

    def compile(self, jobs: Sequence[Job]) -> dict[str, Code | None]:
        """Code by key, from one contract for all as far as its original passes the tests."""
        say(f"mutation: {self.name}, {len(jobs)} mutants are compiled")
        numbered = {number: job.mutant for number, job in enumerate(jobs, 1)}
        together, left = self.compiler.together(self.target.path, numbered)
        control = together.get(0) or self.plain
        say(f"mutation: {self.name}, unchanged and not deployable, {len(left)} compiled apart")
        self.must(poison(self.plain), self.near_tests, "killed")
        for stage in range(1, min(self.campaign.stages, LAST - 1) + 1):
            self.must(control, self.stages[stage], "survived")
        codes = {jobs[number - 1].key: code for number, code in together.items() if number}
        apart = [self.change(jobs[number - 1]) for number in sorted(left)]
        return {**codes, **dict(self.compiler.apart(apart))}

    def change(self, job: Job) -> Change:
        """The mutant as a file of its own."""
        text = job.mutant.apply(self.compiler.texts[self.target.path])
        return Change(job.key, self.target.path, text)

    def must(self, code: Code, tests: Callable[[], tuple[str, str]], wanted: str) -> None:
        """Without this the results mean nothing."""
        status, by = self.tried(code, tests)
        if status != wanted:
            raise ToolError(f"{self.name} as a control: {status} and not {wanted}: {by}")

    def attempt(self, job: Job, code: Code | None, stage: int = 0) -> bool:
        """Try one mutant, in one stage or in all before the last, and keep the result; True if it survived."""
        if time.monotonic() > self.campaign.until:
            return False
        passed = stage_of(self.campaign.known.get(job.key))
        stages = [stage] if stage else range(passed + 1, min(self.campaign.stages, LAST - 1) + 1)
        begun = time.monotonic()
        status, by = ("survived", f"stage {passed}") if code else ("uncompiled", "")
        for number in stages if code else ():
            status, by = self.tried(code or {}, self.stages[number])
            if status != "survived":
                break
            by = f"stage {number}"
        self.campaign.keep(job, status, by, time.monotonic() - begun)
        return status == "survived"

    def tried(self, code: Code, tests: Callable[[], tuple[str, str]]) -> tuple[str, str]:
        """The tests against this code; odd if it was not there to the end."""
        self.tree.exchange(code)
        try:
            found = tests()
            held = self.tree.holds(code)
        finally:
            self.tree.back()
        return found if held else ("odd", "forge has compiled the contract anew")

    def near_tests(self) -> tuple[str, str]:
        """The files named after the contract, with few fuzz runs."""
        return self.tree.test(self.near, FEW_RUNS, QUICK_SECONDS)

    def other_tests(self) -> tuple[str, str]:
        """All others that deploy the contract and are not slow."""
        if not self.rest:
            return "survived", ""
        return self.tree.test(self.rest, FEW_RUNS, QUICK_SECONDS)

    def slow_tests(self) -> tuple[str, str]:
        """All of them with more fuzz runs, and campaigns, shortened to what kills in minutes."""
        return self.tree.test([*self.near, *self.rest, *self.slow], MORE_RUNS, ALL_SECONDS)


if __name__ == "__main__":
    sys.exit(closing(main))
