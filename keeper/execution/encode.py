"""ABI words by hand: the types sent are few and never change.

A general encoder walks their tree at every tick, between a block and its transaction. Layout:
https://docs.soliditylang.org/en/latest/abi-spec.html. What does not fit its type is an error, never cut to it.
"""

WORD = 32
"""Bytes of one."""
_ADDRESS_BYTES = 20
_BEFORE_ADDRESS = bytes(WORD - _ADDRESS_BYTES)


def uint(value: int, bits: int = 256) -> bytes:
    """An unsigned integer as one word; OverflowError for what does not fit."""
    number = int(value)
    if number >> bits:  # of a negative one as well
        raise OverflowError(f"{number} is no uint{bits}")
    return number.to_bytes(WORD, "big")


def address(text: str) -> bytes:
    """An address as one word; ValueError for anything else."""
    raw = bytes.fromhex(text.removeprefix("0x"))
    if len(raw) != _ADDRESS_BYTES:
        raise ValueError(f"{text} is no address")
    return _BEFORE_ADDRESS + raw


def bytes32(text: str) -> bytes:
    """32 bytes of hexadecimal text; ValueError for anything else."""
    raw = bytes.fromhex(text.removeprefix("0x"))
    if len(raw) != WORD:
        raise ValueError(f"{text} is no bytes32")
    return raw


def sized(data: bytes) -> bytes:
    """Bytes or text behind an offset: the length, then the data up to the next whole word."""
    return uint(len(data)) + data + bytes(-len(data) % WORD)
