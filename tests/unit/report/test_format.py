"""Numbers read as people expect, at every size and sign."""

import pytest

from keeper.report.format import amount, clock, percent, short_hash, span


@pytest.mark.parametrize(
    ("raw", "decimals", "places", "text"),
    [
        (123_456_789_000, 6, 2, "123,456.79"),
        (-1_500_000, 6, 2, "-1.50"),
        (0, 18, 5, "0.00000"),
        (-1, 18, 2, "0.00"),
        (999_999, 6, 0, "1"),
        (12, 0, 2, "12.00"),
    ],
)
def test_amount(raw: int, decimals: int, places: int, text: str) -> None:
    assert amount(raw, decimals, places) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (7_260, "2 h 1 min"), (180_000, "2 days 2 h")],
)
def test_span(seconds: int, text: str) -> None:
    assert span(seconds) == text


def test_clock_percent_and_hash() -> None:
    assert clock(3_725) == "1:02:05"
    assert percent(-0.1234) == "-12.3 %"
    assert short_hash("0x" + "ab" * 32) == "0xababab…abab"
    assert short_hash("0x12") == "0x12"
