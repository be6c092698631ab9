"""`python -m tests.chaos.campaign --schedules 1000`: the campaign, its report by fault, and its exit code.

Exit 1 if any intent took effect twice, any was lost, any transaction is stuck, or the vault was liquidated where a
keeper without faults would have saved it.
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import structlog

from keeper.demo.start import band_for
from tests.chaos.run import Played, play
from tests.chaos.schedule import KINDS, draw
from tests.chaos.stage import HEALTH, ROOT, set_stage

REPORT = ROOT / "build" / "chaos" / "report.json"


@dataclass
class Row:
    """One kind of fault over all schedules it had a part in."""

    schedules: int = 0
    double_effects: int = 0
    lost_intents: int = 0
    stuck: int = 0
    avoidable_liquidations: int = 0
    blocks_to_protect: list[int] = field(default_factory=list)


def main() -> int:
    """Play, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schedules", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0, help="of the first schedule")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    rows, problems = campaign(range(options.seed, options.seed + options.schedules))
    print(table(rows))
    for problem in problems:
        print(problem)
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(
        json.dumps(
            {"rows": {k: asdict(r) for k, r in rows.items()}, "problems": problems}, indent=1
        )
    )
    print(f"{options.schedules} schedules, {len(problems)} problems; {REPORT.relative_to(ROOT)}")
    return 1 if problems else 0


def campaign(seeds: Iterable[int]) -> tuple[dict[str, Row], list[str]]:
    """Every schedule of the seeds on one stage; rows by fault, and everything that must not be."""
    rows = {kind: Row() for kind in (*KINDS, "all")}
    problems: list[str] = []
    with (
        tempfile.TemporaryDirectory(prefix="gimbal-chaos-") as name,
        set_stage(Path(name)) as stage,
    ):
        for count, seed in enumerate(seeds, 1):
            played = play(stage, draw(seed), band_for(HEALTH).low)
            problems += add(rows, played)
            if count % 50 == 0:
                print(f"{count} schedules, {len(problems)} problems", flush=True)
    return rows, problems


def add(rows: dict[str, Row], played: Played) -> list[str]:
    """Counts a schedule in the rows of its faults; what was wrong with it."""
    seen = played.effects
    for kind in ("all", *(m.kind for m in played.schedule.mishaps)):
        row = rows[kind]
        row.schedules += 1
        row.double_effects += len(seen.double)
        row.lost_intents += len(played.lost)
        row.stuck += seen.stuck
        row.avoidable_liquidations += seen.liquidations
        row.blocks_to_protect += played.blocks_to_protect
    faults = (
        (bool(seen.double), f"took effect twice: {seen.double}"),
        (bool(played.lost), f"lost: {played.lost}"),
        (bool(seen.stuck), f"{seen.stuck} transactions stuck"),
        (bool(seen.liquidations), f"{seen.liquidations} liquidations"),
        (not seen.by_intent, "nothing took effect: the schedule proves nothing"),
    )
    return [
        f"seed {played.schedule.seed}: {text}; {played.schedule}" for bad, text in faults if bad
    ]


def table(rows: dict[str, Row]) -> str:
    """For a terminal."""
    columns = f"{'schedules':>9} {'double':>7} {'lost':>5} {'stuck':>6} {'liquidated':>11}"
    head = f"{'fault':32} {columns} {'blocks to protect':>22}"
    lines = [head]
    for kind, row in rows.items():
        waits = row.blocks_to_protect
        shown = f"{statistics.median(waits):.0f} median, {max(waits)} most" if waits else "-"
        lines.append(
            f"{kind:32} {row.schedules:9} {row.double_effects:7} {row.lost_intents:5} {row.stuck:6} "
            f"{row.avoidable_liquidations:11} {shown:>22}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
