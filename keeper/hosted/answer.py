"""What a foreign strategy may answer: one line of JSON that is a target and nothing else."""

import json
from typing import Any

from keeper.journal.codec import CodecError, decode, encode
from keeper.model.decision import Target
from keeper.model.soundness import unsound

MOST_BYTES = 262_144
_MOST_BRACKETS = 4_000


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
    problem = unsound(target)
    if problem:
        raise BadTargetError(problem)
    return target
