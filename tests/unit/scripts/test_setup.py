"""The compiler is looked for outside the virtual environment: slither puts a downloader named `solc` inside it."""

import os
from pathlib import Path

import pytest

from scripts.setup import path_outside


def test_only_the_named_folder_leaves_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, other = tmp_path / "venv" / "bin", tmp_path / "usr"
    entries = [str(inside), str(other), "", f"{inside}/../bin"]
    monkeypatch.setenv("PATH", os.pathsep.join(entries))
    assert path_outside(inside) == str(other)
