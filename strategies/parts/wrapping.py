"""What wrappers of another strategy share."""

from typing import Any


def claims_of(strategy: Any) -> tuple[str, ...]:
    """What a strategy alone may change, as it says; nothing for one that does not say."""
    return tuple(getattr(strategy, "claims", ()))


def must_be_strategy(owner: Any, inner: Any) -> None:
    """ValueError for what cannot be called."""
    if not callable(inner):
        name = type(owner).__name__
        raise ValueError(f"{name} needs a strategy to wrap, found {inner!r}")  # noqa: TRY004 - the kind that settings report
