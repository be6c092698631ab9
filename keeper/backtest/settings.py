"""Settings of a run as people write them: parts of the simulated world by name, and what the vault starts with."""

import dataclasses
from dataclasses import dataclass, replace
from typing import Any, get_type_hints

from keeper.backtest.spec import BacktestSpec, Holdings, levered
from keeper.errors import SettingError
from keeper.model.units import WAD


@dataclass(frozen=True, slots=True)
class Opening:
    """What the vault starts with."""

    deposit: float = 1_000_000.0
    """Whole assets."""
    health: float | None = None
    """Levered long in base at this health; None: not levered."""
    base_share: float = 0.0
    """Part of the deposit that starts as idle base."""


def opened_with(spec: BacktestSpec, opening: Opening, price_wad: int) -> BacktestSpec:
    """The world with those holdings at a first price; SettingError for a health that the venue does not lend to."""
    units = round(opening.deposit * 10**spec.asset.decimals)
    in_base = round(units * opening.base_share)
    scale = WAD * 10 ** (spec.base.decimals - spec.asset.decimals)
    held = Holdings(idle_asset=units - in_base, idle_base=in_base * scale // price_wad)
    spec = replace(spec, holdings=held)
    return spec if opening.health is None else levered(spec, opening.health, price_wad)


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
