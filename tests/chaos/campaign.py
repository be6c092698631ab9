"""`python -m tests.chaos.campaign --schedules 1000`: the campaign, its report by fault, and its exit code.

Exit 1 if any intent took effect twice, any was lost, any transaction is stuck, or the vault was liquidated where a
keeper without faults would have saved it.
"""

import argparse
import json
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field, fields, replace
from multiprocessing import get_context
from pathlib import Path

import structlog
from web3.exceptions import Web3Exception

from keeper.demo.start import band_for
from keeper.errors import EndpointError
from tests.chaos.run import Played, play
from tests.chaos.schedule import KINDS, Schedule, draw
from tests.chaos.stage import HEALTH, ROOT, Stage, set_stage

_HUNG = (EndpointError, OSError, Web3Exception)
"""What the stage's own node raises when it does not answer; requests' errors are OSErrors."""
FOLDER = ROOT / "build" / "chaos"
SLOW_BLOCKS = 6
"""A wait for protection from which on it is held against a keeper without any fault on the same path."""


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
    """In which a keeper without faults on the same path, at the same fees, was not liquidated."""
    unavoidable_liquidations: int = 0
    blocks_to_protect: list[int] = field(default_factory=list)

    def add(self, other: "Row") -> None:
        """Both together."""
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))


@dataclass
class Tally:
    """All schedules played."""

    rows: dict[str, Row] = field(default_factory=lambda: {kind: Row() for kind in (*KINDS, "all")})
    problems: list[str] = field(default_factory=list)
    slow: list[str] = field(default_factory=list)
    """Waits of some length, beside those of a keeper without faults."""
    node_hangs: int = 0
    """Times the node of the stage stopped answering and the schedule was played again on a new one."""
    wall_s: float = 0.0

    def add(self, other: "Tally") -> None:
        """Both together."""
        for kind, row in other.rows.items():
            self.rows[kind].add(row)
        self.problems += other.problems
        self.slow += other.slow
        self.node_hangs += other.node_hangs
        self.wall_s = max(self.wall_s, other.wall_s)


def main() -> int:
    """Play, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schedules", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0, help="of the first schedule")
    parser.add_argument(
        "--jobs", type=int, default=2, help="processes, each with a node of its own"
    )
    options = parser.parse_args()
    tally = together(options.seed, options.schedules, options.jobs)
    print(table(tally.rows))
    for line in (*tally.slow, *tally.problems):
        print(line)
    report = FOLDER / "report.json"
    FOLDER.mkdir(parents=True, exist_ok=True)
    report.write_text(json.dumps({"first_seed": options.seed, **asdict(tally)}, indent=1))
    count, bad = options.schedules, len(tally.problems)
    print(f"{count} schedules in {tally.wall_s:.0f} s, {bad} problems; {report.relative_to(ROOT)}")
    return 1 if tally.problems else 0


def together(first: int, schedules: int, jobs: int) -> Tally:
    """Every schedule from a seed on, shared out to processes."""
    shares = [range(first + job, first + schedules, jobs) for job in range(jobs)]
    tally = Tally()
    (ROOT / "build" / "localnet" / "logs").mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for part in pool.map(campaign, shares):
            tally.add(part)
    return tally


def campaign(seeds: Sequence[int]) -> Tally:
    """Every schedule of the seeds; rows by fault, and everything that must not be."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    tally, begun = Tally(), time.monotonic()
    left = list(seeds)
    while left:
        before = len(left)
        try:
            _until_the_node_hangs(left, tally, len(seeds))
        except _HUNG as error:
            print(f"the node hangs at seed {left[0]}: a new one ({error})"[:200], flush=True)
            tally.node_hangs += 1
            if len(left) == before and tally.node_hangs > 1:
                tally.problems.append(f"seed {left[0]}: no node survives it; {draw(left.pop(0))}")
    tally.wall_s = time.monotonic() - begun
    return tally


def _until_the_node_hangs(left: list[int], tally: Tally, total: int) -> None:
    """Plays the first of the seeds that are left, again and again, on one stage."""
    with (
        tempfile.TemporaryDirectory(prefix="gimbal-chaos-") as name,
        set_stage(Path(name), say=lambda _: None) as stage,
    ):
        while left:
            known = len(tally.problems), len(tally.slow)
            one(stage, draw(left[0]), tally)
            del left[0]
            for line in (*tally.problems[known[0] :], *tally.slow[known[1] :]):
                print(line, flush=True)
            if (total - len(left)) % 25 == 0:
                bad = len(tally.problems)
                print(f"{total - len(left)} of {total}: {bad} problems", flush=True)


def one(stage: Stage, schedule: Schedule, tally: Tally) -> Played:
    """Plays a schedule, and where there is something to explain the same path without faults."""
    low = band_for(HEALTH).low
    played = play(stage, schedule, low)
    worst = max(played.blocks_to_protect, default=0)
    unavoidable = False
    if played.effects.liquidations or worst >= SLOW_BLOCKS:
        control = play(stage, replace(schedule, mishaps=()), low)
        unavoidable = control.effects.liquidations > 0
        tally.slow.append(
            f"seed {schedule.seed}: {worst} blocks to protect, {max(control.blocks_to_protect, default=0)} "
            f"without faults; liquidations {played.effects.liquidations} and {control.effects.liquidations}"
        )
    tally.problems += _count(tally.rows, played, unavoidable=unavoidable)
    return played


def _count(rows: dict[str, Row], played: Played, *, unavoidable: bool) -> list[str]:
    """Counts a schedule in the rows of its faults; what was wrong with it."""
    seen = played.effects
    for kind in ("all", *(m.kind for m in played.schedule.mishaps)):
        strikes = sum(played.struck.values()) if kind == "all" else played.struck.get(kind, 0)
        row = Row(
            schedules=1,
            struck_in=int(strikes > 0),
            strikes=strikes,
            double_effects=len(seen.double),
            lost_intents=len(played.lost),
            stuck=seen.stuck,
            avoidable_liquidations=0 if unavoidable else seen.liquidations,
            unavoidable_liquidations=seen.liquidations if unavoidable else 0,
            blocks_to_protect=list(played.blocks_to_protect),
        )
        rows[kind].add(row)
    avoidable = bool(seen.liquidations) and not unavoidable
    faults = (
        (bool(seen.double), f"took effect twice: {seen.double}"),
        (bool(played.lost), f"lost: {played.lost}"),
        (bool(seen.stuck), f"{seen.stuck} transactions stuck"),
        (avoidable, f"{seen.liquidations} liquidations that a keeper without faults avoids"),
        (not seen.by_intent, "nothing took effect: the schedule proves nothing"),
    )
    return [
        f"seed {played.schedule.seed}: {text}; {played.schedule}" for bad, text in faults if bad
    ]


def table(rows: dict[str, Row]) -> str:
    """For a terminal."""
    columns = (
        f"{'schedules':>9} {'struck in':>9} {'strikes':>8} {'double':>6} {'lost':>5} {'stuck':>5}"
    )
    lines = [f"{'fault':32} {columns} {'avoidable':>9} {'other':>5} {'blocks to protect':>20}"]
    for kind, row in rows.items():
        waits = row.blocks_to_protect
        shown = f"{statistics.median(waits):.0f} median, {max(waits)} most" if waits else "-"
        lines.append(
            f"{kind:32} {row.schedules:9} {row.struck_in:9} {row.strikes:8} {row.double_effects:6} "
            f"{row.lost_intents:5} {row.stuck:5} {row.avoidable_liquidations:9} "
            f"{row.unavoidable_liquidations:5} {shown:>20}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
