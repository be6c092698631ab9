"""From a seed to what goes wrong, where and when: the whole of a schedule is a value that can be printed."""

import random
from dataclasses import dataclass, field

import numpy as np

from keeper.localnet.paths.path import PricePath

ENDPOINTS = 3
BLOCK_S = 60
CALM, TAIL = 4, 6
"""Blocks before and after the fall. It is as fast as the vault's own average of prices can follow: faster, and the
vault refuses swaps, whoever the keeper is."""
START_PRICE = 2_000.0
_START_TIME = 1_704_067_200
BASE_FEE_WEI = 20 * 10**9

ONE = (
    "dead endpoint",
    "stale endpoint",
    "wrong block hash",
    "lying about prices",
    "delayed answers",
)
"""Of one endpoint at a time: two of three must agree, so one may be anything."""
ANY = (
    "lost requests",
    "lost answers",
    "duplicated requests",
    "duplicated answers",
    "truncated JSON",
    "rate limits",
    "empty receipts",
    "says already known, has it not",
    "says already known, has it",
    "says nonce too low",
    "says nonce too high",
    "says replacement underpriced",
    "websocket cut",
)
"""Of every endpoint, some of the time."""
CHAIN = ("mempool eviction", "reorganisation", "base fee x100", "oracle stall")
OWN = ("signer outage", "full disk", "clock skew", "slow database", "crash of the keeper")
KINDS = ONE + ANY + CHAIN + OWN


@dataclass(frozen=True, slots=True)
class Mishap:
    """One fault while it lasts."""

    kind: str
    begin: int
    """First block of the path it is active in."""
    end: int
    """First block it is no longer."""
    endpoint: int
    share: float
    """Of requests it strikes."""
    size: int
    """Blocks behind, blocks reorganised, seconds of skew: by kind."""

    def active(self, block: int) -> bool:
        """True while it lasts."""
        return self.begin <= block < self.end


@dataclass(frozen=True, slots=True)
class Schedule:
    """A crash of the market, and what goes wrong meanwhile."""

    seed: int
    path: PricePath = field(repr=False)
    fall: float
    blocks: int
    """In which the market falls."""
    mishaps: tuple[Mishap, ...]


def draw(seed: int) -> Schedule:
    """The schedule of a seed: the kind turns with the seed, so that every kind has its share of schedules."""
    rng = random.Random(seed)
    blocks = rng.randint(18, 23)
    fall = rng.uniform(0.34, 0.40)
    victim = rng.randrange(ENDPOINTS)
    kinds = [KINDS[seed % len(KINDS)], *rng.sample(KINDS, rng.choice((0, 1, 1, 2)))]
    mishaps = tuple(_mishap(kind, blocks, victim, rng) for kind in dict.fromkeys(kinds))
    path = _path(seed, fall, blocks, mishaps)
    return Schedule(seed, path, fall, blocks, mishaps)


def _mishap(kind: str, blocks: int, victim: int, rng: random.Random) -> Mishap:
    begin = CALM + rng.randint(0, blocks - 4)
    most = 3 if kind in _SHORT else blocks
    end = begin + rng.randint(1, most)
    share = rng.choice((0.1, 0.3, 0.6, 1.0 if kind in ONE else 0.6))
    if kind in _RARE:
        begin, end = min(begin, CALM + 1), max(end, CALM + blocks)
    if kind == "mempool eviction":
        share = min(share, _MOST_EVICTED)
    return Mishap(
        kind=kind,
        begin=begin,
        end=end,
        endpoint=victim,
        share=share,
        size=rng.randint(1, 7),
    )


_SHORT = frozenset({"signer outage", "full disk", "oracle stall", "clock skew", "reorganisation"})
"""Nobody can protect without them: they last a few blocks, as a machine that is being restarted does."""
_RARE = frozenset(
    {kind for kind in ANY if kind.startswith("says ")} | {"empty receipts", "mempool eviction"}
)
"""They need a transaction to strike, and a keeper sends a few in a fall: they last as long as it does."""
_MOST_EVICTED = 0.3
"""Of blocks: when everything is evicted again and again, nobody can protect."""


def _path(seed: int, fall: float, blocks: int, mishaps: tuple[Mishap, ...]) -> PricePath:
    noise = np.random.Generator(np.random.Philox(seed))
    total = CALM + blocks + TAIL
    way = np.concatenate((np.zeros(CALM), np.linspace(0.0, 1.0, blocks), np.ones(TAIL)))
    level = np.log(1.0 - fall) * way + 0.002 * noise.standard_normal(total) * (way < 1)
    fees = np.full(total, BASE_FEE_WEI, dtype=np.int64)
    online = np.ones(total, dtype=np.bool_)
    for mishap in mishaps:
        when = slice(mishap.begin, mishap.end)
        if mishap.kind == "base fee x100":
            fees[when] *= 100
        if mishap.kind == "oracle stall":
            online[when] = False
    return PricePath(
        name=f"chaos {seed}",
        seed=seed,
        start_time=_START_TIME,
        block_seconds=BLOCK_S,
        times=_START_TIME + BLOCK_S * np.arange(total, dtype=np.int64),
        market_price=START_PRICE * np.exp(level),
        oracle_online=online,
        base_fee_wei=fees,
        description="a fall with faults",
    )
