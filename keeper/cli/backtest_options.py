"""Options of `keeper backtest` as values: times, `key=value` pairs, and parts of the simulated world."""

import dataclasses
from datetime import UTC, datetime
from typing import Any, get_type_hints

from keeper.backtest.spec import BacktestSpec
from keeper.errors import SettingError


def moment(option: str, text: str | None) -> int | None:
    """Unix seconds of a day or time in UTC; SettingError for what is none."""
    if text is None:
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise SettingError(option, f"{text!r} is no date", "write 2020-03-12 or a time") from None
    return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())


def pairs(option: str, texts: list[str]) -> dict[str, Any]:
    """`key=value`, each key once."""
    found: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise SettingError(option, f"{text!r} is no key=value", "write low=1.3")
        if key.strip() in found:
            raise SettingError(option, f"{key.strip()} is given twice", "give it once")
        found[key.strip()] = value.strip()
    return found


def with_world(values: dict[str, Any]) -> BacktestSpec:
    """The default world with some of its numbers changed, named by `section.field`; terms of the mandate too."""
    spec = BacktestSpec()
    for path, text in values.items():
        spec = _with(spec, path.split("."), text, path)
    return spec


def _with(value: Any, names: list[str], text: str, path: str) -> Any:
    known = {f.name for f in dataclasses.fields(value)}
    if names[0] not in known:
        problem = f"the world has no {path}"
        raise SettingError("--world", problem, f"there are {', '.join(sorted(known))}")
    inner = getattr(value, names[0])
    if len(names) > 1:
        if not dataclasses.is_dataclass(inner):
            raise SettingError("--world", f"{path} goes too deep", "leave the last part out")
        changed = _with(inner, names[1:], text, path)
    elif dataclasses.is_dataclass(inner):
        parts = ", ".join(f.name for f in dataclasses.fields(inner))
        raise SettingError("--world", f"{path} has parts", f"name one of {parts}")
    else:
        changed = _value(text, inner, get_type_hints(type(value))[names[0]], path)
    return dataclasses.replace(value, **{names[0]: changed})


def _value(text: str, now: Any, hint: Any, path: str) -> Any:
    """Text as what stands there now."""
    if isinstance(now, bool):
        if text.lower() in ("true", "false"):
            return text.lower() == "true"
        raise SettingError("--world", f"{path} is true or false, not {text!r}", "correct it")
    if isinstance(now, str):
        return text
    try:
        return int(text.replace("_", ""))
    except ValueError:
        if text == "none" and type(None) in getattr(hint, "__args__", ()):
            return None
        problem = f"{path} is a whole number (units as documented), not {text!r}"
        raise SettingError("--world", problem, "correct it") from None
