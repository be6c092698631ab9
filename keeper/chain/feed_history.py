"""A feed's own past, read back from it: rounds of its phase, newest first, in batches that k endpoints agree on."""

from collections.abc import Sequence
from typing import Any

from keeper.chain.source import Source
from keeper.chain.views import BATCH, View
from keeper.errors import RpcError
from keeper.model.block import BlockStamp

_ROUND_OF = View("getRoundData", ("uint80",), "uint80", "int256", "uint256", "uint256", "uint80")
_PHASE_MASK = 2**64 - 1

Round = tuple[int, int]
"""(unix seconds of its answer, the answer)."""


def rounds_before(
    source: Source,
    feed: str,
    before: int,
    block: BlockStamp,
    *,
    most: int = BATCH,
    after: int | None = None,
) -> tuple[list[Round], int]:
    """(rounds, ascending in time; how many were asked for): up to `most` (a batch at most) just before round `before`.

    Fewer come than were asked for at a round that is not there or not older than the one after it (`after`: unix
    seconds of round `before`); none are asked for at the start of the feed's phase: what an aggregator before it
    answered has other round ids. Raises ReadError as any read.
    """
    size = min(most, BATCH, max(0, (before & _PHASE_MASK) - 1))
    if size <= 0:
        return [], 0
    ids = range(before - size, before)
    calls = [_ROUND_OF.call(feed, block, round_id) for round_id in ids]
    found = _read(source, source.agreed_batch(calls), block)
    return _unbroken(found, after), size


def _read(source: Source, answers: Sequence[Any], block: BlockStamp) -> list[Round | None]:
    found: list[Round | None] = []
    for answer in answers:
        try:
            _, value, _, at, _ = _ROUND_OF.decode(answer, source.name, block)
        except RpcError:
            found.append(None)
            continue
        found.append((int(at), int(value)) if at > 0 and value > 0 else None)
    return found


def _unbroken(found: Sequence[Round | None], after: int | None) -> list[Round]:
    """From the newest back to the first that is missing or not older than the one after it."""
    kept: list[Round] = []
    for one in reversed(found):
        if one is None or (after is not None and one[0] > after):
            break
        kept.append(one)
        after = one[0]
    return kept[::-1]
