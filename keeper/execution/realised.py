"""What a mined transaction cost beside its gas, by its receipt: a rollup's data fee, and the vault's loss. Pure."""

from typing import Any, NamedTuple

from eth_utils.crypto import keccak

from keeper.model.attempt import Attempt

_REBALANCED = "0x" + keccak(b"Rebalanced(bytes32,address,uint256,uint256,uint256,uint256)").hex()
_WORD = 64
_MOST = 2**256


class Realised(NamedTuple):
    """One cost."""

    kind: str
    amount: int
    unit: str


def realised(attempt: Attempt, receipt: Any) -> tuple[Realised, ...]:
    """Data fee in wei, and NAV before less NAV after in asset units; negative for a gain. Empty where nothing is told.

    Nothing in it is an error: what was mined is mined, whatever an endpoint says of its costs.
    """
    if not isinstance(receipt, dict):
        return ()
    found = []
    fee = _number(receipt.get("l1Fee"))  # OP stack; on Arbitrum it is in the gas used
    if fee is not None:
        found.append(Realised("data fee", fee, "wei"))
    logs = receipt.get("logs")
    losses = [_loss(attempt, log) for log in logs] if isinstance(logs, list) else []
    found += [Realised("loss", loss, "asset units") for loss in losses if loss is not None][:1]
    return tuple(found)


def _loss(attempt: Attempt, log: Any) -> int | None:
    """Of the vault's own event about this intent; None where NAV could not be measured on both sides."""
    if not isinstance(log, dict) or str(log.get("address")).lower() != attempt.to.lower():
        return None
    topics, data = log.get("topics"), log.get("data")
    if not isinstance(topics, list) or not isinstance(data, str):
        return None
    wanted = [_REBALANCED, attempt.intent_id.lower(), attempt.account.lower()[2:].rjust(64, "0")]
    named = [str(topic).lower() for topic in topics]
    if len(named) != 3 or named[:2] != wanted[:2] or not named[2].endswith(wanted[2]):
        return None
    words = data.removeprefix("0x")
    if len(words) != 4 * _WORD:
        return None
    before, after = (_number("0x" + words[i * _WORD : (i + 1) * _WORD]) for i in range(2))
    return before - after if before and after else None


def _number(text: Any) -> int | None:
    try:
        found = int(text, 16) if text.startswith("0x") else -1
    except (AttributeError, TypeError, ValueError):
        return None
    return found if 0 <= found < _MOST else None
