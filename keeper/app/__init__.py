"""The keeper put together: the one place that knows both the stages and the world."""

from keeper.app.build import (
    NOBODY,
    build_heads,
    build_keeper,
    build_keeper_for,
    first_readings,
    journal_path,
)
from keeper.app.keeper import Keeper

__all__ = [
    "NOBODY",
    "Keeper",
    "build_heads",
    "build_keeper",
    "build_keeper_for",
    "first_readings",
    "journal_path",
]
