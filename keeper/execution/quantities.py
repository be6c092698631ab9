"""JSON-RPC quantities and hashes as endpoints answer them: right, or an EndpointError."""

import re
from typing import Any

from keeper.errors import EndpointError

_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}")
COUNT_END = 2**63
"""Block numbers, nonces and gas are under it (the journal's integers end there)."""
AMOUNT_END = 2**256


def quantity(value: Any, endpoint: str, method: str, end: int = AMOUNT_END) -> int:
    """A quantity in [0, end)."""
    good = isinstance(value, str) and _QUANTITY.fullmatch(value) is not None
    number = int(value, 16) if good else end
    if number >= end:
        raise EndpointError(endpoint, method, "answered something that is not a quantity")
    return number


def count(value: Any, endpoint: str, method: str) -> int:
    """A block number, nonce or amount of gas."""
    return quantity(value, endpoint, method, COUNT_END)
