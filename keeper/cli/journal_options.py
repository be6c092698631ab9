"""What the commands on the journal share: where it is, and which stretch of it."""

import re
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keeper.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keeper.journal.store import SqlJournal

JournalFile = Annotated[
    Path | None,
    typer.Option("--journal", help="Journal file (default: of the settings, or its database)."),
]
FromOption = Annotated[
    str | None,
    typer.Option("--from", help="First block, or time: 2026-01-31, 2026-01-31T12:00, 6h (ago)."),
]
ToOption = Annotated[str | None, typer.Option("--to", help="Last block, or time.")]
JsonOption = Annotated[bool, typer.Option("--json", help="For programs.")]
_AGE = re.compile(r"(\d{1,6})(s|m|h|d|w)")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_DIGITS_OF_A_BLOCK = 9


@contextmanager
def opened(config: Path | None, file: Path | None) -> "Iterator[SqlJournal]":
    """The journal of the settings, or a file, to look into while its keeper runs."""
    from keeper.cli.run import settings_of
    from keeper.journal.store import open_journal

    place: str | Path
    if file is not None:
        place = file
    else:
        from keeper.app import journal_path

        place = journal_path(settings_of(config).settings)
    if isinstance(place, Path) and not place.is_file():
        dry = place.with_name(f"{place.stem}.dry{place.suffix}")
        remedy = "let the keeper run first"
        if file is None and dry.is_file():
            remedy += f", or look at what dry runs decided: --journal {dry}"
        field = "journal.path" if file is None else "--journal"
        raise SettingError(field, f"{place} is no file", remedy)
    with open_journal(place, exclusive=False) as journal:
        yield journal


def age_s(option: str, given: str) -> int:
    """Seconds of `90d`, `12h`; SettingError for anything else."""
    found = _AGE.fullmatch(given.strip().lower())
    if found is None:
        raise SettingError(option, f"{given!r} is no age", "write 90d, 12h or 30m")
    return int(found[1]) * _SECONDS[found[2]]


def point(option: str, given: str | None, now: float) -> tuple[int | None, int | None]:
    """A block or a unix time: (block, None), (None, time), or (None, None) for nothing given."""
    if given is None:
        return None, None
    text = given.strip()
    if text.isascii() and text.isdecimal():
        number = int(text)
        return (number, None) if len(text) <= _DIGITS_OF_A_BLOCK else (None, number)
    if _AGE.fullmatch(text.lower()):
        return None, int(now) - age_s(option, text)
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        remedy = "write a block number, a time such as 2026-01-31T12:00, or an age such as 6h"
        raise SettingError(option, f"{given!r} is neither a block nor a time", remedy) from None
    return None, int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())
