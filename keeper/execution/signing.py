"""Attempts as signed transactions: the first, replacements, and the empty one that takes a nonce."""

import dataclasses
from typing import Any

from keeper.errors import RejectedError
from keeper.execution.fees import Fees
from keeper.execution.signer import Signer
from keeper.model.attempt import Attempt
from keeper.model.block import BlockStamp
from keeper.model.outcome import AttemptStatus
from keeper.model.units import Wei

EMPTY_GAS = 21_000


def signed(attempt: Attempt, signer: Signer | None) -> Attempt:
    """The attempt with its bytes and hash. A signing failure raises before anything is journalled, so its
    nonce was never taken."""
    if signer is None:
        raise RejectedError("", "there is no key: this keeper only rehearses")
    transaction: dict[str, Any] = {
        "type": 2,
        "chainId": attempt.chain_id,
        "nonce": attempt.nonce,
        "to": attempt.to,
        "value": 0,
        "data": attempt.call_data,
        "gas": attempt.gas_limit,
        "maxFeePerGas": attempt.max_fee_wei,
        "maxPriorityFeePerGas": attempt.tip_wei,
    }
    made = signer.sign(transaction)
    return dataclasses.replace(
        attempt, tx_hash=made.tx_hash, raw=made.raw, status=AttemptStatus.SIGNED
    )


def repriced(attempt: Attempt, fees: Fees) -> Attempt:
    """The same at other fees, not signed yet."""
    return dataclasses.replace(attempt, max_fee_wei=Wei(fees.cap_wei), tip_wei=Wei(fees.tip_wei))


def emptied(attempt: Attempt, fees: Fees, block: BlockStamp, gas_limit: int) -> Attempt:
    """The empty transaction to the account itself that takes the attempt's nonce, not signed yet."""
    empty = dataclasses.replace(
        attempt,
        to=attempt.account,
        call_data="0x",
        gas_limit=gas_limit,
        signed_block=block.number,
    )
    return repriced(empty, fees)
