"""Quantities and headers as endpoints answer them: right, or an EndpointError."""

import re
from typing import Any

from keeper.errors import EndpointError
from keeper.model.block import BlockStamp

MAX_NUMBER = 2**63 - 1
"""Of a block, a time, a nonce: what the journal can keep."""
MAX_AMOUNT = 2**256 - 1
_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}")
_HASH = re.compile(r"0x[0-9a-fA-F]{64}")


def quantity(value: Any, endpoint: str, method: str, most: int = MAX_NUMBER) -> int:
    """A JSON-RPC quantity from 0 to `most`; EndpointError for anything else."""
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value) or int(value, 16) > most:
        raise EndpointError(endpoint, method, "answered something that is not a quantity")
    return int(value, 16)


def stamp(header: Any, endpoint: str, method: str) -> BlockStamp:
    """A BlockStamp from a JSON-RPC header."""
    if not isinstance(header, dict):
        raise EndpointError(endpoint, method, "answered no block")
    block_hash, parent = header.get("hash"), header.get("parentHash")
    for found in (block_hash, parent):
        if not isinstance(found, str) or not _HASH.fullmatch(found):
            raise EndpointError(endpoint, method, "answered a block without a hash")
    return BlockStamp(
        number=quantity(header.get("number"), endpoint, method),
        hash=str(block_hash).lower(),
        parent_hash=str(parent).lower(),
        timestamp=quantity(header.get("timestamp"), endpoint, method),
        base_fee_wei=quantity(header.get("baseFeePerGas", "0x0"), endpoint, method),
    )
