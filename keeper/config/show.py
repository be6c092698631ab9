"""Settings for people: every one with value, unit, default, source and meaning; and a commented example."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from keeper.chain.urls import public_name, scheme_of
from keeper.config.load import Loaded
from keeper.config.settings import Settings
from keeper.config.variables import Environment
from keeper.errors import SettingError

_VARIABLES = "_env"
"""Somebody may have put there what belongs into the variable."""
_URLS = frozenset({"rpc_url", "ws_url"})
_ENTRY_URLS = frozenset({"url", "ws_url"})
_LISTS = frozenset({"endpoints", "vaults"})


@dataclass(frozen=True, slots=True)
class Row:
    """One setting."""

    name: str
    value: str
    unit: str
    default: str
    source: str
    meaning: str
    fault: str = ""
    """What is wrong with it; the value is then not shown, it may be a secret."""


def rows(
    loaded: Loaded,
    faults: Iterable[SettingError] = (),
    environment: Mapping[str, str] | None = None,
) -> Iterator[Row]:
    """Every setting in order, secrets masked, faults in their rows."""
    variables = Environment(environment)
    problems = {fault.field: fault.problem for fault in faults}
    for name, field, value in _walk(Settings, loaded.settings):
        extra = field.json_schema_extra
        unit = extra.get("unit", "") if isinstance(extra, dict) else ""
        # a table that is wrong as a whole: so is all that it should hold
        within = (f for f in problems if f in {name, name.rpartition(".")[0]} or _entry(f, name))
        fault = problems.get(next(within, ""), "")
        yield Row(
            name=name,
            value="" if fault else _shown(name, value, variables),
            unit=str(unit),
            default="required" if field.is_required() else _text(field.get_default()),
            source=loaded.source(name),
            meaning=field.description or "",
            fault=fault,
        )


def _shown(name: str, value: Any, environment: Environment) -> str:
    if isinstance(value, SecretStr):
        from keeper.journal.source import shown_url

        return shown_url(value.get_secret_value())
    if name in _LISTS:
        return "; ".join(_entry_text(entry, environment) for entry in value) or "-"
    if isinstance(value, str) and ("://" in value or name in _URLS):
        return masked_url(value)
    if isinstance(value, str) and name.endswith(_VARIABLES):
        return environment.shown(value)
    return _text(value)


def _entry(field: str, name: str) -> bool:
    """True if the field is within an entry of the list `name`."""
    return field.removeprefix(f"{name}.")[:1].isdecimal() and field.startswith(f"{name}.")


def _entry_text(entry: BaseModel, environment: Environment) -> str:
    """What was set of an entry."""
    said = {n: v for n, v in entry if n in entry.model_fields_set and v is not None}
    return ", ".join(f"{n} {_part(n, v, environment)}" for n, v in said.items())


def _part(name: str, value: Any, environment: Environment) -> str:
    if isinstance(value, BaseModel):
        return f"({_entry_text(value, environment)})"
    if isinstance(value, str) and ("://" in value or name in _ENTRY_URLS):
        return masked_url(value)
    if isinstance(value, str) and name.endswith(_VARIABLES):
        return environment.shown(value)
    return str(value)


def masked_url(url: str) -> str:
    """Scheme, host and port; what may be a key (user, path, query) is masked. Of a unix socket all."""
    name = public_name(url)
    if scheme_of(url) == "ipc":
        return name
    return name if url.rstrip("/").lower() == name else f"{name}/***"


def example() -> str:
    """A commented settings file: required ones to fill in, others with their defaults."""
    lines = ["# Settings of the keeper. Every name may also be an environment variable:"]
    lines += ["# GIMBAL_CHAIN_ID, GIMBAL_TICK__DEADLINE_S, ... Secrets never stand here.", ""]
    table = ""
    for name, field, _ in _walk(Settings, None):
        head, _, leaf = name.rpartition(".")
        if head != table:
            lines += ["", f"[{head}]"]
            table = head
        extra = field.json_schema_extra
        unit = extra.get("unit", "") if isinstance(extra, dict) else ""
        lines.append(f"# {field.description}{f' [{unit}]' if unit else ''}")
        lines.append(_example_line(leaf, field))
    return "\n".join(lines) + "\n"


def _example_line(leaf: str, field: FieldInfo) -> str:
    if field.is_required():
        placeholder = {"chain_id": "1"}
        value = placeholder.get(leaf, '"0x..."')
        return f"{leaf} = {value}"
    if leaf in ("vault", "lens"):
        return f'{leaf} = "0x..."'
    if leaf == "rpc_url":
        return f'{leaf} = "http://127.0.0.1:8545"'
    default = field.get_default()
    if default == () and leaf in _LISTS:
        return f"# {leaf} = []"
    if default is None:
        return f'# {leaf} = ""'
    return f"# {leaf} = {_toml(default)}"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{}"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return str(value) if isinstance(value, int | float) else f'"{value}"'


def _walk(
    model: type[BaseModel], instance: BaseModel | None, prefix: str = ""
) -> Iterator[tuple[str, FieldInfo, Any]]:
    for name, field in model.model_fields.items():
        inner = field.annotation
        value = getattr(instance, name) if instance is not None else None
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _walk(inner, value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field, value


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "-"
    return str(value) if value != {} else "-"
