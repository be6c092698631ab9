"""What came of every schedule, kept line by line as it is played, and the table by kind of fault made of it."""

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.schedule import KINDS

ALL = "all"


@dataclass(frozen=True, slots=True)
class Entry:
    """One schedule, as it is written down."""

    seed: int
    schedule: str
    """In words, for whoever looks for a cause."""
    kinds: tuple[str, ...]
    struck: dict[str, int] = field(default_factory=dict)
    """How often each kind of fault really did."""
    double: tuple[str, ...] = ()
    """Intents that took effect more than once."""
    lost: tuple[str, ...] = ()
    stuck: int = 0
    """Transactions of the keeper's left in the pool."""
    effects: int = 0
    deceived: int = 0
    """Decisions on a price that the chain does not have (K-08)."""
    liquidations: int = 0
    unavoidable: bool = False
    """A keeper without faults on the same path, at the same fees, is liquidated as well."""
    in_danger_at_end: bool = False
    """The vault still needs protection when all faults are long over."""
    blocks_to_protect: tuple[int, ...] = ()
    without_faults: int | None = None
    """Longest wait of a keeper without faults on the same path; None where nobody asked."""
    broken: str = ""
    """Why the schedule could not be played to its end."""
    wall_s: float = 0.0

    @property
    def avoidable(self) -> int:
        """Liquidations that were."""
        return 0 if self.unavoidable else self.liquidations

    def problems(self) -> list[str]:
        """Everything that must not be."""
        if self.broken:
            return [f"seed {self.seed}: not played: {self.broken}; {self.schedule}"]
        faults = (
            (self.double, f"took effect twice: {self.double}"),
            (self.lost, f"lost: {self.lost}"),
            (self.stuck, f"{self.stuck} transactions stuck"),
            (self.deceived, f"{self.deceived} decisions on a false price"),
            (self.avoidable, f"{self.avoidable} liquidations that a keeper without faults avoids"),
            (self.in_danger_at_end, "still in danger long after the last fault"),
            (not self.effects, "nothing took effect: the schedule proves nothing"),
        )
        return [f"seed {self.seed}: {text}; {self.schedule}" for bad, text in faults if bad]


@dataclass
class Row:
    """One kind of fault over all schedules it had a part in."""

    schedules: int = 0
    struck_in: int = 0
    """Schedules in which it really struck."""
    strikes: int = 0
    double_effects: int = 0
    lost_intents: int = 0
    stuck: int = 0
    avoidable_liquidations: int = 0
    unavoidable_liquidations: int = 0
    blocks_to_protect: list[int] = field(default_factory=list)
    """Of the schedules in which it struck."""

    def add(self, entry: Entry, strikes: int) -> None:
        """One schedule more."""
        self.schedules += 1
        self.strikes += strikes
        self.struck_in += strikes > 0
        self.double_effects += len(entry.double)
        self.lost_intents += len(entry.lost)
        self.stuck += entry.stuck
        self.avoidable_liquidations += entry.avoidable
        self.unavoidable_liquidations += entry.liquidations - entry.avoidable
        if strikes:
            self.blocks_to_protect += entry.blocks_to_protect


class Ledger:
    """A file with a line a schedule: what is played is known whatever ends the campaign."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, entry: Entry) -> None:
        """At once."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(entry)) + "\n")

    def entries(self) -> list[Entry]:
        """By seed; of a seed that was played again, the last."""
        if not self.path.exists():
            return []
        lines = self.path.read_text(encoding="utf-8").splitlines()
        found = [Entry(**_tuples(json.loads(line))) for line in lines if line.endswith("}")]
        return sorted({entry.seed: entry for entry in found}.values(), key=lambda e: e.seed)


def _tuples(line: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(v) if isinstance(v, list) else v for name, v in line.items()}


def rows(entries: Iterable[Entry]) -> dict[str, Row]:
    """By kind, every kind of fault there is, then what was counted beside, and all together."""
    made = {kind: Row() for kind in KINDS}
    beside: dict[str, Row] = {}
    total = Row()
    for entry in entries:
        total.add(entry, sum(entry.struck.get(kind, 0) for kind in entry.kinds))
        for kind in entry.kinds:
            made[kind].add(entry, entry.struck.get(kind, 0))
        for kind in (k for k, times in entry.struck.items() if times and k not in made):
            beside.setdefault(kind, Row()).add(entry, entry.struck[kind])
    return {**made, **dict(sorted(beside.items())), ALL: total}


def never_struck(found: dict[str, Row]) -> list[str]:
    """Kinds about which the campaign proves nothing."""
    return [f"{kind} never struck" for kind in KINDS if not found[kind].strikes]


def table(found: dict[str, Row]) -> str:
    """For a terminal and for the operator's handbook (it is Markdown)."""
    lines = [
        "| fault | schedules | struck in | strikes | double effects | lost intents | stuck | avoidable liquidations"
        " | unavoidable | blocks to protect, p50 / p99 / most |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for kind, row in found.items():
        numbers: Sequence[object] = (
            row.schedules,
            row.struck_in,
            row.strikes,
            row.double_effects,
            row.lost_intents,
            row.stuck,
            row.avoidable_liquidations,
            row.unavoidable_liquidations,
        )
        lines.append(f"| {kind} | {' | '.join(map(str, numbers))} | {_waits(row)} |")
    return "\n".join(lines)


def _waits(row: Row) -> str:
    waits = sorted(row.blocks_to_protect)
    if not waits:
        return "-"
    late = waits[min(len(waits) - 1, len(waits) * 99 // 100)]
    return f"{statistics.median_low(waits)} / {late} / {waits[-1]}"
