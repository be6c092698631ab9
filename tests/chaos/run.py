"""Plays one schedule: the market falls, things go wrong, the keeper ticks at every block; then all is quiet again."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from keeper.errors import GimbalError
from keeper.localnet.driver import Driver
from keeper.localnet.rpc import rpc
from tests.chaos.faults import (
    Late,
    LoseAnswer,
    LoseRequest,
    LyingPrice,
    NoReceipt,
    RateLimit,
    SendSays,
    SendTakenSays,
    Silent,
    Stale,
    Truncate,
    Twice,
    WrongHash,
)
from tests.chaos.keeping import Keeping, Killed
from tests.chaos.proxy import Fault
from tests.chaos.schedule import BLOCK_S, ONE, Mishap, Schedule
from tests.chaos.stage import Stage, rolled_back
from tests.chaos.verdict import Effects, effects, lost_intents

QUIET_BLOCKS = 40
"""At most, until everything in flight has come to its end."""
LATE_S = 0.6
"""Over the patience of the campaign's keepers with an endpoint."""


@dataclass(frozen=True, slots=True)
class Played:
    """One schedule and what came of it."""

    schedule: Schedule
    effects: Effects
    lost: tuple[str, ...]
    in_danger: tuple[int, ...]
    """Numbers of blocks mined while health was under the strategy's band."""
    refused_ticks: int
    """Ticks that ended in an error instead of an outcome."""
    restarts: int
    wall_s: float

    @property
    def blocks_to_protect(self) -> tuple[int, ...]:
        """From each first block in danger to the block in which health was raised."""
        waits = []
        protected = sorted(self.effects.protected_at)
        last = -1
        for begin in self.in_danger:
            if begin <= last:
                continue
            done = next((p for p in protected if p > begin), None)
            if done is None:
                break
            waits.append(done - begin)
            last = done
        return tuple(waits)


def play(stage: Stage, schedule: Schedule, low_health: float) -> Played:
    """The whole of a schedule, on a chain that is rolled back afterwards."""
    begun = time.monotonic()
    rng = random.Random(schedule.seed ^ 0x5EED)
    with rolled_back(stage), Driver(stage.world, schedule.path) as driver:
        first = driver.prime()
        stage.saw(first)
        danger: list[int] = []
        with Keeping(stage, schedule.seed) as keeping:
            for index in range(len(schedule.path)):
                active = [m for m in schedule.mishaps if m.active(index)]
                _strike_chain(stage, [m for m in active if m.begin == index], active, rng)
                record = driver.step()
                stage.saw(record)
                if stage.health() < low_health:
                    danger.append(record.number)
                _strike_endpoints(stage, schedule, active)
                keeping.strike(active, index)
                _tick(keeping)
            _settle(stage, keeping)
            seen = effects(stage.world, stage.deployment, first.number, stage.accounts)
            return Played(
                schedule=schedule,
                effects=seen,
                lost=lost_intents(keeping.journal, seen, 1),
                in_danger=tuple(danger),
                refused_ticks=keeping.refused,
                restarts=keeping.restarts,
                wall_s=time.monotonic() - begun,
            )


def _tick(keeping: Keeping) -> None:
    keeping.stage.passes_left = 2
    try:
        keeping.tick()
    except Killed:
        keeping.restart()
    except GimbalError:
        keeping.refused += 1


def _settle(stage: Stage, keeping: Keeping) -> None:
    """Faultless blocks until nothing is in flight."""
    for between in stage.proxies:
        between.faults = ()
    keeping.strike([], -1)
    for _ in range(QUIET_BLOCKS):
        rpc(stage.world.w3, "evm_setNextBlockTimestamp", hex(int(stage.chain_time) + BLOCK_S))
        rpc(stage.world.w3, "evm_mine")
        stage.look()
        _tick(keeping)
        if not keeping.journal.open_intents(1):
            return


def _strike_chain(
    stage: Stage, beginning: list[Mishap], active: list[Mishap], rng: random.Random
) -> None:
    for mishap in beginning:
        if mishap.kind == "reorganisation":
            rpc(stage.world.w3, "anvil_reorg", mishap.size, [])
            stage.look()
    for mishap in active:
        if mishap.kind == "mempool eviction" and rng.random() < mishap.share:
            rpc(stage.world.w3, "anvil_dropAllTransactions")


def _strike_endpoints(stage: Stage, schedule: Schedule, active: list[Mishap]) -> None:
    for place, between in enumerate(stage.proxies):
        between.faults = [
            fault
            for mishap in active
            if (mishap.kind in ONE and mishap.endpoint == place) or mishap.kind not in ONE
            for fault in _faults(stage, schedule, mishap, place)
        ]


def _faults(stage: Stage, schedule: Schedule, mishap: Mishap, place: int) -> list[Fault]:
    rng = random.Random(f"{schedule.seed} {mishap.kind} {place} {stage.newest}")
    share = mishap.share
    between = stage.proxies[place]
    made: dict[str, Callable[[], Fault]] = {
        "dead endpoint": Silent,
        "stale endpoint": lambda: Stale(
            mishap.size, lambda: stage.newest, lambda n: stage.hashes.get(n, "")
        ),
        "wrong block hash": lambda: WrongHash(rng, max(share, 0.3)),
        "lying about prices": lambda: LyingPrice(
            lambda: stage.price_wad, 1.4 if mishap.size % 2 else 0.7
        ),
        "delayed answers": lambda: Late(rng, min(share, 0.3), LATE_S),
        "lost requests": lambda: LoseRequest(rng, share),
        "lost answers": lambda: LoseAnswer(rng, share),
        "duplicated requests": lambda: Twice(rng, share, between.forward),
        "truncated JSON": lambda: Truncate(rng, share),
        "rate limits": lambda: RateLimit(rng, share),
        "empty receipts": lambda: NoReceipt(rng, share),
        "says already known, has it not": lambda: SendSays(rng, share, "already known"),
        "says already known, has it": lambda: SendTakenSays(rng, share, "already known"),
        "says nonce too low": lambda: SendSays(rng, share, "nonce too low"),
        "says nonce too high": lambda: SendSays(rng, share, "nonce too high"),
        "says replacement underpriced": lambda: SendSays(
            rng, share, "replacement transaction underpriced"
        ),
    }
    return [made[mishap.kind]()] if mishap.kind in made else []
