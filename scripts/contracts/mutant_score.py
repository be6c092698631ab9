"""What became of the mutants: kept, scored, explained, told."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Any

from scripts.contracts.common import ROOT, ToolError, say, shown

EXPLAINED = ROOT / "contracts" / "mutants-explained.json"
LEAST_SCORE = 90.0
LEAST_REASON = 20
KILLED = ("killed", "timeout")
NORMAL_975 = 1.959964

Identity = tuple[str, str, str, str]


@dataclass(frozen=True)
class Result:
    """What became of a mutant."""

    key: str
    contract: str
    function: str
    kind: str
    line: str
    mutated: str
    status: str  # killed, timeout, survived, same (code as the original's), uncompiled, odd
    by: str
    seconds: float
    tree: str

    @property
    def counted(self) -> bool:
        """True if it compiled to other code and was tested."""
        return self.status in (*KILLED, "survived")

    @property
    def identity(self) -> Identity:
        """What an explanation names it by."""
        return self.contract, self.function, self.line, self.mutated


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


def parse_explained(entries: Any) -> dict[Identity, str]:
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


def score(results: Iterable[Result], explained: Mapping[Identity, str]) -> tuple[int, int, int]:
    """Killed, counted, explained survivors."""
    counted = [result for result in results if result.counted]
    killed = sum(result.status in KILLED for result in counted)
    equal = sum(r.status == "survived" and r.identity in explained for r in counted)
    return killed, len(counted), equal


def percent(killed: int, counted: int, equal: int) -> float:
    """Of the mutants that change something, how many were killed."""
    return 100.0 * killed / (counted - equal) if counted > equal else 0.0


def wilson(killed: int, tried: int) -> tuple[float, float]:
    """Wilson's interval at 95 % for a share of a random sample, in percent (E. B. Wilson, JASA 22, 1927)."""
    if tried == 0:
        return 0.0, 100.0
    share, z2 = killed / tried, NORMAL_975**2
    middle = share + z2 / (2 * tried)
    spread = NORMAL_975 * sqrt(share * (1 - share) / tried + z2 / (4 * tried * tried))
    low, high = ((middle + sign * spread) / (1 + z2 / tried) for sign in (-1, 1))
    return 100.0 * max(0.0, low), 100.0 * min(1.0, high)


def report(
    results: Sequence[Result], explained: Mapping[Identity, str], mutants: Mapping[str, int]
) -> int:
    """Survivors, a line a contract, the score; 1 if it is too low. `mutants`: how many each contract has in all."""
    for result in results:
        if result.status == "survived" and result.identity not in explained:
            names = ("contract", "function", "line", "mutant")
            entry = {**dict(zip(names, result.identity, strict=True)), "reason": ""}
            say(f"survived: {json.dumps(entry, ensure_ascii=False)}")
        if result.status == "odd":
            say(
                f"odd, not counted: {result.contract}.{result.function}: {result.mutated}\n{result.by}"
            )
    worst = 100.0 if results else 0.0
    for contract in sorted({result.contract for result in results}):
        own = [r for r in results if r.contract == contract]
        worst = min(worst, percent(*score(own, explained)))
        say(f"  {contract:12} {summary(own, explained, mutants[contract])}")
    say(f"mutation: {summary(results, explained, sum(mutants.values()))}")
    return 0 if worst >= LEAST_SCORE else 1


def summary(results: Sequence[Result], explained: Mapping[Identity, str], mutants: int) -> str:
    """The score in a line, with an interval where only a sample was tried."""
    killed, counted, equal = score(results, explained)
    statuses = Counter(result.status for result in results)
    text = (
        f"{killed} of {counted} killed ({statuses['timeout']} by time), {equal} explained, "
        f"{counted - killed - equal} not: {percent(killed, counted, equal):.1f} %"
    )
    if len(results) < mutants:
        low, high = wilson(killed, counted - equal)
        text += f" (a sample, {len(results)} of {mutants}; 95 % interval {low:.1f}-{high:.1f} %)"
    return (
        f"{text}; not counted: {statuses['same']} of the same code, "
        f"{statuses['uncompiled']} not compiled, {statuses['odd']} odd"
    )
