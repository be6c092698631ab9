"""What a module may say, as one line of JSON; anything else is its fault."""

import json
import math
from typing import Any

from keeper.model.risk_report import Measure, ModuleAnswer

MOST_BYTES = 65_536
MOST_MEASURES = 100
LONGEST_TEXT = 200
_MOST_BRACKETS = 1_000
"""More could nest deeper than the parser's stack: a line of 64 KB of brackets ends the process that parses it."""


class BadAnswerError(ValueError):
    """The module answered nonsense; the text says which."""


def encode_answer(number: int, answer: object) -> bytes:
    """One line; BadAnswerError for what is no ModuleAnswer."""
    if not isinstance(answer, ModuleAnswer):
        raise BadAnswerError(f"returned {type(answer).__name__}, not a ModuleAnswer")
    measures = [{"name": m.name, "value": m.value, "unit": m.unit} for m in answer.measures]
    line = json.dumps({"id": number, "veto": answer.veto, "measures": measures}) + "\n"
    return line.encode()


def decode_answer(line: bytes) -> tuple[int, ModuleAnswer]:
    """The number of the question, and a checked answer."""
    plain = parse(line)
    try:
        number, veto, listed = plain["id"], plain["veto"], plain["measures"]
    except KeyError as error:
        raise BadAnswerError("answered something that is no answer") from error
    if type(number) is not int or not isinstance(listed, list):
        raise BadAnswerError("answered something that is no answer")
    if len(listed) > MOST_MEASURES:
        raise BadAnswerError(f"gave {len(listed)} measures, at most {MOST_MEASURES} are taken")
    return number, ModuleAnswer(tuple(_measure(m) for m in listed), _text("veto", veto))


def parse(line: bytes) -> dict[str, Any]:
    """One line as a JSON object; BadAnswerError for anything else."""
    if line.count(b"[") + line.count(b"{") > _MOST_BRACKETS:
        raise BadAnswerError("answered something that is no answer")
    try:
        plain = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadAnswerError("answered something that is no answer") from error
    if not isinstance(plain, dict):
        raise BadAnswerError("answered something that is no answer")
    return plain


def _measure(plain: Any) -> Measure:
    if not isinstance(plain, dict) or plain.keys() != {"name", "value", "unit"}:
        raise BadAnswerError("gave a measure without name, value and unit")
    value = plain["value"]
    try:
        number = float(value) if type(value) in (int, float) else math.nan
    except OverflowError:  # integers of JSON know no bound
        raise BadAnswerError("gave a value beyond all measure") from None
    if not math.isfinite(number):
        raise BadAnswerError(f"gave the measure {str(plain['name'])[:40]!r} the value {value!r}")
    return Measure(_text("name", plain["name"]), number, _text("unit", plain["unit"]))


def _text(what: str, value: Any) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or not value.isprintable():
        raise BadAnswerError(f"gave a {what} that is not up to {LONGEST_TEXT} printable characters")
    return value
