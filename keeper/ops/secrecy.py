"""What the system would show of this process: no memory in a core file, no key in its environment (K-09)."""

import ctypes
import os
import resource
from collections.abc import Iterable

_PR_SET_DUMPABLE = 4
_BLANK = b"*"


def forbid_dumps() -> bool:
    """No core file, and /proc/PID/{environ,mem} for root only. False where the system has no such switch."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        return int(ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)) == 0
    except (AttributeError, OSError):
        return False


def forget(names: Iterable[str]) -> None:
    """Take variables out of the environment: for child processes, and blank in what /proc shows of it.

    Their values have been read by then. The block that /proc/PID/environ shows is the one the process was
    started with; unsetting a variable leaves it there, so its bytes are overwritten in place first.
    """
    for name in names:
        value = os.environ.get(name)
        if value is None:
            continue
        _blank(name, len(os.fsencode(value)))
        del os.environ[name]


def _blank(name: str, length: int) -> None:
    try:
        library = ctypes.CDLL(None)
        library.getenv.restype = ctypes.c_void_p
        found = library.getenv(os.fsencode(name))
    except (AttributeError, OSError):
        return
    if found:
        ctypes.memset(found, _BLANK[0], length)
