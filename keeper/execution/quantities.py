"""JSON-RPC quantities and hashes as endpoints answer them: right, or an EndpointError."""

from typing import Any

from keeper.errors import EndpointError

COUNT_END = 2**63
"""Block numbers, nonces and gas are under it (the journal's integers end there)."""
AMOUNT_END = 2**256


def quantity(value: Any, endpoint: str, method: str, end: int = AMOUNT_END) -> int:
    """A quantity in [0, end)."""
    try:
        number = int(value, 16) if value.startswith("0x") else -1
    except (AttributeError, TypeError, ValueError):
        number = -1
    if not 0 <= number < end:
        raise EndpointError(endpoint, method, "answered something that is not a quantity")
    return number


def count(value: Any, endpoint: str, method: str) -> int:
    """A block number, nonce or amount of gas."""
    return quantity(value, endpoint, method, COUNT_END)
