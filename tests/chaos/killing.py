"""`python -m tests.chaos.killing --kills 200`: the real keeper process, killed again and again, and the chain then.

Half of the kills are at the edges of the journal's writes, of the signature and of the broadcast, each in turn; the
others at random instants. Exit 1 if an intent took effect twice, one that was journalled is lost, or a nonce has a gap.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from keeper.journal.store import open_journal
from keeper.localnet.rpc import rpc
from tests.chaos.stage import ROOT, Stage, set_stage
from tests.chaos.verdict import effects, lost_intents
from tests.chaos.victim import EDGES, WRITES

REPORT = ROOT / "build" / "chaos" / "killing.json"
_BLOCK_WALL_S, _BLOCK_CHAIN_S = 0.25, 12
_LIFE_S = 45.0
_SETTLED_S = 120.0
_STARTED = "keeper started"
_WHILE_RUNNING = 0.8
"""Share of the kills at random instants."""


@dataclass
class Toll:
    """What was killed where, and what the chain says."""

    at_edges: int = 0
    at_random: int = 0
    survived: int = 0
    """Processes that never came to their edge and were killed after a while instead."""
    effects: int = 0
    problems: list[str] = field(default_factory=list)


def main() -> int:
    """Kill, verify, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    toll = campaign(options.kills, options.seed)
    print(
        f"{toll.at_edges} kills at edges, {toll.at_random} at random instants, {toll.survived} never came to their "
        f"edge; {toll.effects} intents took effect, each once: {not toll.problems}"
    )
    for problem in toll.problems:
        print(problem)
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(toll.__dict__, indent=1))
    return 1 if toll.problems else 0


def campaign(kills: int, seed: int) -> Toll:
    """All kills on one vault with one journal."""
    rng = random.Random(seed)
    toll = Toll()
    with tempfile.TemporaryDirectory(prefix="gimbal-kill-") as name, set_stage(Path(name)) as stage:
        first = stage.world.w3.eth.block_number
        settings = _settings(stage)
        with _mining(stage):
            for turn in range(kills):
                edge = _spread(turn // 2) if turn % 2 == 0 else None
                _one(stage, settings, edge, rng, toll)
                if turn % 20 == 19:
                    print(f"{turn + 1} kills", flush=True)
            settled = _settle(stage, settings)
        _verify(stage, first, settled, toll)
    return toll


def _spread(turn: int) -> int:
    """Every edge once, far apart, before any for the second time it is reached, and so on."""
    times, place = divmod(turn, EDGES)
    return times * EDGES + place * 5 % EDGES


def _settings(stage: Stage) -> Path:
    file = stage.folder / "keeper.toml"
    file.write_text(
        f'chain_id = 1\nrpc_url = "{stage.world.http_url}"\nvault = "{stage.deployment.vault}"\n'
        f'lens = "{stage.deployment.lens}"\n[tick]\npoll_interval_s = 0.05\nmax_head_ahead_s = 1000000000\n'
        "max_head_age_s = 1000000000\ndeadline_s = 600\n[planning]\nmin_trade = 1\n"
        '[journal]\npath = "journal.sqlite"\n[log]\nlevel = "info"\n',
        encoding="utf-8",
    )
    return file


def _start(stage: Stage, settings: Path, **more: str) -> subprocess.Popen[bytes]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIMBAL_")}
    env |= {"GIMBAL_PRIVATE_KEY": stage.keys[0], "PYTHONPATH": str(ROOT), **more}
    with (stage.folder / "victim.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.victim", str(settings)],
            cwd=stage.folder,
            env=env,
            stdout=log,
            stderr=log,
        )


def _one(stage: Stage, settings: Path, edge: int | None, rng: random.Random, toll: Toll) -> None:
    if edge is None:
        said = len(_log(stage))
        process = _start(stage, settings)
        if rng.random() < _WHILE_RUNNING:  # else while it starts
            _wait_for(lambda: _STARTED in _log(stage)[said:])
        try:
            process.wait(rng.uniform(0.0, 2.0))
            toll.problems.append(f"ended by itself with {process.returncode}: {_tail(stage)}")
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            toll.at_random += 1
        return
    process = _start(stage, settings, CHAOS_EDGE=str(edge))
    try:
        code = process.wait(_LIFE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        toll.survived += 1
        return
    if code == -9:
        toll.at_edges += 1
    else:
        owner, name = WRITES[(edge % EDGES) // 2]
        toll.problems.append(f"edge {owner.__name__}.{name} ended with {code}: {_tail(stage)}")


def _wait_for(there: Callable[[], bool]) -> None:
    end = time.monotonic() + _LIFE_S
    while not there() and time.monotonic() < end:
        time.sleep(0.02)


def _log(stage: Stage) -> str:
    file = stage.folder / "victim.log"
    return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""


def _tail(stage: Stage) -> str:
    return _log(stage)[-600:]


@contextmanager
def _mining(stage: Stage) -> Iterator[None]:
    """A block every quarter of a second, twelve seconds of chain time each, and fresh prices."""
    from keeper.localnet.market import refresh_answers

    done = threading.Event()
    w3 = stage.world.w3
    rpc(w3, "evm_setAutomine", False)

    def mine() -> None:
        count = 0
        while not done.wait(_BLOCK_WALL_S):
            count += 1
            rpc(w3, "anvil_mine", "0x1", hex(_BLOCK_CHAIN_S))
            if count % 100 == 0:
                rpc(w3, "evm_setAutomine", True)
                refresh_answers(stage.world)
                rpc(w3, "evm_setAutomine", False)

    miner = threading.Thread(target=mine, daemon=True)
    miner.start()
    try:
        yield
    finally:
        done.set()
        miner.join()


def _settle(stage: Stage, settings: Path) -> bool:
    """A keeper that wants nothing finishes what the dead ones left."""
    process = _start(stage, settings, CHAOS_HOLD="1")
    end = time.monotonic() + _SETTLED_S
    try:
        while time.monotonic() < end:
            time.sleep(0.5)
            with open_journal(stage.folder / "journal.sqlite", exclusive=False) as journal:
                if not journal.open_intents(1):
                    return True
        return False
    finally:
        process.terminate()
        process.wait(30)


def _verify(stage: Stage, first: int, settled: bool, toll: Toll) -> None:
    seen = effects(stage.world, stage.deployment, first, stage.accounts)
    toll.effects = len(seen.by_intent)
    with open_journal(stage.folder / "journal.sqlite", exclusive=False) as journal:
        lost = lost_intents(journal, seen, 1)
    if not settled:
        toll.problems.append("intents are still open after the quiet time")
    toll.problems += [f"took effect twice: {intent}" for intent in seen.double]
    toll.problems += [f"lost: {intent}" for intent in lost]
    if seen.stuck:
        toll.problems.append(f"{seen.stuck} transactions are stuck behind a gap")
    if not seen.by_intent:
        toll.problems.append("nothing took effect: the campaign proves nothing")


if __name__ == "__main__":
    sys.exit(main())
