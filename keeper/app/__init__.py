"""The keeper put together: the one place that knows both the stages and the world."""

from keeper.app.build import (
    NOBODY,
    build_heads,
    build_keeper,
    first_pools,
    first_readings,
    journal_path,
)
from keeper.app.keeper import Keeper
from keeper.app.kept import KeptVault, VaultTerms
from keeper.app.values import build_keeper_for, build_keeper_of

__all__ = [
    "NOBODY",
    "Keeper",
    "KeptVault",
    "VaultTerms",
    "build_heads",
    "build_keeper",
    "build_keeper_for",
    "build_keeper_of",
    "first_pools",
    "first_readings",
    "journal_path",
]
