"""Machine code on disk: one folder for each state of the sources, warmers for every pricing module."""

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from keeper.cli.main import invoke
from keeper.quant import (
    barrier,
    black,
    compiled,
    digital,
    implied,
    inverse,
    rehearsal,
    revaluation,
    warm,
)


@pytest.mark.parametrize("module", [barrier, black, digital, implied, inverse, revaluation])
def test_every_pricing_module_can_be_compiled_ahead(module: ModuleType) -> None:
    assert module.__name__ in compiled.WARMERS


def test_the_cache_folder_bears_a_name_of_its_own_under_the_one_given(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    compiled.cache_folder.cache_clear()
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    try:
        folder = compiled.cache_folder()
    finally:
        compiled.cache_folder.cache_clear()
    assert folder.parent == tmp_path
    assert compiled.is_cache_name(folder.name)
    assert not compiled.is_cache_name("quant")


def test_old_machine_code_is_dropped_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    current = tmp_path / ("f" * 16)
    others = [tmp_path / f"{n:016x}" for n in range(5)]
    for folder in (current, *others, tmp_path / "kept by its owner"):
        folder.mkdir()
    monkeypatch.setattr(compiled, "cache_folder", lambda: current)
    monkeypatch.setattr(compiled, "WARMERS", {"one": lambda: None})
    assert [done.name for done in warm.warm()] == ["one"]
    left = {folder.name for folder in tmp_path.iterdir()}
    assert {current.name, "kept by its owner"} < left
    assert len(left) == 4


def test_the_command_says_what_each_module_took(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(compiled, "cache_folder", lambda: tmp_path / ("f" * 16))
    monkeypatch.setattr(compiled, "WARMERS", {"keeper.quant.black": lambda: None})
    assert invoke(["quant", "warm"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("s  keeper.quant.black")
    assert "kept in" in lines[-1]


def left_to_compile(folder: Path, *left_out: str) -> list[str]:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.unit.quant.after_warm", str(folder), *left_out],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


def test_after_warm_no_tick_and_no_command_meets_a_kernel_that_is_not_ready(tmp_path: Path) -> None:
    assert left_to_compile(tmp_path) == []


def test_what_warm_leaves_out_is_seen(tmp_path: Path) -> None:
    """The test above can fail: without its part, each of these would wait for the compiler."""
    parts = ("surface", "volatility", "bands", "montecarlo", "revaluation", "black")
    found = left_to_compile(tmp_path, *(f"keeper.quant.{part}" for part in parts))
    for part in parts[:-1]:
        assert any(line.startswith(f"keeper.quant.{part}") for line in found), part


@pytest.mark.parametrize("part", ["surface", "volatility", "bands", "montecarlo"])
def test_every_part_of_several_modules_is_rehearsed(part: str) -> None:
    assert compiled.WARMERS[f"keeper.quant.{part}"].__module__ == rehearsal.__name__
