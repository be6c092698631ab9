"""How likely a transaction is in within so many blocks, from what recent blocks asked for. Pure.

A tip was enough in a block or it was not: a chain of hits and misses. Congestion comes in bouts, so the chain is
taken as a Markov chain of two states, estimated for each tip from consecutive blocks, and not as independent
draws, which would promise too much after a miss. With `k` of `n` transitions into a hit the estimate is
q = (k + 1/2) / (n + 3/2), less one standard error sqrt(q (1 - q) / (n + 3/2)): the least tip that looks good
enough is chosen, and what is chosen for looking good is flattered. Short histories promise less, and nothing is
ever certain. Bouts as long as the history itself are beyond it: there, promises are a few hundredths short.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

_UNSEEN = 1.0 / 3.0
"""Chance where nothing was seen: (0 + 1/2) / (0 + 3/2). A tip that never missed says nothing of what follows a miss;
taken for hopeless, it would not be in within any time with more than the chance of the next block."""


@dataclass(frozen=True, slots=True)
class Odds:
    """Chances of one tip, a block at a time."""

    next_block: float
    """Of being in the next block."""
    after_a_miss: float
    """Of being in a block when it was not in the one before."""

    def within(self, blocks: int) -> float:
        """Probability of being in within so many blocks."""
        if blocks <= 0:
            return 0.0
        misses = (1.0 - self.next_block) * (1.0 - self.after_a_miss) ** (blocks - 1)
        return 1.0 - float(misses)


class InclusionModel:
    """Built of the tips that would have been enough in recent blocks, oldest first; wei a gas."""

    def __init__(self, required_tips_wei: Sequence[int]) -> None:
        self._required = tuple(required_tips_wei)

    def odds(self, tip_wei: int) -> Odds:
        """Chances of a tip in the market as it is now."""
        hits = [required <= tip_wei for required in self._required]
        after = _share([now for before, now in pairwise(hits) if not before])
        if not hits:
            return Odds(0.5, 0.5)
        stays = _share([now for before, now in pairwise(hits) if before])
        return Odds(stays if hits[-1] else after, after)

    def blocks_for(self, tip_wei: int, probability: float, most: int = 1_000) -> int:
        """Fewest blocks within which the tip is in with the probability; `most` if it takes longer."""
        odds = self.odds(tip_wei)
        first, after = 1.0 - odds.next_block, 1.0 - odds.after_a_miss
        if first <= 1.0 - probability:
            return 1
        if after >= 1.0:
            return most
        more = math.log((1.0 - probability) / first) / math.log(after)
        # a rounded logarithm may be a block off where the chance is the probability itself
        near = range(max(1, math.ceil(more)), math.ceil(more) + 3)
        return min(most, next((n for n in near if odds.within(n) >= probability), most))

    def tip_for(self, blocks: int, probability: float) -> int:
        """Least tip that is in within so many blocks with the probability.

        If the history knows none, an eighth over the greatest tip it asked for: what cannot be promised is
        at least bid for.
        """
        candidates = sorted(set(self._required))
        for tip in candidates:
            if self.odds(tip).within(blocks) >= probability:
                return tip
        return -(-candidates[-1] * 9 // 8) if candidates else 0


@dataclass(frozen=True, slots=True)
class UrgencyPolicy:
    """How sure protection must be to be in by its deadline."""

    probability: float = 0.99
    block_time_s: float = 12.0


def blocks_left(now: float, needed_by: float, policy: UrgencyPolicy) -> int:
    """Blocks until the deadline, at least the next one."""
    return max(1, int((needed_by - now) / policy.block_time_s))


def urgent_tip(model: InclusionModel, now: float, needed_by: float, policy: UrgencyPolicy) -> int:
    """The urgency curve: least tip, wei a gas, that is in by the deadline with the configured probability.

    It rises by itself as the deadline comes nearer, because fewer blocks are left to be lucky in.
    """
    return model.tip_for(blocks_left(now, needed_by, policy), policy.probability)


def latest_start(
    model: InclusionModel, tip_wei: int, needed_by: float, policy: UrgencyPolicy
) -> float:
    """Unix seconds by which a transaction with the tip must be out, to be in by `needed_by` as sure as asked.

    `urgent_tip` is the least tip whose latest start is not past, as far as recent blocks know one.
    """
    return (
        needed_by - model.blocks_for(tip_wei, policy.probability, most=10_000) * policy.block_time_s
    )


def _share(hits: Sequence[bool]) -> float:
    if not hits:
        return _UNSEEN
    weight = len(hits) + 1.5
    share = (sum(hits) + 0.5) / weight
    return max(0.0, share - math.sqrt(share * (1.0 - share) / weight))
