"""ABI decoding by a plan made once: the lens answers the same types at every block, so only words are left to read.

A general decoder walks the type tree and checks every pointer twice; it took longer than the node's answer.
Layout: https://docs.soliditylang.org/en/latest/abi-spec.html. Strict: a word out of its type's range, an offset
or a length beyond the data, or padding that is not zero is a ValueError.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_WORD = 32
_SIZED = re.compile(r"(u?)int(\d+)")

Reader = Callable[[bytes, int], Any]
"""The value whose words start at an offset."""


def plan(parameters: Sequence[Mapping[str, Any]]) -> Callable[[bytes], tuple[Any, ...]]:
    """A function from data to the values of these ABI parameters.

    Integers, strings, bytes, lower-case 0x addresses; a tuple is a dict by the names of its parts, an array a list.
    """
    read = _parts([_typed(p) for p in parameters])
    return lambda data: tuple(read(data, 0))


def _typed(parameter: Mapping[str, Any]) -> tuple[Reader, int, bool]:
    """How to read a parameter, how many bytes its head takes, and whether it is dynamic: found by an offset."""
    kind = str(parameter["type"])
    if kind.endswith("[]"):
        return _array(_typed({**parameter, "type": kind[:-2]})), _WORD, True
    if kind == "tuple":
        parts = [_typed(p) for p in parameter["components"]]
        names = tuple(p["name"] for p in parameter["components"])
        dynamic = any(part[2] for part in parts)
        read = _parts(parts)
        return (
            lambda data, at: dict(zip(names, read(data, at), strict=True)),
            _WORD if dynamic else sum(part[1] for part in parts),
            dynamic,
        )
    if kind == "string":
        return _string, _WORD, True
    return _leaf(kind), _WORD, False


def _parts(parts: Sequence[tuple[Reader, int, bool]]) -> Callable[[bytes, int], list[Any]]:
    """Reads values whose heads follow each other; offsets are from the first head."""
    steps, head = [], 0
    for read, size, dynamic in parts:
        steps.append((read, head, dynamic))
        head += size
    whole = head

    def read_all(data: bytes, at: int) -> list[Any]:
        if at + whole > len(data):
            raise ValueError("ends too early")
        return [
            read(data, at + _beyond(data, at + place, whole) if dynamic else at + place)
            for read, place, dynamic in steps
        ]

    return read_all


def _pointer(data: bytes, at: int) -> int:
    """An offset or a length: nothing honest is beyond the data."""
    if at + _WORD > len(data):
        raise ValueError("ends too early")
    found = int.from_bytes(data[at : at + _WORD], "big")
    if found > len(data):
        raise ValueError("points beyond the end")
    return found


def _beyond(data: bytes, at: int, head: int) -> int:
    """An offset of what is dynamic: it lies behind the heads, never among them."""
    found = _pointer(data, at)
    if found < head:
        raise ValueError("points into the head")
    return found


def _array(item: tuple[Reader, int, bool]) -> Reader:
    read_item, size, dynamic = item

    def read(data: bytes, at: int) -> list[Any]:
        count = _pointer(data, at)
        if at + _WORD + count * size > len(data):  # before anything is made of its size
            raise ValueError("ends too early")
        return _parts([(read_item, size, dynamic)] * count)(data, at + _WORD)

    return read


def _string(data: bytes, at: int) -> str:
    length = _pointer(data, at)
    start = at + _WORD
    end = start + -(-length // _WORD) * _WORD
    if end > len(data):
        raise ValueError("ends too early")
    if any(data[start + length : end]):
        raise ValueError("is padded with something")
    return data[start : start + length].decode()


def _leaf(kind: str) -> Reader:
    if kind == "bool":
        return lambda data, at: bool(_below(data, at, 2))
    if kind == "address":
        return lambda data, at: f"0x{_below(data, at, 2**160):040x}"
    if kind == "bytes32":
        return lambda data, at: data[at : at + _WORD]
    sized = _SIZED.fullmatch(kind)
    if sized is None:
        raise ValueError(f"type {kind} is not known")
    bits = int(sized[2])
    if sized[1]:
        most = 1 << bits
        return lambda data, at: _below(data, at, most)
    half = 1 << (bits - 1)
    return lambda data, at: _signed(data, at, half)


def _below(data: bytes, at: int, most: int) -> int:
    found = int.from_bytes(data[at : at + _WORD], "big")
    if found >= most:
        raise ValueError("is out of its type's range")
    return found


def _signed(data: bytes, at: int, half: int) -> int:
    found = int.from_bytes(data[at : at + _WORD], "big", signed=True)
    if not -half <= found < half:
        raise ValueError("is out of its type's range")
    return found
