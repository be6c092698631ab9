"""Files of market data: what cannot be used is refused with file, row and column."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from keeper.errors import MarketDataError
from keeper.history.table import DIRECTORY, found_data, market_data, read_table


def test_reads_plain_and_gzipped_files_alike(tmp_path: Path) -> None:
    text = "\ufeffa, b\n1,x\n\n2,y\n"
    plain, packed = tmp_path / "p.csv", tmp_path / "p.csv.gz"
    plain.write_text(text, encoding="utf-8")
    packed.write_bytes(gzip.compress(text.encode()))
    for file in (plain, packed):
        table = read_table(file, ["a", "b"])
        assert table.columns == {"a": ["1", "2"], "b": ["x", "y"]}
        assert table.lines == [2, 4]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "lacks the columns a, b"),
        (b"a,b\n", "no rows"),
        (b"a,c\n1,2\n", "lacks the column b"),
        (b"a,b\n1,2\n3\n", "row 3: has 1 cells"),
        (b"\x1f\x8bnot gzip", "not a whole gzip file"),
        (gzip.compress(b"a,b\n1,2\n" * 50)[:-10], "not a whole gzip file"),
        (b"a,b\n\xff\xfe,2\n", "not UTF-8"),
        (b'a,b\n"1,2\n' + b"x" * 200_000, "not CSV"),
    ],
)
def test_refuses_what_is_no_table(tmp_path: Path, data: bytes, words: str) -> None:
    file = tmp_path / "f.csv"
    file.write_bytes(data)
    with pytest.raises(MarketDataError, match=words) as caught:
        read_table(file, ["a", "b"])
    assert str(file) in str(caught.value)


def test_names_the_file_that_is_absent(tmp_path: Path) -> None:
    with pytest.raises(MarketDataError, match="does not exist"):
        read_table(tmp_path / "none.csv", ["a"])
    with pytest.raises(MarketDataError, match="cannot be read"):
        read_table(tmp_path, ["a"])


@pytest.mark.parametrize(
    ("cell", "words"), [("x", "'x' is not a number"), ("nan", "not finite"), ("", "not a number")]
)
def test_names_row_and_column_of_a_cell_that_is_no_number(
    tmp_path: Path, cell: str, words: str
) -> None:
    file = tmp_path / "f.csv"
    file.write_text(f"a,b\n1,2\n1,{cell}\n")
    with pytest.raises(MarketDataError, match=words) as caught:
        read_table(file, ["b"]).numbers("b")
    assert (caught.value.row, caught.value.column) == (3, "b")


def test_an_empty_cell_is_what_the_reader_says(tmp_path: Path) -> None:
    file = tmp_path / "f.csv"
    file.write_text("a,b\n1,2\n1, \n")
    values = read_table(file, ["b"]).numbers("b", empty=np.nan)
    assert values[0] == 2
    assert np.isnan(values[1])


@pytest.mark.parametrize("cell", ["1.5", "1e17"])
def test_a_time_is_whole_and_exact(tmp_path: Path, cell: str) -> None:
    file = tmp_path / "f.csv"
    file.write_text(f"a\n{cell}\n")
    with pytest.raises(MarketDataError, match="whole number"):
        read_table(file, ["a"]).whole("a")


def test_market_data_lies_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DIRECTORY, str(tmp_path))
    with pytest.raises(MarketDataError, match=DIRECTORY):
        market_data("x.csv")
    (tmp_path / "x.csv").write_text("a\n")
    assert market_data("x.csv") == tmp_path / "x.csv"


def test_a_name_without_a_folder_is_looked_for_in_the_market_data_and_here_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, here = tmp_path / "data", tmp_path / "here"
    data.mkdir()
    here.mkdir()
    (data / "a.csv").touch()
    monkeypatch.chdir(here)
    monkeypatch.delenv(DIRECTORY, raising=False)
    assert found_data(Path("a.csv")) == Path("a.csv")
    monkeypatch.setenv(DIRECTORY, str(data))
    assert found_data(Path("a.csv")) == data / "a.csv"
    for other in (Path("b.csv"), Path("x/a.csv"), here / "a.csv"):
        assert found_data(other) == other
    (here / "a.csv").touch()
    assert found_data(Path("a.csv")) == Path("a.csv")
