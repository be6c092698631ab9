"""Moments as people write them."""

import pytest

from keeper.localnet.paths.moments import unix_seconds, window_end


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("1692230400", 1_692_230_400),
        ("1692230400.0", 1_692_230_400),
        ("2023-08-17", 1_692_230_400),
        (" 2023-08-17T21:00 ", 1_692_306_000),
        ("2023-08-17T21:00:00Z", 1_692_306_000),
        ("2023-08-17T23:00:00+02:00", 1_692_306_000),
        ("2023-08-17T21:00:00.9999999Z", 1_692_306_000),
    ],
)
def test_reads(text: str, seconds: int) -> None:
    assert unix_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "now", "-5", "1692230400000", "2023-13-01", "1e9", "12.5"])
def test_refuses(text: str) -> None:
    with pytest.raises(ValueError, match=r"moment|neither"):
        unix_seconds(text)


def test_a_date_as_end_is_the_whole_day() -> None:
    assert window_end("2023-08-17") == unix_seconds("2023-08-18")
    assert window_end("2023-08-17T21:00") == unix_seconds("2023-08-17T21:00")
