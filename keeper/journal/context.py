"""What decides besides the readings and stays the same from tick to tick; recorded so that ticks can be replayed."""

import dataclasses
import hashlib
from typing import Any

from keeper import __version__
from keeper.journal.codec import decode, decode_loose, encode, encode_loose
from keeper.model.policy import Policies


@dataclasses.dataclass(frozen=True)
class Context:
    """Who decides, and how."""

    strategy: str
    """Its class, as `module:name`."""
    parameters: dict[str, Any] | None
    """Its fields; None for a strategy that is not a dataclass of plain values: it cannot be replayed."""
    policies: Policies
    rules: dict[str, Any]
    """Fields of the loop's TickRules, and in them those of what it is made of."""
    software: str = __version__

    @property
    def digest(self) -> str:
        """The same for equal contexts, and only for those."""
        return hashlib.sha256("\n".join(self.columns().values()).encode()).hexdigest()

    def columns(self) -> dict[str, str]:
        """As the journal keeps it."""
        return {
            "software": self.software,
            "strategy": self.strategy,
            "parameters": encode_loose(self.parameters),
            "policies": encode(self.policies),
            "rules": encode_loose(self.rules),
        }


def context_of(strategy: Any, policies: Policies, rules: Any) -> Context:
    """The context of a running keeper, from its own values."""
    own = getattr(strategy, "recorded_as", None)  # of one that lives in a process of its own
    name, parameters = own if own is not None else described(strategy)
    try:
        encode_loose(parameters)
    except ValueError:  # not of plain values
        parameters = None
    return Context(name, parameters, policies, _deep(rules))


def described(strategy: Any) -> tuple[str, dict[str, Any] | None]:
    """Its class and its fields; strategies inside it as tables of the same two."""
    kind = strategy if isinstance(strategy, type) or not _is_value(strategy) else type(strategy)
    name = getattr(kind, "__qualname__", type(strategy).__qualname__)
    module = getattr(kind, "__module__", type(strategy).__module__)
    if not _is_value(strategy):
        return f"{module}:{name}", None
    return f"{module}:{name}", {k: _plain(v) for k, v in _fields(strategy).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if _is_value(value) and callable(value):
        name, parameters = described(value)
        return {"strategy": name, "parameters": parameters}
    return value


def read_context(row: Any) -> Context:
    """A context from its row; CodecError for one this version cannot read."""
    return Context(
        strategy=row.strategy,
        parameters=decode_loose(row.parameters),
        policies=decode(row.policies),
        rules=decode_loose(row.rules),
        software=row.software,
    )


def _is_value(thing: Any) -> bool:
    return dataclasses.is_dataclass(thing) and not isinstance(thing, type)


def _deep(value: Any) -> Any:
    """Fields as mappings, however deep: the classes of rules are the loop's, the journal need not know them."""
    return {k: _deep(v) for k, v in _fields(value).items()} if _is_value(value) else value


def _fields(value: Any) -> dict[str, Any]:
    return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
