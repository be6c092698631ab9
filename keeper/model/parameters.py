"""What a strategy's parameter may be, said where it is declared: bounds and unit, checked and shown from there.

@dataclass(frozen=True, slots=True)
class Cover:
    share: Annotated[float, Range(0.0, 1.0, "of idle base")] = 0.5

    def __post_init__(self) -> None:
        check_ranges(self)
"""

import dataclasses
import math
from typing import Any, get_type_hints


@dataclasses.dataclass(frozen=True, slots=True)
class Range:
    """Least and greatest value of a number, both allowed."""

    low: float
    high: float
    unit: str = ""

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}" + (f" {self.unit}" if self.unit else "")


def ranges_of(cls: type) -> dict[str, Range]:
    """The declared range of each field that has one."""
    found = {}
    for name, hint in get_type_hints(cls, include_extras=True).items():
        for extra in getattr(hint, "__metadata__", ()):
            if isinstance(extra, Range):
                found[name] = extra
    return found


def check_ranges(instance: Any) -> None:
    """ValueError names the first field that is no finite number in its range."""
    cls = type(instance)
    for name, allowed in ranges_of(cls).items():
        value = getattr(instance, name)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not math.isfinite(value) or not allowed.low <= value <= allowed.high:
            raise ValueError(f"{cls.__name__}.{name} must be {allowed}, found {value!r}")


def require(instance: Any, holds: bool, rule: str, **values: Any) -> None:
    """ValueError with the rule and the values that break it."""
    if not holds:
        found = ", ".join(f"{name} {value}" for name, value in values.items())
        raise ValueError(f"{type(instance).__name__} needs {rule}: {found}")
