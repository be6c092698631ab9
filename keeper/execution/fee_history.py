"""What recent blocks asked for: base fees, fullness, and the tip that would have been enough in each."""

from dataclasses import dataclass
from typing import Any

from keeper.errors import RpcError

BLOCKS = 60
PERCENTILES = (5, 25)
FULL = 0.95
"""Gas used over the limit from which there was competition for the room in a block."""
_MOST_BLOCKS = 1_024
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
        base = [_quantity(fee) for fee in answer["baseFeePerGas"]]
        ratios = [float(ratio) for ratio in answer["gasUsedRatio"]]
        rewards = [[_quantity(tip) for tip in row] for row in answer["reward"]]
    except (KeyError, TypeError, ValueError):
        return None
    whole = len(base) == len(ratios) + 1 == len(rewards) + 1 and 0 < len(ratios) <= _MOST_BLOCKS
    if not whole or any(len(row) != len(PERCENTILES) for row in rewards):
        return None
    if not all(0.0 <= ratio <= 1.0 for ratio in ratios):
        return None
    tips = tuple(
        row[1] if ratio >= FULL else row[0] for row, ratio in zip(rewards, ratios, strict=True)
    )
    return FeeHistory(base[-1], tips, tuple(ratios))


def _quantity(text: Any) -> int:
    if not isinstance(text, str) or not text.startswith("0x"):
        raise ValueError
    number = int(text, 16)
    if not 0 <= number < 2**256:
        raise ValueError
    return number
