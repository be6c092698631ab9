"""Price files: what is understood, and what is refused with its row and column."""

import contextlib
import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keeper.errors import PriceFileError
from keeper.localnet.paths.bars import BarKind, Bars
from keeper.localnet.paths.files import load_price_file

OHLC = "t,open,high,low,close\n"


@pytest.fixture
def load(tmp_path: Path):  # type: ignore[no-untyped-def]  # a factory; its type says less than its use
    def write_and_load(text: str | bytes, name: str = "p.csv", **window: str | int) -> Bars:
        file = tmp_path / name
        data = text.encode() if isinstance(text, str) else text
        file.write_bytes(data)
        return load_price_file(file, **window)

    return write_and_load


def test_reads_closes(load) -> None:  # type: ignore[no-untyped-def]
    bars = load("t,close\n100,10\n200,11.5\n")
    assert bars.kind is BarKind.CLOSE
    assert bars.times.tolist() == [100, 200]
    assert bars.close.tolist() == [10, 11.5]


def test_reads_bars_among_other_columns_in_any_order(load) -> None:  # type: ignore[no-untyped-def]
    bars = load("volume, close,ts_utc,t,LOW,high,open\n1,11,x,100,9,12,10\n1,12,y,700,9,13,11\n")
    assert bars.kind is BarKind.OHLC
    assert (bars.open[0], bars.high[0], bars.low[0], bars.close[0]) == (10, 12, 9, 11)
    assert bars.duration_s == 1_200


def test_reads_an_exchanges_own_names_and_iso_times(load) -> None:  # type: ignore[no-untyped-def]
    text = "time_period_start,price_open,price_high,price_low,price_close\n"
    rows = "".join(f"2020-03-12T00:{m}0:00.0000000Z,1,2,0.5,1.5\n" for m in range(3))
    assert load(text + rows).times.tolist() == [1_583_971_200, 1_583_971_800, 1_583_972_400]


def test_reads_gzip_and_a_byte_order_mark(load) -> None:  # type: ignore[no-untyped-def]
    assert len(load(gzip.compress(b"\xef\xbb\xbft,close\n1,2\n3,4\n"), "p.csv.gz")) == 2


def test_reads_rounds_and_tidies_them_with_notes(load) -> None:  # type: ignore[no-untyped-def]
    """The all-zero round is skipped, rounds are sorted, the last of equal times wins."""
    bars = load(
        "roundId,answer,startedAt,updatedAt\n0,0,0,0\n1,100000000,5,100\n2,300000000,5,300\n"
        "3,200000000,5,200\n4,400000000,5,300\n"
    )
    assert bars.kind is BarKind.ROUNDS
    assert bars.times.tolist() == [100, 200, 300]
    assert bars.close.tolist() == [1, 2, 4]
    assert len(bars.notes) == 3
    assert "row 2" in bars.notes[0]


@pytest.mark.parametrize(
    ("text", "problem", "row", "column"),
    [
        ("", "is empty", None, None),
        ("a,b\n1,2\n", "no usable columns", 1, None),
        ("t,open,high\n1,2,3\n", "no usable columns", 1, None),
        ("t,close\n", "0 usable rows", None, None),
        ("t,close\n1,2\n", "1 usable row;", None, None),
        ("t,close\n1,2\n2,abc\n", "not a number", 3, "close"),
        ("t,close\n1,2\n\n2,nan\n", "not a finite", 4, "close"),
        ("t,close\n1,2\n2,inf\n", "not a finite", 3, "close"),
        ("t,close\n1,2\n2,0\n", "not positive", 3, "close"),
        ("t,close\n1,-2\n2,3\n", "not positive", 2, "close"),
        ("t,close\n1,2\n2\n", "1 cells", 3, None),
        ("t,close\n1,2\nyesterday,2\n", "neither unix seconds", 3, "t"),
        ("t,close\n1,2\n1692313103000,2\n", "milliseconds", 3, "t"),
        ("t,close\n5,2\n4,2\n", "before the row above", 3, "t"),
        ("t,close\n5,2\n5,2\n", "stands twice", 3, "t"),
        (OHLC + "1,2,1,3,2\n2,2,2,2,2\n", "below low", 2, "high"),
        (OHLC + "1,2,3,1,2\n2,2,3,1,9\n", "outside low", 3, "close"),
        (OHLC + "1,9,3,1,2\n2,2,3,1,2\n", "outside low", 2, "open"),
        ("updatedAt,answer\n1,100\n2,0\n", "not positive", 3, "answer"),
        (b"t,close\n1,2\n2,\xff\n", "not UTF-8", 3, None),
    ],
)
def test_refuses_with_row_and_column(load, text, problem, row, column) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(PriceFileError, match=problem) as caught:
        load(text)
    assert (caught.value.row, caught.value.column) == (row, column)
    assert "p.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_quoted_line_break_does_not_shift_row_numbers(load) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(PriceFileError) as caught:
        load('t,close,remark\n1,2,"two\nlines"\n2,x,\n')
    assert caught.value.row == 4


def test_refuses_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(PriceFileError, match="does not exist"):
        load_price_file(tmp_path / "none.csv")


def test_refuses_a_directory(tmp_path: Path) -> None:
    with pytest.raises(PriceFileError, match="cannot be read"):
        load_price_file(tmp_path)


@pytest.mark.parametrize(
    "data", [b"t,close\n1,2\n2,3\n", gzip.compress(b"t,close\n1,2\n" * 99)[:-9]]
)
def test_refuses_what_is_named_gz_and_is_not(load, data: bytes) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(PriceFileError, match="gzip"):
        load(data, "p.csv.gz")


def test_refuses_gzip_without_its_name(load) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(PriceFileError, match="name it"):
        load(gzip.compress(b"t,close\n1,2\n"))


HOURS = OHLC + "".join(f"{1_692_230_400 + 3_600 * i},2,3,1,2\n" for i in range(72))
"""Three days from 2023-08-17."""


@pytest.mark.parametrize(
    ("window", "rows"),
    [
        ({}, 72),
        ({"start": "2023-08-18"}, 48),
        ({"end": "2023-08-17"}, 24),
        ({"start": "2023-08-17", "end": "2023-08-18"}, 48),
        ({"start": "2023-08-17T21:00", "end": "2023-08-17T23:00"}, 2),
        ({"start": "2023-08-17T21:00:00+02:00", "end": 1_692_230_400 + 86_400}, 5),
        ({"start": 1_692_230_400 + 70 * 3_600}, 2),
    ],
)
def test_windows(load, window: dict[str, str | int], rows: int) -> None:  # type: ignore[no-untyped-def]
    """A date as end means its whole day; a bar counts only if it lies in the window to its end."""
    assert len(load(HOURS, **window)) == rows


@pytest.mark.parametrize(
    ("window", "problem"),
    [
        ({"start": "2024-01-01"}, "selects no rows"),
        ({"start": "2023-08-17T01:00", "end": "2023-08-17T02:00"}, "selects 1 row;"),
        ({"start": "soon"}, "window cannot be read"),
    ],
)
def test_refuses_empty_windows(load, window: dict[str, str], problem: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(PriceFileError, match=problem):
        load(HOURS, **window)


def test_a_window_of_rounds_begins_and_ends_with_the_answer_in_force(load) -> None:  # type: ignore[no-untyped-def]
    rounds = "updatedAt,answer\n100,100000000\n200,200000000\n900,300000000\n"
    bars = load(rounds, start=150, end=800)
    assert bars.times.tolist() == [150, 200, 800]
    assert bars.close.tolist() == [1, 2, 2]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_or_read_but_never_crash(tmp_path: Path, junk: bytes) -> None:
    for name in ("p.csv", "p.csv.gz"):
        file = tmp_path / name
        file.write_bytes(b"t,close\n1,2\n2,3\n" + junk)
        with contextlib.suppress(PriceFileError):
            assert len(load_price_file(file)) >= 2


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.floats(0.01, 1e6), min_size=2, max_size=30))
def test_what_is_written_is_what_is_read(tmp_path: Path, prices: list[float]) -> None:
    file = tmp_path / "p.csv"
    file.write_text("t,close\n" + "".join(f"{60 * i},{p!r}\n" for i, p in enumerate(prices)))
    assert load_price_file(file).close.tolist() == prices
