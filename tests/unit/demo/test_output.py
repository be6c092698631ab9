"""Old results stay until there are new ones; a folder that cannot be used is named."""

from pathlib import Path

import pytest

from keeper.demo import output
from keeper.errors import SettingError


def test_an_earlier_result_stays_until_a_new_one_takes_its_place(tmp_path: Path) -> None:
    (tmp_path / output.SUMMARY).write_text("old")
    output.prepare(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [output.SUMMARY]


def test_makes_the_folder(tmp_path: Path) -> None:
    output.prepare(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


def test_a_folder_that_cannot_be_made_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(SettingError, match="--out"):
        output.prepare(file / "out")
