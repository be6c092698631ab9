"""A lease in a file: for two keepers that share a disk and no database.

Nobody's wall clock is believed. The leader counts up; a standby that has seen the count stand still for longer
than the leader itself may go on without renewing takes over.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from keeper.errors import ControlError
from keeper.ops.control import write_durably

PATIENCE = 1.25
"""A standby waits so many times the life of a lease: clocks of two machines do not run at one pace."""
_PRIVATE = 0o600


class LeaseFile:
    """One lease in one file. `now` is a clock that also counts while the machine sleeps."""

    def __init__(self, path: Path, ttl_s: float, now: Callable[[], float]) -> None:
        self._path = path
        self._ttl_s = ttl_s
        self._now = now
        self._seen: tuple[str, int] | None = None
        self._since = 0.0

    def hold(self, holder: str) -> bool:
        """Take or renew the lease; False while somebody else's lasts. ControlError if the disk fails."""
        with self._locked():
            before = self._read()
            if before[0] not in {"", holder} and not self._stood_still(before):
                return False
            write_durably(self._path, {"holder": holder, "beat": before[1] + 1})
            return True

    def release(self, holder: str) -> None:
        """Give it up, so that another need not wait."""
        with self._locked():
            before = self._read()
            if before[0] == holder:
                write_durably(self._path, {"holder": "", "beat": before[1] + 1})

    def holder(self) -> str:
        """Who held it last; empty for nobody."""
        return self._read()[0]

    def _stood_still(self, record: tuple[str, int]) -> bool:
        if record != self._seen:
            self._seen, self._since = record, self._now()
            return False
        return self._now() - self._since >= PATIENCE * self._ttl_s

    def _read(self) -> tuple[str, int]:
        """Holder and count; what is no lease is held by somebody unknown, and must stand still as well."""
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return "", 0
        except (OSError, UnicodeDecodeError) as error:
            problem = f"cannot be read ({type(error).__name__})"
            raise ControlError(str(self._path), problem) from None
        try:
            content = json.loads(text)
            return str(content["holder"]), int(content["beat"])
        except (KeyError, TypeError, ValueError):
            return "?", 0

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One reads and writes at a time; held for two small file operations only."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT, _PRIVATE)
        except OSError as error:
            raise ControlError(str(self._path), f"cannot be locked ({error.strerror})") from None
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
            except (
                OSError
            ) as error:  # a shared disk does so now and then; only ControlError is borne
                problem = f"cannot be locked ({error.strerror})"
                raise ControlError(str(self._path), problem) from None
            yield
        finally:
            os.close(handle)
