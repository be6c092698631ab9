"""This machine: disk, switches, who leads."""

import shutil
from pathlib import Path

from keeper.errors import ControlError
from keeper.ops.control import Switches
from keeper.ops.doctor.line import Line, fail, ok, warn

_FAIL_BYTES, _WARN_BYTES = 100 * 2**20, 2**30
_OTHERS = 0o077


def disk(path: Path) -> Line:
    """Room where the journal is: without it nothing is sent."""
    folder = next(p for p in (path, *path.resolve().parents) if p.is_dir())
    free = shutil.disk_usage(folder).free
    found, remedy = (
        f"{free / 2**30:.1f} GiB free at {folder}",
        "make room: a full disk stops the keeper",
    )
    if free < _FAIL_BYTES:
        return fail("disk", found, remedy)
    return warn("disk", found, remedy) if free < _WARN_BYTES else ok("disk", found)


def switches(set_: Switches, vault: str) -> Line:
    """Kill switch and pause."""
    if (killed := set_.killed()) is not None:
        return fail("switches", f"the kill switch is set: {killed.reason}", "keeper revive")
    if (paused := set_.paused(vault)) is not None:
        return warn("switches", f"the vault is paused: {paused.reason}", "keeper resume")
    try:
        set_.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ControlError(str(set_.directory), f"cannot be made ({error.strerror})") from None
    return ok("switches", f"none is set in {set_.directory}")


def private_file(check: str, path: Path) -> Line | None:
    """A file with a secret that others may read; None if they may not."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return fail(check, f"{path} cannot be looked at ({error.strerror})", "name a readable file")
    if mode & _OTHERS:
        return warn(check, f"{path} is open to others on this machine", f"chmod 600 {path}")
    return None
