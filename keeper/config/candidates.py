"""Candidates for the allocator, from a file that a backtest or a person wrote; with strategies, as its parameters."""

import json
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from keeper.errors import QuantityError
from keeper.quant.allocation import Candidate

_FIELDS = {field.name: field for field in fields(Candidate)}
_REQUIRED = tuple(name for name, field in _FIELDS.items() if field.default is MISSING)


def read_candidates(path: Path) -> tuple[Candidate, ...]:
    """A JSON list of tables with the fields of `Candidate`, and `strategy` where it has one; QuantityError names file,
    place and fault."""
    return tuple(candidate for candidate, _ in _read(path))


def parameters_of(path: Path) -> dict[str, Any]:
    """Parameters of the strategy `objective`: every candidate with its `strategy`, a table of name and parameters.

    What is held and what a change costs are the vault's own to know and are left out.
    """
    read = _read(path)
    for at, (candidate, strategy) in enumerate(read):
        if strategy is None:
            remedy = 'give strategy = { "name": ..., "parameters": {...} }'
            raise QuantityError(str(path), f"{candidate.name} names no strategy", remedy, at)
        others = [name for name, _ in candidate.exposures if name != "delta"]
        if others:
            problem = f"{candidate.name} has exposure to {', '.join(others)}"
            raise QuantityError(str(path), problem, "a live objective bounds delta only", at)
    found = [candidate for candidate, _ in read]
    return {
        "parts": [strategy for _, strategy in read],
        "names": [c.name for c in found],
        "expected_returns": [c.expected_return for c in found],
        "losses": [list(c.losses) for c in found],
        "venues": [c.venue for c in found],
        "deltas": [dict(c.exposures).get("delta", 0.0) for c in found],
        "collaterals": [c.collateral for c in found],
        "debts": [c.debt for c in found],
        "least": [c.least for c in found],
        "most": [c.most for c in found],
    }


def _read(path: Path) -> list[tuple[Candidate, Any]]:
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
    return [
        (_candidate(path, at, one), one.get("strategy") if isinstance(one, dict) else None)
        for at, one in enumerate(plain)
    ]


def _candidate(path: Path, at: int, plain: Any) -> Candidate:
    def refuse(problem: str) -> QuantityError:
        return QuantityError(str(path), problem, f"fields are {', '.join(_FIELDS)}", at)

    if not isinstance(plain, dict):
        raise refuse("is no table")
    plain = {name: value for name, value in plain.items() if name != "strategy"}
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
