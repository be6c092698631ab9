"""Canonical JSON for the model's frozen values; `decode(encode(x)) == x`, so that a decision can be replayed.

Dataclasses carry their name under "$"; integers beyond 2^53 and non-finite floats are strings, because JSON
readers elsewhere would round or refuse them. Fields are read back by their declared types.
"""

import dataclasses
import json
import math
import types
from enum import Enum
from functools import lru_cache
from typing import Any, NewType, Union, get_args, get_origin, get_type_hints

from keeper.model import attempt, block, decision, mandate, market, outcome, risk

_EXACT_IN_JSON = 2**53
_MODULES = (attempt, block, decision, mandate, market, outcome, risk)
_CLASSES: dict[str, type] = {
    name: value
    for module in _MODULES
    for name, value in vars(module).items()
    if isinstance(value, type) and dataclasses.is_dataclass(value)
}


class CodecError(ValueError):
    """The text is not a value this version of the keeper wrote."""


def encode(value: Any) -> str:
    """Canonical JSON: sorted keys, no spaces; equal values give equal text."""
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), allow_nan=False)


def decode(text: str) -> Any:
    """The value that was encoded; CodecError for anything else."""
    try:
        plain = json.loads(text)
        if isinstance(plain, dict):
            return _dataclass(plain)
        raise CodecError("not a journalled value")
    except (KeyError, TypeError, ValueError) as error:
        raise CodecError(f"cannot be decoded: {error}") from error


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"$": type(value).__name__, **fields}
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _EXACT_IN_JSON else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(value)
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    raise CodecError(f"no JSON form for {type(value).__name__}")


@lru_cache(maxsize=64)
def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls)


@lru_cache(maxsize=64)
def _defaulted(cls: type) -> frozenset[str]:
    missing = dataclasses.MISSING
    fields = dataclasses.fields(cls)
    return frozenset(f.name for f in fields if f.default is not missing)


def _dataclass(plain: dict[str, Any]) -> Any:
    cls = _CLASSES[plain["$"]]
    hints = _hints(cls)
    given = {name: value for name, value in plain.items() if name != "$"}
    # An older keeper wrote without the fields that came later; what they default to is what was not known then.
    if not given.keys() <= hints.keys() or not (hints.keys() - given.keys()) <= _defaulted(cls):
        raise CodecError(f"fields of {plain['$']} differ: {sorted(given.keys() ^ hints.keys())}")
    return cls(**{name: _typed(value, hints[name]) for name, value in given.items()})


def _one_of(value: Any, kinds: list[Any]) -> Any:
    """A union of dataclasses: the value names its own."""
    found = _dataclass(value)
    if type(found) not in kinds:
        raise CodecError(f"{type(found).__name__} is none of {[kind.__name__ for kind in kinds]}")
    return found


def _typed(value: Any, hint: Any) -> Any:  # noqa: PLR0911 - one return for each kind of type
    if isinstance(hint, NewType):
        return _typed(value, hint.__supertype__)
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        if value is None:
            return None
        kinds = [arg for arg in get_args(hint) if arg is not type(None)]
        return _typed(value, kinds[0]) if len(kinds) == 1 else _one_of(value, kinds)
    if origin is tuple:
        return tuple(_typed(item, get_args(hint)[0]) for item in value)
    if dataclasses.is_dataclass(hint):
        return _dataclass(value)
    if hint is bool or hint is str:
        if not isinstance(value, hint):
            raise CodecError(f"expected {hint.__name__}, found {type(value).__name__}")
        return value
    return hint(value)
