"""Kill switch and pauses: small files that outlive every process and need no database to be set or read.

A file that cannot be looked at counts as set: a switch that fails must fail to the safe side.
"""

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keeper.errors import ControlError
from keeper.model.address import checked_address
from keeper.model.decision import Lane, Refusal

_KILL = "kill.json"
_PRIVATE_DIRECTORY = 0o700
_PRIVATE = 0o600
_LONGEST_REASON = 400


@dataclass(frozen=True, slots=True)
class Order:
    """A switch that is set: since when, by whom and why."""

    reason: str
    since: int
    """Unix seconds; 0 if unknown."""


class Switches:
    """The switches of one keeper, in one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._unwritten: Order | None = None

    def kill(self, reason: str) -> None:
        """From the next signature on nothing is signed, until `revive`. Setting it again keeps the first.

        Where it cannot be written it holds for this process, and ControlError says so.
        """
        before = self.killed()
        if before is None or not before.since:
            self._unwritten = Order(reason, 0)
            self._set(_KILL, reason)
            self._unwritten = None

    def revive(self) -> bool:
        """Release the kill switch; False if it was not set."""
        unwritten, self._unwritten = self._unwritten, None
        return self._clear(_KILL) or unwritten is not None

    def killed(self) -> Order | None:
        """The kill switch, if it is set."""
        return self._read(_KILL) or self._unwritten

    def pause(self, vault: str, reason: str) -> None:
        """No routine work on a vault until `resume`; protective work goes on."""
        self._set(_pause_file(vault), reason)

    def resume(self, vault: str) -> bool:
        """End a pause; False if there was none."""
        return self._clear(_pause_file(vault))

    def paused(self, vault: str) -> Order | None:
        """The pause of a vault, if it is set."""
        return self._read(_pause_file(vault))

    def refusals(self, vault: str, lane: Lane) -> tuple[Refusal, ...]:
        """Why nothing may be sent for a vault on a lane."""
        found = []
        if (killed := self.killed()) is not None:
            found.append(
                Refusal("kill switch", f"{killed.reason}; release it with `keeper revive`")
            )
        if lane is Lane.ROUTINE and (paused := self.paused(vault)) is not None:
            found.append(Refusal("pause", f"{paused.reason}; end it with `keeper resume`"))
        return tuple(found)

    def _set(self, name: str, reason: str) -> None:
        text = "".join(c if c.isprintable() else " " for c in reason)[:_LONGEST_REASON]
        write_durably(self.directory / name, {"reason": text, "since": int(time.time())})

    def _clear(self, name: str) -> bool:
        try:
            (self.directory / name).unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise ControlError(str(self.directory / name), _why(error)) from None
        sync_directory(self.directory)
        return True

    def _read(self, name: str) -> Order | None:
        try:
            text = (self.directory / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            return Order(f"{self.directory / name} cannot be read ({type(error).__name__})", 0)
        return _order(text)


def _order(text: str) -> Order:
    """An empty or foreign file is an order as well: `touch kill.json` must do."""
    try:
        content = json.loads(text)
        return Order(str(content["reason"]) or "no reason given", int(content["since"]))
    except (KeyError, TypeError, ValueError):
        return Order(text.strip()[:_LONGEST_REASON] or "no reason given", 0)


def _pause_file(vault: str) -> str:
    return f"pause-{checked_address(vault).lower()}.json"


def write_durably(path: Path, content: dict[str, Any]) -> None:
    """The whole file or the one before, whatever happens; ControlError if it cannot be written."""
    try:
        path.parent.mkdir(mode=_PRIVATE_DIRECTORY, parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}")
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        sync_directory(path.parent)
    except OSError as error:
        raise ControlError(str(path), _why(error)) from None


def sync_directory(directory: Path) -> None:
    """A new or removed name, on the disk."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _why(error: OSError) -> str:
    return f"cannot be written ({error.strerror or type(error).__name__})"
