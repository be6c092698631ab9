"""What one pinned block says of an account's transactions: its count, receipts, the newest final block."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from keeper.errors import EndpointError, ReorganisedError, RpcError
from keeper.execution.hints import vouched
from keeper.execution.ports import Rpc
from keeper.execution.quantities import count, quantity
from keeper.execution.realised import Realised, realised
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
    costs: dict[str, tuple[Realised, ...]]
    """By hash: what those cost beside their gas."""
    refused: dict[str, RpcError]
    """By hash: what was not answered or not agreed on, which is not the same as no receipt."""
    finalised: int | None
    """Number of the newest block that more than half of the endpoints call final; None if it was not asked for
    or is not known."""

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
    """One batch of what endpoints agree on; raises ReorganisedError when the block is gone, RpcError or another
    ReadError where nothing can be said, EndpointError for nonsense."""
    counts = "eth_getTransactionCount"
    head: list[tuple[str, list[Any]]] = [(counts, [account, {"blockHash": block.hash}])]
    tail = [("eth_getBlockByNumber", ["finalized", False])] if finality else []
    receipts = [(METHOD, [a.tx_hash]) for a in attempts]
    mined, *answers = rpc.agreed_batch([*head, *receipts], tail, upto=block.number)
    name = rpc.name
    if isinstance(mined, RpcError):
        gone = "not found" in mined.message.lower() or "unknown" in mined.message.lower()
        raise ReorganisedError(block.hash) if gone else mined
    finalised = vouched([_number(said) for said in answers.pop()]) if finality else None
    results: dict[str, AttemptResult] = {}
    costs: dict[str, tuple[Realised, ...]] = {}
    refused: dict[str, RpcError] = {}
    for attempt, answer in zip(attempts, answers, strict=True):
        if isinstance(answer, RpcError):
            refused[attempt.tx_hash] = answer
            continue
        result = result_of(attempt, answer, name)
        if result is not None and _in_chain_of(block, result):
            results[attempt.tx_hash] = result
            costs[attempt.tx_hash] = realised(attempt, answer)
    return Look(count(mined, name, counts), results, costs, refused, finalised)


def _in_chain_of(block: BlockStamp, result: AttemptResult) -> bool:
    """False for a receipt of a newer block, or of one that is not the pinned one or its parent."""
    number = result.block_number or 0
    near = {block.number: block.hash, block.number - 1: block.parent_hash}.get(number)
    known = near is not None and result.block_hash is not None
    return number <= block.number and (not known or near == result.block_hash)


def newest(rpc: Rpc) -> BlockStamp:
    """The newest block that more than half of the endpoints reach, as a command between two ticks needs it."""
    method = "eth_getBlockByNumber"
    (said,) = rpc.agreed_batch((), [(method, ["latest", False])])
    if len(said) == 1:
        (header,) = said
    else:
        number = vouched([_number(header) for header in said])
        (header,) = rpc.agreed_batch([(method, [hex(number or 0), False])])
    if isinstance(header, RpcError):
        raise header
    return head_of(header, rpc.name)


def head_of(header: Any, endpoint: str) -> BlockStamp:
    """A block as an endpoint answered it, or EndpointError."""
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
