"""From file and environment to Settings, every mistake named by its field."""

import difflib
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsError,
)

from keeper.config.settings import JournalSettings, LeadershipSettings, OpsSettings, Settings
from keeper.errors import SettingError

_FILE = "settings file"
DEFAULT_FILE = Path("keeper.toml")
CONFIG_ENV = "GIMBAL_CONFIG"
_PREFIX = "GIMBAL_"
_NOT_SETTINGS = frozenset({"GIMBAL_CACHE_DIR", "GIMBAL_MARKET_DATA"})
"""Where the local mainnet and market history are; they matter to no keeper."""
_SECRET_NAMES = frozenset({"private_key", "privatekey", "secret", "mnemonic", "seed", "password"})
_PATHS = (
    ("key", "keystore"),
    ("key", "password_file"),
    ("journal", "path"),
    ("leadership", "lease"),
    ("ops", "control"),
    ("outlook", "option_chain"),
)
_BESIDE_THE_FILE = (
    ("journal", "path", JournalSettings().path),
    ("leadership", "lease", LeadershipSettings().lease),
    ("ops", "control", OpsSettings().control),
)
_KEY_SHAPE = re.compile(r"(0x)?[0-9a-fA-F]{64}")
_SEE = "see `keeper config show` for names, units and defaults"
_PLACEHOLDERS: Mapping[str, Any] = {
    "chain_id": 1,
    "rpc_url": "http://127.0.0.1",
    "vault": f"0x{1:040x}",
    "lens": f"0x{1:040x}",
}
"""Stand for required settings with a fault while the rest is shown."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, the file they came from, and what the file said (to tell the source of each)."""

    settings: Settings
    file: Path | None
    in_file: frozenset[str]
    in_environment: frozenset[str]

    def source(self, name: str) -> str:
        """environment, file or default."""
        if name in self.in_environment:
            return "environment"
        return "file" if name in self.in_file else "default"


def load(config: Path | None = None, environment: Mapping[str, str] | None = None) -> Loaded:
    """Settings from `config`, $GIMBAL_CONFIG or ./keeper.toml, overridden by GIMBAL_ variables."""
    env = os.environ if environment is None else environment
    file = _file(config, env)
    return _load(_parse(file) if file else {}, env, file)


def survey(
    config: Path | None = None, environment: Mapping[str, str] | None = None
) -> tuple[Loaded, tuple[SettingError, ...]]:
    """What can be loaded, and every fault. A setting with a fault has its default or a placeholder."""
    env = os.environ if environment is None else environment
    file, content = None, {}
    faults: list[SettingError] = []
    try:
        file = _file(config, env)
        content = _parse(file) if file else {}
    except SettingError as error:
        faults.append(_only(error))
    kept, rest = content, env
    while True:
        try:
            loaded = _load(kept, rest, file)
        except SettingError as error:
            before = kept, rest
            for fault in (error, *error.others):
                faults.append(_only(fault))
                kept, rest = _without(kept, fault.field), _unset(rest, fault.field)
                if fault.field in _PLACEHOLDERS:
                    kept = {**kept, fault.field: _PLACEHOLDERS[fault.field]}
            if before == (kept, rest):
                raise  # nothing was taken out: it would be found again for ever
            continue
        said = (frozenset(_leaves(content)), _environment_names(env))
        return Loaded(loaded.settings, file, *said), tuple(faults)


def _only(fault: SettingError) -> SettingError:
    """One fault without the others and without the advice to look where it is shown."""
    remedy = fault.remedy.removesuffix(_SEE).rstrip("; ") or "see the names above"
    return SettingError(fault.field, fault.problem, remedy, fault.kind)


def _without(content: Mapping[str, Any], field: str) -> dict[str, Any]:
    head, _, rest = field.partition(".")
    inner = content.get(head)
    if rest and isinstance(inner, dict):
        return {**content, head: _without(inner, rest)}
    return {name: value for name, value in content.items() if name != head}


def _unset(env: Mapping[str, str], field: str) -> dict[str, str]:
    name = field.removeprefix("$") if field.startswith("$") else _variable(field)
    gone = (name, f"{name}__")
    return {k: v for k, v in env.items() if k.upper() != gone[0] and not k.startswith(gone[1])}


def _load(content: dict[str, Any], env: Mapping[str, str], file: Path | None) -> Loaded:
    _refuse_secrets(content)
    from_env = _environment_names(env)
    source = _based(content, file)
    try:
        settings = _build(source, env)
    except ValidationError as error:
        raise _named(error) from None
    except SettingsError as error:
        field = re.search(r'field "([^"]+)"', str(error))
        name = field.group(1) if field else "environment"
        raise SettingError(name, "cannot be read from the environment", _SEE) from None
    allowed = {settings.relay.authentication_key_env, CONFIG_ENV}
    for key in settings.key_places():
        allowed |= {key.password_env, key.private_key_env}
    allowed |= _NOT_SETTINGS
    _refuse_unknown_variables(env, allowed)
    return Loaded(settings, file, frozenset(_leaves(content)), from_env)


def _build(content: dict[str, Any], env: Mapping[str, str]) -> Settings:
    """One class per call, so that sources are arguments and not globals."""

    class _Sourced(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            *_args: Any,
            **_sources: Any,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            variables = EnvSettingsSource(settings_cls)
            variables.env_vars = {k.lower(): v for k, v in env.items() if k.startswith(_PREFIX)}
            return variables, InitSettingsSource(settings_cls, content)

    return _Sourced()


def _file(config: Path | None, env: Mapping[str, str]) -> Path | None:
    named = config or (Path(env[CONFIG_ENV]) if env.get(CONFIG_ENV) else None)
    if named is None:
        return DEFAULT_FILE if DEFAULT_FILE.is_file() else None
    if not named.is_file():
        field = "--config" if config else CONFIG_ENV
        remedy = "name an existing file, or write one with `keeper config init`"
        raise SettingError(field, f"no settings file {named}", remedy)
    return named


def _parse(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        problem = f"is not TOML ({error})"
        raise SettingError(str(file), problem, "correct that line", _FILE) from None
    except (OSError, UnicodeDecodeError) as error:
        kind = type(error).__name__
        problem = f"cannot be read ({kind})"
        raise SettingError(str(file), problem, "make it readable", _FILE) from None


def _leaves(content: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in content.items():
        path = f"{prefix}{name}"
        if isinstance(value, dict):
            yield from _leaves(value, f"{path}.")
        yield path


def _refuse_secrets(content: Mapping[str, Any], prefix: str = "") -> None:
    for name, value in content.items():
        path = f"{prefix}{name}"
        if isinstance(value, dict):
            _refuse_secrets(value, f"{path}.")
        elif isinstance(value, list):
            _refuse_secrets({str(i): entry for i, entry in enumerate(value)}, f"{path}.")
        elif name.lower() in _SECRET_NAMES or (
            isinstance(value, str) and _KEY_SHAPE.fullmatch(value.strip())
        ):
            problem = "looks like a secret, and a settings file must not hold one"
            remedy = "remove it; use key.keystore, or put the key into $GIMBAL_PRIVATE_KEY"
            raise SettingError(path, problem, remedy)


def _based(content: dict[str, Any], file: Path | None) -> dict[str, Any]:
    """Relative paths of the file are meant relative to the file."""
    if file is None:
        return content
    based = {k: dict(v) if isinstance(v, dict) else v for k, v in content.items()}
    for table, name in _PATHS:
        value = based.get(table, {}).get(name) if isinstance(based.get(table), dict) else None
        if isinstance(value, str) and value:
            based[table][name] = str(file.parent / Path(value).expanduser())
    strategy = based.get("strategy")
    if isinstance(strategy, dict):
        based["strategy"] = _candidates_based(strategy, file)
    if isinstance(based.get("vaults"), list):
        based["vaults"] = [_entry_based(entry, file) for entry in based["vaults"]]
    for table, name, default in _BESIDE_THE_FILE:
        content = based.setdefault(table, {})
        if isinstance(content, dict) and name not in content:
            content[name] = str(file.parent / default)
    return based


def _candidates_based(strategy: dict[str, Any], file: Path) -> dict[str, Any]:
    """As `_based`, for the file of an objective's candidates."""
    parameters = strategy.get("parameters")
    given = parameters.get("candidates") if isinstance(parameters, dict) else None
    if not isinstance(given, str) or not isinstance(parameters, dict):
        return strategy
    path = str(file.parent / Path(given).expanduser())
    return {**strategy, "parameters": {**parameters, "candidates": path}}


def _entry_based(entry: Any, file: Path) -> Any:
    """As `_based`, for the key files of one of [[vaults]]."""
    if not isinstance(entry, dict):
        return entry
    found = {k: dict(v) if isinstance(v, dict) else v for k, v in entry.items()}
    if isinstance(found.get("strategy"), dict):
        found["strategy"] = _candidates_based(found["strategy"], file)
    for table in ("key", "protective_key"):
        for name in ("keystore", "password_file"):
            value = found[table].get(name) if isinstance(found.get(table), dict) else None
            if isinstance(value, str) and value:
                found[table][name] = str(file.parent / Path(value).expanduser())
    return found


def _environment_names(env: Mapping[str, str]) -> frozenset[str]:
    return frozenset(
        name.removeprefix(_PREFIX).lower().replace("__", ".")
        for name in env
        if name.startswith(_PREFIX)
    )


def _refuse_unknown_variables(env: Mapping[str, str], allowed: set[str]) -> None:
    known = set(Settings.model_fields)
    for name in sorted(env):
        if not name.startswith(_PREFIX) or name in allowed:
            continue
        top = name.removeprefix(_PREFIX).lower().split("__")[0]
        if top not in known:
            raise SettingError(f"${name}", f"is not a setting{_nearest(top, known)}", _SEE)


def _named(error: ValidationError) -> SettingError:
    """Every mistake in one line; the input is never quoted, it may be a secret."""
    found = error.errors(include_input=False, include_url=False, include_context=False)
    first, *others = [_fault(details) for details in found]
    if not others:
        return first
    remedy = f"set them in the settings file or as {_PREFIX} variables; {_SEE}"
    return SettingError(first.field, first.problem, remedy, others=tuple(others))


def _fault(details: Mapping[str, Any]) -> SettingError:
    field = ".".join(str(part) for part in details["loc"])
    message = str(details["msg"]).removeprefix("Value error, ")
    if not field and ": " in message:
        field, message = message.split(": ", 1)
    if details["type"] == "missing":
        message = "is missing"
    elif details["type"] == "extra_forbidden":
        message = f"is not a setting{_nearest(field, set(names(Settings)))}"
    elif not message.startswith(("is ", "has ", "must ")) and not message[:1].isdigit():
        message = message[:1].lower() + message[1:]
    remedy = _remedy(field)
    if details["type"] == "extra_forbidden":
        remedy = f"correct its name or remove it; {_SEE}"
    return SettingError(field, message, remedy)


def _remedy(field: str) -> str:
    return f"set it in the settings file or in ${_variable(field)}; {_SEE}"


def _variable(field: str) -> str:
    return _PREFIX + field.upper().replace(".", "__")


def names(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Dotted names of every setting."""
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from names(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _nearest(name: str, known: set[str]) -> str:
    close = difflib.get_close_matches(name, sorted(known), n=1)
    return f" (did you mean {close[0]}?)" if close else ""
