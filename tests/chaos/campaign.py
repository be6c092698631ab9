"""`python -m tests.chaos.campaign --schedules 1000`: the campaign, its report by fault, and its exit code.

Exit 1 if any intent took effect twice, any was lost, any transaction is stuck, a false price was decided on, the vault
was liquidated where a keeper without faults would have saved it, a schedule could not be played, or (from FULL
schedules on) a kind of fault never struck. `--resume` goes on where the ledger ends; `--table` only prints
what is in it.
"""

import argparse
import faulthandler
import logging
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import structlog
from web3.exceptions import Web3Exception

from keeper.demo.start import band_for
from keeper.errors import EndpointError
from tests.chaos.ledger import ALL, Entry, Ledger, never_struck, rows, table
from tests.chaos.run import Played, play
from tests.chaos.schedule import KINDS, Schedule, draw
from tests.chaos.stage import HEALTH, ROOT, NodeHangs, Stage, set_stage

_HUNG = (NodeHangs, EndpointError, OSError, Web3Exception)
"""What the stage's own node raises when it does not answer; requests' errors are OSErrors."""
_MOST_HANGS = 3
_MOST_S = 240.0
"""Of wall time for one schedule, which takes seconds: longer, and the process ends and says where it stood."""
FOLDER = ROOT / "build" / "chaos"
LEDGER = FOLDER / "campaign.jsonl"
FULL = 10 * len(KINDS)
SLOW_BLOCKS = 6
"""A wait for protection from which on it is held against a keeper without any fault on the same path."""


def main() -> int:
    """Play, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schedules", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0, help="of the first schedule")
    parser.add_argument(
        "--jobs", type=int, default=2, help="processes, each with a node of its own"
    )
    parser.add_argument(
        "--ledger", type=Path, default=LEDGER, help="a line a schedule is added here"
    )
    parser.add_argument("--resume", action="store_true", help="play only what is not in the ledger")
    parser.add_argument("--table", action="store_true", help="play nothing, print the ledger")
    options = parser.parse_args()
    ledger = Ledger(options.ledger.absolute())
    if not options.resume and not options.table:
        ledger.path.unlink(missing_ok=True)
    begun, seeds = time.monotonic(), range(options.seed, options.seed + options.schedules)
    broken = []
    if not options.table:
        known = {entry.seed for entry in ledger.entries()}
        left = [seed for seed in seeds if seed not in known]
        broken = together(left, options.jobs, ledger)
    problems = _report(ledger.entries()) + broken
    print(f"{time.monotonic() - begun:.0f} s, {len(problems)} problems; {ledger.path}")
    return 1 if problems else 0


def _report(entries: Sequence[Entry]) -> list[str]:
    """Prints the table, what was slow and what was wrong."""
    found = rows(entries)
    print(table(found))
    for entry in (e for e in entries if e.without_faults is not None):
        print(_slow(entry))
    problems = [text for entry in entries for text in entry.problems()]
    if found[ALL].schedules >= FULL:
        problems += never_struck(found)
    for line in problems:
        print(line)
    return problems


def _slow(entry: Entry) -> str:
    return (
        f"seed {entry.seed}: {max(entry.blocks_to_protect, default=0)} blocks to protect, {entry.without_faults} "
        f"without faults; liquidations {entry.liquidations}"
    )


def together(seeds: Sequence[int], jobs: int, ledger: Ledger) -> list[str]:
    """Every schedule, shared out to processes; why one of these ended early."""
    shares = [list(seeds[job::jobs]) for job in range(jobs)]
    (ROOT / "build" / "localnet" / "logs").mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        try:
            list(pool.map(campaign, shares, [ledger] * jobs))
        except BrokenProcessPool:
            return [
                "a process of the campaign ended in the middle of a schedule (its stacks are above)"
            ]
    return []


def campaign(seeds: Sequence[int], ledger: Ledger) -> None:
    """Every schedule of the seeds, into the ledger."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    left, hangs = list(seeds), 0
    while left and hangs < _MOST_HANGS:
        try:
            _on_one_stage(left, ledger, len(seeds))
        except _HUNG as error:
            hangs += 1
            _note(Entry(left[0], *_words(draw(left[0])), broken=f"{error!r}"[:300]), ledger)
            del left[0]
        finally:
            faulthandler.cancel_dump_traceback_later()
    for seed in left:
        _note(Entry(seed, *_words(draw(seed)), broken="too many nodes hung before"), ledger)


def _on_one_stage(left: list[int], ledger: Ledger, total: int) -> None:
    """Plays the first of the seeds that are left, again and again, until there is none."""
    with (
        tempfile.TemporaryDirectory(prefix="gimbal-chaos-") as name,
        set_stage(Path(name), say=lambda _: None) as stage,
    ):
        while left:
            faulthandler.dump_traceback_later(_MOST_S, exit=True)
            _note(one(stage, draw(left[0])), ledger)
            del left[0]
            if (total - len(left)) % 25 == 0:
                print(f"{total - len(left)} of {total}", flush=True)


def _note(entry: Entry, ledger: Ledger) -> None:
    ledger.write(entry)
    slow = [_slow(entry)] if entry.without_faults is not None else []
    for line in (*slow, *entry.problems()):
        print(line, flush=True)


def one(stage: Stage, schedule: Schedule) -> Entry:
    """Plays a schedule, and where there is something to explain the same path without faults."""
    low = band_for(HEALTH).low
    played = play(stage, schedule, low)
    worst = max(played.blocks_to_protect, default=0)
    control = None
    if played.effects.liquidations or worst >= SLOW_BLOCKS:
        control = play(stage, replace(schedule, mishaps=()), low)
    return _entry(played, control, low)


def _entry(played: Played, control: Played | None, low: float) -> Entry:
    seen = played.effects
    return Entry(
        played.schedule.seed,
        *_words(played.schedule),
        struck=played.struck,
        double=seen.double,
        lost=played.lost,
        stuck=seen.stuck,
        effects=len(seen.by_intent),
        deceived=played.deceived,
        liquidations=seen.liquidations,
        unavoidable=control is not None and control.effects.liquidations > 0,
        in_danger_at_end=played.health < low,
        blocks_to_protect=played.blocks_to_protect,
        without_faults=None if control is None else max(control.blocks_to_protect, default=0),
        wall_s=round(played.wall_s, 2),
    )


def _words(schedule: Schedule) -> tuple[str, tuple[str, ...]]:
    return str(schedule), tuple(mishap.kind for mishap in schedule.mishaps)


if __name__ == "__main__":
    sys.exit(main())
