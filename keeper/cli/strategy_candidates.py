"""Candidates for the allocator, from a file that a backtest or a person wrote."""

import json
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from keeper.allocation import Candidate
from keeper.errors import QuantityError

_FIELDS = {field.name: field for field in fields(Candidate)}
_REQUIRED = tuple(name for name, field in _FIELDS.items() if field.default is MISSING)


def read_candidates(path: Path) -> tuple[Candidate, ...]:
    """A JSON list of tables with the fields of `Candidate`; QuantityError names file, place and fault."""
    try:
        plain = json.loads(path.read_text())
    except OSError as error:
        raise QuantityError(str(path), f"cannot be read ({error.strerror})", "check it") from None
    except (ValueError, RecursionError) as error:
        raise QuantityError(str(path), f"is no JSON ({error})", "correct it") from None
    if isinstance(plain, dict):
        plain = plain.get("candidates")
    if not isinstance(plain, list):
        raise QuantityError(str(path), "is no list of candidates", "give a list of tables")
    return tuple(_candidate(path, at, one) for at, one in enumerate(plain))


def _candidate(path: Path, at: int, plain: Any) -> Candidate:
    def refuse(problem: str) -> QuantityError:
        return QuantityError(str(path), problem, f"fields are {', '.join(_FIELDS)}", at)

    if not isinstance(plain, dict):
        raise refuse("is no table")
    for name in plain:
        if name not in _FIELDS:
            raise refuse(f"has an unknown field {name!r}")
    for name in _REQUIRED:
        if name not in plain:
            raise refuse(f"lacks {name}")
    try:
        return Candidate(**{name: _value(name, value) for name, value in plain.items()})
    except (TypeError, ValueError) as error:
        raise refuse(f"has a wrong value ({error})") from None


def _value(name: str, value: Any) -> Any:
    if name in ("name", "venue"):
        if not isinstance(value, str):
            raise TypeError(f"{name} must be text")
        return value
    if name == "losses":
        return tuple(float(x) for x in value)
    if name == "exposures":
        return tuple((str(k), float(v)) for k, v in dict(value).items())
    if isinstance(value, bool):
        raise TypeError(f"{name} must be a number")
    return float(value)
