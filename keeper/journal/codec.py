"""Canonical JSON for the model's frozen values; `decode(encode(x)) == x`, so that a decision can be replayed.

Dataclasses carry their name under "$"; integers beyond 2^53 and non-finite floats are strings, because JSON
readers elsewhere would round or refuse them. Fields are read back by their declared types. `encode_loose` is for
values without a declared type: it marks what JSON cannot tell apart.
"""

import dataclasses
import json
import math
import operator
import types
from collections.abc import Callable
from enum import Enum
from functools import lru_cache
from json.encoder import encode_basestring_ascii as _quoted
from typing import Any, NewType, Union, get_args, get_origin, get_type_hints

from keeper.model import (
    attempt,
    block,
    decision,
    desk,
    exposure,
    mandate,
    market,
    outcome,
    outlook,
    policy,
    risk,
    risk_report,
    series,
)

_EXACT_IN_JSON = 2**53
_MODULES = (
    attempt,
    block,
    decision,
    mandate,
    market,
    outcome,
    risk,
    policy,
    outlook,
    exposure,
    risk_report,
    desk,
    series,
)
_CLASSES: dict[str, type] = {
    name: value
    for module in reversed(
        _MODULES
    )  # a name in two modules is the first one's, unless a field declares it
    for name, value in vars(module).items()
    if isinstance(value, type)
    and dataclasses.is_dataclass(value)
    and value.__module__ == module.__name__
}


class CodecError(ValueError):
    """The text is not a value this version of the keeper wrote."""


def encode(value: Any) -> str:
    """Canonical JSON: sorted keys, no spaces; equal values give equal text."""
    writer = _WRITERS.get(type(value))
    return writer(value) if writer is not None else _writer_of(value)(value)


def decode(text: str) -> Any:
    """The value that was encoded; CodecError for anything else."""
    try:
        plain = json.loads(text)
        if isinstance(plain, dict):
            return _dataclass(plain)
        raise CodecError("not a journalled value")
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise CodecError(f"cannot be decoded: {error}") from error


def encode_loose(value: Any) -> str:
    """JSON of None, bool, int, float, str, sequences, mappings by text, and dataclasses of the model."""
    return json.dumps(_marked(value), sort_keys=True, separators=(",", ":"), allow_nan=False)


def decode_loose(text: str) -> Any:
    """What `encode_loose` was given, sequences as tuples; CodecError for anything else."""
    try:
        return _unmarked(json.loads(text))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise CodecError(f"cannot be decoded: {error}") from error


# Writing: one function for each type, made once. A tick writes some hundred fields.

Writer = Callable[[Any], str]


def _integer(value: int) -> str:
    return str(value) if -_EXACT_IN_JSON <= value <= _EXACT_IN_JSON else f'"{value}"'


def _float(value: float) -> str:
    number = float(value)
    return float.__repr__(number) if math.isfinite(number) else f'"{number!r}"'


def _sequence(value: Any) -> str:
    return f"[{','.join([encode(item) for item in value])}]"


_WRITERS: dict[type, Writer] = {
    type(None): lambda _: "null",
    bool: lambda value: "true" if value else "false",
    str: _quoted,
    int: _integer,
    float: _float,
    tuple: _sequence,
    list: _sequence,
}


def _writer_of(value: Any) -> Writer:
    """The writer of a type seen for the first time."""
    kind = type(value)
    if dataclasses.is_dataclass(kind):
        writer = _dataclass_writer(kind)
    elif isinstance(value, Enum):
        texts = {member: encode(member.value) for member in kind}
        writer = texts.__getitem__
    else:
        base = next((b for b in (str, int, float, tuple, list) if isinstance(value, b)), None)
        if base is None:
            raise CodecError(f"no JSON form for {kind.__name__}")
        if base is int:  # a subclass may show itself in words
            return lambda value: _integer(int(value))
        return _WRITERS[base]
    _WRITERS[kind] = writer
    return writer


def _dataclass_writer(kind: type) -> Writer:
    """One text with gaps for the values: every tick fills some thirty of them."""
    names = sorted(field.name for field in dataclasses.fields(kind))
    parts = [f'"$":{_quoted(kind.__name__)}', *(f"{_quoted(name)}:%s" for name in names)]
    text = f"{{{','.join(parts)}}}"
    if len(names) < 2:
        return lambda value: text % tuple([encode(getattr(value, name)) for name in names])
    items = operator.attrgetter(*names)
    writers = _WRITERS

    def write(value: Any) -> str:
        found = items(value)
        try:
            return text % tuple([writers[type(item)](item) for item in found])
        except KeyError:  # a type seen for the first time
            return text % tuple([encode(item) for item in found])

    return write


# Reading


@lru_cache(maxsize=256)
def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls)


@lru_cache(maxsize=256)
def _defaulted(cls: type) -> frozenset[str]:
    missing = dataclasses.MISSING
    return frozenset(
        field.name
        for field in dataclasses.fields(cls)
        if field.default is not missing or field.default_factory is not missing
    )


def _dataclass(plain: dict[str, Any], declared: type | None = None) -> Any:
    name = plain["$"]
    cls = declared if declared is not None and declared.__name__ == name else _CLASSES[name]
    hints = _hints(cls)
    given = {name: value for name, value in plain.items() if name != "$"}
    # An older keeper wrote without fields that came later; their defaults say what was not known then.
    if not given.keys() <= hints.keys() or not hints.keys() - given.keys() <= _defaulted(cls):
        raise CodecError(f"fields of {plain['$']} differ: {sorted(given.keys() ^ hints.keys())}")
    return cls(**{name: _typed(value, hints[name]) for name, value in given.items()})


def _one_of(value: Any, kinds: list[Any]) -> Any:
    """A union of dataclasses: the value names its own."""
    named = {kind.__name__: kind for kind in kinds}.get(value["$"])
    found = _dataclass(value, named)
    if type(found) not in kinds:
        raise CodecError(f"{type(found).__name__} is none of {[kind.__name__ for kind in kinds]}")
    return found


def _tuple(value: Any, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise CodecError(f"expected a sequence, found {type(value).__name__}")
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return tuple(_typed(item, arguments[0]) for item in value)
    return tuple(_typed(item, hint) for item, hint in zip(value, arguments, strict=True))


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
        return _tuple(value, get_args(hint))
    if dataclasses.is_dataclass(hint):
        found = _dataclass(value, hint if isinstance(hint, type) else None)
        if type(found) is not hint:
            raise CodecError(f"expected {hint}, found {type(found).__name__}")
        return found
    if hint is bool or hint is str:
        if not isinstance(value, hint):
            raise CodecError(f"expected {hint.__name__}, found {type(value).__name__}")
        return value
    return hint(value)


def _marked(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {"$": "value", "is": json.loads(encode(value))}
    if isinstance(value, Enum):
        return _marked(value.value)
    if value is None or isinstance(value, bool | str | int | float):
        return _marked_number(value) if isinstance(value, int | float) else value
    if isinstance(value, tuple | list):
        return [_marked(item) for item in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {"$": "map", "is": {key: _marked(item) for key, item in value.items()}}
    raise CodecError(f"no JSON form for {type(value).__name__}")


def _marked_number(value: float) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$": "float", "is": repr(float(value))}
    exact = isinstance(value, bool) or abs(value) <= _EXACT_IN_JSON
    return value if exact else {"$": "int", "is": str(int(value))}


def _unmarked(plain: Any) -> Any:
    if isinstance(plain, list):
        return tuple(_unmarked(item) for item in plain)
    if not isinstance(plain, dict):
        return plain
    kind, inner = plain["$"], plain["is"]
    if kind == "map":
        return {key: _unmarked(item) for key, item in inner.items()}
    if kind == "value":
        return _dataclass(inner)
    return {"int": int, "float": float}[kind](inner)
