"""A feed's own past, read back from it: rounds of its phase, newest first, in batches that k endpoints agree on."""

from collections.abc import Iterator, Sequence
from typing import Any

from keeper.chain.source import Source
from keeper.chain.views import BATCH, View
from keeper.errors import ReadError, RpcError
from keeper.model.block import BlockStamp

_ROUND_OF = View("getRoundData", ("uint80",), "uint80", "int256", "uint256", "uint256", "uint80")
_PHASE_MASK = 2**64 - 1

Round = tuple[int, int]
"""(unix seconds of its answer, the answer)."""


def rounds_before(
    source: Source,
    feed: str,
    newest_round: int,
    block: BlockStamp,
    *,
    since: int,
    most: int,
    batch: int = BATCH,
) -> Iterator[list[Round]]:
    """Batches of rounds before `newest_round`, each ascending in time, going back to `since` (unix seconds).

    `batch` rounds a request, at most `most` in all and never past the start of the feed's phase: what an aggregator before it answered has
    other round ids. It ends at a round that is not there or is out of order. Raises ReadError as any read.
    """
    left = min(most, max(0, (newest_round & _PHASE_MASK) - 1))
    after: int | None = None
    while left > 0:
        size = min(batch, left)
        ids = range(newest_round - size, newest_round)
        calls = [_ROUND_OF.call(feed, block, round_id) for round_id in ids]
        found = _read(source, source.agreed_batch(calls), block)
        kept = _unbroken(found, after)
        if kept:
            yield kept
            after = kept[0][0]
        if len(kept) < size or kept[0][0] < since:
            return
        newest_round -= size
        left -= size


def _read(source: Source, answers: Sequence[Any], block: BlockStamp) -> list[Round | None]:
    found: list[Round | None] = []
    for answer in answers:
        try:
            _, value, _, at, _ = _ROUND_OF.decode(answer, source.name, block)
        except RpcError:
            found.append(None)
            continue
        except ReadError:
            raise
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
