"""Frozen values that are made quickly: every tick makes dozens of them, and they are half of what making costs.

A frozen dataclass sets each field through `object.__setattr__`, some 60 ns a field. Here the object is for the time of
its `__init__` of a class with the same slots that is not frozen, where a field costs what an attribute costs. Before
anybody else can see it it is of its own class: frozen, equal, hashed, shown and replaced as before.
"""

from dataclasses import MISSING, fields, is_dataclass
from typing import Any, TypeVar

T = TypeVar("T")


def quick(cls: type[T]) -> type[T]:
    """The same frozen dataclass with slots and a quicker `__init__`; put it above `@dataclass`.

    TypeError for a class that it could not do the same for: not frozen, without slots, with a base, a `__post_init__`,
    or a field that is made by a factory or not given to `__init__`.
    """
    if not is_dataclass(cls):
        raise TypeError(f"{cls.__name__} is no dataclass")
    known = fields(cls)
    names = [field.name for field in known]
    frozen = cls.__dataclass_params__.frozen  # type: ignore[attr-defined]
    plain = all(f.init and not f.kw_only and f.default_factory is MISSING for f in known)
    slotted = tuple(cls.__dict__.get("__slots__", ())) == tuple(names)
    if not (frozen and plain and slotted and cls.__bases__ == (object,)) or hasattr(
        cls, "__post_init__"
    ):
        raise TypeError(f"{cls.__name__} is more than a frozen dataclass with slots")
    if {"self", "_set", "_opened", "_cls"} & set(names):
        raise TypeError(f"{cls.__name__} has a field that is called as a part of the making")
    cls.__init__ = _init_of(cls, names)  # type: ignore[method-assign]
    cls.__init_subclass__ = classmethod(_refuse)  # type: ignore[assignment]
    return cls


def _refuse(cls: type, /, **_: object) -> None:
    """An object of a class under it would come out of the making as one of the class itself."""
    raise TypeError(f"{cls.__name__} is under a class whose values are made quickly")


def _init_of(cls: type, names: list[str]) -> Any:
    made: Any = cls.__dict__["__init__"]
    opened = type(f"{cls.__name__}InTheMaking", (), {"__slots__": tuple(names)})
    lines = [
        f"def __init__(self, {', '.join(names)}):",
        "    _set(self, '__class__', _opened)",
        *(f"    self.{name} = {name}" for name in names),
        "    self.__class__ = _cls",
    ]
    scope: dict[str, Any] = {"_set": object.__setattr__, "_opened": opened, "_cls": cls}
    exec("\n".join(lines), scope)  # noqa: S102 - field names only, as dataclasses does it
    found = scope["__init__"]
    found.__defaults__ = made.__defaults__
    found.__annotations__ = made.__annotations__
    found.__qualname__, found.__module__ = made.__qualname__, cls.__module__
    return found
