"""A transaction as execution asks a signer for one."""

from typing import Any

ASKED: dict[str, Any] = {
    "type": 2,
    "chainId": 1,
    "nonce": 3,
    "to": "0x" + "11" * 20,
    "value": 0,
    "data": "0x1234",
    "gas": 21_000,
    "maxFeePerGas": 5,
    "maxPriorityFeePerGas": 1,
}
