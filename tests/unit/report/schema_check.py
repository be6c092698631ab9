"""As much of JSON Schema as the risk report uses; a keyword it does not know is an error, not a pass."""

from typing import Any

_KNOWN = {
    "$schema", "$id", "title", "$defs", "$ref", "description", "type", "properties", "required",
    "additionalProperties", "enum", "const", "anyOf", "items", "prefixItems", "minItems",
}  # fmt: skip
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,), "array": (list,), "string": (str,), "boolean": (bool,), "null": (type(None),),
    "integer": (int,), "number": (int, float),
}  # fmt: skip


def faults(value: Any, schema: dict[str, Any], root: dict[str, Any], at: str = "$") -> list[str]:
    """Everything in which the value is not what the schema says."""
    unknown = schema.keys() - _KNOWN
    assert not unknown, f"{at}: the checker does not know {unknown}"
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        return faults(value, root["$defs"][name], root, at)
    found: list[str] = []
    if "const" in schema and value != schema["const"]:
        found.append(f"{at}: is {value!r}, not {schema['const']!r}")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{at}: {value!r} is none of {schema['enum']}")
    if "anyOf" in schema and all(faults(value, s, root, at) for s in schema["anyOf"]):
        found.append(f"{at}: {value!r} fits none of {schema['anyOf']}")
    if "type" in schema and not _of_type(value, schema["type"]):
        found.append(f"{at}: {value!r} is not of type {schema['type']}")
    if isinstance(value, dict):
        found += _object(value, schema, root, at)
    if isinstance(value, list):
        found += _array(value, schema, root, at)
    return found


def _of_type(value: Any, wanted: str | list[str]) -> bool:
    kinds = [wanted] if isinstance(wanted, str) else wanted
    if isinstance(value, bool):
        return "boolean" in kinds
    return any(isinstance(value, _TYPES[kind]) for kind in kinds)


def _object(value: Any, schema: Any, root: Any, at: str) -> list[str]:
    properties = schema.get("properties", {})
    found = [f"{at}: lacks {name}" for name in schema.get("required", []) if name not in value]
    for name, item in value.items():
        if name in properties:
            found += faults(item, properties[name], root, f"{at}.{name}")
        elif schema.get("additionalProperties") is False:
            found.append(f"{at}: has {name}, which the schema does not")
    return found


def _array(value: Any, schema: Any, root: Any, at: str) -> list[str]:
    first = schema.get("prefixItems", [])
    found = [f"{at}: has {len(value)} items"] if len(value) < schema.get("minItems", 0) else []
    if schema.get("items") is False and len(value) > len(first):
        found.append(f"{at}: has more than {len(first)} items")
    for index, item in enumerate(value):
        rule = first[index] if index < len(first) else schema.get("items", {})
        if isinstance(rule, dict):
            found += faults(item, rule, root, f"{at}[{index}]")
    return found
