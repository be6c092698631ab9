"""Receipts as endpoints answer them: of the hash that was asked for and whole, or an EndpointError."""

from typing import Any

from keeper.errors import EndpointError
from keeper.execution.quantities import count, quantity
from keeper.model.attempt import Attempt
from keeper.model.outcome import AttemptResult, AttemptStatus

METHOD = "eth_getTransactionReceipt"


def result_of(attempt: Attempt, receipt: Any, endpoint: str) -> AttemptResult | None:
    """What a receipt says of an attempt; None if there is none yet."""
    if receipt is None:
        return None
    if not isinstance(receipt, dict):
        raise EndpointError(endpoint, METHOD, "answered something that is no receipt")
    if receipt.get("blockNumber") is None:  # some nodes answer so for what waits in their pool
        return None
    if str(receipt.get("transactionHash")).lower() != attempt.tx_hash.lower():
        raise EndpointError(endpoint, METHOD, "answered the receipt of another transaction")
    status = quantity(receipt.get("status"), endpoint, METHOD, 2)
    done = AttemptStatus.CANCELLED if attempt.cancels else AttemptStatus.MINED
    block_hash = receipt.get("blockHash")
    used = count(receipt.get("gasUsed"), endpoint, METHOD)
    price = quantity(receipt.get("effectiveGasPrice", "0x0"), endpoint, METHOD)
    if used > attempt.gas_limit or price > attempt.max_fee_wei:
        # believed, it would fill the day's budget of gas with what was never paid
        problem = f"answered {used} gas at {price} wei, more than was signed"
        raise EndpointError(endpoint, METHOD, problem)
    return AttemptResult(
        intent_id=attempt.intent_id,
        tx_hash=attempt.tx_hash,
        status=done if status else AttemptStatus.REVERTED,
        block_number=count(receipt["blockNumber"], endpoint, METHOD),
        gas_used=used,
        gas_price_wei=price,
        block_hash=block_hash.lower() if isinstance(block_hash, str) else None,
    )
