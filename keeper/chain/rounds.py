"""Which rounds of a feed straddle an instant: searched back from the newest, within its phase."""

from collections.abc import Sequence
from typing import Any

from keeper.chain.source import Source
from keeper.chain.views import View, in_batches
from keeper.errors import RpcError
from keeper.model.block import BlockStamp
from keeper.model.desk import Straddle

_ROUND = ("uint80", "int256", "uint256", "uint256", "uint80")
_LATEST = View("latestRoundData", (), *_ROUND)
_ROUND_OF = View("getRoundData", ("uint80",), *_ROUND)
_PHASE_MASK = 2**64 - 1
_STEP = 32
MOST_ROUNDS = 512
"""Two weeks of an hourly feed; beyond it somebody else must prove."""


def find_straddles(
    source: Source, feeds: Sequence[str], instant: int, block: BlockStamp
) -> tuple[Straddle | None, ...]:
    """Of each feed, the round in force at `instant` and the next; None where they are not (yet) there."""
    latest = in_batches(source, [_LATEST.call(feed, block) for feed in feeds])
    newest = [int(_LATEST.decode(answer, source.name, block)[0]) for answer in latest]
    return tuple(
        _search(source, feed, first, instant, block)
        for feed, first in zip(feeds, newest, strict=True)
    )


def _search(
    source: Source, feed: str, newest: int, instant: int, block: BlockStamp
) -> Straddle | None:
    after = 0
    least = newest - min(MOST_ROUNDS, (newest & _PHASE_MASK) - 1)
    for start in range(newest, least - 1, -_STEP):
        ids = range(start, max(least, start - _STEP + 1) - 1, -1)
        answers = in_batches(source, [_ROUND_OF.call(feed, block, i) for i in ids])
        for round_id, answer in zip(ids, answers, strict=True):
            at = _updated_at(answer, source, block)
            if at == 0:
                return None  # a gap: nothing behind it is a neighbour
            if at <= instant:
                return Straddle(round_id, after) if after else None
            after = round_id
    return None


def _updated_at(answer: Any, source: Source, block: BlockStamp) -> int:
    """When a round was answered; 0 if it does not exist."""
    try:
        return int(_ROUND_OF.decode(answer, source.name, block)[3])
    except RpcError:
        return 0
