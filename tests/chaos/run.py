"""Plays one schedule: the market falls, things go wrong, the keeper ticks at every block; then all is quiet again."""

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from keeper.localnet.driver import BlockRecord, Driver
from keeper.model.intent_state import IntentState
from tests.chaos.faults import (
    Again,
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
from tests.chaos.keeping import Keeping
from tests.chaos.proxy import Fault
from tests.chaos.schedule import BASE_FEE_WEI, ONE, Mishap, Schedule
from tests.chaos.stage import Stage, rolled_back
from tests.chaos.verdict import Effects, effects, lost_intents

QUIET_BLOCKS = 40
"""At most, until everything in flight is mined or given up."""
FINALITY_LAG = 70
"""The node's finalised block is 64 behind its newest."""
FINAL_LOOKS = 4
_QUIET_BLOCK_S = 12
_IN_CHAIN = frozenset({IntentState.INCLUDED, IntentState.CONFIRMED})
_DEAR_WEI = 90 * BASE_FEE_WEI
_OFF_MARKET = 0.005
"""The feed answers at this deviation: further off, and it is stalled."""
LATE_S = 0.35
"""Over the patience of the campaign's keepers with an endpoint."""


@dataclass(frozen=True, slots=True)
class Played:
    """One schedule and what came of it."""

    schedule: Schedule
    effects: Effects
    lost: tuple[str, ...]
    blocks_to_protect: tuple[int, ...]
    """From each first block in danger to the block in which health was back in the band."""
    refused_ticks: int
    """Ticks that ended in an error instead of an outcome."""
    restarts: int
    deceived: int
    """Decisions on a price that the chain does not have."""
    struck: dict[str, int]
    """How often each kind of fault did."""
    health: float
    """When all is quiet again."""
    wall_s: float


class Danger:
    """How long health was under the strategy's band, as the blocks were mined: what a reorganisation undid, a keeper
    has to do again, and its time runs again."""

    def __init__(self, stage: Stage, low_health: float) -> None:
        self._stage, self._low = stage, low_health
        self._since: int | None = None
        self.waits: list[int] = []

    def look(self) -> None:
        """At the newest block."""
        number = self._stage.newest
        if self._stage.health < self._low:
            self._since = number if self._since is None else self._since
        elif self._since is not None:
            self.waits.append(number - self._since)
            self._since = None


def play(stage: Stage, schedule: Schedule, low_health: float) -> Played:
    """The whole of a schedule, on a chain that is rolled back afterwards."""
    begun = time.monotonic()
    with rolled_back(stage), Driver(stage.world, schedule.path) as driver:
        first = driver.prime()
        stage.saw(first)
        danger = Danger(stage, low_health)
        with Keeping(stage, schedule) as keeping:
            faulty = Faulty(stage, schedule)
            for index in range(len(schedule.path)):
                active = [m for m in schedule.mishaps if m.active(index)]
                with stage.quiet():
                    faulty.strike_chain(active, index)
                    record = driver.step()
                stage.saw(record)
                faulty.saw(record, active)
                danger.look()
                faulty.strike_endpoints(active)
                keeping.strike(active, index)
                keeping.block()
            faulty.strike_endpoints([])
            _settle(stage, keeping, danger)
            seen = effects(stage.world, stage.deployment, first.number, stage.accounts)
            return Played(
                schedule=schedule,
                effects=seen,
                lost=lost_intents(keeping.journal, seen, 1),
                blocks_to_protect=tuple(danger.waits),
                refused_ticks=keeping.refused,
                restarts=keeping.restarts,
                deceived=keeping.deceived,
                struck=dict(faulty.struck() + keeping.struck),
                health=stage.health,
                wall_s=time.monotonic() - begun,
            )


def _settle(stage: Stage, keeping: Keeping, danger: Danger) -> None:
    """Faultless blocks until nothing is in flight, and then so many that what is mined is final."""
    keeping.strike([], -1)
    for _ in range(QUIET_BLOCKS):
        _quiet(stage, keeping, 1)
        danger.look()
        states = {record.state for record in keeping.journal.open_intents(1)}
        if states <= _IN_CHAIN:
            break
    for _ in range(FINAL_LOOKS):
        if not keeping.journal.open_intents(1):
            return
        _quiet(stage, keeping, FINALITY_LAG)
        danger.look()


def _quiet(stage: Stage, keeping: Keeping, blocks: int) -> None:
    stage.node.call("anvil_mine", [hex(blocks), hex(_QUIET_BLOCK_S)])
    stage.look()
    keeping.block()


class Faulty:
    """Lets the faults of a schedule loose on the chain and on the endpoints, and counts how often each struck."""

    def __init__(self, stage: Stage, schedule: Schedule) -> None:
        self._stage = stage
        self._schedule = schedule
        self._rng = random.Random(schedule.seed ^ 0x5EED)
        self._struck: Counter[str] = Counter()
        self._loose: list[tuple[str, Fault]] = []
        self._cuts = self._cut_lines()

    def struck(self) -> Counter[str]:
        """By kind."""
        for kind, fault in self._loose:
            self._struck[kind] += fault.struck
        self._loose = []
        cuts = self._cut_lines()
        self._struck["websocket cut"] += cuts - self._cuts
        self._cuts = cuts
        return self._struck

    def _cut_lines(self) -> int:
        return sum(between.heads.cuts for between in self._stage.proxies)

    def strike_chain(self, active: Sequence[Mishap], index: int) -> None:
        """Before a block is mined."""
        for mishap in active:
            if mishap.kind == "reorganisation" and mishap.begin == index:
                self._reorganise(mishap.size)
            if mishap.kind == "mempool eviction" and self._rng.random() < mishap.share:
                # between two blocks nobody has anything in the pool but the keeper
                pool = self._stage.node.call("txpool_status", [])
                self._struck[mishap.kind] += any(int(n, 16) for n in pool.values())
                self._stage.node.call("anvil_dropAllTransactions", [])

    def saw(self, record: BlockRecord, active: Sequence[Mishap]) -> None:
        """The block that the keeper is shown next, with faults of the chain in it or not."""
        kinds = {m.kind for m in active}
        dear = record.base_fee_wei >= _DEAR_WEI
        late = abs(record.oracle_price / record.market_price - 1) > _OFF_MARKET
        self._struck["base fee x100"] += dear and "base fee x100" in kinds
        self._struck["oracle stall"] += late and "oracle stall" in kinds

    def _reorganise(self, depth: int) -> None:
        """Its transactions are gone; half of the time pools elsewhere still have them and give them back."""
        node, counts = self._stage.node, "eth_getTransactionCount"
        ours = [(counts, [account, "latest"]) for account in self._stage.accounts]
        before = node.batch(ours)
        node.call("anvil_reorg", [depth, []])
        of_ours = before != node.batch(ours)
        self._struck["reorganisation"] += 1
        self._struck[f"reorganisation, depth {depth}"] += 1
        self._struck["reorganisation of the keeper's own"] += of_ours
        if self._rng.random() < 0.5:
            known = {raw: None for between in self._stage.proxies for raw in between.seen_raw}
            if known:
                node.batch([("eth_sendRawTransaction", [raw]) for raw in known])
        self._stage.look()

    def strike_endpoints(self, active: Sequence[Mishap]) -> None:
        """After it is mined and before the keeper looks."""
        kinds = {m.kind for m in active}
        for place, between in enumerate(self._stage.proxies):
            made = [
                (mishap.kind, fault)
                for mishap in active
                if (mishap.kind in ONE and mishap.endpoint == place) or mishap.kind not in ONE
                for fault in _faults(self._stage, self._schedule, mishap, place)
            ]
            self._loose += made
            between.faults = [fault for _, fault in made]
            if "websocket cut" in kinds and self._rng.random() < 0.7:
                between.heads.cut()
            else:
                between.heads.mend()


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
        "duplicated answers": lambda: Again(rng, share),
        "truncated JSON": lambda: Truncate(rng, share),
        "rate limits": lambda: RateLimit(rng, share, stage.clock),
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
