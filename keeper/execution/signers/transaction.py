"""EIP-1559 transactions as bytes (EIP-2718, type 2), and the proof that a signature is what was asked for."""

from dataclasses import dataclass
from typing import Any

import rlp  # type: ignore[import-untyped]
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from keeper.errors import SigningError
from keeper.execution.signers.protocol import Signed
from keeper.execution.signers.secp256k1 import HALF_ORDER, ORDER, recovered_address

_TYPE = b"\x02"
_NAMES = ("chainId", "nonce", "maxPriorityFeePerGas", "maxFeePerGas", "gas")
_KNOWN = frozenset({*_NAMES, "type", "to", "value", "data"})
_FIELDS_SIGNED = 12
_ADDRESS_BYTES = 20
_ASK_RIGHT = "this is a fault of the keeper: please report it"


@dataclass(frozen=True, slots=True)
class Unsigned:
    """A transaction as it will be signed: its fields in order, and the hash that the signature is of."""

    fields: tuple[Any, ...]
    digest: bytes


def unsigned(transaction: dict[str, Any], source: str) -> Unsigned:
    """The transaction encoded; SigningError for anything but a whole type 2 transaction to an address."""
    try:
        numbers = [_number(transaction[name]) for name in _NAMES]
        to = bytes.fromhex(str(transaction["to"]).removeprefix("0x"))
        data = bytes.fromhex(str(transaction["data"]).removeprefix("0x"))
        fields = (*numbers, to, _number(transaction.get("value", 0)), data, ())
        whole = transaction["type"] == _TYPE[0] and len(to) == _ADDRESS_BYTES
    except (KeyError, TypeError, ValueError):
        whole, fields = False, ()
    if not whole or transaction.keys() - _KNOWN:
        problem = "was asked for something that is no EIP-1559 transaction"
        raise SigningError(source, problem, _ASK_RIGHT)
    return Unsigned(fields, keccak(_TYPE + rlp_list(fields)))


def rlp_list(fields: tuple[Any, ...]) -> bytes:
    """RLP (yellow paper, appendix B) of integers, bytes and empty lists: all that these transactions are made of."""
    body = b"".join([_rlp_item(field) for field in fields])
    return _rlp_head(0xC0, len(body)) + body


def _rlp_item(item: Any) -> bytes:
    if isinstance(item, tuple):  # an access list, which is empty
        return b"\xc0"
    raw = item.to_bytes((item.bit_length() + 7) // 8, "big") if isinstance(item, int) else item
    if len(raw) == 1 and raw[0] < 0x80:
        return bytes(raw)
    return _rlp_head(0x80, len(raw)) + bytes(raw)


def _rlp_head(base: int, size: int) -> bytes:
    if size < 56:
        return bytes((base + size,))
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((base + 55 + len(length),)) + length


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**256:
        raise ValueError
    return int(value)


def sealed(asked: Unsigned, parity: int, r: int, s: int, *, address: str, source: str) -> Signed:
    """The signed transaction, once its signature is proven to be `address`'s and in its one low-s form.

    A pool refuses s in the upper half (EIP-2), and a wrong signature is another account's transaction.
    """
    if not (0 < r < ORDER and 0 < s <= HALF_ORDER and parity in {0, 1}):
        problem = "answered a signature outside of its bounds"
        raise SigningError(source, problem, "check which key and curve it signs with")
    signer = recovered_address(asked.digest, parity, r, s)
    if signer != address:
        problem = f"signed as {signer or 'nobody'}, not as {address}"
        raise SigningError(source, problem, "check which key it signs with")
    raw = _TYPE + rlp_list((*asked.fields, parity, r, s))
    return Signed("0x" + raw.hex(), "0x" + keccak(raw).hex())


def verified(asked: Unsigned, raw: Any, *, address: str, source: str) -> Signed:
    """What somebody else signed, if it is byte for byte the transaction asked for, signed by `address`.

    Only the signature is taken from `raw`: everything else is encoded again from what was asked.
    """
    try:
        given = bytes.fromhex(raw.removeprefix("0x"))
        fields = rlp.decode(given[1:], strict=True) if given[:1] == _TYPE else []
        parity, r, s = (int.from_bytes(part, "big") for part in fields[-3:])
    except (AttributeError, TypeError, ValueError, rlp.exceptions.RLPException):
        fields = []
    if len(fields) != _FIELDS_SIGNED:
        problem = "answered something that is no signed EIP-1559 transaction"
        raise SigningError(source, problem, "check that it signs EIP-1559 transactions")
    signed = sealed(asked, parity, r, s, address=address, source=source)
    if signed.raw != "0x" + given.hex():
        problem = "answered another transaction than the one asked for"
        raise SigningError(source, problem, "find out who changed it before it signs again")
    return signed


def checksummed(address: str) -> str:
    """The address as everything else of the keeper writes it."""
    return str(to_checksum_address(address))
