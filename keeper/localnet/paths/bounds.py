"""Named parameters with a unit and bounds, kept beside the default they belong to."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from math import isfinite
from typing import Any, TypeVar

from keeper.errors import SettingError

T = TypeVar("T", bound="Shape")


def bounded(default: float, low: float, high: float, unit: str) -> Any:
    """A dataclass field in [low, high]; an int default makes it a whole number."""
    return field(default=default, metadata={"low": low, "high": high, "unit": unit})


@dataclass(frozen=True)
class Shape:
    """Base of parameter sets: every field is checked against its bounds when the value is made."""

    def __post_init__(self) -> None:
        for item in fields(self):
            low, high = item.metadata["low"], item.metadata["high"]
            value = getattr(self, item.name)
            name = f"{type(self).__name__}.{item.name}"
            remedy = f"give a value from {low:g} to {high:g} ({item.metadata['unit']})"
            if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
                raise SettingError(name, f"{value!r} is not a number", remedy)
            if isinstance(item.default, int) and value != int(value):
                raise SettingError(name, f"{value!r} is not a whole number", remedy)
            if not low <= value <= high:
                raise SettingError(name, f"{value:g} is out of bounds", remedy)
            object.__setattr__(
                self, item.name, int(value) if isinstance(item.default, int) else float(value)
            )


def with_overrides(shape: T, overrides: Mapping[str, float]) -> T:
    """A copy of `shape` with some parameters replaced; an unknown name is refused."""
    known = {item.name: getattr(shape, item.name) for item in fields(shape)}
    for name in overrides:
        if name not in known:
            raise SettingError(
                f"{type(shape).__name__}.{name}",
                "no such parameter",
                f"choose among {', '.join(sorted(known))}",
            )
    return type(shape)(**{**known, **overrides})
