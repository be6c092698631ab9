"""Calldata of the few functions actors call, encoded without a contract object: this runs for every block."""

from dataclasses import dataclass

from eth_abi.abi import encode
from eth_utils.crypto import keccak

NO_DEADLINE = 2**63
_EXACT_INPUT_SINGLE = (
    "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))"
)


def call_data(signature: str, *values: object) -> str:
    """0x-prefixed calldata of `name(type,...)`, tuples in brackets."""
    name_end = signature.index("(")
    types = _split(signature[name_end + 1 : -1])
    return "0x" + (keccak(text=signature)[:4] + encode(types, values)).hex()


@dataclass(frozen=True, slots=True)
class Swap:
    """SwapRouter.exactInputSingle without a least output: the price limit bounds the trade (0: none)."""

    token_in: str
    token_out: str
    fee_pips: int
    recipient: str
    amount_in: int
    sqrt_price_limit: int = 0

    def data(self) -> str:
        """Its calldata."""
        order = (
            self.token_in,
            self.token_out,
            self.fee_pips,
            self.recipient,
            NO_DEADLINE,
            self.amount_in,
            0,
            self.sqrt_price_limit,
        )
        return call_data(_EXACT_INPUT_SINGLE, order)


def _split(types: str) -> list[str]:
    """Top-level types of a list with tuples in it."""
    parts, depth, begin = [], 0, 0
    for i, char in enumerate(types):
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            parts.append(types[begin:i])
            begin = i + 1
    return [part for part in (*parts, types[begin:]) if part]
