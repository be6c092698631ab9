"""The journal as commands beside a running keeper open it."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from keeper.config.settings import Settings


def source_of(settings: "Settings") -> Any:
    """Path or address of the journal."""
    from keeper.app import journal_path

    return journal_path(settings)


def open_for_reading(settings: "Settings") -> Any:
    """The journal without its lock; None if there is none yet."""
    from pathlib import Path

    from keeper.journal import store

    source = source_of(settings)
    if isinstance(source, Path) and not source.is_file():
        return None
    return store.open_journal(source, exclusive=False)


def in_use(settings: "Settings") -> bool:
    """True if a live keeper holds the journal's lock."""
    from pathlib import Path

    from keeper.errors import JournalError
    from keeper.journal import store

    source = source_of(settings)
    if isinstance(source, Path) and not source.is_file():
        return False
    try:
        store.open_journal(source, exclusive=True).close()
    except JournalError as error:
        if "in use" in error.problem:
            return True
        raise
    return False
