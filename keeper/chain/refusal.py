"""Answers of HTTP that are none: a status, and how long to wait where there were too many requests."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from keeper.chain.wire import NoAnswer, TooMany

_TOO_MANY = 429
_LONGEST_RETRY_AFTER_S = 3_600.0


def refuse_status(status: int, retry_after: str | None) -> None:
    """NoAnswer for anything but success, TooMany with the time of a Retry-After header."""
    if status < 300:
        return
    said = f"answered HTTP {status}"
    raise TooMany(said, retry_after_s(retry_after)) if status == _TOO_MANY else NoAnswer(said)


def retry_after_s(header: str | None) -> float | None:
    """Seconds of a Retry-After header, a number or a date, up to an hour; None where there is no usable one."""
    if not header:
        return None
    text = header.strip()
    if text.isdecimal() and text.isascii():
        return min(float(text[:9]), _LONGEST_RETRY_AFTER_S)
    try:
        at = parsedate_to_datetime(text)
        left = (at - datetime.now(at.tzinfo or UTC)).total_seconds() if at.tzinfo else 0.0
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(left, 0.0), _LONGEST_RETRY_AFTER_S)
