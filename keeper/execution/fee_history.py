"""What recent blocks asked for: base fees, fullness, and the tip that would have been enough in each."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from keeper.errors import RpcError
from keeper.execution.hints import vouched

BLOCKS = 60
PERCENTILES = (5, 25)
FULL = 0.95
"""Gas used over the limit from which there was competition for the room in a block."""
_MOST_BLOCKS = 1_024
_QUANTITIES = re.compile(r"0x[0-9a-fA-F]{1,64}(?:,0x[0-9a-fA-F]{1,64})*")
_CALL = ("eth_feeHistory", [hex(BLOCKS), "latest", list(PERCENTILES)])


@dataclass(frozen=True, slots=True)
class FeeHistory:
    """Recent blocks, oldest first; wei a gas."""

    next_base_fee_wei: int
    required_tips_wei: tuple[int, ...]
    """Tip with which a transaction would have been in: of a full block the first quartile of the gas in it,
    of another the lowest twentieth."""
    fullness: tuple[float, ...]
    """Gas used over the gas limit."""


def history_call() -> tuple[str, list[Any]]:
    """The JSON-RPC request whose answer `history_of` reads."""
    return _CALL


def history_of(answer: Any) -> FeeHistory | None:
    """The history; None if the endpoint keeps none or answers nonsense: fees then follow the base fee alone."""
    if isinstance(answer, RpcError) or not isinstance(answer, dict):
        return None
    try:
        base, rewards, used = answer["baseFeePerGas"], answer["reward"], answer["gasUsedRatio"]
        if any(
            type(part) is not list or len(part) > _MOST_BLOCKS + 1 for part in (base, rewards, used)
        ):
            return None  # before anything is made of its size
        ratios = [float(ratio) for ratio in used]
        # text as well has a length and parts
        if any(type(row) is not list or len(row) != len(PERCENTILES) for row in rewards):
            return None
        found = _quantities([*base, *itertools.chain.from_iterable(rewards)])
    except (
        KeyError,
        OverflowError,
        TypeError,
        ValueError,
    ):  # integers of JSON know no bound, floats do
        return None
    whole = len(base) == len(ratios) + 1 == len(rewards) + 1 and 0 < len(ratios) <= _MOST_BLOCKS
    if not whole or not all(0.0 <= ratio <= 1.0 for ratio in ratios):
        return None
    low, high = found[len(base) :: 2], found[len(base) + 1 :: 2]
    tips = tuple([h if ratio >= FULL else n for n, h, ratio in zip(low, high, ratios, strict=True)])
    return FeeHistory(found[len(base) - 1], tips, tuple(ratios))


def history_heard(said: Sequence[Any]) -> FeeHistory | None:
    """Of several endpoints' histories one that is nowhere above what more than half of them say.

    None if no more than half keep one. They may be of different heads, so blocks are counted from the newest.
    """
    histories = [found for found in map(history_of, said) if found is not None]
    if len(said) == 1 or not histories:
        return histories[0] if histories else None
    unknown = [None] * (len(said) - len(histories))
    next_base = vouched([*(h.next_base_fee_wei for h in histories), *unknown])
    if next_base is None:
        return None
    blocks = min(len(h.required_tips_wei) for h in histories)
    tips = [h.required_tips_wei[-blocks:] for h in histories]
    fullness = [h.fullness[-blocks:] for h in histories]
    return FeeHistory(
        next_base,
        tuple(vouched([*block, *unknown]) or 0 for block in zip(*tips, strict=True)),
        tuple(sorted(block)[(len(block) - 1) // 2] for block in zip(*fullness, strict=True)),
    )


def _quantities(texts: list[Any]) -> list[int]:
    """Quantities from 0 to 2^256 - 1, some two hundred at every sending; TypeError or ValueError for anything else."""
    if _QUANTITIES.fullmatch(",".join(texts)) is None:
        raise ValueError("not quantities")
    return [int(text, 16) for text in texts]
