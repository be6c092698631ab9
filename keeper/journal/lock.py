"""One live keeper for one journal, and nobody else's eyes on it."""

import fcntl
import os
from pathlib import Path
from typing import TextIO

from keeper.errors import JournalError

_PRIVATE = 0o600


def make_private(path: Path, *, tighten: bool) -> None:
    """A new journal only its owner reads and writes (SQLite gives its side files the same mode).

    tighten: take others' access to a journal that exists away as well.
    """
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, _PRIVATE))
    elif tighten and path.is_file():
        path.chmod(_PRIVATE)


def take_lock(path: Path) -> TextIO:
    """An advisory lock beside the file; the system frees it when the process dies."""
    real = os.path.realpath(path)  # by whatever name it is opened; unlike resolve, never raises
    handle = os.open(f"{real}.lock", os.O_RDWR | os.O_CREAT | os.O_APPEND, _PRIVATE)
    lock = os.fdopen(handle, "a+", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.seek(0)
        holder = lock.read().strip() or "unknown"
        lock.close()
        problem = (
            f"is in use by another keeper (process {holder}); stop it or set another journal.path"
        )
        raise JournalError(str(path), problem) from error
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock
