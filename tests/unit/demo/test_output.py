"""Old results go first; a folder that cannot be used is named."""

from pathlib import Path

import pytest

from keeper.demo import output
from keeper.errors import SettingError


def test_an_earlier_result_is_gone_before_the_next_run_begins(tmp_path: Path) -> None:
    for name in (output.SUMMARY, output.REPORT, output.CHART, "keep.txt"):
        (tmp_path / name).write_text("old")
    output.clear(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["keep.txt"]


def test_makes_the_folder(tmp_path: Path) -> None:
    output.clear(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


def test_a_folder_that_cannot_be_made_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(SettingError, match="--out"):
        output.clear(file / "out")
