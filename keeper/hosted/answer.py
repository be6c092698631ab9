"""What a foreign strategy may answer: one line of JSON that is a target and nothing else."""

import json
from dataclasses import fields
from typing import Any

from keeper.journal.codec import CodecError, decode, encode
from keeper.model.decision import Lane, Target
from keeper.model.units import MAX_UINT256

MOST_BYTES = 262_144
LONGEST_REASON = 2_000
MOST_ENTRIES = 256
"""Of options, of perpetuals, of supplies."""
_MOST_BRACKETS = 4_000
_LARGEST = 2**200
"""Of an amount: far beyond any token's supply, far below what overflows."""


class BadTargetError(ValueError):
    """The strategy answered nonsense; the text says which."""


def encode_target(number: int, answer: object) -> bytes:
    """One line; BadTargetError for what is no target."""
    if not isinstance(answer, Target):
        raise BadTargetError(f"returned {type(answer).__name__}, not a Target")
    text = json.dumps({"id": number, "target": encode(checked(answer))})
    return text.encode() + b"\n"


def decode_target(plain: dict[str, Any]) -> tuple[int, Target]:
    """The number of the question, and a checked target."""
    number, text = plain.get("id"), plain.get("target")
    if type(number) is not int or not isinstance(text, str):
        raise BadTargetError("answered something that is no answer")
    try:
        found = decode(text)
    except CodecError as error:
        raise BadTargetError(f"answered a target that cannot be read: {error}") from None
    if not isinstance(found, Target):
        raise BadTargetError(f"answered {type(found).__name__}, not a Target")
    return number, checked(found)


def parse(line: bytes) -> dict[str, Any]:
    """One line as a JSON object; BadTargetError for anything else."""
    if line.count(b"[") + line.count(b"{") > _MOST_BRACKETS:
        raise BadTargetError("answered something that is no answer")
    try:
        plain = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadTargetError("answered something that is no answer") from error
    if not isinstance(plain, dict):
        raise BadTargetError("answered something that is no answer")
    return plain


def checked(target: Target) -> Target:
    """The target, if every part of it can be meant."""
    if not isinstance(target.lane, Lane):
        raise BadTargetError(f"wants the lane {target.lane!r}")
    if not isinstance(target.reason, str) or len(target.reason) > LONGEST_REASON:
        raise BadTargetError("gives a reason that is no short text")
    if not target.reason.isprintable():
        raise BadTargetError("gives a reason that cannot be printed")
    health = target.health_wad
    if health is not None and not (_whole(health) and 0 < health <= MAX_UINT256):
        raise BadTargetError(f"wants the health {health!r}")
    if target.net_delta is not None and not _amount(target.net_delta):
        raise BadTargetError(f"wants the net delta {target.net_delta!r}")
    for name in ("options", "perpetuals", "supplies"):
        _list(name, getattr(target, name))
    return target


def _list(name: str, entries: Any) -> None:
    if entries is None:
        return
    if not isinstance(entries, tuple) or len(entries) > MOST_ENTRIES:
        raise BadTargetError(f"wants {name} that are no list of at most {MOST_ENTRIES}")
    for entry in entries:
        for field in fields(entry):
            value = getattr(entry, field.name)
            if isinstance(value, float) or (isinstance(value, int) and not _amount(value)):
                raise BadTargetError(f"wants {name} with {field.name} {value!r}")
    for entry in entries:
        if name == "supplies" and min(entry.amount, entry.owed or 0) < 0:
            raise BadTargetError("wants a negative supply or debt")
        if name == "options" and (entry.strike_wad <= 0 or entry.expiry <= 0):
            raise BadTargetError("wants an option without strike or expiry")


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _amount(value: Any) -> bool:
    return isinstance(value, bool) or (_whole(value) and abs(value) <= _LARGEST)
