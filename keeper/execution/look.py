"""What one pinned block says of an account's transactions: its count, receipts, the newest final block."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from keeper.errors import EndpointError, ReorganisedError, RpcError
from keeper.execution.ports import Rpc
from keeper.execution.quantities import count, quantity
from keeper.execution.receipts import METHOD, result_of
from keeper.model.attempt import Attempt
from keeper.model.block import BlockStamp
from keeper.model.outcome import AttemptResult


@dataclass(frozen=True, slots=True)
class Look:
    """Answers of one batch."""

    mined_nonce: int
    results: dict[str, AttemptResult]
    """By hash: receipts up to the pinned block."""
    refused: dict[str, RpcError]
    """By hash: what the endpoint did not answer, which is not the same as no receipt."""
    finalised: int | None
    """Number of the newest final block; None if it was not asked for or is not known."""

    def result(self, attempts: Sequence[Attempt]) -> AttemptResult | None:
        """The first of some attempts that is in the chain."""
        found = (self.results.get(a.tx_hash) for a in attempts)
        return next((result for result in found if result is not None), None)

    def refusal(self, attempts: Sequence[Attempt]) -> RpcError | None:
        """Why nothing is known of some attempts."""
        found = (self.refused.get(a.tx_hash) for a in attempts)
        return next((error for error in found if error is not None), None)


def look(
    rpc: Rpc,
    account: str,
    attempts: Sequence[Attempt],
    block: BlockStamp,
    *,
    finality: bool = False,
) -> Look:
    """One batch; raises ReorganisedError when the block is gone, RpcError, EndpointError for nonsense."""
    name, counts = rpc.name, "eth_getTransactionCount"
    head: list[tuple[str, list[Any]]] = [(counts, [account, {"blockHash": block.hash}])]
    tail = [("eth_getBlockByNumber", ["finalized", False])] if finality else []
    mined, *answers = rpc.batch([*head, *((METHOD, [a.tx_hash]) for a in attempts), *tail])
    if isinstance(mined, RpcError):
        gone = "not found" in mined.message.lower() or "unknown" in mined.message.lower()
        raise ReorganisedError(block.hash) if gone else mined
    finalised = _number(answers.pop()) if finality else None
    results: dict[str, AttemptResult] = {}
    refused: dict[str, RpcError] = {}
    for attempt, answer in zip(attempts, answers, strict=True):
        if isinstance(answer, RpcError):
            refused[attempt.tx_hash] = answer
            continue
        result = result_of(attempt, answer, name)
        if result is not None and (result.block_number or 0) <= block.number:
            results[attempt.tx_hash] = result
    return Look(count(mined, name, counts), results, refused, finalised)


def head_of(header: Any, endpoint: str) -> BlockStamp:
    """The newest block, as a command between two ticks needs it."""
    method = "eth_getBlockByNumber"
    if not isinstance(header, dict):
        raise EndpointError(endpoint, method, "answered no block")
    return BlockStamp(
        number=count(header.get("number"), endpoint, method),
        hash=str(header.get("hash")),
        parent_hash=str(header.get("parentHash")),
        timestamp=count(header.get("timestamp"), endpoint, method),
        base_fee_wei=quantity(header.get("baseFeePerGas", "0x0"), endpoint, method),
    )


def _number(header: Any) -> int | None:
    """Where an endpoint knows no final block, depth decides."""
    try:
        return int(header["number"], 16)
    except (KeyError, TypeError, ValueError):
        return None
