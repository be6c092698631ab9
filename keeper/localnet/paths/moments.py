"""Moments as people and files write them: unix seconds or ISO 8601, UTC unless said otherwise."""

import re
from datetime import UTC, datetime, timedelta

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_UNIX = re.compile(r"-?\d+(\.0+)?")
FURTHEST = 253_402_300_799
"""9999-12-31T23:59:59Z; greater numbers are surely milliseconds."""


def unix_seconds(text: str) -> int:
    """Whole unix seconds of a moment; raises ValueError with the reason."""
    word = text.strip()
    if _UNIX.fullmatch(word):
        seconds = int(float(word))
        if not 0 <= seconds <= FURTHEST:
            raise ValueError(f"{word} is not a moment in unix seconds (milliseconds?)")
        return seconds
    try:
        moment = datetime.fromisoformat(word)
    except ValueError:
        raise ValueError(f"{text!r} is neither unix seconds nor an ISO date or time") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def window_end(text: str) -> int:
    """Like `unix_seconds`, but a date without a time means the end of that day."""
    seconds = unix_seconds(text)
    return (
        seconds + int(timedelta(days=1).total_seconds())
        if _DATE.fullmatch(text.strip())
        else seconds
    )
