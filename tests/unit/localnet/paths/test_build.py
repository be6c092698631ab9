"""The front door refuses what it does not know, by name."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from keeper.errors import SettingError
from keeper.localnet.paths.build import FileSpec, ScenarioSpec, build_path
from keeper.localnet.paths.path import PricePath


@pytest.fixture
def day(tmp_path: Path) -> Path:
    file = tmp_path / "day.csv"
    rows = (
        f"{1_583_971_200 + 600 * i},{100 - i / 10:.1f},{101},{80},{99.9 - i / 10:.1f}\n"
        for i in range(144)
    )
    file.write_text("t,open,high,low,close\n" + "".join(rows))
    return file


def test_builds_a_scenario_with_overrides() -> None:
    path = build_path(ScenarioSpec("crash", 5, {"fall": 0.3, "start_price": 1_000}))
    assert path.market_price[0] == pytest.approx(1_000)
    assert path.max_fall == pytest.approx(0.3, abs=0.05)


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        (ScenarioSpec("boom"), "scenario"),
        (ScenarioSpec("crash", -1), "seed"),
        (ScenarioSpec("crash", 1, {"depth": 1}), "Crash.depth"),
        (ScenarioSpec("crash", 1, {"fall": 1.5}), "Crash.fall"),
        (ScenarioSpec("crash", 1, {"fall": float("nan")}), "Crash.fall"),
        (ScenarioSpec("crash", 1, {"waves": 2.5}), "Crash.waves"),
        (FileSpec(Path("x"), between="spline"), "between"),
        (FileSpec(Path("x"), block_seconds=0), "block_seconds"),
        (FileSpec(Path("x"), max_blocks=1), "max_blocks"),
    ],
)
def test_refuses_by_name(spec: ScenarioSpec | FileSpec, field: str) -> None:
    with pytest.raises(SettingError) as caught:
        build_path(spec)
    assert caught.value.field == field


def test_a_file_is_fitted_into_the_blocks_asked_for(day: Path) -> None:
    path = build_path(FileSpec(day))
    assert len(path) == 600
    assert path.block_seconds == 144
    assert path.start_time == 1_583_971_200
    assert path.name == "day"


def test_block_seconds_are_kept_when_given(day: Path) -> None:
    path = build_path(FileSpec(day, end="2020-03-12T01:00", block_seconds=12))
    assert (np.diff(path.times) == 12).all()
    assert len(path) == 300


def test_too_many_blocks_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "years.csv"
    file.write_text("t,close\n0,1\n3600,1\n400000000,1\n")
    with pytest.raises(SettingError, match="block_seconds"):
        build_path(FileSpec(file, block_seconds=12))


@pytest.mark.parametrize(
    "change",
    [
        {"times": np.array([1, 1])},
        {"market_price": np.array([1.0, np.nan])},
        {"market_price": np.array([1.0, -1.0])},
        {"base_fee_wei": np.array([0, 1])},
        {"oracle_online": np.array([True])},
    ],
)
def test_a_path_cannot_be_made_wrong(change: dict[str, Any]) -> None:
    values: dict[str, Any] = {
        "times": np.array([1, 2]),
        "market_price": np.array([1.0, 2.0]),
        "oracle_online": np.array([True, True]),
        "base_fee_wei": np.array([1, 1]),
    }
    with pytest.raises(ValueError, match="path"):
        PricePath("x", 1, start_time=1, block_seconds=1, description="", **{**values, **change})
