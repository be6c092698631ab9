"""A strategy by its entry point, with its parameters checked by name; strategies may hold other strategies."""

import dataclasses
import json
from collections.abc import Callable, Container, Iterator
from decimal import Decimal, InvalidOperation
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, NewType, cast, get_args, get_origin, get_type_hints

from keeper.errors import QuantityError, SettingError
from keeper.model.ports import Strategy
from keeper.model.units import WAD, Wad

GROUP = "gimbal.strategies"
OWN = "gimbal"
"""The distribution whose strategies run inside the keeper."""
_FIELD = "strategy.parameters"
_NAMED = "strategy.name"
_INNER_KEYS = frozenset({"name", "parameters"})
_RECORDED_KEYS = frozenset({"strategy", "parameters"})
"""As the journal writes a strategy inside another: its class, as `module:name`."""
_RAW_WAD_FROM = 10**9
_DEEPEST = 8
_LEVELS = 4
"""Tables and lists from one strategy to the one inside it, at most: its parameters, a list, the table of the other."""


def load_strategy(name: str, parameters: dict[str, Any]) -> Strategy:
    """An instance of the strategy's class; SettingError names the parameter that is wrong."""
    return _load(name, parameters, _NAMED, _FIELD)


def registered() -> tuple[EntryPoint, ...]:
    """Every strategy that an installed package registers, by name; nothing is imported."""
    return tuple(sorted(entry_points(group=GROUP), key=lambda point: point.name))


def load_class(name: str) -> Any:
    """The strategy's class; SettingError if there is none of that name or it cannot be imported."""
    return _class(name, _NAMED)


def is_foreign(name: str, parameters: dict[str, Any]) -> bool:
    """Whether the strategy, or one inside it, comes from another distribution than ours.

    Nothing is imported. A name that nobody registers is not foreign: loading it says what is wrong. What is nested
    deeper than anything that loads is: it is not for the process that signs to look further.
    """
    found = {point.name: point for point in registered()}
    found |= {point.value: point for point in found.values()}  # as the journal writes them
    try:
        names = (name, *_inner_names(parameters, _DEEPEST * _LEVELS))
    except _TooDeepError:
        return True
    return any(_distribution(found[one]) != OWN for one in names if one in found)


def strategies_in(name: str, parameters: dict[str, Any]) -> tuple[str, ...]:
    """The strategy and every one inside it that somebody registers, by name, in order."""
    known = {point.name: point.name for point in registered()}
    known |= {point.value: point.name for point in registered()}
    try:
        names = (name, *_inner_names(parameters, _DEEPEST * _LEVELS))
    except _TooDeepError:
        names = (name,)  # loading it says so
    return tuple(sorted({known[one] for one in names if one in known}))


def files_in(parameters: Any, depth: int = _DEEPEST * _LEVELS) -> tuple[Path, ...]:
    """Files of candidates that are named anywhere in parameters."""
    value = _parsed(parameters)
    if depth == 0 or not isinstance(value, dict | list | tuple):
        return ()
    items = value.items() if isinstance(value, dict) else ((None, one) for one in value)
    found: list[Path] = []
    for key, inner in items:
        found += files_in(inner, depth - 1)
        if key == "candidates" and isinstance(inner, str):
            found.append(Path(inner))
    return tuple(found)


class _TooDeepError(Exception):
    """Tables within tables beyond what is looked through."""


def _distribution(point: EntryPoint) -> str:
    """Whose it is: without a distribution (a checkout) ours if its module is."""
    if point.dist is None:
        return OWN if point.value.startswith("strategies.") else ""
    return point.dist.name.lower()


def _inner_names(value: Any, depth: int) -> Iterator[str]:
    """Names of strategies inside parameters, wherever they stand, and in files of candidates among them."""
    value = _parsed(value)
    if isinstance(value, dict | list | tuple) and depth == 0:
        raise _TooDeepError
    if isinstance(value, dict):
        yield from (str(value[key]) for key in ("name", "strategy") if key in value)
        for key, inner in value.items():
            yield from _inner_names(inner, depth - 1)
            if key == "candidates" and isinstance(inner, str):
                yield from _inner_names(_parts_of(inner), depth - 1)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _inner_names(inner, depth - 1)


def _parts_of(file: str) -> Any:
    """What a file of candidates names; nothing where it cannot be read, which loading says."""
    from keeper.config.candidates import parameters_of  # scipy: only for who allocates

    try:
        return parameters_of(Path(file))["parts"]
    except (QuantityError, ValueError, OSError):
        return ()


def _load(name: str, parameters: Any, named: str, field: str, depth: int = _DEEPEST) -> Strategy:
    if depth == 0:
        raise SettingError(field, "strategies are nested too deep", f"at most {_DEEPEST} levels")
    cls: Any = _class(name, named)
    if not dataclasses.is_dataclass(cls):
        raise SettingError(named, f"{name} is not a dataclass", "correct the strategy")
    if not isinstance(parameters, dict):
        raise SettingError(field, f"must be a table, found {parameters!r}", "correct it")
    fields = {f.name: f for f in dataclasses.fields(cls) if f.init}
    hints = get_type_hints(cls)
    parameters = _with_candidates(parameters, fields, field)
    for given in parameters:
        if given not in fields:
            known = ", ".join(fields)
            problem = f"{name} has no such parameter"
            raise SettingError(f"{field}.{given}", problem, f"it has {known}")
    for one in fields.values():
        missing = one.default is one.default_factory is dataclasses.MISSING
        if missing and one.name not in parameters:
            raise SettingError(f"{field}.{one.name}", "is missing", f"{name} needs it")
    factory = cast(Callable[..., Strategy], cls)
    values = {
        key: _value(f"{field}.{key}", value, hints[key], depth) for key, value in parameters.items()
    }
    try:
        return factory(**values)
    except (TypeError, ValueError, QuantityError) as error:
        remedy = f"correct the parameters of {name}"
        raise SettingError(field, str(error), remedy) from None


def _with_candidates(
    parameters: dict[str, Any], fields: Container[str], field: str
) -> dict[str, Any]:
    """A file of candidates in place of the parameters it stands for, where the strategy has those and not it."""
    given = parameters.get("candidates")
    if not isinstance(given, str) or "candidates" in fields or "expected_returns" not in fields:
        return parameters
    from keeper.config.candidates import parameters_of  # scipy: only for who allocates

    try:
        read = parameters_of(Path(given))
    except QuantityError as error:
        raise SettingError(f"{field}.candidates", str(error), "correct the file") from None
    rest = {name: value for name, value in parameters.items() if name != "candidates"}
    twice = ", ".join(sorted(read.keys() & rest.keys()))
    if twice:
        raise SettingError(f"{field}.candidates", f"gives {twice} as well", "give them once")
    return {**read, **rest}


def _class(name: str, named: str) -> Any:
    found = {point.name: point for point in entry_points(group=GROUP)}
    point: EntryPoint | None = found.get(name)
    if point is None:
        known = ", ".join(sorted(found)) or "none: is the package installed?"
        raise SettingError(named, f"no strategy {name!r}", f"known are {known}")
    try:
        return point.load()
    except (ImportError, AttributeError) as error:
        problem = f"{name} cannot be loaded ({error})"
        raise SettingError(named, problem, "reinstall the strategy") from None


def _value(path: str, value: Any, hint: Any, depth: int) -> Any:
    """A parameter in its declared type; WAD ratios are written as decimals (1.5) or raw (1500...)."""
    if hint == Strategy:
        return _inner(path, value, depth)
    if get_origin(hint) is tuple:
        return _items(path, value, get_args(hint)[0], depth)
    if hint is Wad:
        return _wad(path, value)
    kind = hint
    while isinstance(kind, NewType):
        kind = kind.__supertype__
    if kind is bool and str(value).lower() in ("true", "false"):
        return str(value).lower() == "true"  # from the environment it is text
    if kind in (int, float):
        return _number(path, value, kind)
    if isinstance(kind, type) and not isinstance(value, kind):
        raise SettingError(path, f"must be {kind.__name__}, found {value!r}", "correct it")
    return value


def _inner(path: str, value: Any, depth: int) -> Strategy:
    """A strategy inside another: a table with its name and parameters."""
    value = _parsed(value)
    if isinstance(value, dict) and "strategy" in value and value.keys() <= _RECORDED_KEYS:
        names = {point.value: point.name for point in entry_points(group=GROUP)}
        value = {**value, "name": names.get(value["strategy"], value["strategy"])}
        del value["strategy"]
    if not isinstance(value, dict) or "name" not in value or not value.keys() <= _INNER_KEYS:
        problem = f"must be a strategy, found {value!r}"
        remedy = 'give { name = "...", parameters = { ... } }'
        raise SettingError(path, problem, remedy)
    given = value.get("parameters", {})
    return _load(str(value["name"]), given, f"{path}.name", f"{path}.parameters", depth - 1)


def _items(path: str, value: Any, hint: Any, depth: int) -> tuple[Any, ...]:
    value = _parsed(value)
    if not isinstance(value, list | tuple):
        raise SettingError(path, f"must be a list, found {value!r}", "correct it")
    return tuple(_value(f"{path}.{at}", one, hint, depth) for at, one in enumerate(value))


def _parsed(value: Any) -> Any:
    """Text from the environment that stands for a table or a list."""
    if not isinstance(value, str) or value[:1] not in ("{", "["):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _number(path: str, value: Any, kind: type) -> Any:
    try:
        if kind is int:
            number = Decimal(str(value))
            if isinstance(value, bool) or number != int(number):
                raise SettingError(path, "must be a whole number", "correct it")
            return int(number)
        return float(value)
    except (InvalidOperation, TypeError, ValueError, OverflowError):
        raise SettingError(path, f"must be a number, found {value!r}", "correct it") from None


def _wad(path: str, value: Any) -> Wad:
    try:
        number = Decimal(str(value))
        scaled = number if number >= _RAW_WAD_FROM else number * WAD
        if not isinstance(value, bool) and scaled == int(scaled):
            return Wad(int(scaled))
    except (InvalidOperation, ValueError, OverflowError):
        pass  # said below
    problem = f"must be a decimal number such as 1.5, found {value!r}"
    raise SettingError(path, problem, "correct it")
