"""JSON Schema (2020-12) of the risk report, written from the very types that are reported."""

import ast
import dataclasses
import functools
import inspect
import json
import types
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

from keeper.model import risk_report
from keeper.model.risk_report import SCHEMA, FullReport


def risk_schema() -> dict[str, Any]:
    """The whole schema; every object is closed and every field required."""
    found: dict[str, Any] = {}
    _reference(FullReport, found)
    root = found.pop(FullReport.__name__)
    root["properties"]["schema"] = {"const": SCHEMA}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{SCHEMA.replace('/', ':')}",
        "title": "Gimbal risk report",
        **root,
        "$defs": dict(sorted(found.items())),
    }


def risk_schema_text() -> str:
    """As kept in docs/risk-report.schema.json."""
    return json.dumps(risk_schema(), indent=2) + "\n"


def _reference(cls: type, found: dict[str, Any]) -> dict[str, Any]:
    if cls.__name__ not in found:
        found[cls.__name__] = {}  # its place, should it contain itself
        hints, meanings = get_type_hints(cls), _meanings().get(cls.__name__, {})
        properties = {}
        for field in dataclasses.fields(cls):
            kind = _type(hints[field.name], found)
            meaning = meanings.get(field.name)
            properties[field.name] = {**kind, "description": meaning} if meaning else kind
        found[cls.__name__] = {
            "type": "object",
            "description": inspect.getdoc(cls) or "",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }
    return {"$ref": f"#/$defs/{cls.__name__}"}


def _type(hint: Any, found: dict[str, Any]) -> dict[str, Any]:
    # A float that is not finite is null: a ratio without equity, an error of a moment that does not exist.
    simple = {bool: "boolean", int: "integer", str: "string", float: ["number", "null"]}
    if hint in simple:
        return {"type": simple[hint]}
    if inspect.isclass(hint) and issubclass(hint, Enum):
        return {"enum": [member.value for member in hint]}
    if dataclasses.is_dataclass(hint) and inspect.isclass(hint):
        return _reference(hint, found)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        kinds = [_type(a, found) for a in arguments if a is not type(None)]
        return {"anyOf": [*kinds, {"type": "null"}]}
    if origin is tuple and arguments[-1] is Ellipsis:
        return {"type": "array", "items": _type(arguments[0], found)}
    if origin is tuple:
        items = [_type(a, found) for a in arguments]
        return {"type": "array", "prefixItems": items, "items": False, "minItems": len(items)}
    raise TypeError(f"no schema for {hint}")


@functools.cache
def _meanings() -> dict[str, dict[str, str]]:
    """The text under each field, by class and field."""
    tree = ast.parse(inspect.getsource(risk_report))
    found: dict[str, dict[str, str]] = {}
    for cls in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        texts = found.setdefault(cls.name, {})
        for field, after in zip(cls.body, cls.body[1:], strict=False):
            if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
                continue
            if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
                texts[field.target.id] = inspect.cleandoc(str(after.value.value))
    return found
