"""Strategies as people read them: from their docstrings, their fields, and the ranges declared with them."""

import ast
import dataclasses
import inspect
import textwrap
from importlib.metadata import EntryPoint
from itertools import pairwise
from typing import Any, get_type_hints

from keeper.config.strategy import OWN, load_class, registered
from keeper.errors import SettingError
from keeper.model.parameters import ranges_of
from keeper.model.ports import Strategy


@dataclasses.dataclass(frozen=True, slots=True)
class Parameter:
    """One field of a strategy's class."""

    name: str
    type: str
    default: str
    bounds: str
    """With the unit; empty where none are declared."""
    doc: str


@dataclasses.dataclass(frozen=True, slots=True)
class Shown:
    """One strategy."""

    name: str
    value: str
    package: str
    doc: str
    parameters: tuple[Parameter, ...]


def listed() -> tuple[tuple[str, str, str], ...]:
    """(name, package, first sentence); one that cannot be imported says so."""
    return tuple((point.name, package_of(point), _summary(point)) for point in registered())


def package_of(point: EntryPoint) -> str:
    """The distribution it comes from."""
    return point.dist.name if point.dist is not None else OWN


def shown(name: str) -> Shown:
    """Everything of one; SettingError if there is none of that name."""
    cls = load_class(name)
    point = next(point for point in registered() if point.name == name)
    return Shown(
        name,
        point.value,
        package_of(point),
        inspect.getdoc(cls) or "",
        tuple(parameters_of(cls)),
    )


def parameters_of(cls: Any) -> list[Parameter]:
    """Its fields in order."""
    if not dataclasses.is_dataclass(cls):
        return []
    hints, ranges, docs = get_type_hints(cls), ranges_of(cls), _docs(cls)  # type: ignore[arg-type]
    return [
        Parameter(
            field.name,
            _type(hints[field.name]),
            _default(field),
            str(ranges.get(field.name, "")),
            docs.get(field.name, ""),
        )
        for field in dataclasses.fields(cls)
        if field.init
    ]


def _summary(point: EntryPoint) -> str:
    """Of the module if it has words for it, else of the class."""
    try:
        cls = load_class(point.name)
    except SettingError as error:
        return str(error)
    module = inspect.getmodule(cls)
    text = inspect.getdoc(module) or inspect.getdoc(cls) or ""
    return text.split("\n\n")[0].replace("\n", " ")


def _type(hint: Any) -> str:
    if hint == Strategy:
        return "strategy"
    if hint == tuple[Strategy, ...]:
        return "strategies"
    return str(getattr(hint, "__name__", hint))


def _default(field: Any) -> str:
    return "required" if field.default is dataclasses.MISSING else repr(field.default)


def _docs(cls: type) -> dict[str, str]:
    """The string after each field, which is how this project documents them."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    except (OSError, TypeError, SyntaxError):
        return {}
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    found = {}
    for one, after in pairwise(body):
        if not (isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)):
            continue
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            found[one.target.id] = " ".join(str(after.value.value).split())
    return found
