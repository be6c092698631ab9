"""A strategy by its entry point, with its parameters checked by name."""

import dataclasses
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from importlib.metadata import EntryPoint, entry_points
from typing import Any, NewType, cast, get_type_hints

from keeper.errors import SettingError
from keeper.model.ports import Strategy
from keeper.model.units import WAD, Wad

GROUP = "gimbal.strategies"
_FIELD = "strategy.parameters"
_RAW_WAD_FROM = 10**9


def load_strategy(name: str, parameters: dict[str, Any]) -> Strategy:
    """An instance of the strategy's class; SettingError names the parameter that is wrong."""
    cls: Any = _class(name)
    if not dataclasses.is_dataclass(cls):
        raise SettingError("strategy.name", f"{name} is not a dataclass", "correct the strategy")
    fields = {f.name: f for f in dataclasses.fields(cls) if f.init}
    hints = get_type_hints(cls)
    for given in parameters:
        if given not in fields:
            known = ", ".join(fields)
            raise SettingError(
                f"{_FIELD}.{given}", f"{name} has no such parameter", f"it has {known}"
            )
    for field in fields.values():
        missing = field.default is field.default_factory is dataclasses.MISSING
        if missing and field.name not in parameters:
            raise SettingError(f"{_FIELD}.{field.name}", "is missing", f"{name} needs it")
    factory = cast(Callable[..., Strategy], cls)
    values = {key: _value(key, value, hints[key]) for key, value in parameters.items()}
    try:
        strategy = factory(**values)
    except (TypeError, ValueError) as error:
        remedy = f"correct the parameters of {name}"
        raise SettingError(_FIELD, str(error), remedy) from None
    return strategy


def _class(name: str) -> Any:
    found = {point.name: point for point in entry_points(group=GROUP)}
    point: EntryPoint | None = found.get(name)
    if point is None:
        known = ", ".join(sorted(found)) or "none: is the package installed?"
        raise SettingError("strategy.name", f"no strategy {name!r}", f"known are {known}")
    try:
        return point.load()
    except (ImportError, AttributeError) as error:
        problem = f"{name} cannot be loaded ({error})"
        raise SettingError("strategy.name", problem, "reinstall the strategy") from None


def _value(name: str, value: Any, hint: Any) -> Any:
    """A parameter in its declared type; WAD ratios are written as decimals (1.5) or raw (1500...)."""
    path = f"{_FIELD}.{name}"
    if hint is Wad:
        return _wad(path, value)
    kind = hint
    while isinstance(kind, NewType):
        kind = kind.__supertype__
    if kind is bool and str(value).lower() in ("true", "false"):
        return str(value).lower() == "true"  # from the environment it is text
    try:
        if kind is int:
            number = Decimal(str(value))
            if isinstance(value, bool) or number != int(number):
                raise SettingError(path, "must be a whole number", "correct it")
            return int(number)
        if kind is float:
            return float(value)
    except (InvalidOperation, TypeError, ValueError, OverflowError):
        raise SettingError(path, f"must be a number, found {value!r}", "correct it") from None
    if isinstance(kind, type) and not isinstance(value, kind):
        raise SettingError(path, f"must be {kind.__name__}, found {value!r}", "correct it")
    return value


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
