"""Bars and days."""

from pathlib import Path

import numpy as np
import pytest

from keeper.errors import MarketDataError
from keeper.history.bars import DAY_S, HOUR_S, Bars, daily, read_bars

HEADER = "t,open,high,low,close\n"


def write(tmp_path: Path, *rows: str) -> Path:
    file = tmp_path / "bars.csv"
    file.write_text(HEADER + "\n".join(rows) + "\n")
    return file


def test_reads_bars_and_knows_when_each_was_known(tmp_path: Path) -> None:
    bars = read_bars(write(tmp_path, "3600,10,12,9,11", "7200,11,11,11,11"))
    assert bars.close.tolist() == [11, 11]
    assert bars.ends.tolist() == [7_200, 10_800]
    assert bars.gaps == ()


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [
        ("7200,-10,12,9,11", "open", "not a positive price"),
        ("7200,10,12,0,11", "low", "not a positive price"),
        ("7200,10,8,9,11", "high", "below the low"),
        ("7200,13,12,9,11", "open", "outside low and high"),
        ("7200,10,12,9,8", "close", "outside low and high"),
        ("3600,10,12,9,11", "t", "stands twice"),
        ("0,10,12,9,11", "t", "before the row above"),
        ("7201,10,12,9,11", "t", "off the step"),
        ("18000,10,12,9,11", "t", "3 steps of 3600 s are missing"),
        ("x,10,12,9,11", "t", "not a number"),
    ],
)
def test_refuses_a_row_with_its_place(tmp_path: Path, row: str, column: str, words: str) -> None:
    with pytest.raises(MarketDataError, match=words) as caught:
        read_bars(write(tmp_path, "3600,10,12,9,11", row))
    assert (caught.value.row, caught.value.column) == (3, column)


def test_reports_the_gaps_that_are_allowed_and_fills_none(tmp_path: Path) -> None:
    file = write(tmp_path, "0,10,12,9,11", "10800,10,12,9,11")
    bars = read_bars(file, max_missing=2)
    assert len(bars) == 2
    assert [(gap.after, gap.missing) for gap in bars.gaps] == [(0, 2)]
    with pytest.raises(MarketDataError, match="missing"):
        read_bars(file, max_missing=1)


def test_refuses_a_step_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(MarketDataError, match="step"):
        read_bars(write(tmp_path, "0,1,1,1,1"), step_s=0)


def make_bars(close: list[float], hours: list[int]) -> Bars:
    times, c = np.array(hours) * HOUR_S, np.array(close)
    return Bars(HOUR_S, times, c, c * 1.01, c * 0.99, c, ())


def test_a_days_variance_counts_the_return_into_it_and_across_gaps() -> None:
    """Day 1 has hours 24, 25 and 47; the gap's return is one square."""
    bars = make_bars([1.0, 1.1, 1.2, 1.3, 1.4], [22, 24, 25, 47, 48])
    days = daily(bars)
    assert days.times.tolist() == [DAY_S]
    expected = sum(np.log(x) ** 2 for x in (1.1 / 1.0, 1.2 / 1.1, 1.3 / 1.2))
    assert days.realised == pytest.approx([expected])
    assert (days.open[0], days.close[0], days.bars[0]) == (1.1, 1.3, 3)
    assert days.high[0] == pytest.approx(1.3 * 1.01)
    assert days.low[0] == pytest.approx(1.1 * 0.99)


def test_a_day_that_has_not_ended_is_none_yet() -> None:
    whole = make_bars([1.0, 1.1, 1.2], [23, 24, 47])
    unfinished = make_bars([1.0, 1.1, 1.2], [23, 24, 46])
    assert daily(whole).times.size == 1
    assert daily(unfinished).times.size == 0


def test_one_day_is_too_few() -> None:
    with pytest.raises(MarketDataError, match="two days"):
        daily(make_bars([1.0, 1.1], [1, 2]))
