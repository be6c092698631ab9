"""The cache: whole entries or none, one builder, keys that follow content."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from keeper.localnet.cache import (
    KEPT_ENTRIES,
    cache_dir,
    cached_entry,
    digest,
    files_digest,
    package_versions,
    write_atomically,
)


def _write(target: Path) -> None:
    (target / "made").write_text("yes")


def test_an_entry_is_built_once(tmp_path: Path) -> None:
    built: list[Path] = []

    def build(target: Path) -> None:
        built.append(target)
        _write(target)

    first = cached_entry(tmp_path, "thing", "k1", build)
    second = cached_entry(tmp_path, "thing", "k1", build)
    assert first == second
    assert (first / "made").read_text() == "yes"
    assert len(built) == 1


def test_a_failed_build_leaves_nothing_and_the_next_one_works(tmp_path: Path) -> None:
    def fail(target: Path) -> None:
        _write(target)
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        cached_entry(tmp_path, "thing", "k1", fail)
    assert [path.name for path in tmp_path.iterdir()] == ["thing.lock"]
    assert (cached_entry(tmp_path, "thing", "k1", _write) / "made").is_file()


SLOW_BUILD = """
import os, sys, time
from pathlib import Path
from keeper.localnet.cache import cached_entry

def build(target):
    (Path(sys.argv[2]) / str(os.getpid())).touch()
    time.sleep(0.2)

cached_entry(Path(sys.argv[1]), "thing", "k1", build)
"""


def test_two_processes_build_once(tmp_path: Path) -> None:
    marks, directory = tmp_path / "marks", tmp_path / "cache"
    marks.mkdir()
    directory.mkdir()
    command = [sys.executable, "-c", SLOW_BUILD, str(directory), str(marks)]
    processes = [subprocess.Popen(command) for _ in range(2)]
    assert [process.wait(30) for process in processes] == [0, 0]
    assert len(list(marks.iterdir())) == 1


def test_old_entries_go_and_the_newest_stay(tmp_path: Path) -> None:
    for number in range(KEPT_ENTRIES + 3):
        entry = cached_entry(tmp_path, "thing", f"k{number}", _write)
        os.utime(entry, (number, number))
    left = {path.name for path in tmp_path.glob("thing-*")}
    assert f"thing-k{KEPT_ENTRIES + 2}" in left
    assert len(left) <= KEPT_ENTRIES + 1


def test_a_written_file_is_whole_and_leaves_no_other(tmp_path: Path) -> None:
    file = tmp_path / "a" / "value.json"
    write_atomically(file, "one")
    write_atomically(file, "two")
    assert file.read_text() == "two"
    assert [path.name for path in file.parent.iterdir()] == ["value.json"]


def test_the_key_follows_package_versions(tmp_path: Path) -> None:
    manifest = tmp_path / "node_modules" / "@x" / "y" / "package.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(json.dumps({"version": "1.0.0"}))
    one = package_versions(tmp_path, ["@x/y", "z"])
    manifest.write_text(json.dumps({"version": "1.0.1"}))
    other = package_versions(tmp_path, ["@x/y", "z"])
    assert one == {"@x/y": "1.0.0", "z": "absent"}
    assert digest(one) != digest(other)


def test_the_key_follows_the_content_and_the_name_of_sources(tmp_path: Path) -> None:
    first, second = tmp_path / "a.py", tmp_path / "b.py"
    first.write_text("x = 1")
    before = files_digest([first], tmp_path)
    second.write_text("x = 1")
    assert files_digest([second], tmp_path) != before
    first.write_text("x = 2")
    assert files_digest([first], tmp_path) != before


def test_the_cache_may_be_put_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GIMBAL_CACHE_DIR", raising=False)
    assert cache_dir(tmp_path) == tmp_path / "build" / "localnet"
    monkeypatch.setenv("GIMBAL_CACHE_DIR", str(tmp_path / "elsewhere"))
    assert cache_dir(tmp_path / "root") == tmp_path / "elsewhere"
