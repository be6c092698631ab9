"""Whether a target can be meant: what a strategy hands over is checked before anything is made of it."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from keeper.model.decision import Lane, OptionTarget, Owner, PerpetualTarget, SupplyTarget, Target
from keeper.model.units import MAX_UINT256

LONGEST_REASON = 2_000
LONGEST_NAME = 200
_SHOWN = 80
MOST_ENTRIES = 256
"""Of options, of perpetuals, of supplies."""
KINDS = {
    "options": OptionTarget,
    "perpetuals": PerpetualTarget,
    "supplies": SupplyTarget,
    "owners": Owner,
}
LARGEST = 2**200
"""Of an amount: far beyond any token's supply, far below what overflows."""


def unsound(target: object) -> str:
    """What is wrong with it; empty if every part of it can be meant."""
    if not isinstance(target, Target):
        return f"returned {type(target).__name__}, not a Target"
    return next(_problems(target), "")


def _problems(target: Target) -> Iterator[str]:
    if not isinstance(target.lane, Lane):
        yield f"wants the lane {target.lane!r}"
    if not isinstance(target.reason, str) or len(target.reason) > LONGEST_REASON:
        yield "gives a reason that is no short text"
    elif not target.reason.isprintable():
        yield "gives a reason that cannot be printed"
    health = target.health_wad
    if health is not None and not (_whole(health) and 0 < health <= MAX_UINT256):
        yield f"wants the health {health!r}"
    if target.net_delta is not None and not _amount(target.net_delta):
        yield f"wants the net delta {target.net_delta!r}"
    for name, kind in KINDS.items():
        entries = getattr(target, name)
        if entries is not None:
            yield from _list(name, kind, entries)


def _list(name: str, kind: type, entries: Any) -> Iterator[str]:
    if not isinstance(entries, tuple) or len(entries) > MOST_ENTRIES:
        yield f"wants {name} that are no list of at most {MOST_ENTRIES}"
        return
    for entry in entries:
        if not isinstance(entry, kind):
            yield f"wants {name} with {type(entry).__name__} among them"
            return
        yield from _entry(name, entry)


def _entry(name: str, entry: Any) -> Iterator[str]:
    for field in fields(entry):
        value = getattr(entry, field.name)
        if value is None and field.default is None:
            continue
        if not (_name(value) if field.type in ("str", str) else _amount(value)):
            yield f"wants {name} with {field.name} {value!r:.{_SHOWN}}"
            return
    if name == "supplies" and min(entry.amount, entry.owed or 0) < 0:
        yield "wants a negative supply or debt"
    if name == "options" and (entry.strike_wad <= 0 or entry.expiry <= 0):
        yield "wants an option without strike or expiry"


def _name(value: Any) -> bool:
    """Of a venue or a token: it is written in logs, terminals and pages."""
    return isinstance(value, str) and len(value) <= LONGEST_NAME and value.isprintable()


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _amount(value: Any) -> bool:
    return isinstance(value, bool) or (_whole(value) and abs(value) <= LARGEST)
