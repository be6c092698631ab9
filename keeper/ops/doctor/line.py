"""One finding."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How much it matters."""

    OK = "ok"
    WARN = "warn"  # the keeper works; something will hurt it, or is not as it should be
    FAIL = "fail"  # the keeper does not work


@dataclass(frozen=True, slots=True)
class Line:
    """What was looked at, how it is, what was found, and what to do unless it is ok."""

    check: str
    level: Level
    found: str
    remedy: str = ""


def ok(check: str, found: str) -> Line:
    """As it should be."""
    return Line(check, Level.OK, found)


def warn(check: str, found: str, remedy: str) -> Line:
    """Not as it should be."""
    return Line(check, Level.WARN, found, remedy)


def fail(check: str, found: str, remedy: str) -> Line:
    """The keeper does not work."""
    return Line(check, Level.FAIL, found, remedy)


def exit_code(lines: Iterable[Line]) -> int:
    """1 if anything fails."""
    return int(any(line.level is Level.FAIL for line in lines))
