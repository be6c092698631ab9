"""One live keeper for one journal."""

import fcntl
import os
from pathlib import Path
from typing import TextIO

from keeper.errors import JournalError


def take_lock(path: Path) -> TextIO:
    """An advisory lock beside the file; the system frees it when the process dies."""
    lock = Path(f"{path}.lock").open("a+", encoding="ascii")  # noqa: SIM115 - open is the lock
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
