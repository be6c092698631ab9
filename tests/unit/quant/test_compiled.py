"""Machine code on disk: one folder for each state of the sources, warmers for every pricing module."""

from pathlib import Path
from types import ModuleType

import pytest

from keeper.cli.main import invoke
from keeper.quant import barrier, black, compiled, digital, implied, inverse, warm


@pytest.mark.parametrize("module", [barrier, black, digital, implied, inverse])
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
